"""The steps of reading, each by itself and all together."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engine.reading.lines import CELL, LINE
from workers.engine.reading.steps import STEPS
from workers.engine.reading.view import Step, View

INVISIBLE = (
    "\ufeff\u200b\u200c\u200d\u200e\u202a\u2066\xad\ufe0f\U000e0100\0\x1b\x7f\x9f\ufffd\ufff9\ufffe\ud83d\udc00\u034f"
)
BREAKS = "\t\n\r\v\f\x85\u2028\u2029| \u3000"
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from("马云在杭州 \u3000\n，Aa1ＡａＦ１⽂⻓ﬁ") | st.sampled_from(INVISIBLE)),
    max_size=30,
)


def read(text: str) -> View:
    """By all steps."""
    view = View(text)
    for step in STEPS.values():
        view = step(view)
    return view


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@given(text=TEXTS)
def test_places_lead_back(step: Step, text: str) -> None:
    view = step(View(text))
    places = view.known_places
    assert len(places) == len(view.text)
    assert all(0 <= place < len(text) for place in places)
    assert all(before <= after for before, after in pairwise(places))
    for character, place in zip(view.text, places, strict=True):
        assert (
            character == text[place] == ">"
            or character in step(View(text[place])).text
            or (character in (CELL, LINE, "\t") and (text[place] in BREAKS or text[place].isspace()))
        )


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@given(text=TEXTS)
def test_a_step_done_twice_is_done_once(step: Step, text: str) -> None:
    once = step(View(text))
    twice = step(once)
    assert twice.text == once.text
    assert (twice.known_places == once.known_places).all()


@given(text=st.text(alphabet="马云在杭州出席了会议，。“”（）A1 ", max_size=30).filter(lambda text: "  " not in text))
def test_spans_of_what_is_read_are_of_the_source(text: str) -> None:
    view = read("\ufeff" + text)
    if view.text:
        start, end = view.span(0, len(view.text))
        marks = str.maketrans("", "", f" {CELL}")
        assert ("\ufeff" + text)[start:end].translate(marks) == view.text.translate(marks)


@pytest.mark.parametrize(
    "text",
    ["", "马云在杭州。", "Tom Hanks 在\u3000北京\t，。\r\n😀１", "赵 云", "A B C D", "马\u3000云、李彦宏、雷\u3000军"],
)
def test_what_has_nothing_to_clean_comes_through(text: str) -> None:
    view = View(text)
    assert STEPS["invisible"](view) is view
    assert STEPS["spaced"](view) is view
    assert STEPS["words"](View("Tom Hanks 在 2024 年，A B")) == View("Tom Hanks 在 2024 年，A B")
    assert read("马云在杭州。").places is None


@pytest.mark.parametrize("character", INVISIBLE)
def test_what_nobody_sees_is_not_read(character: str) -> None:
    view = read(f"马{character}云{character * 3}在")
    assert view.text == "马云在"
    assert view.known_places.tolist() == [0, 2, 6]
    assert view.span(0, 2) == (0, 3)


@pytest.mark.parametrize("sequence", ["\x1b[31m", "\x1b[0m", "\x1b[1;38;5;208m", "\x1b[K", "\x1b[?25l"])
def test_a_terminals_colours_are_not_read(sequence: str) -> None:
    view = read(f"{sequence}马云{sequence}在")
    assert view.text == "马云在"
    assert view.span(0, 2) == (len(sequence), len(sequence) + 2)


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("ＡＢＣ１２３公司", "ABC123公司"),
        ("⾼⽂⽣从⻓沙经⻄安到厦⻔", "高文生从长沙经西安到厦门"),
        ("ﬁnance", "finance"),
        ("李明", "李明"),
        ("𝐓𝐨𝐦", "Tom"),
        ("马云\x1f杭州\x1e雷军\x1f北京", "马云，杭州。雷军，北京"),
    ],
)
def test_other_forms_are_read_as_plain_ones(sent: str, plain: str) -> None:
    assert read(sent).text == plain


def test_the_letters_of_a_ligature_are_of_one_place() -> None:
    view = read("Oﬃce在")
    assert view.text == "Office在"
    assert (view.span(0, 6), view.span(3, 4), view.span(6, 7)) == ((0, 4), (1, 2), (4, 5))


@pytest.mark.parametrize("text", ["，。！（）①㈱℃™㎡", "\u3000", "½"])
def test_punctuation_and_signs_stay(text: str) -> None:
    assert read(text).text == text


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("马 云 在 杭 州 出 席 。", "马云在杭州出席。"),
        ("关 于 成 立 北 京 大 学 校 友 会 的 通 知", "关于成立北京大学校友会的通知"),
        ("马　云　在　杭　州", "马云在杭州"),
        ("第一行。\n2 0 2 4 年 ， 马 云 在 杭 州 。\n马云 A说", "第一行。2024年，马云在杭州。马云 A说"),
        ("用 A I 在 杭 州", "用A I在杭州"),
        ("马  云  在  杭  州", "马云在杭州"),
        ("A B C D", "A B C D"),
    ],
)
def test_spaces_between_all_characters_are_not_read(sent: str, plain: str) -> None:
    assert read(sent).text == plain


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("阿里巴巴集团创始人 马云 在 杭州 出席。", "阿里巴巴集团创始人马云在杭州出席。"),
        ("中国 人民 银行 今天 在 北京 宣布", "中国人民银行今天在北京宣布"),
        ("马\u3000云，杭州", "马云，杭州"),
        ("在 Tom Hanks 家，在 北京", "在 Tom Hanks 家，在北京"),
    ],
)
def test_spaces_between_words_of_a_sentence_are_not_read(sent: str, plain: str) -> None:
    assert read(sent).text == plain


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("马化腾 雷军 刘强东", "马化腾，雷军，刘强东"),
        ("马化腾   腾讯公司   深圳\n雷\u3000军   小米公司   北京", "马化腾，腾讯公司，深圳。雷军，小米公司，北京"),
        ("赵 云", "赵云"),
    ],
)
def test_spaces_between_items_separate(sent: str, plain: str) -> None:
    assert read(sent).text == plain


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("阿里巴巴集團創始人馬雲在杭州", "阿里巴巴集团创始人马云在杭州"),
        ("鄧紫棋從臺中到達廈門", "邓紫棋从台中到达厦门"),
        ("乾隆皇帝說：太乾燥了", "乾隆皇帝说：太干燥了"),
    ],
)
def test_traditional_characters_are_read_as_simplified_ones(sent: str, plain: str) -> None:
    assert read(sent).text == plain


@pytest.mark.parametrize("text", ["李乾在著名的瞭望台", "Tom", "かな"])
def test_simplified_text_keeps_characters_that_are_both(text: str) -> None:
    assert STEPS["traditional"](View(text)).text == text


def test_a_traditional_text_keeps_its_separators() -> None:
    assert list(read("馬雲\n鄧紫棋").separators) == [2]


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("> 阿里巴巴集团创始人马\n> 云在杭州，说了话。", "\n阿里巴巴集团创始人马\n云在杭州，说了话。"),
        (">> 他在杭\n>> 州\n> 她", "\n他在杭\n州\n\n她"),
        ("> > 他在杭\n> > 州", "\n他在杭\n州"),
        (">他在杭\n>州", "\n他在杭\n州"),
        ("> 他在杭\n>州", "\n他在杭\n州"),
        ("// 他在杭\n// 州\nx", "\n他在杭\n州\nx"),
        ("  //他在杭\n  //州", "\n他在杭\n州"),
        (">5岁\n>6岁", ">5岁\n>6岁"),
        ("//example.org/马云", "//example.org/马云"),
    ],
)
def test_marks_of_quoted_lines_are_not_read(sent: str, plain: str) -> None:
    assert STEPS["quoted"](View(sent)).text == plain


def test_a_sentence_goes_on_in_the_next_quoted_line() -> None:
    assert "阿里巴巴集团创始人马云在杭州" in read("> 阿里巴巴集团创始人马\n> 云在杭州，说了话。").text


@pytest.mark.parametrize("emoji", ["😂", "👨\u200d👩\u200d👧", "🇨🇳", "1\ufe0f\u20e3", "👍🏽", "❤\ufe0f"])
def test_an_emoji_separates(emoji: str) -> None:
    assert list(read(f"马云{emoji}李四").separators) == [2, 2 + len(emoji)]
    assert list(read(f"马云{emoji}李四\n\n王五").separators) == [2, 2 + len(emoji), 4 + len(emoji)]


def test_a_keycap_is_read_as_a_mark() -> None:
    assert read("1\ufe0f\u20e3马云2\ufe0f\u20e3李四").text == "，马云，李四"


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("姓\u3000名：张\u3000三", "姓名：张三"),
        ("姓  名：张  三   地  址：北京市", "姓名：张三，地址：北京市"),
        ("记者：张\u3000伟\u3000\u3000王芳芳", "记者：张伟，王芳芳"),
        ("记者：张大伟\u3000王芳芳", "记者：张大伟，王芳芳"),
        ("姓名：张三    单位：阿里巴巴集团", "姓名：张三，单位：阿里巴巴集团"),
        ("（张\u3000伟）在 北京 说，", "（张伟）在北京说，"),
        ("张\u3000伟、王  芳、李\u3000娜", "张伟、王芳、李娜"),
        # In prose they are the space that somebody likes between words.
        ("昨天，马云\u3000在\u3000杭州\u3000演讲。", "昨天，马云在杭州演讲。"),
    ],
)
def test_padded_names_are_one_and_wide_spaces_separate(sent: str, plain: str) -> None:
    assert read(sent).text == plain
