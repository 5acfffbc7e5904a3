"""What users of other systems reported of amounts of money: cut, lost, taken for one, or read with a wrong value.

Each report has its id, the issues that it is from, and a sentence on the symptom. The texts are our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.entities import Amount
from shared.settings import BUNDLED_GENERIC_MODEL
from tests.regression.test_text_reports import recogniser
from workers.engine.money import money


@dataclass(frozen=True)
class Report:
    """A text with the amounts that should be found in it: ``amounts`` has each as ``text|value currency``."""

    id: str
    source: str
    symptom: str
    text: str
    amounts: tuple[str, ...]


REPORTS = [
    Report(
        "money-jiao",
        "JioNLP#257",
        "角 and 分 behind Arabic digits are not part of the amount.",
        "赔偿123元1角1分。",
        ("123元1角1分|123.11 CNY",),
    ),
    Report(
        "money-jiao-cn",
        "cn2an#65",
        "角 and 分 behind Chinese numerals are dropped.",
        "共一百二十三元一角一分，又壹佰捌拾壹元柒角。",
        ("一百二十三元一角一分|123.11 CNY", "壹佰捌拾壹元柒角|181.7 CNY"),
    ),
    Report(
        "money-jiao-cn-zero",
        "cn2an#65",
        "角 and 分 are dropped behind 零, after 块 and in short forms without the last unit.",
        "捌佰玖拾元零叁分，十二块八毛，三块六毛五，伍角陆分。",
        ("捌佰玖拾元零叁分|890.03 CNY", "十二块八毛|12.8 CNY", "三块六毛五|3.65 CNY", "伍角陆分|0.56 CNY"),
    ),
    Report(
        "money-yuan",
        "cn2an#65",
        "圆 for 元 is not known.",
        "共计玖仟陆佰陆拾伍圆壹角捌分。",
        ("玖仟陆佰陆拾伍圆壹角捌分|9665.18 CNY",),
    ),
    Report(
        "money-yuan-traditional",
        "cn2an#65",
        "圓, 塊 and 幣 are not known.",
        "人民幣伍佰圓整，二十塊錢，五億歐元，新臺幣3,000元。",
        ("人民幣伍佰圓整|500 CNY", "二十塊錢|20 CNY", "五億歐元|500000000 EUR", "新臺幣3,000元|3000 TWD"),
    ),
    Report(
        "money-next-number",
        "JioNLP#49",
        "The number of a section right behind the amount becomes part of it.",
        "本计划投资3541.07万元2.3本项目建设期两年",
        ("3541.07万元|35410700 CNY",),
    ),
    Report(
        "money-person",
        "JioNLP#135",
        "李四人民币 is taken for an amount.",
        "张三赔偿李四人民币车费601,293.11元，利息9佰日元，打印费十块钱。",
        ("601,293.11元|601293.11 CNY", "9佰日元|900 JPY", "十块钱|10 CNY"),
    ),
    Report(
        "money-person-amount",
        "JioNLP#135",
        "A number in a name becomes part of the amount behind the name.",
        "张三欠王五人民币五千元，又借给李四十万元，还欠周八港币。",
        ("人民币五千元|5000 CNY", "十万元|100000 CNY"),
    ),
    Report(
        "money-space",
        "PaddleNLP#10316",
        "A space between the number and 万元 loses the number.",
        "预算为100 万元，另加3.5 亿元人民币。",
        ("100 万元|1000000 CNY", "3.5 亿元人民币|350000000 CNY"),
    ),
    Report(
        "money-space-other",
        "PaddleNLP#10316",
        "Other spaces lose the number too: wide and no-break ones, between scale and unit, and as marks of thousands.",
        "预算\u3000100\u3000万元，20\xa0万\xa0美元，￥ 5,999，1 000 000 元，人民币 贰仟 万元整。",
        (
            "100\u3000万元|1000000 CNY",
            "20\xa0万\xa0美元|200000 USD",
            "￥ 5,999|5999 CNY",
            "1 000 000 元|1000000 CNY",
            "人民币 贰仟 万元整|20000000 CNY",
        ),
    ),
    Report(
        "money-wide-comma",
        "JioNLP#139",
        "Full-width commas inside the number lose its head.",
        "合计１，０００元和1，000，000元。",
        ("１，０００元|1000 CNY", "1，000，000元|1000000 CNY"),
    ),
    Report(
        "money-wide-comma-mixed",
        "JioNLP#139",
        "Full-width points and signs, and commas that part a list, are read wrongly.",
        "￥１２，３４５．６７，＄３０；充值100，200，300元。",
        ("￥１２，３４５．６７|12345.67 CNY", "＄３０|30 USD", "300元|300 CNY"),
    ),
    Report(
        "money-lookahead",
        "JioNLP#75",
        "元 before 老, 素, 首, 件 and 户 is refused.",
        "票价20元老人免费，午餐100元素菜另算，奖金50元首付后发，收费30元件数不限，押金500元户外使用。",
        ("20元|20 CNY", "100元|100 CNY", "50元|50 CNY", "30元|30 CNY", "500元|500 CNY"),
    ),
    Report(
        "money-lookahead-more",
        "JioNLP#75",
        "元 before 月, 方, 化, 机, 股, 里, 代, 气 and 桥 is refused.",
        "200元月租，50元方便面，90元化妆品，800元机票，10元股票，5元里程，20元代金券，3元气球，15元桥梁费。",
        tuple(f"{number}元|{number} CNY" for number in (200, 50, 90, 800, 10, 5, 20, 3, 15)),
    ),
    Report(
        "money-lookahead-none",
        "JioNLP#75",
        "Words that begin with 元 behind a number are taken for amounts.",
        "2025元旦，第2元素，三元里，一元二次方程，3元一次方程，二元论，唯一元素，2024年元月，表1 元件，连中三元。",
        (),
    ),
    Report(
        "money-capital",
        "PaddleNLP#10316",
        "Of an amount in capitals with the figure in brackets one is lost.",
        "人民币叁仟陆佰肆拾叁万柒仟肆佰壹拾柒元整（小写：￥36437417元）",
        ("人民币叁仟陆佰肆拾叁万柒仟肆佰壹拾柒元整|36437417 CNY", "￥36437417元|36437417 CNY"),
    ),
    Report(
        "money-decimals",
        "JioNLP#147, JioNLP#151, JioNLP#80",
        "Many decimals and many zeros are cut.",
        "花费了47.264287亿元、100000万美元和10.56亿元。",
        ("47.264287亿元|4726428700 CNY", "100000万美元|1000000000 USD", "10.56亿元|1056000000 CNY"),
    ),
    Report(
        "money-us-b",
        "own",
        "US$1.2B loses its B.",
        "融资US$1.2B、€3.5m和£200。",
        ("US$1.2B|1200000000 USD", "€3.5m|3500000 EUR", "£200|200 GBP"),
    ),
    Report(
        "money-us-b-more",
        "own",
        "Other scales in Latin letters, and currencies behind the number, are lost.",
        "融资$500K、USD 1.5bn、HK$2.3 million、100€、5 million US dollars、NT$3w。",
        (
            "$500K|500000 USD",
            "USD 1.5bn|1500000000 USD",
            "HK$2.3 million|2300000 HKD",
            "100€|100 EUR",
            "5 million US dollars|5000000 USD",
            "NT$3w|30000 TWD",
        ),
    ),
    Report(
        "money-mao",
        "own",
        "毛 and 块 without 钱 are not known.",
        "早餐5毛，午餐3块5。",
        ("5毛|0.5 CNY", "3块5|3.5 CNY"),
    ),
    Report(
        "money-mao-more",
        "own",
        "Prices in 块, 毛 and 角 are lost, and things that 块, 毛 and 角 count are prices.",
        "豆腐两块五一斤，葱卖三毛，花128块买了3块砖和5毛线，3角形的两块石头，作家三毛，五角大楼。",
        ("两块五|2.5 CNY", "三毛|0.3 CNY", "128块|128 CNY"),
    ),
    Report(
        "money-range",
        "own",
        "Of a range only one end is found, or each end alone.",
        "3-5万元，5000至1万元，100元到200元，人民币3万~5万元，$5-10 million，七八百元。",
        (
            "3-5万元|30000..50000 CNY",
            "5000至1万元|5000..10000 CNY",
            "100元到200元|100..200 CNY",
            "人民币3万~5万元|30000..50000 CNY",
            "$5-10 million|5000000..10000000 USD",
            "七八百元|700..800 CNY",
        ),
    ),
]


def written(text: str, amount: Amount | None) -> str:
    assert amount is not None
    value = amount.low if amount.low == amount.high else f"{amount.low}..{amount.high}"
    return f"{text}|{value} {amount.currency}"


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.id)
def test_the_amounts_of_a_report_are_found(report: Report) -> None:
    found = list(money(report.text))
    assert [report.text[entity.start : entity.end] for entity in found] == [
        amount.partition("|")[0] for amount in report.amounts
    ]
    assert tuple(written(report.text[entity.start : entity.end], entity.amount) for entity in found) == report.amounts


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.id)
def test_the_bundled_model_finds_them_too(report: Report) -> None:
    """What the model takes for a name inside an amount does not hide the amount."""
    (entities,) = recogniser(BUNDLED_GENERIC_MODEL).recognise([report.text])
    assert [report.text[entity.start : entity.end] for entity in entities if entity.type == "MONEY"] == [
        amount.partition("|")[0] for amount in report.amounts
    ]
