"""The plain text as arrays, with its words, and passes over it. An array of 43 million characters takes 130 MB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.corpus import PLAIN_TEXT, read_plain_text
from training.vocabulary import SEP, UNK, Vocabulary, most_frequent
from training.words import LABELS, OTHER, word_labels

# The label of what stands between two lines, and the one of characters whose word was not looked for yet: it is O in
# LABELS, which no character has that is in a word, and all characters are.
_BETWEEN = LABELS.index(f"S-{OTHER}")
_NOT_YET = 0
# For fewer lines, starting processes takes longer than finding the words.
_FOR_PROCESSES = 5_000


class Tokens(NamedTuple):
    """``ids`` and word ``labels`` of tokens, each ``(tokens,)``: indexes in a vocabulary and in ``words.LABELS``."""

    ids: NDArray[np.uint16]
    labels: NDArray[np.uint8]


class PlainText:
    """The lines of the plain text one after the other, [SEP] behind each.

    Jieba needs half an hour of a core for all words. So words are looked for when their line is wanted first, and kept
    in ``words.npy`` in the folder of a run: ``(tokens,)``, a label a token.
    """

    def __init__(
        self, lines: Mapping[str, Sequence[str]], vocabulary: Vocabulary, folder: Path, processes: int = 1
    ) -> None:
        """``lines``: of each file of plain text; ``processes``: how many look for words."""
        texts = [line for of_file in lines.values() for line in of_file]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
        self._ends = lengths.cumsum()
        self._begins = self._ends - lengths
        self._texts = texts
        self._ids = _encode(texts, self._ends, vocabulary)
        self._labels = _kept(folder / "words.npy", len(self._ids))
        self._labels[self._ends - 1] = _BETWEEN
        self._counts = {name: len(of_file) for name, of_file in lines.items()}
        self._processes = processes

    def lines_of_pass(self, number: int) -> NDArray[np.int64]:
        """The lines of a pass, as often as :data:`PLAIN_TEXT` says, in an order that depends on ``number`` alone."""
        before = 0
        chosen = []
        for name, count in self._counts.items():
            chosen.append(chosen_lines(count, PLAIN_TEXT[name], number) + before)
            before += count
        return np.random.default_rng(number).permutation(np.concatenate(chosen))

    def lengths(self, lines: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many tokens each of the lines has, its [SEP] included."""
        return self._ends[lines] - self._begins[lines]

    def ids(self, lines: NDArray[np.int64]) -> NDArray[np.uint16]:
        """The ids of the tokens of the lines."""
        return self._ids[self._places(lines)]

    def tokens(self, lines: NDArray[np.int64]) -> Tokens:
        """The tokens of the lines with their words, which are looked for where that was not done yet."""
        places = self._places(lines)
        if (self._labels[places] == _NOT_YET).any():
            self._find_words(np.unique(lines))
        return Tokens(self._ids[places], self._labels[places])

    def _places(self, lines: NDArray[np.int64]) -> NDArray[np.int64]:
        """The places of the tokens of the lines."""
        lengths = self.lengths(lines)
        before = lengths.cumsum() - lengths
        within = np.arange(lengths.sum(), dtype=np.int64) - np.repeat(before, lengths)
        places: NDArray[np.int64] = np.repeat(self._begins[lines], lengths) + within
        return places

    def _find_words(self, lines: NDArray[np.int64]) -> None:
        # A line that was being written when a run was killed has both.
        wanted = [line for line in lines if (self._labels[self._begins[line] : self._ends[line]] == _NOT_YET).any()]
        processes = self._processes if len(wanted) >= _FOR_PROCESSES else 1
        found = word_labels((self._texts[line] for line in wanted), processes)
        for line, labels in zip(wanted, found, strict=True):
            self._labels[self._begins[line] : self._ends[line] - 1] = np.frombuffer(labels, np.uint8)


def read(data: Path) -> dict[str, list[str]]:
    """The lines of each file of :data:`PLAIN_TEXT`."""
    return {name: [line for line in read_plain_text(data, name) if line] for name in PLAIN_TEXT}


def characters(lines: Mapping[str, Iterable[str]]) -> Vocabulary:
    """The most frequent characters, each counted as often as a pass has it."""
    weighted: dict[str, float] = {}
    for name, of_file in lines.items():
        counts = Counter[str]()
        for line in of_file:
            counts.update(line)
        for character, count in counts.items():
            weighted[character] = weighted.get(character, 0) + count * PLAIN_TEXT[name]
    return most_frequent(weighted)


def chosen_lines(count: int, times: float, number: int) -> NDArray[np.int64]:
    """Which of ``count`` lines are in a pass; those that are in it twice are there twice.

    Of all lines in a random order, repeated without end, each pass takes the part behind that of the pass before.
    """
    order = np.random.default_rng(0).permutation(count)
    begin, end = (round(count * times * passes) for passes in (number, number + 1))
    chosen: NDArray[np.int64] = order[np.arange(begin, end) % count]
    return chosen


def _encode(texts: Sequence[str], ends: NDArray[np.int64], vocabulary: Vocabulary) -> NDArray[np.uint16]:
    of_code_point = np.full(0x110000, UNK, np.uint16)
    of_code_point[[ord(character) for character in vocabulary.characters]] = vocabulary.encode(
        "".join(vocabulary.characters)
    )
    ids = np.full(ends[-1], SEP, np.uint16)
    for begin, part in _parts(texts):
        end = begin + len(part)
        ids[begin:end] = of_code_point[np.frombuffer(part.encode("utf-32-le"), np.uint32)]
    ids[ends - 1] = SEP
    return ids


def _parts(texts: Sequence[str], at_once: int = 50_000) -> Iterator[tuple[int, str]]:
    """Texts in long strings, with one character of white space behind each, and where each string begins."""
    begin = 0
    for first in range(0, len(texts), at_once):
        part = "".join(f"{text}\n" for text in texts[first : first + at_once])
        yield begin, part
        begin += len(part)


def _kept(path: Path, length: int) -> NDArray[Any]:
    """The array in the file, which is of zeros at first and goes to the file whenever it is changed."""
    if path.exists():
        kept: NDArray[Any] = np.lib.format.open_memmap(path, "r+")
        if kept.shape == (length,):
            return kept
    new: NDArray[Any] = np.lib.format.open_memmap(path, "w+", np.uint8, (length,))
    return new
