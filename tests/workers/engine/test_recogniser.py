"""The engine as a whole, on models small enough to know what they must find."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.entities import Entity
from tests.workers.engine.local_model import ContextNetwork, random_model, spelling_model

ALPHABET = ["马", "云", "在", "杭", "州", "，", "。", "a", "1"]
ODD = ["👨‍👩‍👧", "𠮷", "e\u0301", "\t", "\r\n", "ＡＢ", "\u202e", "\x00", "\ud83d", "[SEP]", "ﬁ", "각", " ", "　"]

sentences = st.text(st.sampled_from([c for c in ALPHABET if c != "。"]), min_size=1, max_size=11).map(
    lambda s: s + "。"
)
any_text = st.lists(st.sampled_from([*ALPHABET, *ODD]), max_size=120).map("".join)


def check(text: str, entities: list[Entity]) -> None:
    assert all(0 <= e.start < e.end <= len(text) for e in entities)
    assert all(left.end <= right.start for left, right in pairwise(entities))
    assert all(0 < e.score <= 1 for e in entities)


@given(any_text, st.integers(0, 50))
def test_spans_are_in_the_text_in_order_and_do_not_overlap(text: str, seed: int) -> None:
    (entities,) = random_model(seed, 40, ALPHABET).recognise([text])
    check(text, entities)


@given(
    st.lists(st.sampled_from([*ALPHABET, "\t", "\n\n", " | ", "\n- "]), max_size=200).map("".join), st.integers(0, 50)
)
def test_no_entity_runs_over_a_separator(text: str, seed: int) -> None:
    (entities,) = random_model(seed, 40, ALPHABET).recognise([text])
    check(text, entities)
    for separator in ("\t", "\n\n", "\n- "):
        assert not [entity for entity in entities if separator in text[entity.start : entity.end]]


@given(
    st.lists(st.sampled_from([*ALPHABET, "\t", "\n\n"]), min_size=100, max_size=200).map("".join), st.integers(0, 50)
)
def test_nor_where_windows_overlap(text: str, seed: int) -> None:
    (entities,) = random_model(seed, 16, ALPHABET).recognise([text])
    assert not [entity for entity in entities if {"\t", "\n"} & set(text[entity.start : entity.end])]


@given(st.lists(any_text, max_size=8), st.integers(0, 50))
def test_a_text_gives_the_same_whatever_is_beside_it(texts: list[str], seed: int) -> None:
    model = random_model(seed, 40, ALPHABET)
    assert model.recognise(texts) == [model.recognise([text])[0] for text in texts]


@settings(max_examples=50)
@given(st.lists(sentences, min_size=6, max_size=60), st.integers(0, 50))
def test_a_long_text_gives_what_its_sentences_give(parts: list[str], seed: int) -> None:
    model = random_model(seed, 11, ALPHABET, ContextNetwork)
    expected, offset = [], 0
    for part, entities in zip(parts, model.recognise(parts), strict=True):
        expected += [(e.start + offset, e.end + offset, e.type) for e in entities]
        offset += len(part)
    (found,) = model.recognise(["".join(parts)])
    assert [(e.start, e.end, e.type) for e in found] == expected


@given(st.lists(st.sampled_from(["甲乙乙丙", "甲丙", "丁", "甲乙乙乙乙乙乙丙", "中", "，"]), max_size=200))
def test_no_entity_is_lost_or_halved_by_a_cut(words: list[str]) -> None:
    text = "".join(words)
    (found,) = spelling_model(window_tokens=40)[0].recognise([text])
    expected, offset = [], 0
    for word in words:
        if word not in ("中", "，"):
            expected.append((offset, offset + len(word)))
        offset += len(word)
    assert [(e.start, e.end) for e in found] == expected


@pytest.mark.parametrize("text", ["", " ", "\n\t　", "\x00", "\ud800", "。"])
def test_what_holds_no_entity_gives_none(text: str) -> None:
    assert spelling_model()[0].recognise([text]) == [[]]


def test_no_texts() -> None:
    assert spelling_model()[0].recognise([]) == []


def test_a_million_characters() -> None:
    text = "甲乙丙中中，中中丁。" * 100_000
    (found,) = spelling_model()[0].recognise([text])
    assert len(found) == 200_000
    assert all(text[e.start : e.end] in ("甲乙丙", "丁") for e in found)


def test_each_window_is_given_alone_between_its_special_tokens() -> None:
    model, network = spelling_model(window_tokens=40)
    model.recognise(["甲丙", "中" * 100])
    assert len(network.inputs[0]) == 4
    assert all(ids[0] == 2 and ids[-1] == 3 and len(ids) <= 42 for ids in network.inputs)


def test_its_types_are_the_models() -> None:
    assert spelling_model()[0].types == ("LOC", "PER")
