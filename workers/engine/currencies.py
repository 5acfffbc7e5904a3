"""The words, codes and signs of currencies, each with its ISO 4217 code.

A word that several countries' currencies share, such as 比索, has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Words that stand behind a number.
WORDS: dict[str, str | None] = {
    "人民币": "CNY",
    "人民币元": "CNY",
    "人民幣": "CNY",
    "美元": "USD",
    "美金": "USD",
    "美圆": "USD",
    "美刀": "USD",
    "欧元": "EUR",
    "歐元": "EUR",
    "英镑": "GBP",
    "镑": "GBP",
    "英鎊": "GBP",
    "日元": "JPY",
    "日圆": "JPY",
    "日圓": "JPY",
    "円": "JPY",
    "日币": "JPY",
    "日幣": "JPY",
    "港元": "HKD",
    "港圆": "HKD",
    "港圓": "HKD",
    "港币": "HKD",
    "港幣": "HKD",
    "港纸": "HKD",
    "台币": "TWD",
    "台币元": "TWD",
    "台幣": "TWD",
    "臺幣": "TWD",
    "新台币": "TWD",
    "新台币元": "TWD",
    "新台幣": "TWD",
    "新臺幣": "TWD",
    "澳门元": "MOP",
    "澳門元": "MOP",
    "澳门币": "MOP",
    "澳元": "AUD",
    "澳币": "AUD",
    "澳大利亚元": "AUD",
    "加元": "CAD",
    "加币": "CAD",
    "加拿大元": "CAD",
    "新元": "SGD",
    "新币": "SGD",
    "新加坡元": "SGD",
    "新加坡币": "SGD",
    "坡币": "SGD",
    "纽元": "NZD",
    "新西兰元": "NZD",
    "韩元": "KRW",
    "韓元": "KRW",
    "韩圆": "KRW",
    "韩币": "KRW",
    "韩圜": "KRW",
    "卢布": "RUB",
    "盧布": "RUB",
    "俄罗斯卢布": "RUB",
    "卢比": None,
    "印度卢比": "INR",
    "巴基斯坦卢比": "PKR",
    "斯里兰卡卢比": "LKR",
    "泰铢": "THB",
    "泰銖": "THB",
    "法郎": None,
    "瑞士法郎": "CHF",
    "瑞郎": "CHF",
    "法国法郎": "FRF",
    "马克": None,
    "德国马克": "DEM",
    "里拉": None,
    "土耳其里拉": "TRY",
    "比索": None,
    "墨西哥比索": "MXN",
    "菲律宾比索": "PHP",
    "阿根廷比索": "ARS",
    "智利比索": "CLP",
    "雷亚尔": "BRL",
    "林吉特": "MYR",
    "令吉": "MYR",
    "马币": "MYR",
    "越南盾": "VND",
    "印尼盾": "IDR",
    "里亚尔": None,
    "沙特里亚尔": "SAR",
    "伊朗里亚尔": "IRR",
    "卡塔尔里亚尔": "QAR",
    "第纳尔": None,
    "科威特第纳尔": "KWD",
    "伊拉克第纳尔": "IQD",
    "迪拉姆": "AED",
    "兰特": "ZAR",
    "福林": "HUF",
    "兹罗提": "PLN",
    "谢克尔": "ILS",
    "图格里克": "MNT",
    "坚戈": "KZT",
    "克朗": None,
    "瑞典克朗": "SEK",
    "挪威克朗": "NOK",
    "丹麦克朗": "DKK",
    "冰岛克朗": "ISK",
    "捷克克朗": "CZK",
}
# What is another word if this follows: 3里拉萨, 1日元旦, 2欧元区.
_NOT_BEFORE = {
    "人民币": "汇率",
    "日元": "[旦宵]",
    "新元": "[素旦件年宵]",
    "新币": "种",
    "加元": "[素件]",
    "里拉": "萨",
    "马克": "[思龙杯笔西吐沁]",
    "欧元": "区",
    "兰特": "别",
    "福林": "斯",
}
# In English, in any case.
ENGLISH: Mapping[str, str] = {
    "dollar": "USD",
    "dollars": "USD",
    "us dollar": "USD",
    "us dollars": "USD",
    "hong kong dollars": "HKD",
    "australian dollars": "AUD",
    "canadian dollars": "CAD",
    "singapore dollars": "SGD",
    "yuan": "CNY",
    "rmb yuan": "CNY",
    "chinese yuan": "CNY",
    "renminbi": "CNY",
    "euro": "EUR",
    "euros": "EUR",
    "yen": "JPY",
    "japanese yen": "JPY",
    "pounds sterling": "GBP",
    "british pounds": "GBP",
    "swiss francs": "CHF",
}
# Codes that are seldom anything else: CAD is software, PHP a language, INR and SAR are medical.
_UNMISTAKABLE = (
    *("CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "SGD", "AUD", "NZD", "CHF", "KRW", "THB", "RUB", "MYR", "VND"),
    *("BRL", "MXN", "NOK", "DKK", "AED"),
)
CODES: dict[str, str] = {code: code for code in _UNMISTAKABLE} | {"RMB": "CNY", "CNH": "CNY", "NTD": "TWD"}
CODES |= {code.lower(): CODES[code] for code in ("CNY", "USD", "EUR", "GBP", "JPY", "HKD", "RMB")}
# Signs and words that stand before a number.
SIGNS: dict[str, str] = {
    "¥": "CNY",
    "￥": "CNY",
    "$": "USD",
    "＄": "USD",
    "US$": "USD",
    "HK$": "HKD",
    "NT$": "TWD",
    "AU$": "AUD",
    "A$": "AUD",
    "CA$": "CAD",
    "C$": "CAD",
    "SG$": "SGD",
    "S$": "SGD",
    "NZ$": "NZD",
    "MOP$": "MOP",
    "R$": "BRL",
    "CN¥": "CNY",
    "CN￥": "CNY",
    "JP¥": "JPY",
    "JP￥": "JPY",
    "€": "EUR",
    "£": "GBP",
    "￡": "GBP",
    "₩": "KRW",
    "￦": "KRW",
    "₽": "RUB",
    "₹": "INR",
    "฿": "THB",
    "₫": "VND",
    "₺": "TRY",
    "₪": "ILS",
    "₱": "PHP",
}
WORDS_BEFORE: dict[str, str] = {
    word: code
    for word in (
        *(
            "人民币",
            "人民幣",
            "港币",
            "港幣",
            "港元",
            "美金",
            "美元",
            "新台币",
            "新台幣",
            "新臺幣",
            "台币",
            "臺幣",
            "澳门币",
        ),
        *("日币", "日元", "欧元", "歐元", "英镑", "英鎊", "澳币", "加币", "新加坡币"),
    )
    if (code := WORDS[word])
}
# A word or code before a sign tells whose dollar or yen it is: 港币$500, RMB¥500.
_HAVE_SIGNS = {"$": ("USD", "HKD", "TWD", "SGD", "AUD", "CAD", "NZD", "MOP"), "¥": ("CNY", "JPY")}
SIGNS |= {
    word + mark: code
    for mark, currencies in _HAVE_SIGNS.items()
    for word, code in (WORDS_BEFORE | CODES).items()
    if code in currencies
}
SIGNS |= {sign.replace(half, full): code for half, full in ("$＄", "¥￥") for sign, code in SIGNS.items()}
# Each may name another country's 元: 50元港币.
OF_COUNTRY = "人民币|人民幣|港币|港幣|新台币|新台幣|台币|美金|澳门币|日币"


def any_of(words: Iterable[str]) -> str:
    """A pattern of these words, in which a longer one goes before one that it begins with."""
    return "|".join(
        re.escape(word) + (f"(?!{_NOT_BEFORE[word]})" if word in _NOT_BEFORE else "")
        for word in sorted(words, key=len, reverse=True)
    )
