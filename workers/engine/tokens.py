"""From characters to the tokens that the network reads, and back."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

# What the network reads around the tokens of a text: [CLS] and [SEP].
SPECIAL_TOKENS = 2
# Characters that the vocabulary lacks, whose tokens are kept: more than any language has in use, and some megabytes.
RARE_CHARACTERS = 10_000
# The tokenizer's UTF-8 has no lone surrogates, though a JSON string can carry them.
_SURROGATE = re.compile("[\ud800-\udfff]")


class Splitting(StrEnum):
    """How the model's preprocessor makes tokens of a text, and which of them carry a label."""

    CHARACTERS = "characters"  # each character by itself (ModelScope: is_split_into_words); its first token
    WORDPIECES = "wordpieces"  # BERT's tokenizer on the whole text; each token but the ## pieces
    WORDS = "words"  # a fast tokenizer on the whole text; the first token of each of its words


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text, without [CLS] and [SEP], and its words: the labelled units.

    ``ids``: ``(tokens,)``. ``first``: ``(words,)``, index of each word's first token, which carries its label.
    ``starts``, ``ends``: ``(words,)``, each word's place in the text in code points, the end exclusive. Characters
    that the tokenizer leaves out, such as white space, are in no word.
    ``separators``: places in the text that no entity runs over, in order.
    """

    ids: NDArray[np.int64]
    first: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    separators: Sequence[int] = ()

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """Index of each word's first token, and behind them the number of tokens: ``(words + 1,)``."""
        return np.append(self.first, len(self.ids))

    def words(self, begin: int, end: int, most: int) -> Tokens:
        """The words ``[begin, end)``, at most ``most`` tokens of them. Places remain those in the text."""
        bounds = self.bounds
        ids = self.ids[bounds[begin] : bounds[end]][:most]
        # `most` cuts off only where one character or word makes more tokens than a window has. What then has no token
        # of its own is labelled by the last one: it lies in the same word.
        first = np.minimum(self.first[begin:end] - bounds[begin], most - 1)
        starts, ends = self.starts[begin:end], self.ends[begin:end]
        separators = self.separators
        if separators and len(starts):
            separators = separators[bisect_left(separators, starts[0]) : bisect_left(separators, ends[-1])]
        return Tokens(ids, first, starts, ends, separators)

    def moved(self, by: int) -> Tokens:
        """The same tokens in a text that has ``by`` more characters before them."""
        separators = [place + by for place in self.separators]
        return replace(self, starts=self.starts + by, ends=self.ends + by, separators=separators)


class TextTokenizer:
    """Makes tokens of texts the way the model's own preprocessor does. Any string will do.

    Special tokens spelt out in a text (``[SEP]``) are ordinary text.
    """

    def __init__(self, tokenizer: Tokenizer, splitting: Splitting, unk_id: int) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._splitting = splitting
        self._unk_id = unk_id
        # Known before worker processes fork, so that they share it.
        self._ids_of: dict[str, tuple[int, ...]] = {}
        if splitting is Splitting.CHARACTERS:
            known = {character for token in tokenizer.get_vocab() for character in token}
            self._ids_of = {character: self._ids(character) for character in known}
        self._rare_ids = lru_cache(RARE_CHARACTERS)(self._ids)

    def encode(self, text: str) -> Tokens:
        """The text's tokens and words."""
        if self._splitting is Splitting.CHARACTERS:
            return self._characters(text)
        return self._words(text)

    def _characters(self, text: str) -> Tokens:
        known = self._ids_of
        ids_of = [known.get(character) or self._rare_ids(character) for character in text]
        counts = np.fromiter(map(len, ids_of), np.int64, len(text))
        ids = np.fromiter((token for ids in ids_of for token in ids), np.int64, int(counts.sum()))
        starts = np.arange(len(text), dtype=np.int64)
        return Tokens(ids, np.cumsum(counts) - counts, starts, starts + 1)

    def _ids(self, character: str) -> tuple[int, ...]:
        return tuple(self._encode(character).ids) or (self._unk_id,)

    def _words(self, text: str) -> Tokens:
        encoding = self._encode(text)
        offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
        if self._splitting is Splitting.WORDPIECES:
            begins = np.array([not token.startswith("##") for token in encoding.tokens], bool)
        else:
            words = np.array(encoding.word_ids, np.int64)
            begins = np.append(True, words[1:] != words[:-1])[: len(words)]
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(begins))[: len(first)] - 1
        return Tokens(np.array(encoding.ids, np.int64), first, offsets[first, 0], offsets[last, 1])

    def _encode(self, text: str) -> Tokenizer:
        return self._tokenizer.encode(_SURROGATE.sub("\ufffd", text), add_special_tokens=False)
