"""Where a long text is cut."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from shared.breaks import best_break, sentences

PIECES = st.sampled_from(
    [
        "中",
        "文",
        "，",
        "。",
        "”",
        "！",
        "a",
        "Z",
        "é",
        "e\u0301",
        "1",
        "3.14",
        " ",
        "\n",
        "\r\n",
        "👨‍👩‍👧",
        "🇨🇳",
        "𠮷",
        "\u200d",
        "\ud800",
    ]
)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[str, int, int]:
    """A text with a range that ends in it."""
    text = "".join(draw(st.lists(PIECES, min_size=1, max_size=60)))
    high = draw(st.integers(1, len(text)))
    return text, draw(st.integers(0, high - 1)), high


@given(ranges())
def test_a_cut_is_in_the_range(case: tuple[str, int, int]) -> None:
    text, low, high = case
    assert low < best_break(text, low, high) <= high


@given(ranges())
def test_no_grapheme_cluster_is_cut_unless_the_range_is_within_one(case: tuple[str, int, int]) -> None:
    text, low, high = case
    between = {match.end() for match in regex.finditer(r"\X", text)} & set(range(low + 1, high + 1))
    if between and len(text) <= 64:
        assert best_break(text, low, high) in between


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("他走了。", "她还在，"),  # a sentence end before a clause end
        ("他说：“走吧！”", "然后他走了"),  # its closing quote stays with it
        ("真的吗？！", "是真的"),
        ("第一行\r\n", "第二行"),
        ("he left. ", "she stayed"),
        ("价格是1,000元，", "涨到3.14倍"),  # neither the comma nor the full stop of a number
        ("时间是10:30，", "地点是a.b"),
        ("hello world ", "wonderful"),
        ("中文", "internationalisation"),  # not inside a word
        ("温度是", "36.5"),
        ("家庭", "👨‍👩‍👧‍👦"),  # not inside an emoji sequence
    ],
)
def test_the_best_break_is_taken(before: str, after: str) -> None:
    text = before + after
    assert best_break(text + "中", 0, len(text) - 1) == len(before)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_sentences_cover_the_text_and_cut_no_grapheme_cluster(text: str) -> None:
    found = list(sentences(text))
    assert "".join(text[start:end] for start, end in found) == text
    assert all(start < end for start, end in found)
    assert {end for _, end in found} <= {match.end() for match in regex.finditer(r"\X", text)}


@pytest.mark.parametrize(
    "parts",
    [
        ["他走了。", "她还在"],
        ["他说：“走吧！”", "然后他走了。"],  # its closing quote stays with it
        ["真的吗？！……", "是真的"],
        ["标题\n\n", "第一段。\n　　", "第二段"],  # a blank line, and the space behind an end
        ["He left! ", "She stayed"],
        ["雅虎Yahoo!奇摩和a.cn/?b=c"],
        ["他说……没什么…"],
        ["George W. Bush and Mr. Wang"],
        ["第一行，\n被换行的第二行；第三行"],  # a line may have been wrapped by hand
    ],
)
def test_where_a_sentence_surely_ends(parts: list[str]) -> None:
    text = "".join(parts)
    assert [text[start:end] for start, end in sentences(text)] == parts


def test_a_million_marks_are_divided_in_time() -> None:
    for text in ("!" * 1_000_000, "。” " * 300_000, "\n \r" * 300_000, "!…" * 500_000 + "中"):
        assert sum(end - start for start, end in sentences(text)) == len(text)


def test_the_last_of_the_best_is_taken() -> None:
    assert best_break("一。二。三，四", 0, 7) == 4


def test_a_mark_that_follows_a_full_stop_stays_with_it() -> None:
    assert best_break("一，二。\u0301三", 0, 6) == 5


def test_a_word_longer_than_the_range_is_cut() -> None:
    assert best_break("a" * 100, 10, 50) == 50
