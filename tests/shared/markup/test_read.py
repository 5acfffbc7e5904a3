"""What markup shows, and where that stands in the source."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.markup.places import Places
from shared.markup.read import Markup, read
from tests.support.growth import assert_linear

MARKS = (
    *("<", ">", "</", "/>", "&", ";", "<!--", "-->", "<![CDATA[", "]]>", "<p>", "</p>", "<td>", "<br>", "<b>", "</b>"),
    *(
        '<a href="x">',
        "</a>",
        "<名>",
        "</名>",
        "<script>",
        "</script>",
        "&amp;",
        "&#x9a6c;",
        "&nbsp",
        "&NotEqualTilde;",
    ),
    *(
        "**",
        "*",
        "_",
        "~~",
        "`",
        "```",
        "[",
        "](",
        ")",
        "![",
        "]: ",
        "# ",
        "> ",
        "---",
        "\\",
        "http://x",
        '"',
        "'",
        "=",
    ),
)
sources = st.lists(st.sampled_from(MARKS) | st.sampled_from(["马", "云", "a", "1", "，", " ", "\n", "\t", "😀"])).map(
    "".join
)


def shown(text: str, markup: Markup = Markup.AUTO) -> str:
    found = read(text, markup)
    return text if found is None else found.text


@given(sources, st.sampled_from(Markup))
def test_each_character_stands_where_the_places_say(source: str, markup: Markup) -> None:
    found = read(source, markup)
    if found is None:
        return
    assert len(found.text) <= len(source)
    ends = 0
    for index, character in enumerate(found.text):
        start, end = found.places.span(index, index + 1)
        assert ends <= end <= len(source)
        ends = end
        # A tag or a reference is longer than what is read in its place, and begins with its mark.
        assert source[start:end] == character or source[start] in "<&\n"


@given(sources, st.sampled_from(Markup), st.data())
def test_the_places_of_a_span_are_those_of_its_ends(source: str, markup: Markup, data: st.DataObject) -> None:
    found = read(source, markup)
    if found is None or not found.text:
        return
    start = data.draw(st.integers(0, len(found.text) - 1))
    end = data.draw(st.integers(start + 1, len(found.text)))
    first, last = found.places.span(start, start + 1), found.places.span(end - 1, end)
    assert found.places.span(start, end) == (first[0], last[1])


@given(sources)
def test_places_are_stored_as_bytes(source: str) -> None:
    found = read(source, Markup.MARKDOWN)
    if found is None:
        return
    stored = Places.from_bytes(found.places.to_bytes())
    spans = [(index, index + 1) for index in range(len(found.text))]
    assert [stored.span(*span) for span in spans] == [found.places.span(*span) for span in spans]


def test_other_bytes_are_no_places() -> None:
    with pytest.raises(ValueError, match="three"):
        Places.from_bytes(bytes(16))


@given(st.text(st.sampled_from("马云，。 \t\n|-1.aA·:()（）《》“”'\"#@/\\_^+=%$")))
def test_a_text_without_marks_comes_through(text: str) -> None:
    assert read(text.replace("# ", "#"), Markup.AUTO) is None


@given(sources)
def test_none_reads_a_text_as_it_stands(text: str) -> None:
    assert read(text, Markup.NONE) is None


@pytest.mark.parametrize(
    "text",
    [
        "若a<b且c>d，则a<b。",
        "if (a < b && c > d) return a<b;",
        "AT&T和R&D部门，a&b=c",
        "List<String> names = new List<>();",
        "请联系<zhang@example.com>或<张三>",
        "见<https://example.com/a?b=1&lt=2>",
        "张某、李某某、张**和李*明被起诉，王**和赵**未到庭。",
        "2*3*4=24，2**10=1024",
        "snake_case_name和__init__.py",
        "参考文献[1][2](见下)",
        "* 马云\n* 雷军",
        "#杭州# #峰会",
        "~ 约5~6人 ~",
        "a | b",
        "马云 -- 杭州",
        "好的>_<",
        "x<y>z",
    ],
)
def test_what_only_looks_like_markup_is_left_alone(text: str) -> None:
    assert read(text, Markup.AUTO) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("创始人&nbsp;马云&nbsp;在杭州", "创始人\xa0马云\xa0在杭州"),
        ("&#39532;&#x4E91;在杭州", "马云在杭州"),
        ("&lt;b&gt;马云&lt;/b&gt;", "<b>马云</b>"),
        ("马云<br>在杭州<BR/>", "马云\n在杭州\n"),
        ("<p><b>马云</b>在<a href='/x?y=1&z=2' title=\"a>b\">杭州</a></p>", "\n\n马云在杭州\n\n"),
        ("<tr><td>马云</td><td>杭州</td></tr>", "\n\n\t马云\t\t杭州\t\n\n"),
        ("<li>马云</li><li>雷军</li>", "\n\n马云\n\n\n\n雷军\n\n"),
        ("马<b>云</b>", "马云"),
        ("马云<!-- <p>注释</p> -->在杭州", "马云在杭州"),
        ("<script>var a = '<p>马化腾</p>';</script>马云", "\n\n马云"),
        ("<style>p { color: red }</style >马云</p>", "p { color: red }马云\n\n"),
        ("<ruby>马<rp>(</rp><rt>mǎ</rt><rp>)</rp>云</ruby>", "马云"),
        ("<!DOCTYPE html><html><title>马云</title>", "\n\n\n\n\n\n马云\n\n"),
        ("<?xml version='1.0'?><r><姓名>马云</姓名><城市>杭州</城市></r>", "\n\n\t马云\t杭州\t"),
        ("<s><persName>马云</persName>在<placeName>杭州</placeName>。</s>", "马云在杭州。"),
        ("<d><![CDATA[<p>马云</p>]]></d>", "\t\n\n马云\n\n"),
        ("<p>a<b且c>d</p>", "\n\na<b且c>d\n\n"),
        ('<p title="未完>马云</p>', "\n\n马云\n\n"),
        ('[马云](https://example.com/a_(b))在[杭州](/c "标题")', "马云在杭州"),
        ("**马云**在**杭州**", "马云在杭州"),
        ("他在**杭州**见到**《三体》**和***刘慈欣***", "他在杭州见到《三体》和刘慈欣"),
        ("**马云**和*马化腾*、_雷军_、~~丁磊~~、`张三`", "马云和马化腾、雷军、丁磊、张三"),
        ("# 马云 #\n他在**杭州**。", "马云 #\n\n他在杭州。"),
        ("## 标题\n> 马云说\n> > 好\n", "标题\n\n马云说\n好\n"),
        ("![图](a.png)[![](b.png)](https://c.cn)马云", "图马云"),
        ("见[马云][1]。\n\n[1]: https://example.com", "见马云。\n\n"),
        ("```python\nprint('马云')\n```", "\nprint('马云')\n"),
        ("\\*马云\\*在**杭州**", "*马云*在杭州"),
        ("***马云***在***杭州***", "马云在杭州"),
        ("[[马云]]在[[杭州市|杭州]]", "马云在杭州"),
        ("张***和王***在[杭州]", "张***和王***在[杭州]"),
        ("**<b>马云</b>**&amp;<i>a*b*</i>", "马云&ab"),
    ],
)
def test_marks_are_breaks_characters_or_nothing(source: str, text: str) -> None:
    assert shown(source) == text


def test_a_text_is_read_as_is_asked() -> None:
    assert shown("a<b>*c*</b>", Markup.HTML) == "a*c*"
    assert shown("*马云*&lt;", Markup.HTML) == "*马云*<"
    assert shown("*马云*<br>", Markup.MARKDOWN) == "马云\n"


def test_an_entity_of_references_is_found_as_they_stand() -> None:
    found = read("&#39532;&#20113;在&lt;杭州&gt;", Markup.AUTO)
    assert found is not None
    assert found.text == "马云在<杭州>"
    assert found.places.span(0, 2) == (0, 16)
    assert found.places.span(4, 6) == (21, 23)


GARBAGE = (
    *(
        "<",
        "<a ",
        '<a "',
        "<a '\"",
        "<!--",
        "<![CDATA[",
        "]]>",
        "&",
        "&#1",
        "<script>",
        "</a>",
        "<x>",
        "<x></x>",
        "<马>",
    ),
    *(
        '<a "<a" ',
        "<a b=c ",
        "<a x='",
        "[",
        "[a](",
        "![",
        "[a](b",
        "**",
        "**马",
        "*a",
        "_a",
        "`",
        "``a",
        "~~",
        "\n# a",
        "[[",
        "[[a|",
        "[[a]]",
    ),
    *("> ", "- - ", "\\", "\n[a]: b", "[a][b]", "[a](( ", "[a](x '", "\n```", " ", "\t", "<p>", "&amp;"),
)


@pytest.mark.parametrize("part", GARBAGE)
@pytest.mark.parametrize("markup", [Markup.AUTO, Markup.MARKDOWN])
def test_the_time_grows_as_the_text_does(part: str, markup: Markup) -> None:
    assert_linear(lambda text: read(text, markup), part, 2_000)


@pytest.mark.parametrize("text", ["<b>马云</b>" * 20_000, "**马云**" * 20_000, "<" * 200_000, "&a" * 100_000])
def test_others_run_every_few_milliseconds(text: str) -> None:
    times = [time.process_time()]
    read(text, Markup.MARKDOWN, pause=lambda: times.append(time.process_time()))
    times.append(time.process_time())
    longest = max(later - earlier for earlier, later in pairwise(times))
    assert longest < max(0.1, (times[-1] - times[0]) / 2)
