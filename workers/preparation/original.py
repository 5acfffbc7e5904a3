"""The model to be prepared, loaded by ModelScope, and what the engine has to know of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shared.errors import SourceIncomplete, UnsupportedModel
from workers.backends.base import Network
from workers.backends.source_model import Emissions, load_model, load_preprocessor
from workers.engine.labels import Labels
from workers.engine.reading.reader import Reader
from workers.engine.recogniser import Recogniser
from workers.engine.tagger import CrfTagger
from workers.engine.tokens import SPECIAL_TOKENS, Splitting, TextTokenizer
from workers.engine.viterbi import Crf
from workers.preparation.checkpoint import check_folder, check_weights, read_weights
from workers.preparation.tokenizer import check_tokenizer, convert_tokenizer, splitting_of


@dataclass(frozen=True)
class Original:
    """A model as ModelScope loads it; the fields that the manifest has too are the manifest's."""

    network: Emissions
    tokenizer: Tokenizer
    crf: Crf
    labels: tuple[str, ...]
    splitting: Splitting
    max_tokens: int
    cls_id: int
    sep_id: int
    unk_id: int

    @property
    def encoder_config(self) -> Any:
        """The encoder's own configuration."""
        return self.network.encoder.config

    def text_tokenizer(self) -> TextTokenizer:
        """The engine's tokenizer for this model."""
        return TextTokenizer(self.tokenizer, self.splitting, self.unk_id)

    def recogniser(self, network: Network) -> Recogniser:
        """The engine with ``network``, a form of this model's, in it."""
        labels = Labels(self.labels)
        tagger = CrfTagger(network, self.crf, labels, self.cls_id, self.sep_id)
        return Recogniser(Reader(self.text_tokenizer()), tagger, labels.types, self.max_tokens - SPECIAL_TOKENS)

    def ids(self, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the network reads of a sentence's tokens: with [CLS] and [SEP], and no longer than it can read."""
        return np.concatenate(([self.cls_id], tokens[: self.max_tokens - SPECIAL_TOKENS], [self.sep_id]))


def load_original(folder: Path, sentences: Iterable[str]) -> Original:
    """Load the model of a folder that :func:`workers.preparation.checkpoint.check_folder` takes.

    Args:
        sentences: on which the converted tokenizer is compared with the model's own.

    Raises:
        SourceIncomplete: a file is missing, unreadable, or does not fit the others.
        UnsupportedModel: it is no transformer-CRF model, or one that cannot be served.
    """
    check_folder(folder)
    weights = read_weights(folder)
    try:
        model, preprocessor = load_model(folder), load_preprocessor(folder)
        reference = preprocessor.nlp_tokenizer.tokenizer
    except Exception as error:  # ModelScope raises whatever comes up
        raise UnsupportedModel(f"ModelScope cannot load {folder}: {type(error).__name__}: {error}") from error
    check_weights(folder, weights, model)
    tokenizer = convert_tokenizer(preprocessor)
    check_tokenizer(tokenizer, preprocessor, sentences)
    crf = model.head.crf
    return Original(
        network=Emissions(model),
        tokenizer=tokenizer,
        crf=Crf(_array(crf.start_transitions), _array(crf.end_transitions), _array(crf.transitions)),
        labels=_labels(folder, preprocessor, model.head.linear.out_features),
        splitting=splitting_of(preprocessor),
        max_tokens=min(int(preprocessor.nlp_tokenizer.get_tokenizer_kwarg("max_length")), _positions(model.encoder)),
        cls_id=reference.cls_token_id,
        sep_id=reference.sep_token_id,
        unk_id=reference.unk_token_id,
    )


def _labels(folder: Path, preprocessor: Any, count: int) -> tuple[str, ...]:
    labels: dict[int, str] | None = preprocessor.id2label
    if not labels or sorted(labels) != list(range(count)):
        raise SourceIncomplete(
            f"{folder} names {len(labels or ())} labels in label_mapping.json, configuration.json or config.json, "
            f"its weights have {count}"
        )
    return tuple(labels[index] for index in range(count))


def _positions(encoder: Any) -> int:
    """How many tokens the encoder has positions for."""
    positions: int = encoder.config.max_position_embeddings
    # RoBERTa and its kin number positions from behind that of padding.
    padding = getattr(encoder.embeddings, "padding_idx", None)
    return positions if padding is None else positions - padding - 1


def _array(parameter: Any) -> NDArray[np.float32]:
    array: NDArray[np.float32] = parameter.detach().float().numpy()
    return array
