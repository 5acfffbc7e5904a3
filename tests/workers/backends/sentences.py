"""Sentences to compare backends on: of templates, made for this; and real ones where the data is at hand."""

from __future__ import annotations

import gzip
import json
import random
from itertools import islice

from shared.settings import PROJECT_ROOT
from tests.workers.tiny_models import CHARACTERS

_PEOPLE = [
    "王建国",
    "李秀英",
    "张海燕",
    "欧阳明",
    "陈志强",
    "周小平",
    "司马青云",
    "约翰·史密斯",
    "田中一郎",
    "黄永玉",
    "吴天成",
    "Maria",
]
_PLACES = [
    "北京",
    "上海市浦东新区",
    "河南省信阳市",
    "纽约",
    "西双版纳",
    "伊斯坦布尔",
    "香港",
    "长江",
    "莫斯科",
    "广州",
    "喀什",
    "圣保罗",
]
_ORGANISATIONS = [
    "国家统计局",
    "清华大学",
    "联合国",
    "华东机械集团",
    "中国足球协会",
    "IBM公司",
    "新华社",
    "红十字会",
    "第三人民医院",
    "NBA",
]
_TEMPLATES = (
    "{person}在{place}会见了{organisation}的代表。",
    "据{organisation}报道，{place}昨日发生交通事故，{person}等3人受伤。",
    "{organisation}总经理{person}说：“我们在{place}的工厂已于2008年投产。”",
    "{person}、{other}和来自{place}的朋友们一起参观了{organisation}。",
    "从{place}到{elsewhere}，{person}走了整整12天",
    "{place}—{elsewhere}航线（{organisation}）明天开通！",
    "{organisation}与{place}市政府签约，{person} {other}出席。",
    "他没有去过{place}，也不认识{person}，只是在{organisation}工作过５年。",
)
_LATIN = ("the", "new york", "Microsoft", "2008.08", "X-ray", "a/b", "NBA", "[ok]", "e.g.")


def news_sentences(count: int) -> list[str]:
    """Sentences in the manner of news, with people, places and organisations."""
    choose = random.Random(1)
    return [
        choose.choice(_TEMPLATES).format(
            person=choose.choice(_PEOPLE),
            other=choose.choice(_PEOPLE),
            place=choose.choice(_PLACES),
            elsewhere=choose.choice(_PLACES),
            organisation=choose.choice(_ORGANISATIONS),
        )
        for _ in range(count)
    ]


def tiny_model_sentences(count: int) -> list[str]:
    """Strings of what tiny models know, for models to which all text is the same nonsense."""
    choose = random.Random(2)
    sentences = []
    for _ in range(count):
        parts = ["".join(choose.choices(CHARACTERS, k=choose.randint(1, 12))) for _ in range(choose.randint(1, 4))]
        if choose.random() < 0.4:
            parts.insert(choose.randint(0, len(parts)), choose.choice(_LATIN))
        sentences.append(choose.choice(("", " ")).join(parts))
    return sentences


def real_sentences(count: int) -> list[str]:
    """Sentences of MSRA's development set; none where the data is not beside the repository."""
    path = PROJECT_ROOT.parent / "shared" / "data" / "msra.dev.jsonl.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, count)]
