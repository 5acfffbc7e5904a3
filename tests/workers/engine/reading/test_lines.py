"""Which line breaks are inside sentences, and what stands by itself."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.growth import assert_linear
from workers.engine.reading.lines import as_sentences, breaks
from workers.engine.reading.view import View


def read(text: str) -> str:
    return as_sentences(View(text)).text


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("阿里巴巴集团创始人马\n云在杭州出席了由中国人工\n智能学会主办的技术峰会。", None),
        ("联合国秘书长古特雷斯昨天抵达\r\n日内瓦，会见了世界卫生组织总干事\r\n谭德塞。", None),
        ("联合国秘书长古特雷斯昨天抵达\n    日内瓦，会见了世界卫生组织总干事", None),
        ("阿里巴巴集团创始人马云昨天在\u2028杭州出席了会议", None),
        ("阿里巴巴集团创始人马云昨天抵达,并会见\n记者,说明天再来", None),
        ("在杭州见到 Tom\nHanks，说了话", "在杭州见到 Tom\nHanks，说了话"),
    ],
)
def test_breaks_inside_a_sentence_are_read_over(sent: str, plain: str | None) -> None:
    assert read(sent) == (plain or "".join(line.strip() for line in sent.splitlines()))


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("马化腾\n雷军\n刘强东", "马化腾。雷军。刘强东"),
        (
            "阿里巴巴集团公司\n中国科学院计算技术研究所\n北京",
            "阿里巴巴集团公司。中国科学院计算技术研究所。北京",
        ),
        ("姓名\t城市\n马云\t杭州\n", "姓名，城市。马云，杭州"),
        ("| 姓名 | 城市 |\n| 马云 | 杭州 |", "姓名，城市。马云，杭州"),
        ("马云,阿里巴巴集团,杭州\r\n王传福,比亚迪公司,深圳", "马云,阿里巴巴集团,杭州。王传福,比亚迪公司,深圳"),
        ("1. 雷军\n2. 丁磊", "1. 雷军。2. 丁磊"),
        ("- 他在北京出席了会议，说\n- 她在上海", "- 他在北京出席了会议，说。- 她在上海"),
        ("甲方：阿里巴巴集团\n乙方：比亚迪公司", "甲方：阿里巴巴集团。乙方：比亚迪公司"),
        ("name: 马云\ncity: 杭州", "name: 马云。city: 杭州"),
        ("第一章 会议\n\n他在杭州出席了会议，", "第一章 会议。他在杭州出席了会议，"),
        ("他在杭州。\n她在上海。", "他在杭州。她在上海。"),
        ("\n\n 马云 \n", "马云"),
    ],
)
def test_what_stands_by_itself_is_divided_by_a_mark(sent: str, plain: str) -> None:
    assert read(sent) == plain


@pytest.mark.parametrize("text", ["马云|马化腾", "a|b", "他说：a || b", "马云在杭州。", ""])
def test_other_text_comes_through(text: str) -> None:
    assert read(text) == text


def test_a_mark_stands_where_the_separator_does() -> None:
    view = as_sentences(View("马云 \t 杭州\n\n王传福"))
    assert view.text == "马云，杭州。王传福"
    assert view.known_places.tolist() == [0, 1, 2, 5, 6, 7, 9, 10, 11]


@given(st.text(alphabet="马云，。： \t\r\n|-1.a", max_size=40))
def test_separators_are_in_order_and_apart(text: str) -> None:
    ends = [place for separator in breaks(text).separators for place in separator]
    assert ends == sorted(ends)


@given(st.text(alphabet="马云，。： \t\r\n|-1.a", max_size=40))
@example("\t||")
def test_what_was_read_comes_through_again(text: str) -> None:
    """Breaks that stay between words may be judged anew, since their lines are others then."""
    view = as_sentences(View(text))
    again = as_sentences(view)
    assert again.text == view.text or set(view.text) & set("\t\r\n")


@pytest.mark.parametrize("part", ["马\n", "\n", " ", "|", "\t", " | ", "1. 马云\n", "马\n\n", " \n"])
def test_the_time_grows_as_the_text_does(part: str) -> None:
    assert_linear(read, part, 10_000)
