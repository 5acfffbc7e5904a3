"""Amounts of money, told by a rule: a number with its currency.

Of the libraries that find amounts in Chinese text, JioNLP 1.5.31 takes many seconds for 50 amounts in a row
(100元100元…), and Recognizers-Text 1.0.2a2 for a numeral of 200 characters; that one also splits 人民币50000元 in two.
Neither is for a worker that reads whatever it is sent. This rule reads any text once, from its beginning to its end.

:mod:`workers.engine.numerals` reads numbers, :mod:`workers.engine.money_units` the currencies around them, and
:mod:`workers.engine.money_context` tells amounts from what only looks like them. Of the number itself:

- A full-width comma parts thousands if three digits follow: 1，500元 is one number. Round hundreds are a list: of
  100，200元 only 200元 is an amount.
- 约, 近 and 超 are not part of an amount; 数, 几, 上 (上百万元), 余 and 多 are.
- A range is one amount: 3-5万元, 100元至200元, $5-10 million. Its ends have one currency, and the second is larger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from shared.entities import RULE, Amount, Entity
from workers.engine.money_context import is_amount, is_price
from workers.engine.money_units import (
    change_of,
    currency_of_sign,
    currency_of_unit,
    in_whole_units,
    may_belong_to_next,
    may_have_amounts,
    sign_before,
    unit_behind,
)
from workers.engine.numerals import NUMBER, NUMBER_BEGINS, SPACE, is_at_least, numbers, plain, shared_scale

MONEY = "MONEY"

_BEGINS = re.compile(NUMBER_BEGINS)
_NUMBER = re.compile(NUMBER)
_TO = re.compile(f"{SPACE}(?:[-~～—–−－〜]{{1,2}}|[至到]){SPACE}")
# Before a number, what makes it the end of a date, a time, a fraction, a version or a name: 2024-10, A-1.
_IN_A_NUMBER = re.compile("[0-9０-９][:：/.．-]\\Z|[A-Za-z第]\\Z")
# Before a number, what makes it part of a decimal, an ordinal or a fraction.
_IN_ANOTHER = re.compile("(?<![.．])[.．]\\Z|第\\Z|分之\\Z")
# Round hundreds: 100，200.
_LIST = re.compile("[1-9]00(?:，[1-9]00)++(?![0-9])")
# What people without a name are called.
_NAMES = frozenset(("张三", "張三", "李四", "王五", "赵六", "趙六", "孙七", "周八", "吴九", "郑十"))
# Before 上, 数 and 几, what makes a word with them: 网上, 人数, 茶几.
_WORDS_WITH = {
    "上": frozenset("以网網晚早线線身手市楼路车船桌地价海之脸"),
    "数": frozenset("人次多少总基户件无参"),
    "几": frozenset("茶"),
}


class _Found(NamedTuple):
    """A number, and the currency that it has before it or behind it.

    ``start`` is that of the sign, ``end`` that of the unit.
    """

    start: int
    end: int
    number: str
    sign: re.Match[str] | None = None
    unit: re.Match[str] | None = None

    @property
    def is_amount(self) -> bool:
        return self.sign is not None or self.unit is not None

    @property
    def currency(self) -> str | None:
        """The ISO 4217 code; a sign says more than a bare 元."""
        if self.unit and not (self.sign and (self.unit["yuan"] or self.unit["mark"])):
            return currency_of_unit(self.unit)
        return currency_of_sign(self.sign) if self.sign else None


def money(text: str) -> Iterator[Entity]:
    """The amounts of money in a text, in order and not overlapping; each is certain."""
    if not may_have_amounts(text):
        return
    low: _Found | None = None  # what a range may begin with
    at = 0
    while begin := _BEGINS.search(text, at):
        number = _NUMBER.match(text, begin.start())
        if number is None:
            at = begin.end()
            continue
        found = _found(text, number, at)
        whole = _range(text, low, found) if low and found.start == at else None
        if whole:
            yield whole
        elif low and low.is_amount:
            yield _entity(low)
        at, low = found.end, None
        if not whole:
            to = _TO.match(text, at)
            if to:
                low, at = found, to.end()
            elif found.is_amount:
                yield _entity(found)
    if low and low.is_amount:
        yield _entity(low)


def _found(text: str, number: re.Match[str], after: int) -> _Found:
    """What stands around a number. Its sign is not before ``after``."""
    start, end = number.span()
    sign = sign_before(text, start, after)
    if listed := _LIST.match(text, start):
        start, end = (start, start + 3) if sign else (listed.end() - 3, end)
    start = _without_word(text, start)
    if start == end or _IN_ANOTHER.search(text, max(0, start - 2), start):
        return _Found(start, end, text[start:end])
    unit = unit_behind(text, end)
    if unit and not is_amount(text, start, end, unit):
        unit = None
    if unit and (sign or unit["space"]) and may_belong_to_next(text, unit):
        unit = None
    if sign and (sign.end() != start or not (unit or is_price(text, start, end, sign))):
        sign = None
    return _Found(sign.start() if sign else start, unit.end() if unit else end, text[start:end], sign, unit)


def _without_word(text: str, start: int) -> int:
    """Where the number begins if its first character belongs to the word before it."""
    if not start:
        return start
    words = _WORDS_WITH.get(text[start])
    return start + (text[start - 1] in words if words else text[start - 1 : start + 1] in _NAMES)


def _range(text: str, low: _Found, high: _Found) -> Entity | None:
    """The range from one number to the next, if they are one."""
    if low.unit:
        fits = high.unit is not None
    elif low.sign:
        fits = high.is_amount or is_price(text, high.start, high.end, low.sign)
    else:
        fits = (
            high.unit is not None
            and high.sign is None
            and not _IN_A_NUMBER.search(text, max(0, low.start - 2), low.start)
        )
    if not fits:
        return None
    currency = low.currency or high.currency
    if low.is_amount and high.is_amount and low.currency != high.currency:
        # Only a bare 元 may be another currency's: 50元至100元港币, 港币50至100元.
        if not any(
            each.unit and each.unit["yuan"] and not each.sign and each.currency == "CNY" for each in (low, high)
        ):
            return None
        currency = high.currency if low.currency == "CNY" else low.currency
    scale = "" if low.unit else shared_scale(low.number, high.number)
    first = (
        _values(low.number + scale, low.unit) if low.unit else in_whole_units(numbers(low.number + scale), high.unit)
    )
    last = _values(high.number, high.unit)
    if first and last:
        if first[0] >= last[-1] or (not low.is_amount and low.number[0] in "0０" and len(low.number) > 1):
            return None
        return Entity(low.start, high.end, MONEY, 1.0, RULE, Amount(plain(first[0]), plain(last[-1]), currency))
    return Entity(low.start, high.end, MONEY, 1.0, RULE, Amount(None, None, currency))


def _entity(found: _Found) -> Entity:
    values = _values(found.number, found.unit)
    low = plain(values[0]) if values else None
    high = None if not values or is_at_least(found.number) else plain(values[-1])
    return Entity(found.start, found.end, MONEY, 1.0, RULE, Amount(low, high, found.currency))


def _values(number: str, unit: re.Match[str] | None) -> tuple[Decimal, ...]:
    """What a number says with its unit: one, two for 七八百, none if it does not say how much."""
    values, change = in_whole_units(numbers(number), unit), change_of(unit)
    if not change:
        return values
    return (values[0] + change,) if len(values) == 1 else ()
