"""ModelScope's own pipeline: the backend ``modelscope``, the reference that the others are held to."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from tokenizers import Tokenizer

from shared.entities import Entity
from workers.backends import quiet  # noqa: F401
from workers.engine.tokens import Splitting
from workers.preparation.manifest import SOURCE, TOKENIZER, read_manifest

# White space of the same length that makes no token.
_BLANK = "\u3000"
_FULL_WIDTH = str.maketrans("[<", "［＜")
_SURROGATE = re.compile("[\ud800-\udfff]")


class ModelScopePipeline:
    """ModelScope's pipeline on one text of at most the model's window, shielded from what it fails on.

    The pipeline sees a text in which, each at the same length,

    - the bracket of a special token spelt out in the text, such as ``[SEP]``, is the full-width one, since the
      pipeline would take the rest of the text for a prompt and label nothing of it;
    - a lone surrogate is U+FFFD;
    - where the tokenizer is BERT's slow one, what it makes a token of that is not literally in the text (characters
      that are not in the vocabulary, letters whose accents it takes away) is U+3000, since the pipeline looks for its
      tokens in the text and raises ``ValueError: substring not found``.

    So its entities are the pipeline's own wherever the pipeline works, and entities never hold what it cannot see.
    Sets the number of PyTorch's threads for the whole process.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        from modelscope.pipelines import pipeline

        torch.set_num_threads(threads)
        self._splitting = read_manifest(folder).splitting
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.encode_special_tokens = True
        self._pipeline = pipeline(
            "named-entity-recognition",
            model=str(folder / SOURCE),
            device="gpu" if torch.cuda.is_available() else "cpu",
        )
        tokenizer = self._pipeline.preprocessor.nlp_tokenizer.tokenizer
        self._lower_case = bool(getattr(tokenizer, "do_lower_case", False))
        self._special = re.compile("|".join(map(re.escape, tokenizer.all_special_tokens)))

    def entities(self, text: str) -> list[Entity]:
        """What ModelScope's pipeline finds in a text. A text that makes no token has no entities."""
        seen = self._shield(text)
        if not seen.strip() or not self._tokenizer.encode(seen, add_special_tokens=False).ids:
            return []
        return [
            Entity(int(found["start"]), int(found["end"]), str(found["type"]), float(found["prob"]))
            for found in self._pipeline(seen)["output"]
        ]

    def _shield(self, text: str) -> str:
        text = _SURROGATE.sub("\ufffd", text)
        text = self._special.sub(lambda special: special[0].translate(_FULL_WIDTH), text)
        if self._splitting is Splitting.WORDPIECES:
            # What is left of a word may make other tokens than the whole did, so look again.
            while (blanked := self._blank_unfindable(text)) != text:
                text = blanked
        return text

    def _blank_unfindable(self, text: str) -> str:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        characters = list(text)
        for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
            there = text[start:end].lower() if self._lower_case else text[start:end]
            if token.removeprefix("##") != there:
                characters[start:end] = _BLANK * (end - start)
        return "".join(characters)
