"""The best label path through a linear-chain CRF.

Lafferty, McCallum and Pereira, "Conditional Random Fields", ICML 2001; the decoding is Viterbi's algorithm (1967).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Crf:
    """The CRF's learnt scores.

    ``start``, ``end``: ``(labels,)``, score of a path that begins or ends with the label. ``transitions``:
    ``(labels, labels)``, score of the second label right after the first.
    """

    def __init__(self, start: NDArray[np.float32], end: NDArray[np.float32], transitions: NDArray[np.float32]) -> None:
        self.start = start
        self.end = end
        self.transitions = transitions

    def decode(self, emissions: Sequence[NDArray[np.float32]]) -> list[NDArray[np.intp]]:
        """The best path of each sequence, ``(words,)`` label ids; of each ``(words, labels)`` emissions, words ≥ 1.

        All sequences take each step together, and what one gets does not depend on the others.
        """
        if not emissions:
            return []
        # Longest first, so that the sequences still going on are always the first `going` rows.
        order = sorted(range(len(emissions)), key=lambda index: -len(emissions[index]))
        lengths = np.array([len(emissions[index]) for index in order])
        # (words, sequences, labels), so that each step is one block of memory
        steps = np.zeros((lengths[0], len(order), len(self.start)), np.float32)
        for row, index in enumerate(order):
            steps[: lengths[row], row] = emissions[index]
        going_at = np.searchsorted(-lengths, -np.arange(lengths[0])).tolist()
        scores = self.start + steps[0]
        backward = []
        for step in range(1, lengths[0]):
            going = going_at[step]
            # (going, from, to)
            through = scores[:going, :, None] + self.transitions
            backward.append(through.argmax(axis=1))
            scores[:going] = through.max(axis=1) + steps[step, :going]
        last = (scores + self.end).argmax(axis=1)

        paths: list[NDArray[np.intp]] = [last] * len(order)
        for row, index in enumerate(order):
            label = int(last[row])
            path = [label]
            for step in range(lengths[row] - 1, 0, -1):
                label = int(backward[step - 1][row, label])
                path.append(label)
            paths[index] = np.array(path[::-1], np.intp)
        return paths
