"""The masked sequences that an encoder is pre-trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from training.precision import DEVICE
from training.text import PlainText, Tokens
from training.vocabulary import CLS, MASK, SEP, SPECIAL
from training.words import LABELS

# Tokens of a sequence without [CLS] and [SEP] around them, the share of words to be guessed, and the most characters of
# a step to be guessed, as a share of all.
LENGTH = 126
MASKED = 0.18
GUESSED = 0.2
# Sequences whose tokens are got together, about two million characters: so much is mixed and in memory.
SEQUENCES_OF_PART = 16_000
# What the loss leaves out.
NOT_GUESSED = -100

_BEGINS = torch.tensor([label[0] in "BS" for label in LABELS], device=DEVICE)


class Batch(NamedTuple):
    """Sequences of a step.

    ``ids`` and ``positions`` are ``(sequences, LENGTH + 2)``, with masks in the one. ``places`` are those in ``ids``,
    as one row, of which the ids in ``guessed`` are to be guessed: as many in each step, so :data:`NOT_GUESSED` fills
    ``guessed`` up. ``labels`` is ``(sequences, LENGTH)``, as [CLS] and [SEP] have none.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    places: torch.Tensor
    guessed: torch.Tensor
    labels: torch.Tensor


class Sequences:
    """Endless batches of masked sequences; which one a step gets depends on the step alone."""

    def __init__(self, text: PlainText, tokens: int, positions: int, size: int) -> None:
        """``tokens``: how many there are in the vocabulary; ``size``: sequences of a batch."""
        self._size = size
        self._steps_of_part = max(1, SEQUENCES_OF_PART // size)
        self._text = text
        self._tokens = tokens
        self._positions = positions
        self.steps_of_pass = max(1, int(text.lengths(text.lines_of_pass(0)).sum()) // LENGTH // size)
        self._held = (-1, -1)
        self._part_ids: NDArray[np.uint16] = np.empty((0, LENGTH), np.uint16)
        self._part_labels: NDArray[np.uint8] = np.empty((0, LENGTH), np.uint8)

    def batch(self, step: int) -> Batch:
        """The sequences of a step."""
        number, index = divmod(step, self.steps_of_pass)
        part, index = divmod(index, self._steps_of_part)
        if (number, part) != self._held:
            self._get(number, part)
        # Passes differ by a batch or two; what lacks at the end is taken from the beginning of the part.
        rows = np.arange(index * self._size, (index + 1) * self._size) % len(self._part_ids)
        labels = torch.from_numpy(self._part_labels[rows]).to(DEVICE).long()
        original = torch.from_numpy(self._part_ids[rows].astype(np.int32)).to(DEVICE).long()
        # Anywhere in the range, so that the encoder learns all of its positions from short sequences.
        starts = torch.randint(0, self._positions - LENGTH - 1, (self._size, 1), device=DEVICE)
        positions = starts + torch.arange(LENGTH + 2, device=DEVICE)
        ids, places, guessed = self._mask(original, labels)
        return Batch(ids, positions, places, guessed, labels)

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
        most = self._steps_of_part * self._size * LENGTH
        begin = min(part * most, ends[-1] - 1)
        end = min(begin + most, ends[-1])
        first, last = np.searchsorted(ends, (begin, end - 1), side="right")
        before = ends[first] - self._text.lengths(lines[first : first + 1])[0]
        ids, labels = self._text.tokens(lines[first : last + 1])
        within = slice(begin - before, end - before)
        return Tokens(ids[within], labels[within])

    def _mask(self, original: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Ids with masks and with [CLS] and [SEP] around them, the places to be guessed, and what is there."""
        # One draw a word, which all of its characters look up.
        words = _BEGINS[labels].cumsum(1)
        draws = torch.rand(original.shape[0], LENGTH + 1, device=DEVICE)
        chosen = (draws.gather(1, words) < MASKED) & (original >= len(SPECIAL))
        fate = torch.rand(original.shape, device=DEVICE)
        other = torch.randint(len(SPECIAL), self._tokens, original.shape, device=DEVICE)
        ids = torch.where(chosen & (fate < 0.8), MASK, original)
        ids = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), other, ids)
        edges = torch.tensor([CLS, SEP], device=DEVICE).repeat(len(ids), 1)
        ids = torch.cat([edges[:, :1], ids, edges[:, 1:]], 1)
        # In rows of LENGTH; sorted, those that are chosen come first.
        first = chosen.flatten().sort(descending=True, stable=True).indices[: int(GUESSED * chosen.numel())]
        guessed = torch.where(chosen.flatten()[first], original.flatten()[first], NOT_GUESSED)
        return ids, first // LENGTH * (LENGTH + 2) + first % LENGTH + 1, guessed
