"""Entities that run over separators are taken apart there."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.entities import Entity
from workers.engine.separation import separated

PLACES = st.lists(st.integers(0, 40), unique=True).map(sorted)


@given(PLACES, PLACES)
def test_entities_are_whole_between_separators(edges: list[int], separators: list[int]) -> None:
    entities = [Entity(start, end, "PER", 0.5) for start, end in pairwise(edges)]
    found = separated(entities, separators)
    assert not [place for place in separators for entity in found if entity.start < place < entity.end]
    covered = [place for entity in found for place in range(entity.start, entity.end)]
    assert covered == [place for entity in entities for place in range(entity.start, entity.end)]
    assert {(entity.type, entity.score) for entity in found} <= {("PER", 0.5)}
    added = {entity.start for entity in found} - {entity.start for entity in entities}
    assert added <= set(separators)


def test_one_runs_over_two() -> None:
    assert separated([Entity(1, 9, "ORG", 0.9)], [0, 1, 3, 6, 9]) == [
        Entity(1, 3, "ORG", 0.9),
        Entity(3, 6, "ORG", 0.9),
        Entity(6, 9, "ORG", 0.9),
    ]
