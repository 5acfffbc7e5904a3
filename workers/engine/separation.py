"""No entity runs over a separator, whatever the model finds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from shared.entities import Entity


def separated(entities: Sequence[Entity], separators: Sequence[int]) -> Sequence[Entity]:
    """The entities, of which one that runs over separators is several, each from one separator to the next.

    Args:
        separators: places of single characters in the text, in order (:class:`workers.engine.reading.view.View`). The
            white space and bars behind one are those of its kind, and :mod:`workers.engine.edges` takes them off.
    """
    if not separators:
        return entities
    found = []
    for entity in entities:
        inside = separators[bisect_right(separators, entity.start) : bisect_left(separators, entity.end)]
        for start, end in pairwise((entity.start, *inside, entity.end)):
            found.append(entity._replace(start=start, end=end))
    return found
