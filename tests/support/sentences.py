"""Real sentences where the data folder is at hand, else sentences of our own."""

from __future__ import annotations

import gzip
import json
from itertools import islice, product

from shared.settings import PROJECT_ROOT

DEVELOPMENT_SET = PROJECT_ROOT.parent / "shared" / "data" / "msra.dev.jsonl.gz"

_PEOPLE = ["马云", "王小明", "李红", "张艺谋", "欧阳修", "钱学森", "约翰·史密斯"]
_PLACES = ["杭州", "北京", "纽约", "云南省昆明市", "莫斯科", "香港"]
_ORGANISATIONS = ["阿里巴巴集团", "北京大学", "联合国", "中国人民银行", "新华社"]


def sentences(count: int) -> list[str]:
    """So many sentences, no two alike; at most 210 where there is no data folder."""
    if DEVELOPMENT_SET.exists():
        with gzip.open(DEVELOPMENT_SET, "rt", encoding="utf-8") as lines:
            texts = dict.fromkeys(json.loads(line)["text"] for line in lines)
    else:
        texts = dict.fromkeys(
            f"{organisation}的{person}昨天在{place}出席了会议。"
            for person, place, organisation in product(_PEOPLE, _PLACES, _ORGANISATIONS)
        )
    found = list(islice(texts, count))
    assert len(found) == count
    return found
