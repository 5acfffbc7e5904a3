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
        # Longest first, so that the sequences still going on are always the first `going` rows.
        order = sorted(range(len(emissions)), key=lambda index: -len(emissions[index]))
        lengths = np.array([len(emissions[index]) for index in order])
        if not len(lengths):
            return []
        scores = self.start + np.stack([emissions[index][0] for index in order])
        backward = []
        for step in range(1, lengths[0]):
            going = int(np.searchsorted(-lengths, -step))
            # (going, from, to)
            through = scores[:going, :, None] + self.transitions
            best = through.argmax(axis=1)
            backward.append(best)
            reached = np.take_along_axis(through, best[:, None, :], axis=1)[:, 0]
            scores[:going] = reached + np.stack([emissions[index][step] for index in order[:going]])
        last = (scores + self.end).argmax(axis=1)

        paths: list[NDArray[np.intp]] = [last] * len(order)
        for row, index in enumerate(order):
            path = np.empty(lengths[row], np.intp)
            path[-1] = last[row]
            for step in range(lengths[row] - 1, 0, -1):
                path[step - 1] = backward[step - 1][row, path[step]]
            paths[index] = path
        return paths
