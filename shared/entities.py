"""What recognition finds."""

from __future__ import annotations

from typing import NamedTuple

# What found an entity: the model, or a rule beside it.
MODEL = "model"
RULE = "rule"


class Entity(NamedTuple):
    """One named entity: ``text[start:end]`` of the text it was found in.

    ``start`` and ``end`` count Unicode code points, end exclusive. ``type`` is the model's own (``PER``, ``LOC``,
    ``ORG`` for news). ``score`` is the softmax probability, 0 to 1, that the model gives the tag of the first token:
    the figure that ModelScope's pipeline calls ``prob``; a rule's is 1. ``source`` says what found it.
    """

    start: int
    end: int
    type: str
    score: float
    source: str = MODEL
