"""Views of a sentence keep its labels."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.labelled import labelled
from training import views
from training.corpus import Sentence, Span
from training.views import Names, Typos

EXAMPLE = Sentence(
    "马云在杭州，中国人民银行在北京。", (Span(0, 2, "PER"), Span(3, 5, "LOC"), Span(6, 12, "ORG"), Span(13, 15, "LOC"))
)
NAMES = Names([EXAMPLE], ["苏州", "很长很长很长的地名"], ["百度"], ["田中一郎"])
TYPOS = Typos(list("马云在杭州中国人民银行北京吗玉航"))


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
    assert drawn["PER"] == {"马云", "田中一郎"}
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
        (views.full_width(Sentence("A1，b", ())), "Ａ１，ｂ"),
        (views.half_width(Sentence("Ａ１，ｂ！", ())), "A1，b！"),
        (views.join([EXAMPLE, EXAMPLE]), EXAMPLE.text * 2),
    ],
)
def test_the_text_of_a_view(view: Sentence, expected: str) -> None:
    assert view.text == expected
    assert all(view.text[start:end] in ("马云", "杭州", "中国人民银行", "北京") for start, end, _ in view.spans)


@given(st.lists(labelled(), max_size=4))
def test_joined_sentences_keep_their_entities(sentences: list[Sentence]) -> None:
    view = views.join(sentences)
    check(view)
    names = [sentence.text[start:end] for sentence in sentences for start, end, _ in sentence.spans]
    assert [view.text[start:end] for start, end, _ in view.spans] == names
