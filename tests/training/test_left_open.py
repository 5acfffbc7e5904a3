"""What a set's annotation says nothing about."""

from __future__ import annotations

import pytest

from training.corpus import Sentence, Span
from training.left_open import with_countries_open
from training.tags import UNKNOWN

COUNTRIES = ["法国", "中国", "中非", "中非共和国"]


@pytest.mark.parametrize(
    ("text", "spans", "opened"),
    [
        ("一名法国人", (), [(2, 4)]),
        ("说法语的法国籍中国人", (), [(4, 6), (7, 9)]),
        ("中非共和国队", (), [(0, 5)]),
        ("在法国住", (), []),
        ("法国队", (Span(0, 3, "ORG"),), []),
        ("法国人", (Span(0, 2, "LOC"),), []),
    ],
)
def test_a_country_in_the_word_for_its_people_may_be_a_place_or_not(
    text: str, spans: tuple[Span, ...], opened: list[tuple[int, int]]
) -> None:
    ((same, found),) = with_countries_open([Sentence(text, spans)], COUNTRIES)
    assert same == text
    assert [span[:2] for span in found if span.type == UNKNOWN] == opened
    assert [span for span in found if span.type != UNKNOWN] == list(spans)
