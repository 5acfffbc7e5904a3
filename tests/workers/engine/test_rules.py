"""What rules add to what the model found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.entities import MODEL, RULE, Entity
from workers.engine.reading.invisible import without_invisible
from workers.engine.reading.steps import STEPS
from workers.engine.reading.view import View
from workers.engine.rules import RULES, with_ruled

TEXT = "阿里巴巴2014年融资250亿美元，马云捐了1亿元。"
FOUND = [Entity(0, 4, "COMPANY", 0.9), Entity(4, 9, "TIME", 0.9), Entity(18, 20, "PER", 0.9)]


def test_they_stand_in_order_beside_the_models() -> None:
    entities = with_ruled(View(TEXT), FOUND, ["MONEY"])
    assert [TEXT[entity.start : entity.end] for entity in entities] == [
        "阿里巴巴",
        "2014年",
        "250亿美元",
        "马云",
        "1亿元",
    ]
    assert [entity.source for entity in entities] == ["model", "model", "rule", "model", "rule"]


def test_where_two_overlap_the_models_stays() -> None:
    model = [Entity(15, 18, "ORG", 0.4)]
    entities = with_ruled(View(TEXT), model, ["MONEY"])
    assert [(entity.start, entity.type) for entity in entities] == [(15, "ORG"), (22, "MONEY")]


def test_an_amount_that_holds_an_entity_of_the_model_stays() -> None:
    model = [Entity(0, 2, "PER", 0.6), Entity(5, 8, "LOC", 0.9)]
    entities = with_ruled(View("李四欠30新加坡元和马云"), model, ["MONEY"])
    assert [(entity.start, entity.end, entity.type) for entity in entities] == [(0, 2, "PER"), (3, 9, "MONEY")]


def test_an_amount_of_the_models_own_stays() -> None:
    model = [Entity(0, 4, "MONEY", 0.9)]
    assert with_ruled(View("100元。"), model, ["MONEY"]) == model


def test_they_read_the_view_and_have_places_in_the_text() -> None:
    text = "\u200b捐了1\u200b00\u200b元\u200b。"
    (entity,) = with_ruled(without_invisible(View(text)), [], ["MONEY"])
    assert text[entity.start : entity.end] == "1\u200b00\u200b元"


def test_a_model_without_rules_has_its_own_alone() -> None:
    assert with_ruled(View(TEXT), FOUND, []) == FOUND


@given(
    st.lists(st.sampled_from(["100元", "在", "¥5", "马云"]), max_size=12).map("".join),
    st.lists(st.integers(1, 4), max_size=10),
)
def test_nothing_overlaps_and_of_the_models_only_what_an_amount_holds_is_lost(text: str, lengths: list[int]) -> None:
    model, end = [], 0
    for length in lengths:
        if end + length <= len(text):
            model.append(Entity(end, end + length, "PER", 0.5))
        end += length + 1
    entities = with_ruled(View(text), model, list(RULES))
    assert all(left.end <= right.start for left, right in pairwise(entities))
    lost = [entity for entity in model if entity not in entities]
    amounts = [entity for entity in entities if entity.source == RULE]
    assert [entity for entity in entities if entity.source == MODEL] == [each for each in model if each not in lost]
    assert all(any(a.start <= each.start and each.end <= a.end for a in amounts) for each in lost)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("数量\t金额\n1\t500元\n20\t750元", ["500元", "750元"]),
        ("共1，\n\n500元", ["500元"]),
        ("| 3 | 5万元 |\n| 7 | 800元 |", ["5万元", "800元"]),
        ("100元\t200元", ["100元", "200元"]),
        ("合计100\n万元", []),
        ("他为这件事在昨天向他的朋友支付了100\n万元，没有欠款。", ["100\n万元"]),
    ],
)
def test_no_amount_goes_on_behind_a_separator(text: str, amounts: list[str]) -> None:
    view = View(text)
    for step in STEPS.values():
        view = step(view)
    assert [text[entity.start : entity.end] for entity in with_ruled(view, [], ["MONEY"])] == amounts
