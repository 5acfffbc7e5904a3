"""What recognition finds."""

from __future__ import annotations

from typing import NamedTuple

# What found an entity: the model, or a rule beside it.
MODEL = "model"
RULE = "rule"


class Amount(NamedTuple):
    """An amount of money in its normal form.

    ``low`` and ``high`` are exact decimals in digits, in whole units of the currency (元, not 角): the same for a
    single amount, two for a range. ``high`` is None for an amount of at least ``low`` (3000余元); both are None if the
    text does not say how much (几百元). ``currency`` is an ISO 4217 code, or None if the text leaves it open (比索).
    """

    low: str | None
    high: str | None
    currency: str | None


class Entity(NamedTuple):
    """One named entity: ``text[start:end]`` of the text it was found in.

    ``start`` and ``end`` count Unicode code points, end exclusive. ``type`` is the model's own (``PER``, ``LOC``,
    ``ORG`` for news). ``score`` is the softmax probability, 0 to 1, that the model gives the tag of the first token:
    the figure that ModelScope's pipeline calls ``prob``; a rule's is 1. ``source`` says what found it. ``amount`` is
    there for an amount of money that a rule found.
    """

    start: int
    end: int
    type: str
    score: float
    source: str = MODEL
    amount: Amount | None = None
