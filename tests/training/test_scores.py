"""Entity-level scores."""

from __future__ import annotations

import pytest

from training.corpus import Sentence, Span
from training.scores import ALL, Score, score, score_apart

READING = {"org_name": ("GOV", "ORG"), "person_name": ("PER",)}


def test_an_entity_counts_where_its_place_and_its_type_are_right() -> None:
    sentences = [
        Sentence("外交部王毅", (Span(0, 3, "org_name"), Span(3, 5, "person_name"))),
        Sentence("马云在阿里", (Span(0, 2, "person_name"),)),
    ]
    found = [
        [Span(0, 3, "GOV"), Span(3, 4, "PER")],
        [Span(0, 2, "PER"), Span(2, 3, "TIME"), Span(3, 5, "ORG")],
    ]
    scores = score(sentences, found, READING)
    assert scores == {ALL: Score(3, 4, 2), "GOV/ORG": Score(1, 2, 1), "PER": Score(2, 2, 1)}
    assert scores[ALL].precision == 0.5
    assert scores[ALL].recall == pytest.approx(2 / 3)
    assert scores[ALL].f1 == pytest.approx(4 / 7)


def test_nothing_right_is_zero() -> None:
    scores = score([Sentence("马云", (Span(0, 2, "person_name"),))], [[]], READING)
    assert scores[ALL].f1 == scores[ALL].precision == 0


def test_names_known_from_training_and_others_are_scored_apart() -> None:
    sentences = [
        Sentence("马云和李红在外交部", (Span(0, 2, "person_name"), Span(3, 5, "person_name"), Span(6, 9, "org_name")))
    ]
    found = [[Span(0, 2, "PER"), Span(3, 6, "PER"), Span(6, 9, "ORG")]]
    known, others = score_apart(sentences, found, READING, {"马云", "李红"})
    # 李红 is known and not found. 李红在 is no known name, so it is a mistake among the others.
    assert known == Score(2, 1, 1)
    assert others == Score(1, 2, 1)
