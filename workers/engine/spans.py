"""From a label path to entities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shared.entities import Entity
from workers.engine.labels import Labels, Position
from workers.engine.tokens import Tokens

# As plain numbers: these are looked up for every labelled word, and an enum takes its time for each.
_OUTSIDE, _BEGIN, _END, _SINGLE = map(int, (Position.OUTSIDE, Position.BEGIN, Position.END, Position.SINGLE))


def spans(labels: Labels, path: NDArray[np.intp], emissions: NDArray[np.float32], tokens: Tokens) -> list[Entity]:
    """The entities that a label path spells, in order and not overlapping.

    Read as ModelScope's pipeline reads it: BEGIN and SINGLE open an entity, INSIDE and END go on with one whatever
    their type, or open one where none is open; END and SINGLE close it. Unlike there, OUTSIDE closes one too.

    Args:
        path: ``(words,)`` label ids.
        emissions: ``(words, labels)``; their softmax at an entity's first word is its score.
        tokens: says where the words stand.
    """
    found: list[tuple[int, int]] = []
    first = previous = -1
    for word, position in enumerate(labels.positions[path].tolist()):
        if position == _OUTSIDE:
            continue
        if first >= 0 and (word != previous + 1 or position in (_BEGIN, _SINGLE)):
            found.append((first, previous))
            first = -1
        if first < 0:
            first = word
        previous = word
        if position in (_END, _SINGLE):
            found.append((first, word))
            first = -1
    if first >= 0:
        found.append((first, previous))

    entities: list[Entity] = []
    for first, last in found:
        start, end = int(tokens.starts[first]), int(tokens.ends[last])
        # Where one character makes several words, an entity may have no character that the one before has not.
        if start < end and (not entities or entities[-1].end <= start):
            entities.append(
                Entity(start, end, labels.type_of(path[first]), _probability(emissions[first], path[first]))
            )
    return entities


def _probability(emissions: NDArray[np.float32], label: int) -> float:
    weights = np.exp(emissions - emissions.max())
    return float(weights[label] / weights.sum())
