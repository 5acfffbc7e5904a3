"""Where a long text is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.breaks import CONTEXT_CHARS, CUT_CHARS, SENTENCE_CHARS, Sentence, best_break, sentences
from tests.support.growth import assert_linear

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
    assert "".join(text[sentence.start : sentence.end] for sentence in found) == text
    assert all(sentence.start < sentence.end for sentence in found)
    assert {sentence.end for sentence in found} <= {match.end() for match in regex.finditer(r"\X", text)}


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
    assert [text[sentence.start : sentence.end] for sentence in sentences(text)] == parts


long_texts = st.lists(
    st.tuples(st.lists(PIECES, min_size=1, max_size=8).map("".join), st.integers(1, 150)).map(lambda t: t[0] * t[1]),
    min_size=1,
    max_size=8,
).map("".join)


@settings(deadline=None)
@given(long_texts)
def test_a_sentence_without_an_end_in_reach_is_cut_and_read_with_its_neighbours(text: str) -> None:
    found = list(sentences(text))
    assert all(sentence.end - sentence.start <= SENTENCE_CHARS for sentence in found)
    assert found[0].left == 0
    assert found[-1].right == len(text)
    for sentence, following in pairwise(found):
        if sentence.right == sentence.end:
            assert following.left == following.start
        else:
            assert CUT_CHARS // 2 < sentence.end - sentence.start <= CUT_CHARS
            assert following.start - following.left == CONTEXT_CHARS
            assert sentence.right == min(sentence.end + CONTEXT_CHARS, following.end)


@settings(deadline=None)
@given(long_texts, st.data())
# Two cuts that are together within the reach of one sentence.
@example(("中" * 199 + "，") * 5, (0, 1))
def test_the_sentences_between_two_ends_do_not_depend_on_the_rest(
    text: str, data: st.DataObject | tuple[int, int]
) -> None:
    found = list(sentences(text))
    if isinstance(data, tuple):
        first, last = data
    else:
        first = data.draw(st.integers(0, len(found) - 1))
        last = data.draw(st.integers(first, len(found) - 1))
    left, right = found[first].left, found[last].right
    between = sentences(text[left:right], found[first].start - left, found[last].end - left)
    assert [Sentence(*(place + left for place in sentence)) for sentence in between] == found[first : last + 1]


@pytest.mark.parametrize(
    "unit", ["中", "\u0301", "👨\u200d👩\u200d👧", "🇨🇳", "。", "。\u0301", "”", "!a", "\n \r", ". ", "a", "1,0"]
)
def test_hard_texts_are_cut_in_time(unit: str) -> None:
    """F15: a million flags took a quarter of an hour, as each looked back over all that came before it."""
    assert_linear(lambda text: list(sentences(text)), unit, 20_000)


def test_the_last_of_the_best_is_taken() -> None:
    assert best_break("一。二。三，四", 0, 7) == 4


def test_a_mark_that_follows_a_full_stop_stays_with_it() -> None:
    assert best_break("一，二。\u0301三", 0, 6) == 5


def test_a_word_longer_than_the_range_is_cut() -> None:
    assert best_break("a" * 100, 10, 50) == 50
