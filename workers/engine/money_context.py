"""Whether what looks like an amount of money is one, by its number and the words around it.

What is decided where a text can be read in two ways:

- A number in Arabic digits with 元 right behind it is an amount, whatever follows (20元老人票), unless the text around
  it says otherwise (第2元素, 3元素, 2025元旦, 3元一次方程). A single Chinese numeral is none if the next word may begin
  with 元 (一元论, 三元里). Neither is a number with a space behind it (表1 元件).
- 万元 and 亿元 without a number are units of a table. 百万元 is an amount, but not in 单位：百万元.
- 块 needs 钱, a smaller unit (三块五), or words of a price around it (卖3块, 20块左右): 3块砖 is none.
- 毛 needs a single digit and no other word (5毛线). Behind a Chinese numeral it needs what 块 needs: 三毛 is a person.
- 角 needs an Arabic digit, 钱, 分 or words of a price. 分 needs 钱, or another unit before it.
- 人民币 and the like behind a single Chinese numeral are no amount: they follow a name in 李四人民币.
"""

from __future__ import annotations

import re

from workers.engine.money_units import has_parts
from workers.engine.numerals import CAPITAL, CHINESE_DIGIT, DIGIT, SCALE, SPACE

# Behind 元, whatever the number.
_NEVER = re.compile(
    "旦|宵(?!夜)|器件|宇宙|论(?![文坛述])|[\\d一二两三四五六七八九]次(?:方程|函数|不等式|多项式|曲线|型|整|齐)|方程|线性|函数"
    "|素(?![菜食面鸡炒汤包斋])"
)
# Behind 元, if the number may be a year: 2025元月.
_YEAR = re.compile("(?:19|20|１９|２０)[0-9０-９]{2}")
_OF_A_YEAR = re.compile("宵|月(?![薪租卡费供票均入工收销底结付])|年(?![费薪租卡金终度化息收付会票])")
# Behind 元, if it may begin the next word: words with 元, and what 一元, 二元 or 三元 begin.
_BEGINS_A_WORD = (
    "件(?!数)|首(?![付期次月先日单笔年批发])|老(?![人年太师板婆公头客])|[帅勋勳]|月(?![薪租卡费供票均入])"
    "|[代朝曲]|气|凶|宝|音|数据"
)
_WORD = re.compile(_BEGINS_A_WORD)
_OF_A_NUMERAL = re.compile(
    f"{_BEGINS_A_WORD}|方(?![便案式向面法])|化(?!妆)|桥|里(?![程面])|复(?![习印])|户(?!外)|机(?!票)|股(?![票东])"
    "|组(?![装合团成建织])|性(?!价)|制(?![作造])|[色坊巷县村镇宫谋乙酸醇胺猪仔母牌]|数(?![额目])|及第|悖论|表达式|微积分|杂交"
    "|函数|对立|结构|体系|社会|世界|分类|期权|分析|回归|模型|载体|运算"
)
_OF_THREE = re.compile("催化|材料|电池|锂|正极|牛奶|食品|集团|区")
# Before a single numeral, what makes it part of a word: 统一元, 连中三元, 第二元.
_OF_A_WORD = frozenset(("统一", "唯一", "之一", "专一", "逐一", "同一", "划一", "中三", "连三"))
# Behind 元 of 20多元.
_OF_MANY = re.compile("化(?!妆)|性(?!价)|文化|主体|智能|视角|社会|角度")
# Behind 圆, 毛 and 角.
_ROUND = re.compile("[桌形周心圈环满柱锥规角弧滑梦舞珠顶盘球月场]")
_HAIR = re.compile("[线衣笔巾发孔重利猪驴病茸皮绒毯裤坯豆血肚囊蛋尖峰桃党竹特]|不拔")
_CORNER = re.compile("[星形度色落楼场洲兽龙铁钢恋债关尺函]")
# Around a number with 块, what makes a price of it.
_PRICE_BEFORE = re.compile(
    "(?:[卖賣花收付给給赚赔涨降省补找价價需才要售欠借罚捐奖薪费餐]|便宜|优惠|打车|红包|工资|每[斤个份张次天月年人位])"
    "[了到约近大概]{0,2}\\Z"
)
_LONGEST_BEFORE = 6
_PRICE_BEHIND = re.compile("左右|以内|一[斤个份张次天月年杯碗瓶]|[/／每]")
_PAUSE = re.compile("\\Z|[，。、；！？,;!?)）\\s买買就吧呢啊]")
# Behind a number that has only a sign before it, what makes it something else.
_NO_PRICE = re.compile("[.．]?[0-9０-９]|[A-Za-z_\\\\¥￥$}`\\]]")
_COUNTED = re.compile(f"{SPACE}[年月日号號天%％个個基点點次连倍种種位家名级級流]")
# Behind a currency, if the number may be a year: 2024美元指数.
_NOT_COUNTED = re.compile("兑|指数|汇率|走势|债|国际|国债|升值|贬值|资产|霸权|体系|化")
# With so many characters before a dollar sign, another makes a formula of what is between them: $x = 1$.
_FORMULA = 80

_BARE_SCALE = re.compile(f"(?![十拾]\\Z){SCALE}+")
_UNIT_OF_A_TABLE = frozenset("万萬亿億兆")
_HEADING = re.compile("(?:单位|單位)[ 为為是:：]{0,2}\\Z|[(（]\\Z")
_SINGLE = re.compile(f"(?!{CAPITAL})(?:{CHINESE_DIGIT}|十)")
_DIGIT = re.compile(DIGIT)
_SOME_DIGIT = re.compile(f"{DIGIT}|{CHINESE_DIGIT}|{CAPITAL}|[十拾数數几幾上]")
_LARGE = re.compile(f"{CAPITAL}|{SCALE}")
_COUNTS_YUAN = frozenset("币幣")


def is_amount(text: str, start: int, end: int, unit: re.Match[str]) -> bool:
    """Whether the number ``text[start:end]`` with the unit behind it is an amount of money."""
    said = text[start:end]
    if _BARE_SCALE.fullmatch(said) and (said in _UNIT_OF_A_TABLE or _HEADING.search(text, max(0, start - 5), start)):
        return False
    if unit["yuan"] in ("块", "塊"):
        return has_parts(unit) or _is_priced(text, start, unit.end())
    if unit["yuan"]:
        return has_parts(unit) or _counts_yuan(text, start, said, unit)
    if unit["jiaos"]:
        return has_parts(unit) or _counts_jiao(text, start, said, unit)
    if unit["mark"]:
        return unit["mark"] not in ("$", "＄") or "$" not in text[max(0, start - _FORMULA) : start]
    if unit["word"] and _SINGLE.fullmatch(said) and unit["word"][-1] in _COUNTS_YUAN:
        return False
    return not (_YEAR.fullmatch(said) and _NOT_COUNTED.match(text, unit.end()))


def is_price(text: str, start: int, end: int, sign: re.Match[str]) -> bool:
    """Whether the number ``text[start:end]`` with only a sign or word before it is an amount of money."""
    said = text[start:end]
    if _NO_PRICE.match(text, end):
        return False
    if not _DIGIT.search(said) and (len(said) == 1 or not (_LARGE.search(said) and _SOME_DIGIT.search(said))):
        return False
    if sign["sign"]:
        return True
    return not (_COUNTED.match(text, end) or (_YEAR.fullmatch(said) and _NOT_COUNTED.match(text, end)))


def _counts_yuan(text: str, start: int, said: str, unit: re.Match[str]) -> bool:
    behind = unit.end()
    if _NEVER.match(text, behind) or (_YEAR.fullmatch(said) and _OF_A_YEAR.match(text, behind)):
        return False
    if unit["yuan"] != "元" and _ROUND.match(text, behind):
        return False
    if said[-1] in "多余餘" and _OF_MANY.match(text, behind):
        return False
    if unit["space"] and _WORD.match(text, behind):
        return False
    if _SINGLE.fullmatch(said):
        return not (
            text[max(0, start - 1) : start + 1] in _OF_A_WORD
            or _OF_A_NUMERAL.match(text, behind)
            or (said == "三" and _OF_THREE.match(text, behind))
            or (unit["yuan"] != "元" and not _PAUSE.match(text, behind))
        )
    return not (_BARE_SCALE.fullmatch(said) and text.startswith("机", behind))


def _counts_jiao(text: str, start: int, said: str, unit: re.Match[str]) -> bool:
    other = _HAIR if unit["jiaos"] == "毛" else _CORNER
    if len(said) > 1 or other.match(text, unit.end()):
        return False
    return _DIGIT.match(said) is not None or _is_priced(text, start, unit.end())


def _is_priced(text: str, start: int, behind: int) -> bool:
    if _PRICE_BEHIND.match(text, behind):
        return True
    before = _PRICE_BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start)
    return before is not None and _PAUSE.match(text, behind) is not None
