"""Forms in which people paste sentences keep the entities."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from tests.training.labelled import labelled
from training import forms
from training.corpus import Sentence, Span
from training.forms import FORMS

TO_SIMPLIFIED = OpenCC("t2s")
OF_NAMES = [name for name in FORMS if name.endswith("names only")]
EXAMPLE = Sentence(
    "马云在AT&T，杭州大学", (Span(0, 2, "PER"), Span(3, 7, "ORG"), Span(8, 10, "LOC"), Span(10, 12, "ORG"))
)


def names(sentence: Sentence) -> list[tuple[str, str]]:
    """The text and type of each entity, without what forms add inside of names."""
    return [(plain(sentence.text[start:end]), kind) for start, end, kind in sentence.spans]


def plain(text: str) -> str:
    """A text without what forms add inside of it."""
    text = unicodedata.normalize("NFKC", html.unescape(text).replace("\u200b", ""))
    simplified: str = TO_SIMPLIFIED.convert("".join(text.split()))
    return simplified


@pytest.mark.parametrize("form", sorted({*FORMS} - {*OF_NAMES}))
@given(sentences=st.lists(labelled(), max_size=3))
def test_a_form_of_sentences_keeps_their_entities(form: str, sentences: list[Sentence]) -> None:
    assert list(map(names, FORMS[form](sentences))) == list(map(names, sentences))


@pytest.mark.parametrize("form", OF_NAMES)
@given(sentences=st.lists(labelled(), max_size=12))
def test_a_form_of_names_has_each_of_them(form: str, sentences: list[Sentence]) -> None:
    found = [name for text in FORMS[form](sentences) for name in names(text)]
    assert sorted(found) == sorted(name for sentence in sentences for name in names(sentence))


@pytest.mark.parametrize("form", FORMS)
@given(sentences=st.lists(labelled(), min_size=1, max_size=3))
def test_no_entity_has_at_its_edges_what_a_form_adds(form: str, sentences: list[Sentence]) -> None:
    added = set(" \u200b\r\n\t<>*[]|")
    for text in FORMS[form](sentences):
        assert not any({text.text[start], text.text[end - 1]} & added for start, end, _ in text.spans)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (lambda: forms.around_names(EXAMPLE, forms.SPACES), " 马云 在 AT&T ， 杭州  大学 "),
        (lambda: forms.html(EXAMPLE, forms.HTML_BOLD), "<b>马云</b>在<b>AT&amp;T</b>，<b>杭州</b><b>大学</b>"),
        (lambda: forms.html_paragraph(EXAMPLE), "<p>马云在AT&amp;T，杭州大学</p>"),
        (lambda: forms.wrapped(EXAMPLE, "\n", 5), "马云在AT\n&T，杭州\n大学"),
        (lambda: forms.behind_characters(Sentence("马云", ()), " "), "马 云 "),
        (lambda: forms.full_width(EXAMPLE), "马云在ＡＴ&Ｔ，杭州大学"),
        (lambda: forms.kangxi_radicals(Sentence("高文", ())), "⾼⽂"),
        (lambda: forms.traditional(Sentence("马云在台湾", ())), "馬雲在臺灣"),
        (
            lambda: forms.tab_separated([EXAMPLE])[0],
            "地点\t单位\t姓名\n杭州\tAT&T\t马云\n\t大学\t\n",
        ),
        (lambda: forms.comma_separated([EXAMPLE])[0], "地点,单位,姓名\n杭州,AT&T,马云\n,大学,\n"),
        (
            lambda: forms.markdown_table([EXAMPLE])[0],
            "| 地点 | 单位 | 姓名 |\n| --- | --- | --- |\n| 杭州 | AT&T | 马云 |\n|  | 大学 |  |\n",
        ),
        (lambda: forms.columns([EXAMPLE])[1], "AT&T\n大学\n"),
        (lambda: forms.rows([EXAMPLE])[1], "AT&T 大学 "),
        (lambda: forms.labelled([EXAMPLE])[0], "地点：杭州\n乙方：AT&T\n丙方：大学\n法定代表人：马云\n"),
    ],
)
def test_the_text_of_a_form(form: Callable[[], Sentence], text: str) -> None:
    assert form().text == text


def test_sentences_without_names_are_in_no_table() -> None:
    nothing = [Sentence("今天下雨。", ())] * 20
    assert [FORMS[form](nothing) for form in OF_NAMES] == [[]] * len(OF_NAMES)
