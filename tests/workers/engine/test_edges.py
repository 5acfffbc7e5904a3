"""What an entity may begin and end with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.entities import Entity
from workers.engine.edges import trimmed


def left(found: str, before: str = "在", behind: str = "说") -> list[str]:
    """What is left of an entity that the model found, between other text."""
    text = before + found + behind
    entity = Entity(len(before), len(before + found), "PER", 0.9)
    return [text[each.start : each.end] for each in trimmed(text, [entity])]


@pytest.mark.parametrize(
    "edge",
    [
        *" \t\n\r\v\f\u3000\xa0\u2009\u2028\x85\x1c\x1d\x1e\x1f",
        *"\ufeff\u200b\u200e\xad\ufe0f\0\x1b\ufffd\ud83d\udc00\ufffe\ue000",
        *"🔥🇨👍🏽",
        "👨‍👩‍👧",
        *"，。、；：？…·•_|@#*~—-“”‘’\"'「」『』`",
        *"【】[]{}（）()〔〕《》<>",
        "{{",
        "\r\n",
        "——",
    ],
)
def test_what_belongs_to_no_name_is_no_edge_of_one(edge: str) -> None:
    assert left(edge + "马云") == left("马云" + edge) == left(edge + "马云" + edge) == ["马云"] or edge in "《》"
    assert left(edge) == []


@pytest.mark.parametrize("pair", ["“”", "‘’", "【】", "（）", "「」", "[]", '""', "''", "{}"])
def test_a_pair_around_all_of_it_goes(pair: str) -> None:
    assert left(f"{pair[0]}马云{pair[1]}") == ["马云"]
    assert left(f" {pair[0]} 马云 {pair[1]}{pair[1]}") == ["马云"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "刚果（金）",
            "“五一”劳动节",
            "（株）日立",
            "《三体》",
            "《红楼梦》研究会",
            "“两弹”",
            "马 云",
            "马\u200b云",
            "C·罗纳尔多",
        ),
        *("Yahoo!", "C++", "Apple Inc.", ".NET", "50%", "$3", "AT&T", "36℃", "Disney+", "Cafe\u0301"),
    ],
)
def test_what_belongs_to_it_stays(name: str) -> None:
    assert left(name) == ([name] if name != "“两弹”" else ["两弹"])


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ("刚果（金", "刚果（金"),
        ("刚果（", "刚果"),
        ("金）", "金"),
        ("《三体", "三体"),
        ("三体》", "三体"),
        ("）（马云", "马云"),
    ],
)
def test_half_of_a_pair_at_an_edge_goes(found: str, name: str) -> None:
    assert left(found) == [name]


@given(st.text(alphabet="马云 \n（）()“”\"'《》【】.a1!😀\u200b", max_size=12))
def test_trimming_is_idempotent_and_never_lengthens(found: str) -> None:
    once = left(found)
    assert all(each in found and each for each in once)
    assert [again for each in once for again in left(each)] == once
