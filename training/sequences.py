"""The masked sequences that an encoder is pre-trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from training.text import PlainText, Tokens
from training.vocabulary import CLS, MASK, SEP, SPECIAL
from training.words import LABELS

# Tokens of a sequence without [CLS] and [SEP] around them, sequences of a step, and the share of words to be guessed.
LENGTH = 126
BATCH = 32
MASKED = 0.18
# Steps whose tokens are got together, about two million characters: so much is mixed and in memory.
STEPS_OF_PART = 500

_BEGINS = torch.tensor([label[0] in "BS" for label in LABELS])


class Batch(NamedTuple):
    """Sequences of a step.

    ``ids`` and ``positions`` are ``(BATCH, LENGTH + 2)``, with masks in the one; ``guessed`` has the original ids where
    a character is to be guessed, else -1; ``labels`` is ``(BATCH, LENGTH)``, as [CLS] and [SEP] have none.
    """

    ids: torch.Tensor
    guessed: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor


class Sequences:
    """Endless batches of masked sequences; which one a step gets depends on the step alone."""

    def __init__(self, text: PlainText, tokens: int, positions: int) -> None:
        """``tokens``: how many there are in the vocabulary."""
        self._text = text
        self._tokens = tokens
        self._positions = positions
        self.steps_of_pass = max(1, int(text.lengths(text.lines_of_pass(0)).sum()) // LENGTH // BATCH)
        self._held = (-1, -1)
        self._part_ids: NDArray[np.uint16] = np.empty((0, LENGTH), np.uint16)
        self._part_labels: NDArray[np.uint8] = np.empty((0, LENGTH), np.uint8)

    def batch(self, step: int) -> Batch:
        """The sequences of a step."""
        number, index = divmod(step, self.steps_of_pass)
        part, index = divmod(index, STEPS_OF_PART)
        if (number, part) != self._held:
            self._get(number, part)
        # Passes differ by a batch or two; what lacks at the end is taken from the beginning of the part.
        rows = np.arange(index * BATCH, (index + 1) * BATCH) % len(self._part_ids)
        labels = torch.from_numpy(self._part_labels[rows].astype(np.int64))
        ids, guessed = self._mask(torch.from_numpy(self._part_ids[rows].astype(np.int64)), labels)
        # Anywhere in the range, so that the encoder learns all of its positions from short sequences.
        starts = torch.randint(0, self._positions - LENGTH - 1, (BATCH, 1))
        return Batch(ids, guessed, starts + torch.arange(LENGTH + 2), labels)

    def _get(self, number: int, part: int) -> None:
        ids, labels = self._tokens_of(number, part)
        rows = max(1, len(ids) // LENGTH)
        mixed = np.random.default_rng((number, part)).permutation(rows)
        self._part_ids = np.resize(ids, rows * LENGTH).reshape(rows, LENGTH)[mixed]
        self._part_labels = np.resize(labels, rows * LENGTH).reshape(rows, LENGTH)[mixed]
        self._held = (number, part)

    def _tokens_of(self, number: int, part: int) -> Tokens:
        """The tokens of a part of a pass: the pass without its beginning and its end."""
        lines = self._text.lines_of_pass(number)
        ends = self._text.lengths(lines).cumsum()
        most = STEPS_OF_PART * BATCH * LENGTH
        begin = min(part * most, ends[-1] - 1)
        end = min(begin + most, ends[-1])
        first, last = np.searchsorted(ends, (begin, end - 1), side="right")
        before = ends[first] - self._text.lengths(lines[first : first + 1])[0]
        ids, labels = self._text.tokens(lines[first : last + 1])
        within = slice(begin - before, end - before)
        return Tokens(ids[within], labels[within])

    def _mask(self, original: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids with masks and what is to be guessed there, with [CLS] and [SEP] around them."""
        # One draw a word, which all of its characters look up.
        words = _BEGINS[labels].cumsum(1)
        chosen = (torch.rand(original.shape[0], LENGTH + 1).gather(1, words) < MASKED) & (original >= len(SPECIAL))
        fate = torch.rand(original.shape)
        ids = original.clone()
        ids[chosen & (fate < 0.8)] = MASK
        other = chosen & (fate >= 0.8) & (fate < 0.9)
        ids[other] = torch.randint(len(SPECIAL), self._tokens, (int(other.sum()),))
        guessed = torch.where(chosen, original, -1)
        edge = torch.ones(len(ids), 1, dtype=torch.long)
        return torch.cat([edge * CLS, ids, edge * SEP], 1), torch.cat([-edge, guessed, -edge], 1)
