"""The currency before or behind a number: US$, 人民币, 元, 块五, 角, 美元, €."""

from __future__ import annotations

import re
from decimal import Decimal

from workers.engine.currencies import CODES, ENGLISH, OF_COUNTRY, SIGNS, WORDS, WORDS_BEFORE, any_of
from workers.engine.numerals import CHINESE_DIGIT, DIGIT, SPACE, numbers

_ONE = f"(?:{DIGIT}|{CHINESE_DIGIT})"
_SEVERAL = f"(?:{DIGIT}{{1,2}}|{CHINESE_DIGIT})"
# Behind a digit, 分 may be another word.
_FEN = "分(?![钟鐘之期公店享红割批组行])"
# The 5 of 3块5 and of 3块2毛5, and what may follow it: 切成三块一起吃 has no price.
_SHORT = f"{_ONE}(?![.．]{DIGIT}|[%％])(?=[钱錢的了吧呢啊吗每和与或到至买卖就包]|左右|一[斤个份张次天碗杯]|\\W|\\Z)"
_CHANGE = (
    f"(?:{SPACE}[零〇]?(?P<jiao>{_SEVERAL}){SPACE}(?:角|毛(?P<cent>{_SHORT})?+))?+"
    f"(?:{SPACE}[零〇]?(?P<fen>{_SEVERAL}){SPACE}{_FEN})?+"
    f"(?:{SPACE}[零〇]?(?P<li>{_SEVERAL}){SPACE}[厘釐])?+"
)
# 整 and 正 say that there are no smaller units.
_WHOLE = "整(?![理改个体天年形容修数治])|正(?!\\w)"
_MARKS = "€£￡￥¥$＄"
_NUMBER_BEHIND = f"{SPACE}[-+−]?[{_MARKS}]?(?:{DIGIT}|{CHINESE_DIGIT}|[十拾])"
_SMALL_UNITS = {"jiao": 1, "tenth": 1, "cent": 2, "fen": 2, "fens": 2, "hundredth": 2, "li": 3}
_HALF = Decimal("0.5")


def _any_in(words: str) -> str:
    """The characters of ``words`` for a set in a pattern."""
    return re.escape("".join(sorted(set(words))))


# Most numbers have no unit, and the first character tells.
_FIRST = f"[A-Za-z{_any_in(_MARKS + '元圆圓块塊角毛分' + ''.join(word[0] for word in WORDS))}]"
_UNIT = re.compile(
    f"(?P<space>{SPACE})(?={_FIRST})"
    "(?:"
    f"(?P<word>{any_of(WORDS)})(?:{_WHOLE})?+"
    f"|(?P<code>{any_of(CODES)})(?![A-Za-z])"
    f"|(?P<english>(?i:{any_of(ENGLISH)}))(?![A-Za-z])"
    f"|(?P<yuan>[元圆圓块塊])(?:(?P<cash>[钱錢](?!包))|(?<=[块塊])(?P<tenth>{_SHORT})|(?<=[块塊])(?P<half>半)(?![天年个])"
    f"|{_CHANGE}(?:(?<![元圆圓块塊])[钱錢](?!包))?+(?:{_WHOLE})?+"
    f"(?:(?P<country>{OF_COUNTRY})(?!{DIGIT})|{SPACE}(?P<country_apart>{OF_COUNTRY})(?!{_NUMBER_BEHIND}))?+)"
    f"|(?P<jiaos>[角毛])(?:(?P<coins>[钱錢](?!包))|{SPACE}(?P<fens>{_ONE}){SPACE}{_FEN}|(?P<hundredth>{_SHORT}))?+"
    f"|(?P<fens_alone>分)[钱錢]"
    f"|(?P<mark>[{_any_in(_MARKS)}])(?!{DIGIT})"
    ")"
)
_SIGN = re.compile(
    f"(?:(?<![A-Za-z0-9_\\\\{{$])(?P<sign>{any_of(SIGNS)})|(?P<word>{any_of(WORDS_BEFORE)})"
    f"|(?<![A-Za-z])(?P<code>{any_of(CODES)})){SPACE}\\Z"
)
_NEXT = re.compile(_NUMBER_BEHIND)
# With two spaces and the character before.
_LONGEST_SIGN = max(map(len, (*SIGNS, *WORDS_BEFORE, *CODES))) + 3
_SIGN_ENDS = frozenset(sign[-1] for sign in (*SIGNS, *WORDS_BEFORE, *CODES)) | set(" \u00a0\u2009\u202f\u3000")
# The end of each unit and of each sign.
_ENDS = _any_in("元圆圓块塊角毛钱錢" + _MARKS + "".join(word[-1] for word in (*WORDS, *CODES, *SIGNS, *WORDS_BEFORE)))
_ANY = re.compile(f"[{_ENDS}]|(?i:{any_of(ENGLISH)})")


def may_have_amounts(text: str) -> bool:
    """False for a text that has neither a unit nor a sign."""
    return _ANY.search(text) is not None


def sign_before(text: str, start: int, after: int) -> re.Match[str] | None:
    """The sign or word for a currency before the number at ``start``, not before ``after``. It ends at ``start``."""
    if start == after or text[start - 1] not in _SIGN_ENDS:
        return None
    return _SIGN.search(text, max(after, start - _LONGEST_SIGN), start)


def unit_behind(text: str, end: int) -> re.Match[str] | None:
    """The currency or part of it behind the number that ends at ``end``, with smaller units (元5角)."""
    return _UNIT.match(text, end)


def currency_of_sign(sign: re.Match[str]) -> str:
    """The ISO 4217 code."""
    if sign["sign"]:
        return SIGNS[sign["sign"]]
    return WORDS_BEFORE[sign["word"]] if sign["word"] else CODES[sign["code"]]


def currency_of_unit(unit: re.Match[str]) -> str | None:
    """The ISO 4217 code; None for a word that several currencies share. A bare 元 is CNY."""
    if unit["word"]:
        return WORDS[unit["word"]]
    if unit["code"]:
        return CODES[unit["code"]]
    if unit["english"]:
        return ENGLISH[unit["english"].lower()]
    if unit["mark"]:
        return SIGNS[unit["mark"]]
    country = unit["country"] or unit["country_apart"]
    return WORDS[country] if country else "CNY"


def may_belong_to_next(text: str, unit: re.Match[str]) -> bool:
    """Whether the unit may be the sign of the number behind it, as USD is in RMB 500 USD 70."""
    is_sign = unit["code"] or unit["mark"] or unit["word"] in WORDS_BEFORE
    return bool(is_sign) and _NEXT.match(text, unit.end()) is not None


def has_parts(unit: re.Match[str]) -> bool:
    """Whether more than 元, 块, 角 or the like stands there: a smaller unit, 钱, 整, or a country's name."""
    return unit.end("space") + 1 < unit.end()


def in_whole_units(values: tuple[Decimal, ...], unit: re.Match[str] | None) -> tuple[Decimal, ...]:
    """Numbers of this unit as numbers of 元 or another currency: 5角 is 0.5."""
    power = -1 if unit and unit["jiaos"] else -2 if unit and unit["fens_alone"] else 0
    return tuple(value.scaleb(power) for value in values) if power else values


def change_of(unit: re.Match[str] | None) -> Decimal:
    """What the smaller units say that stand behind a unit: 0.52 for 元5角2分."""
    change = Decimal(0)
    if unit and unit.end("space") + 1 < unit.end():
        for name, places in _SMALL_UNITS.items():
            if unit[name]:
                change += numbers(unit[name])[0].scaleb(-places)
        if unit["half"]:
            change += _HALF
    return change
