"""What rules find beside a model: types whose entities are told by their form."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from shared.entities import RULE, Entity
from workers.engine.money import MONEY, money
from workers.engine.reading.view import View

RULES: Mapping[str, Callable[[str], Iterable[Entity]]] = {MONEY: money}


def with_ruled(view: View, entities: Sequence[Entity], types: Sequence[str]) -> list[Entity]:
    """The model's entities of a text with those that the rules of ``types`` find, in order and not overlapping.

    A rule's entity that holds the model's and more is kept in their place: the model may take the 伍圆 of an amount for
    a name, or the 新加坡 of 30新加坡元 for a place. If two overlap otherwise, the model's stays, or that of the rule
    named first.

    Args:
        view: the text as the model reads it, which the rules read too.
        entities: with places in the text itself.
    """
    found = list(entities)
    for kind in types:
        starts, ends = [entity.start for entity in found], [entity.end for entity in found]
        added: list[Entity] = []
        held: set[int] = set()
        for entity in _between_separators(view, RULES[kind]):
            start, end = view.span(entity.start, entity.end)
            following = bisect_right(ends, start)
            overlapping = range(following, bisect_left(starts, end, lo=following))
            if all(_holds(start, end, found[at]) for at in overlapping):
                held.update(overlapping)
                added.append(entity._replace(start=start, end=end))
        found = sorted([entity for at, entity in enumerate(found) if at not in held] + added)
    return found


def _between_separators(view: View, rule: Callable[[str], Iterable[Entity]]) -> Iterator[Entity]:
    """What a rule finds from one separator to the next, so that no number goes on in the next cell."""
    bounds = np.searchsorted(view.known_places, view.separators).tolist() if view.separators else []
    for begin, end in pairwise((0, *bounds, len(view.text))):
        for entity in rule(view.text[begin:end]):
            yield entity._replace(start=entity.start + begin, end=entity.end + begin)


def _holds(start: int, end: int, entity: Entity) -> bool:
    """Whether a rule's entity holds another that it may take the place of."""
    return (
        start <= entity.start
        and entity.end <= end
        and end - start > entity.end - entity.start
        and entity.source != RULE
    )
