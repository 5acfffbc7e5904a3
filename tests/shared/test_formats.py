"""What is stored comes back, also from an older or a newer release, and what is damaged is known as such."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import formats
from shared.entities import MODEL, Amount, Entity
from shared.errors import UnreadableRecord
from shared.formats import Core, PartResult, TextResult
from shared.pieces import PieceItem

COUNTS = st.integers(0, 10**7)
WORDS = st.text(st.characters(exclude_categories=()), max_size=12)
AMOUNTS = st.none() | st.builds(Amount, st.none() | WORDS, st.none() | WORDS, st.none() | WORDS)
ENTITIES = st.lists(
    st.builds(Entity, COUNTS, COUNTS, WORDS, st.integers(0, 10_000).map(lambda score: score / 10_000), WORDS, AMOUNTS),
    max_size=4,
).map(tuple)
ERRORS = st.none() | WORDS
RESULTS = st.builds(TextResult, ENTITIES, WORDS, st.booleans(), ERRORS)
CORES = st.lists(st.builds(Core, COUNTS, COUNTS, ENTITIES), max_size=3).map(tuple)
PARTS = st.builds(PartResult, CORES, WORDS, ERRORS)
ITEMS = st.lists(st.builds(PieceItem, *[COUNTS] * 7), max_size=4)

READERS: list[Callable[[Any], object]] = [
    formats.decode_entities,
    formats.decode_result,
    formats.decode_part,
    formats.decode_items,
]


@given(ENTITIES)
def test_entities_come_back(entities: tuple[Entity, ...]) -> None:
    assert formats.decode_entities(formats.encode_entities(entities)) == entities


@given(RESULTS)
def test_results_come_back(result: TextResult) -> None:
    assert formats.decode_result(formats.encode_result(result)) == result


@given(PARTS)
def test_parts_come_back(part: PartResult) -> None:
    assert formats.decode_part(formats.encode_part(part).encode()) == part


@given(ITEMS)
def test_items_come_back(items: list[PieceItem]) -> None:
    assert formats.decode_items(formats.encode_items(items)) == items


def test_scores_have_four_decimals() -> None:
    (entity,) = formats.decode_entities(formats.encode_entities([Entity(0, 2, "PER", 0.98765)]))
    assert entity.score == 0.9877


def test_a_newer_record_with_more_fields_is_read() -> None:
    entity = [0, 2, "MONEY", 0.9, "rule", ["3", "5", "CNY", "new"], {"newer": 1}]
    known = (Entity(0, 2, "MONEY", 0.9, "rule", Amount("3", "5", "CNY")),)
    assert formats.decode_entities(json.dumps([entity])) == known
    assert formats.decode_result(json.dumps({"v": "m@1", "c": False, "e": [entity], "new": 1})) == TextResult(
        known, "m@1"
    )
    assert formats.decode_part(json.dumps({"v": "m@1", "f": [[0, 9, [entity], "new"]], "new": 1})) == PartResult(
        (Core(0, 9, known),), "m@1"
    )
    assert formats.decode_items("[[0,-1,0,6,0,0,2,7,8]]") == [PieceItem(0, -1, 0, 6, 0, 0, 2)]


def test_an_older_record_without_an_entitys_source_is_read() -> None:
    assert formats.decode_entities('[[0,2,"PER",0.9]]') == (Entity(0, 2, "PER", 0.9, MODEL),)


def test_an_older_record_without_an_amount_is_read() -> None:
    (entity,) = formats.decode_entities('[[0,2,"MONEY",1.0,"rule"]]')
    assert entity == Entity(0, 2, "MONEY", 1.0, "rule")
    assert entity.amount is None


def test_an_entity_without_an_amount_is_written_as_before() -> None:
    assert formats.encode_entities([Entity(0, 2, "PER", 0.9)]) == '[[0,2,"PER",0.9,"model"]]'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(["v", "c", "e", "f", "x"]), inner),
    max_leaves=12,
)


@pytest.mark.parametrize("read", READERS)
@given(data=st.binary(max_size=40) | JSON.map(json.dumps))
def test_what_is_damaged_is_read_or_said_to_be_unreadable(read: Callable[[Any], object], data: bytes | str) -> None:
    with suppress(UnreadableRecord):
        read(data)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"7", b"[7]", b"[[1]]", b"null", b'["abcdefgh"]'])
def test_what_is_something_else_is_unreadable(read: Callable[[Any], object], data: bytes) -> None:
    with pytest.raises(UnreadableRecord):
        read(data)


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (formats.decode_entities, '[["0", 2, "PER", 0.9]]'),
        (formats.decode_entities, '[[0, 2.5, "PER", 0.9]]'),
        (formats.decode_entities, "[[0, 2, null, 0.9]]"),
        (formats.decode_entities, '[[0, 2, "MONEY", 0.9, "rule", "3"]]'),
        (formats.decode_entities, '[[0, 2, "MONEY", 0.9, "rule", ["3"]]]'),
        (formats.decode_entities, '[[0, 2, "MONEY", 0.9, "rule", [3, 5, "CNY"]]]'),
        (formats.decode_entities, '[[0, 2, "PER", "much"]]'),
        (formats.decode_part, '{"v": "m@1", "f": [[Infinity, 9, []]]}'),
        (formats.decode_items, '[[0, -1, "a", 6, 0, 0, 2]]'),
    ],
)
def test_a_field_of_another_type_is_unreadable(read: Callable[[Any], object], data: str) -> None:
    with pytest.raises(UnreadableRecord):
        read(data)
