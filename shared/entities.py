"""What recognition finds."""

from __future__ import annotations

from typing import NamedTuple


class Entity(NamedTuple):
    """One named entity: ``text[start:end]`` of the text it was found in.

    ``start`` and ``end`` count Unicode code points, end exclusive. ``type`` is the model's own (``PER``, ``LOC``,
    ``ORG`` for news). ``score`` is the softmax probability, 0 to 1, that the model gives the tag of the first token:
    the figure that ModelScope's pipeline calls ``prob``.
    """

    start: int
    end: int
    type: str
    score: float
