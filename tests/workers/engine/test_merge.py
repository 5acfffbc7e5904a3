"""One list of entities from parts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.entities import Entity
from workers.engine.merge import Part, merge


def entity(start: int, end: int, score: float = 0.9, kind: str = "PER") -> Entity:
    return Entity(start, end, kind, score)


def test_a_single_part_is_taken_as_it_is() -> None:
    assert merge([Part(0, 10, [entity(1, 3), entity(3, 5)])]) == [entity(1, 3), entity(3, 5)]


def test_each_part_answers_for_its_core() -> None:
    left = Part(0, 10, [entity(1, 3), entity(12, 14, kind="LOC")])
    right = Part(10, 20, [entity(1, 3, kind="ORG"), entity(12, 14)])
    assert merge([left, right]) == [entity(1, 3), entity(12, 14)]


def test_one_that_crosses_the_cut_is_taken_once() -> None:
    assert merge([Part(0, 10, [entity(8, 12, 0.8)]), Part(10, 20, [entity(8, 12, 0.9)])]) == [entity(8, 12, 0.9)]


def test_one_that_only_one_side_saw_whole_beats_the_half_of_the_other() -> None:
    assert merge([Part(0, 10, [entity(8, 10, 0.99)]), Part(10, 20, [entity(8, 12, 0.5)])]) == [entity(8, 12, 0.5)]
    assert merge([Part(0, 10, [entity(8, 12, 0.5)]), Part(10, 20, [entity(10, 12, 0.99)])]) == [entity(8, 12, 0.5)]


def test_one_that_only_the_context_saw_is_not_lost() -> None:
    assert merge([Part(0, 10, []), Part(10, 20, [entity(8, 12)])]) == [entity(8, 12)]


def test_the_surer_of_two_that_cross_wins() -> None:
    assert merge([Part(0, 10, [entity(7, 11, 0.6)]), Part(10, 20, [entity(8, 12, 0.7)])]) == [entity(8, 12, 0.7)]


parts = st.lists(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.floats(0, 1)), max_size=6), min_size=1, max_size=4
)


@given(parts)
def test_what_is_found_is_in_order_and_does_not_overlap(found: list[list[tuple[int, int, float]]]) -> None:
    cores = list(pairwise(range(0, 10 * len(found) + 1, 10)))
    made = []
    for (start, end), spans in zip(cores, found, strict=True):
        entities: list[Entity] = []
        for begin, length, score in sorted(spans):
            if not entities or entities[-1].end <= begin:
                entities.append(entity(begin, begin + length, score))
        made.append(Part(start, end, entities))
    merged = merge(made)
    assert all(left.end <= right.start for left, right in pairwise(merged))
    assert set(merged) <= {e for part in made for e in part.entities}
    # Nothing is dropped unless something that overlaps it was kept.
    for part in made:
        for e in part.entities:
            if part.core_start <= e.start < part.core_end:
                assert any(e.start < kept.end and kept.start < e.end for kept in merged)
