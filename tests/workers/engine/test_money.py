"""Amounts of money."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.entities import RULE
from workers.engine.money import money


def amounts(text: str) -> list[str]:
    return [text[entity.start : entity.end] for entity in money(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("营收为3.5亿元人民币，净利润约2,300万美元。", ["3.5亿元人民币", "2,300万美元"]),
        ("花了五百块钱，又借了两万欧元，上午十点半到。", ["五百块钱", "两万欧元"]),
        ("罚款人民币50000元，赔偿3000余元，¥99包邮", ["人民币50000元", "3000余元", "¥99"]),
        ("跌至25.6港元，市值蒸发逾1200亿美元，$1.5 million", ["25.6港元", "1200亿美元", "$1.5 million"]),
        ("20多万元，数十亿元，几百块钱，10亿多元人民币", ["20多万元", "数十亿元", "几百块钱", "10亿多元人民币"]),
        ("人均3万3千元，3元5角2分，壹仟贰佰元整", ["3万3千元", "3元5角2分", "壹仟贰佰元整"]),
        ("100至200万元，100元-200元", ["100至200万元", "100元-200元"]),
        ("３０００万元，￥１２.５０，US$ 30，RMB 500", ["３０００万元", "￥１２.５０", "US$ 30", "RMB 500"]),
        ("赔偿李四人民币50元", ["50元"]),
        ("😀100元\x00二十元", ["100元", "二十元"]),
    ],
)
def test_amounts_are_found_with_their_currencies(text: str, expected: list[str]) -> None:
    assert amounts(text) == expected


@pytest.mark.parametrize(
    "text",
    ["一元二次方程", "三元里", "多元化", "二元论", "元旦", "第2元素", "万元户", "2024年3月5日", "3.5亿人", "第100页"],
)
def test_other_numbers_are_no_money(text: str) -> None:
    assert amounts(text) == []


@given(st.text("0１9.,万亿一百多数元块钱人民币美$¥- 至角分整x", max_size=60))
def test_amounts_are_in_the_text_in_order_and_apart(text: str) -> None:
    end = 0
    for entity in money(text):
        assert end <= entity.start < entity.end <= len(text)
        assert (entity.type, entity.score, entity.source) == ("MONEY", 1.0, RULE)
        assert not text[entity.start].isspace()
        end = entity.end


@pytest.mark.parametrize(
    "part", ["1", "一万", "100元", "元万", "1,", "1,111", "1-", "人民币", "$", "数", "1.1", "1亿", "1亿多"]
)
def test_no_text_takes_long(part: str) -> None:
    """Twenty times the text takes about twenty times as long, not four hundred times."""

    def seconds(times: int) -> float:
        began = time.perf_counter()
        list(money(part * times))
        return time.perf_counter() - began

    short = min(seconds(1_000) for _ in range(5))
    assert min(seconds(20_000) for _ in range(3)) < 100 * max(short, 1e-4)
