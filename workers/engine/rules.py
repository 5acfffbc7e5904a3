"""What rules find beside a model: types whose entities are told by their form."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

from shared.entities import Entity
from workers.engine.money import MONEY, money
from workers.engine.reading.view import View

RULES: Mapping[str, Callable[[str], Iterable[Entity]]] = {MONEY: money}


def with_ruled(view: View, entities: Sequence[Entity], types: Sequence[str]) -> list[Entity]:
    """The model's entities of a text with those that the rules of ``types`` find, in order and not overlapping.

    If two overlap, the model's stays, or that of the rule named first.

    Args:
        view: the text as the model reads it, which the rules read too.
        entities: with places in the text itself.
    """
    found = list(entities)
    for kind in types:
        ends = [entity.end for entity in found]
        added = []
        for entity in RULES[kind](view.text):
            start, end = view.span(entity.start, entity.end)
            entity = entity._replace(start=start, end=end)
            following = bisect_right(ends, entity.start)
            if following == len(found) or entity.end <= found[following].start:
                added.append(entity)
        found = sorted(found + added)
    return found
