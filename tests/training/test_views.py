"""Views of a sentence keep its labels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.labelled import labelled
from training import views
from training.corpus import Sentence, Span, join
from training.forms import FORMS
from training.tags import UNKNOWN
from training.views import Names, Typos

EXAMPLE = Sentence(
    "马云在杭州，中国人民银行在北京。", (Span(0, 2, "PER"), Span(3, 5, "LOC"), Span(6, 12, "ORG"), Span(13, 15, "LOC"))
)
NAMES = Names([EXAMPLE], ["苏州", "很长很长很长的地名"], ["百度"], ["田中一郎"], ["钱学森"])
TYPOS = Typos(list("马云在杭州中国人民银行北京吗玉航"))


View = Callable[[Sentence, Random], Sentence]


def named(sentence: Sentence) -> list[tuple[str, str]]:
    """The text and type of each entity."""
    return [(sentence.text[start:end], kind) for start, end, kind in sentence.spans]


def check(sentence: Sentence) -> None:
    """The spans are in the text, in order, and apart."""
    assert all(0 <= start < end <= len(sentence.text) for start, end, _ in sentence.spans)
    assert all(left.end <= right.start for left, right in pairwise(sentence.spans))


@given(labelled(), st.randoms(use_true_random=False), st.floats(0, 1))
def test_other_names_stand_where_names_stood(sentence: Sentence, random: Random, share: float) -> None:
    view = views.rename(sentence, NAMES, share, random)
    check(view)
    assert [span.type for span in view.spans] == [span.type for span in sentence.spans]

    def around(of: Sentence) -> str:
        ends = [0, *(span.end for span in of.spans)]
        return "|".join(
            of.text[end:start] for end, start in zip(ends, [*(s.start for s in of.spans), None], strict=True)
        )

    assert around(view) == around(sentence)


def test_names_of_one_character_stay() -> None:
    short = Sentence("中美", (Span(0, 1, "LOC"), Span(1, 2, "LOC")))
    assert all(views.rename(short, NAMES, 1.0, Random(seed)) == short for seed in range(20))


def test_names_come_from_the_sentences_and_from_the_lists() -> None:
    drawn = {kind: {NAMES.draw(kind, Random(seed)) for seed in range(200)} for kind in ("PER", "LOC", "ORG")}
    assert drawn["PER"] == {"马云", "田中一郎", "钱学森"}
    assert drawn["LOC"] == {"杭州", "北京", "苏州"}
    assert {"中国人民银行", "百度集团", "苏州百度公司"} <= drawn["ORG"]


@given(labelled(), st.randoms(use_true_random=False), st.floats(0, 1))
def test_a_disturbed_sentence_keeps_what_is_left_of_its_entities(
    sentence: Sentence, random: Random, rate: float
) -> None:
    view = TYPOS.disturb(sentence, rate, random)
    check(view)
    kinds = iter(span.type for span in sentence.spans)
    assert all(span.type in kinds for span in view.spans)  # in their order, some gone


@given(labelled(), st.randoms(use_true_random=False))
def test_undisturbed_it_stays_as_it_is(sentence: Sentence, random: Random) -> None:
    assert TYPOS.disturb(sentence, 0.0, random) == sentence


def test_about_so_many_characters_are_disturbed() -> None:
    text = "中国人民银行在北京" * 1000
    view = TYPOS.disturb(Sentence(text, ()), 0.05, Random(0))
    assert abs(len(view.text) - len(text)) < len(text) * 0.02
    assert view.text != text


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (views.without_punctuation(EXAMPLE), "马云在杭州中国人民银行在北京"),
        (views.spaces_for_punctuation(EXAMPLE), "马云在杭州 中国人民银行在北京 "),
        (views.half_width_punctuation(EXAMPLE), "马云在杭州,中国人民银行在北京."),
        (views.full_width(Sentence("A1，b", ())), "Ａ１，ｂ"),
        (views.traditional(Sentence("马云在台湾", ()), {"馬", "雲"}), "馬雲在台湾"),
        (views.as_read(Sentence("馬雲\u200b在ＡＢ１，\n杭州", ())), "马云在AB1，杭州"),
        (join([EXAMPLE, EXAMPLE]), EXAMPLE.text * 2),
    ],
)
def test_the_text_of_a_view(view: Sentence, expected: str) -> None:
    assert view.text == expected
    assert all(view.text[start:end] in ("马云", "杭州", "中国人民银行", "北京") for start, end, _ in view.spans)


@given(st.lists(labelled(), max_size=4))
def test_joined_sentences_keep_their_entities(sentences: list[Sentence]) -> None:
    view = join(sentences)
    check(view)
    names = [sentence.text[start:end] for sentence in sentences for start, end, _ in sentence.spans]
    assert [view.text[start:end] for start, end, _ in view.spans] == names


@pytest.mark.parametrize("view", [views.between_spaces, views.wrapped, views.with_remnants])
@given(sentence=labelled(), random=st.randoms(use_true_random=False))
def test_a_form_in_training_leaves_names_as_they_are(view: View, sentence: Sentence, random: Random) -> None:
    found = view(sentence, random)
    check(found)
    assert named(found) == named(sentence)
    assert [name for name in named(views.as_read(found)) if name in named(sentence)] == named(sentence)


@given(st.lists(labelled(), max_size=8), st.randoms(use_true_random=False))
def test_tables_have_the_names_of_sentences(sentences: list[Sentence], random: Random) -> None:
    found = views.tables(sentences, random)
    expected = sorted(name for sentence in sentences for name in named(sentence))
    assert sorted(name for table in found for name in named(table)) == expected
    assert sorted(name for table in found for name in named(views.as_read(table))) == expected


def test_a_name_that_is_not_sure_is_in_no_table() -> None:
    sentence = EXAMPLE._replace(spans=(Span(0, 2, UNKNOWN), Span(3, 5, "LOC")))
    assert [named(table) for table in views.tables([sentence], Random(0))] == [[("杭州", "LOC")]]


def test_spaces_are_around_names_and_elsewhere() -> None:
    """A space is no sign of a name."""
    shown = [views.between_spaces(EXAMPLE, Random(seed)) for seed in range(100)]
    around = [
        view.text[place].isspace()
        for view in shown
        for start, end, _ in view.spans
        for place in (start - 1, end)
        if place >= 0
    ]
    assert 0.3 < sum(around) / len(around) < 0.9
    assert sum(sum(map(str.isspace, view.text)) for view in shown) > sum(around) * 1.1


def test_lines_end_outside_of_names() -> None:
    long = join([EXAMPLE] * 20)
    for seed in range(20):
        view = views.wrapped(long, Random(seed))
        assert "\n" in view.text
        assert not any("\n" in view.text[start:end] for start, end, _ in view.spans)


@given(labelled(), st.sampled_from([form for form in FORMS if "character" in form or "indented" in form]))
def test_what_the_model_reads_keeps_the_entities_of_a_form(sentence: Sentence, form: str) -> None:
    (sent,) = FORMS[form]([sentence])
    read = views.as_read(sent)
    check(read)
    assert [span.type for span in read.spans] == [span.type for span in sentence.spans]


def test_what_the_model_reads_has_the_places_of_the_entities() -> None:
    (spaced,) = FORMS["a space behind each character"]([EXAMPLE])
    assert views.as_read(spaced)._replace(text=EXAMPLE.text) == EXAMPLE
    lost = Sentence("在\u200b杭州", (Span(1, 2, "PER"), Span(2, 4, "LOC")))
    assert views.as_read(lost) == Sentence("在杭州", (Span(1, 3, "LOC"),))
