"""Amounts of money, told by a rule: a number with its currency.

Of the libraries that find amounts in Chinese text, JioNLP 1.5.31 takes many seconds for 50 amounts in a row
(100元100元…), and Recognizers-Text 1.0.2a2 for a numeral of 200 characters; that one also splits 人民币50000元 in two.
Neither is for a worker that reads whatever it is sent. This rule reads any text once, from its beginning to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.entities import RULE, Entity

MONEY = "MONEY"

_DIGIT = "[0-9０-９]"
_SCALE = "十百千万亿拾佰仟萬億"
_NUMERAL = f"[零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖{_SCALE}]"
_NUMBER = f"(?>{_DIGIT}{{1,3}}(?:,{_DIGIT}{{3}})++|{_DIGIT}++)(?:[.．]{_DIGIT}++)?"
# 3,500  1.2亿  3万5千  20多万  数十亿  三千余  五百
_AMOUNT = f"[数几上]?(?>(?:{_NUMBER}[{_SCALE}]{{0,4}}+)++|{_NUMERAL}++)[余多来几]?[{_SCALE}]{{0,4}}+[余多]?"
_CURRENCY = "|".join(
    (
        "人民币元?(?![ ]?[0-9])|美元|美金|欧元|英镑|日元|日圆|港元|港币|新?台币元?|澳门元|澳元|加元|新加坡元|新元",
        "韩元|韩币|卢布|卢比|泰铢|瑞士法郎|法郎|瑞郎|马克|里拉|比索|雷亚尔|林吉特|越南盾|印尼盾|里亚尔|第纳尔|克朗",
        "(?:USD|RMB|CNY|HKD|EUR|GBP|JPY)(?![A-Za-z])",
        "块钱|元钱|毛钱|角钱|分钱",
        # 元 is also an element, a dynasty's first year, a dimension, and part of 三元里.
        "元(?:人民币|港币|新台币)?(?![素件方旦月宵帅首老论化桥里复户机股]|[一二三四五六七八九]次)",
    )
)
_SYMBOL = "(?:US|HK|NT|A|C)?[$＄]|[¥￥€£]|人民币|港币|美金|(?<![A-Za-z])(?:USD|RMB|CNY|HKD|EUR|GBP|JPY)"
_CHANGE = f"(?:{_DIGIT}{{1,2}}角)?(?:{_DIGIT}{{1,2}}分)?"
_TO = "[-~～—–至到]{1,2}"
# With the currency behind the number, or before it; never from the middle of a number.
_PATTERN = re.compile(
    rf"(?<![0-9０-９.．])(?<!{_NUMERAL})(?:"
    rf"(?:(?:{_SYMBOL})[ ]?)?(?:{_AMOUNT}(?:{_CURRENCY})?{_TO})?{_AMOUNT}[ ]?(?:{_CURRENCY}){_CHANGE}整?"
    rf"|(?:{_SYMBOL})[ ]?{_AMOUNT}(?:[ ]?(?:million|billion|trillion|[kmKM](?![A-Za-z])))?"
    r")"
)


def money(text: str) -> Iterator[Entity]:
    """The amounts of money in a text, in order and not overlapping; each is certain."""
    for found in _PATTERN.finditer(text):
        yield Entity(found.start(), found.end(), MONEY, 1.0, RULE)
