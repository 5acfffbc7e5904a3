"""Numbers in digits and in numerals, and what they say."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engine.numerals import NUMBER, is_at_least, numbers, plain, shared_scale

PLAIN = ("零一二三四五六七八九", ("", "十", "百", "千"), ("", "万", "亿", "兆"))
CAPITAL = ("零壹贰叁肆伍陆柒捌玖", ("", "拾", "佰", "仟"), ("", "万", "亿", "兆"))
TRADITIONAL = ("零一二三四五六七八九", ("", "十", "百", "千"), ("", "萬", "億", "兆"))
STYLES = st.sampled_from([PLAIN, CAPITAL, TRADITIONAL])
Style = tuple[str, tuple[str, ...], tuple[str, ...]]


def numeral(number: int, style: Style) -> str:
    """The Chinese numeral of a number below 10 to the power of 16, as a bank writes it."""
    digits, small, big = style
    said = ""
    for place, digit in enumerate(reversed(str(number))):
        section = number // 10 ** (place // 4 * 4) % 10_000
        if place % 4 == 0 and section:
            said = big[place // 4] + said
        if digit != "0":
            said = digits[int(digit)] + small[place % 4] + said
        elif said and said[0] != digits[0] and number % 10**place and not (place % 4 == 0 and section):
            said = digits[0] + said
    return said or digits[0]


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "零"), (10, "一十"), (1_234, "一千二百三十四"), (10_500, "一万零五百"), (20_050_003, "二千零五万零三")],
)
def test_the_numerals_of_these_tests_are_right(number: int, said: str) -> None:
    assert numeral(number, PLAIN) == said


@given(st.integers(0, 10**16 - 1), STYLES)
def test_a_number_comes_back_from_its_numeral(number: int, style: Style) -> None:
    said = numeral(number, style)
    assert re.fullmatch(NUMBER, said)
    assert list(numbers(said)) == [number]


@given(st.decimals(0, 10**15, places=4), st.sampled_from([",", "，", ""]), st.booleans())
def test_a_number_comes_back_from_its_digits(number: Decimal, mark: str, wide: bool) -> None:
    written = f"{number:,}".replace(",", mark)
    if wide:
        written = written.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789."})
    assert re.fullmatch(NUMBER, written)
    assert numbers(written) == (number,)


@given(st.decimals(0, 1000, places=3), st.sampled_from([("万", 4), ("亿", 8), ("千万", 7), ("k", 3), (" billion", 9)]))
def test_a_scale_multiplies_exactly(number: Decimal, scale: tuple[str, int]) -> None:
    name, power = scale
    assert numbers(f"{number}{name}") == (number.scaleb(power),)


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("0万", [0]),
        ("零", [0]),
        ("3万5", [35_000]),
        ("一百二", [120]),
        ("两千零五", [2005]),
        ("二〇二五", [2025]),
        ("1亿2,300万", [123_000_000]),
        ("三点五亿", [350_000_000]),
        ("一万二千亿", [1_200_000_000_000]),
        ("三五万", [30_000, 50_000]),
        ("七八百", [700, 800]),
        ("十七八", [17, 18]),
        ("上百万", [1_000_000]),
        ("20多万", [200_000]),
        ("几十万", []),
        ("数百", []),
        ("百千", []),
        ("9" * 100, []),
        ("一" * 100, []),
        ("万亿兆" * 10, []),
    ],
)
def test_what_a_number_says(said: str, values: list[int]) -> None:
    assert list(numbers(said)) == values


@pytest.mark.parametrize(("said", "expected"), [("3000余", True), ("二十多万", True), ("上百", True), ("三百", False)])
def test_some_numbers_may_be_more(said: str, expected: bool) -> None:
    assert is_at_least(said) is expected


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [
        ("3", "5万", "万"),
        ("5000", "1万", ""),
        ("1.5", "2亿", "亿"),
        ("3", "5千万", "千万"),
        ("3万", "5万", ""),
        ("5", "10", ""),
    ],
)
def test_the_ends_of_a_range_share_their_scale(low: str, high: str, scale: str) -> None:
    assert shared_scale(low, high) == scale


@pytest.mark.parametrize(
    ("number", "digits"), [("1200.0", "1200"), ("1E+9", "1000000000"), ("0.50", "0.5"), ("0", "0")]
)
def test_digits_are_plain(number: str, digits: str) -> None:
    assert plain(Decimal(number)) == digits


@given(st.text("0１9.,，万亿兆一百千十零多余几数上来点二五kKmb illion", max_size=70))
def test_no_number_raises(text: str) -> None:
    for found in re.finditer(NUMBER, text):
        assert all(value >= 0 for value in numbers(found[0]))
