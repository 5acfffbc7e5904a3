"""Amounts of money, what they are worth, and what only looks like one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.entities import RULE, Amount
from tests.support.growth import assert_linear
from tests.workers.engine.test_numerals import CAPITAL, PLAIN, Style, numeral
from workers.engine.currencies import CODES, SIGNS, WORDS, WORDS_BEFORE
from workers.engine.money import money
from workers.engine.numerals import plain

# What amounts are made of, and what stands around them.
PARTS = (
    *(
        "1",
        "5",
        "20",
        "1,000",
        "１０",
        "2025",
        "一",
        "三",
        "五",
        "百",
        "千",
        "万",
        "亿",
        "壹",
        "拾",
        "十",
        "零",
        "半",
        ".",
    ),
    *(
        "元",
        "圆",
        "块",
        "塊",
        "角",
        "毛",
        "分",
        "厘",
        "钱",
        "整",
        "正",
        "多",
        "余",
        "几",
        "数",
        "上",
        "第",
        "约",
        "至",
        "到",
    ),
    *(
        "-",
        "~",
        "—",
        " ",
        "\u3000",
        "\n",
        "，",
        "、",
        ",",
        "人民币",
        "港币",
        "美元",
        "日元",
        "$",
        "￥",
        "US$",
        "€",
        "USD",
    ),
    *("李四", "张三", "k", "B", " billion", "旦", "素", "x", "😀", "\x00", "\u200b", "和", "卖", "左右", "一斤"),
)


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
        ("赔偿李四人民币50元", ["人民币50元"]),
        ("😀100元\x00二十元", ["100元", "二十元"]),
    ],
)
def test_amounts_are_found_with_their_currencies(text: str, expected: list[str]) -> None:
    assert amounts(text) == expected


@pytest.mark.parametrize(
    ("text", "low", "high", "currency"),
    [
        ("3.5亿元", "350000000", "350000000", "CNY"),
        ("￥1,234.50", "1234.5", "1234.5", "CNY"),
        ("壹仟贰佰叁拾肆圆伍角陆分整", "1234.56", "1234.56", "CNY"),
        ("人民币壹佰万元整", "1000000", "1000000", "CNY"),
        ("三块五", "3.5", "3.5", "CNY"),
        ("3块5毛", "3.5", "3.5", "CNY"),
        ("三块五毛五", "3.55", "3.55", "CNY"),
        ("两毛五", "0.25", "0.25", "CNY"),
        ("3块5毛钱", "3.5", "3.5", "CNY"),
        ("一块半", "1.5", "1.5", "CNY"),
        ("五分钱", "0.05", "0.05", "CNY"),
        ("5元2角3分4厘", "5.234", "5.234", "CNY"),
        ("US$1.2 billion", "1200000000", "1200000000", "USD"),
        ("US$1.2B", "1200000000", "1200000000", "USD"),
        ("50元港币", "50", "50", "HKD"),
        ("港币50元", "50", "50", "HKD"),
        ("港币$50", "50", "50", "HKD"),
        ("伍拾万美元整", "500000", "500000", "USD"),
        ("￥50元人民币", "50", "50", "CNY"),
        ("500比索", "500", "500", None),
        ("3-5万元", "30000", "50000", "CNY"),
        ("5000至1万元", "5000", "10000", "CNY"),
        ("100元到200元", "100", "200", "CNY"),
        ("50元-100元港币", "50", "100", "HKD"),
        ("人民币3万~5万元", "30000", "50000", "CNY"),
        ("￥100-￥200", "100", "200", "CNY"),
        ("$1–2bn", "1000000000", "2000000000", "USD"),
        ("1元5角至2元", "1.5", "2", "CNY"),
        ("3-5角", "0.3", "0.5", "CNY"),
        ("七八百元", "700", "800", "CNY"),
        ("3000余元", "3000", None, "CNY"),
        ("上百万美元", "1000000", None, "USD"),
        ("几百块钱", None, None, "CNY"),
        ("几十到几百元", None, None, "CNY"),
    ],
)
def test_an_amount_has_its_value_and_currency(text: str, low: str | None, high: str | None, currency: str) -> None:
    (entity,) = money(f"共{text}。")
    assert (entity.start, entity.end) == (1, 1 + len(text))
    assert entity.amount == Amount(low, high, currency)


@pytest.mark.parametrize("text", ["满100-20元", "2024-05元", "A3-5元", "第3-5元", "$x=1$", "1/2-3元"])
def test_no_range_begins_with_another_number(text: str) -> None:
    assert not any(entity.amount and entity.amount.low != entity.amount.high for entity in money(text))


def test_two_currencies_are_two_amounts() -> None:
    assert amounts("100美元-200欧元，HK$500 NT$3,000 RMB 50 USD 70") == [
        "100美元",
        "200欧元",
        "HK$500",
        "NT$3,000",
        "RMB 50",
        "USD 70",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "一元二次方程",
        "三元里",
        "三分之二元",
        "2元函数",
        "多元化",
        "二元论",
        "元旦",
        "第2元素",
        "万元户",
        "2024年3月5日",
        "3.5亿人",
        "第100页",
        "2025元旦",
        "3元一次方程",
        "118元素",
        "统一元朝",
        "二元期权",
        "三元材料",
        "四元数",
        "表1 元件",
        "单位：百万元",
        "3块砖",
        "三块石头",
        "5毛线",
        "一毛不拔",
        "作家三毛",
        "三角形",
        "3角形",
        "五角大楼",
        "90分",
        "5分钟",
        "2024美元指数",
        "人民币千万别",
        "人民币一直",
        "美金三连涨",
        "人民币3年",
        "李四人民币",
        "$n = 5$",
        "v1.2.3",
        "第3日元旦",
        "千元机",
    ],
)
def test_other_numbers_are_no_money(text: str) -> None:
    assert amounts(text) == []


def test_each_currency_is_known_before_and_behind() -> None:
    for word, code in [*WORDS.items(), *CODES.items()]:
        (entity,) = money(f"共20{word}。")
        assert (entity.start, entity.end) == (1, 3 + len(word)), word
        assert entity.amount == Amount("20", "20", code), word
    for sign, code in [*SIGNS.items(), *WORDS_BEFORE.items(), *CODES.items()]:
        (entity,) = money(f"共{sign}20。")
        assert (entity.start, entity.end) == (1, 3 + len(sign)), sign
        assert entity.amount == Amount("20", "20", code), sign


@given(st.integers(11, 10**15), st.integers(1, 9), st.integers(1, 9), st.sampled_from([PLAIN, CAPITAL]))
def test_a_sum_in_numerals_has_its_value(yuan: int, jiao: int, fen: int, style: Style) -> None:
    digits = style[0]
    text = f"{numeral(yuan, style)}元{digits[jiao]}角{digits[fen]}分"
    (entity,) = money(f"：{text}，")
    assert (entity.start, entity.end) == (1, 1 + len(text))
    value = plain(Decimal(yuan) + Decimal(10 * jiao + fen) / 100)
    assert entity.amount == Amount(value, value, "CNY")


@given(
    st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
    | st.text("".join(sorted(set("".join(PARTS)))), max_size=60)
)
def test_amounts_are_in_the_text_in_order_and_apart(text: str) -> None:
    end = 0
    for entity in money(text):
        assert end <= entity.start < entity.end <= len(text)
        assert (entity.type, entity.score, entity.source) == ("MONEY", 1.0, RULE)
        assert text[entity.start : entity.end] == text[entity.start : entity.end].strip()
        amount = entity.amount
        assert amount is not None
        if amount.low and amount.high:
            assert Decimal(amount.low) <= Decimal(amount.high)
        assert amount.low or not amount.high
        end = entity.end


GARBAGE = [
    *(
        "1",
        "一",
        "壹",
        "万",
        "百千",
        "一万",
        "0",
        "０",
        "1,",
        "1,111",
        "1，",
        "100，",
        "1 000",
        " 000",
        "1.1",
        "1亿",
        "1亿多",
    ),
    *(
        "100元",
        "100元-",
        "三元",
        "元万",
        "1元5",
        "1元5角5分5厘",
        "1元 人民币 ",
        "5角",
        "5毛5",
        "3块",
        "三块五",
        "块三",
        "毛",
    ),
    *("1-", "1 - ", "1至", "人民币", "人民币 1", "$", "$1", "$1$", "1$", "1€", "USD1", "US$", "1million", "1 b", "m1"),
    *("数", "上", "几", "多万", "1多", "1点", "一点一", "李四", "李四1", " ", "1 ", "Hong Kong ", "us dollars", "人"),
]


@pytest.mark.parametrize("part", GARBAGE)
def test_no_text_takes_long(part: str) -> None:
    assert_linear(lambda text: list(money(f"{text}元")), part, 2_000)


@pytest.mark.parametrize(
    ("text", "amount", "value"),
    [
        ("共1 234 567元。", "1 234 567元", "1234567"),
        ("共1\u202f234\u202f567.50元", "1\u202f234\u202f567.50元", "1234567.5"),
        ("12\u2009345\u2009678 元", "12\u2009345\u2009678 元", "12345678"),
        ("12\u00a0345元", "12\u00a0345元", "12345"),
        ("付廿元", "廿元", "20"),
        ("付廿五元", "廿五元", "25"),
        ("付卅万元", "卅万元", "300000"),
        ("付一百卅二元", "一百卅二元", "132"),
        ("付卌元", "卌元", "40"),
        ("人民币参仟伍佰元整", "人民币参仟伍佰元整", "3500"),
        ("捌拾参元", "捌拾参元", "83"),
        ("弍拾弎元", "弍拾弎元", "23"),
        ("叁佰贰拾元", "叁佰贰拾元", "320"),
        ("门票由团员自参三元", "三元", "3"),
    ],
)
def test_grouped_and_formal_numbers_are_whole(text: str, amount: str, value: str) -> None:
    (found,) = money(text)
    assert text[found.start : found.end] == amount
    assert found.amount is not None
    assert found.amount.low == value


@pytest.mark.parametrize("text", ["参元区", "他参加了", "3 100 元"])
def test_what_only_has_their_characters_is_no_larger_amount(text: str) -> None:
    assert [text[found.start : found.end] for found in money(text)] in ([], ["100 元"])
