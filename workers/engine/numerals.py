"""Numbers as Chinese texts write them: 3,500, １.２亿, 3万5千, 二十多万, 壹仟贰佰, 三五万, 1.2 billion.

cn2an 0.5.24 reads numerals too. It takes 37 µs for 一百二十三, raises for 十几 and 三五万, and calculates in binary
fractions.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, localcontext
from functools import lru_cache

DIGIT = "[0-9０-９]"
# Spaces inside an amount. Line breaks and tabs separate.
SPACE = "[ \u00a0\u2009\u202f\u3000]{0,2}+"
_GROUP_MARKS = ",，﹐\u00a0\u2009\u202f"
_DIGITS = (
    dict.fromkeys("零〇○", "0")
    | dict.fromkeys("一壹弌", "1")
    | dict.fromkeys("二两兩贰貳弍", "2")
    | dict.fromkeys("三叁參叄参弎", "3")
    | dict.fromkeys("四肆", "4")
    | dict.fromkeys("五伍", "5")
    | dict.fromkeys("六陆陸", "6")
    | dict.fromkeys("七柒", "7")
    | dict.fromkeys("八捌", "8")
    | dict.fromkeys("九玖", "9")
)
_SMALL = dict.fromkeys("十拾", 1) | dict.fromkeys("百佰", 2) | dict.fromkeys("千仟", 3)
_BIG = dict.fromkeys("万萬", 4) | dict.fromkeys("亿億", 8) | {"兆": 12}
_SCALES = {name: Decimal(10) ** power for name, power in (_SMALL | _BIG).items()}
# A numeral's tens in one character.
_TENS = {"廿": "二十", "卄": "二十", "卅": "三十", "卌": "四十"}
_LETTERS = {
    name: Decimal(10) ** power
    for power, names in {3: "k thousand", 4: "w", 6: "m mm mn million", 9: "b bn billion", 12: "t tn trillion"}.items()
    for name in names.split()
}

CHINESE_DIGIT = f"[{''.join(_DIGITS)}]"
SCALE = f"[{''.join(_SCALES)}]"
CAPITAL = "[壹弌贰貳弍叁參叄参弎肆伍陆陸柒捌玖拾佰仟]"
# A group has three digits. Of those that plain spaces part, there are two or more, or the last is 000: the numbers of a
# table have spaces too.
_ARABIC = (
    f"(?>{DIGIT}{{1,3}}(?: {DIGIT}{{3}}){{0,4}} 000(?!{DIGIT})"
    f"|{DIGIT}{{1,3}}(?: {DIGIT}{{3}}){{2,5}}(?!{DIGIT})"
    f"|{DIGIT}{{1,3}}(?:[{_GROUP_MARKS}]{DIGIT}{{3}}(?!{DIGIT}))++|{DIGIT}++)(?:[.．]{DIGIT}++)?+"
)
_SCALED = f"(?:{SPACE}[余餘多来來几幾]?+{SPACE}{SCALE}{{1,4}}+(?:[零〇]?+{_ARABIC}|{CHINESE_DIGIT}{{1,2}}+)?+)*+"
_LETTER = f"(?:{SPACE}(?i:thousand|[mbt]n|[mb]illion|trillion)(?![A-Za-z])|(?i:mm|[kmbtw])(?![A-Za-z]))?+"
_CHINESE = (
    f"(?:[数數几幾](?={SCALE})|上(?=[百千万亿萬億]))?+"
    # 参 is also a word's (参加): it counts only beside a capital unit.
    f"(?:[{''.join(_DIGITS).replace('参', '')}{''.join(_SCALES)}{''.join(_TENS)}]|参(?=[拾佰仟])|(?<=[拾佰仟])参)++"
    f"(?:[点點]{CHINESE_DIGIT}++(?![十拾百佰千仟])[{''.join(_BIG)}]{{0,2}}+)?+"
    f"(?:{SPACE}[余餘多来來几幾]{SPACE}{SCALE}{{0,4}}+|{SPACE}[{''.join(_BIG)}]{{1,2}}+(?={SPACE}[元圆圓块塊美欧日港]))?+[余餘多]?+"
)
# Each part takes all that it can and gives nothing back, so a number is read once.
NUMBER = f"(?>{_ARABIC}{_SCALED}(?:{SPACE}[余餘多来來])?+{_LETTER}|{_CHINESE})"
# What a number can begin with.
NUMBER_BEGINS = f"[0-9０-９{''.join(_DIGITS)}{''.join(_SCALES)}{''.join(_TENS)}数數几幾上]"

_PART = re.compile(
    f"(?P<arabic>{_ARABIC})|(?P<digits>{CHINESE_DIGIT}++(?:[点點]{CHINESE_DIGIT}++)?+)|(?P<scale>{SCALE}|[A-Za-z]++)"
)
_IN_FULL = str.maketrans(_TENS)
_ABOUT = re.compile("[余餘多来來上\\s]")
_MORE = re.compile("[余餘多来來上]")
_UNKNOWN = re.compile("[数數几幾]")
# Two digits in a row that say from one to the other: 七八百, 三五万.
_PAIR = frozenset({*(f"{low}{low + 1}" for low in range(1, 9)), "35"})
_END_SCALE = re.compile("([百佰千仟万萬亿億兆]++|[A-Za-z]++)$")
_LONGEST = 60
_LARGEST = Decimal(10) ** 30
_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation, Overflow])
_HUNDRED = Decimal(100)


class _NotANumber(Exception):
    """What stands there is no numeral, such as 百千."""


def numbers(text: str) -> tuple[Decimal, ...]:
    """The number that a match of :data:`NUMBER` says, exactly: 上百 and 百余 say 100.

    三五万 and 七八百 say two, in order. 数百 and 几十万 say none. Others that say none are no numeral (百千), have more
    than 60 characters, or are beyond 10 to the power of 30.
    """
    return () if len(text) > _LONGEST or _UNKNOWN.search(text) else _numbers(text)


# An article has few amounts that differ, and a hostile text may have one 300,000 times.
@lru_cache(4096)
def _numbers(text: str) -> tuple[Decimal, ...]:
    try:
        with localcontext(_EXACT):
            said = tuple(map(_evaluate, _readings(_ABOUT.sub("", text).translate(_IN_FULL))))
    except (_NotANumber, DecimalException):
        return ()
    return said if max(said) < _LARGEST else ()


def is_at_least(text: str) -> bool:
    """Whether a number says that it may be more: 3000余, 二十多, 上百."""
    return _MORE.search(text) is not None


def shared_scale(low: str, high: str) -> str:
    """What the first number of a range lacks and the second has: 万 in 3至5万, nothing in 5000至1万.

    Args:
        low, high: matches of :data:`NUMBER`.
    """
    found = _END_SCALE.search(high)
    if found is None or _END_SCALE.search(low):
        return ""
    first, second = numbers(low), numbers(high[: found.start()])
    return found.group() if first and second and first[0] < second[0] else ""


def plain(number: Decimal) -> str:
    """The number in digits, without an exponent and without zeros at the end of its fraction."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _readings(text: str) -> list[list[Decimal | str]]:
    """The numbers and scales in turn; two such lists for a numeral with a pair, such as 七八百."""
    lists: list[list[Decimal | str]] = [[]]
    for found in _PART.finditer(text):
        values = _values(found, text, lists[0])
        if len(values) * len(lists) > 2:
            raise _NotANumber(text)
        lists = [[*each, value] for each in lists for value in values] if values else lists
    return lists


def _values(found: re.Match[str], text: str, before: list[Decimal | str]) -> list[Decimal | str]:
    """What a part of a numeral may say; nothing for the 零 of 一千零十."""
    said = found.group()
    if found.lastgroup == "scale":
        return [said.lower()]
    if found.lastgroup == "arabic":
        digits = re.sub(f"[ {_GROUP_MARKS}]", "", said).replace("．", ".")
    else:
        digits = "".join(_DIGITS.get(digit, ".") for digit in said)
        if before and not digits.strip("0"):
            return []
    chinese = found.lastgroup == "digits"
    values = list(map(Decimal, digits if chinese and digits in _PAIR else [digits]))
    if chinese and len(values) == 1 and len(digits.lstrip("0")) > 1 and "." not in digits and said != text:
        raise _NotANumber(said)  # digits in a row count by their places only if they are all
    last = _SCALES.get(str(before[-1])) if before and found.end() == len(text) else None
    if last is not None and last >= _HUNDRED and len(digits) == len(values):
        return [value * last / 10 for value in values]  # 三万五, 一百二
    return list(values)


def _evaluate(parts: list[Decimal | str]) -> Decimal:
    total = section = Decimal(0)  # what is said up to the last 万, 亿 or 兆, and since then
    number: Decimal | None = None  # not multiplied yet
    small: Decimal | None = None
    big: Decimal | None = None
    for part in parts:
        if isinstance(part, Decimal):
            if number is not None:
                raise _NotANumber
            number = part
            continue
        scale = _SCALES.get(part) or _LETTERS[part]
        if part in _SMALL:
            if small is not None and scale >= small:
                raise _NotANumber
            section += scale if number is None else number * scale
            small, number = scale, None
            continue
        nothing = number is None and small is None
        said = section + (number or 0)
        if big is not None and (scale > big or (scale == big and nothing)):  # 一万二千亿, 万万
            total = (total + said) * scale
        elif big == scale or (big is not None and nothing):
            raise _NotANumber
        else:
            total += scale if nothing else said * scale
        section, number, small, big = Decimal(0), None, None, scale
    return total + section + (number or 0)
