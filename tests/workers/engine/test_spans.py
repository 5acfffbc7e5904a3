"""What a label path spells."""

from __future__ import annotations

import numpy as np
import pytest

from workers.engine.labels import Labels
from workers.engine.spans import spans
from workers.engine.tokens import Tokens

LABELS = Labels(["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC"])


def read(*path: str, starts: list[int] | None = None, ends: list[int] | None = None) -> list[tuple[int, int, str]]:
    ids = np.array([LABELS.names.index(name) for name in path])
    places = np.arange(len(path))
    tokens = Tokens(places, places, np.array(starts or places), np.array(ends or places + 1))
    emissions = np.zeros((len(path), len(LABELS.names)), np.float32)
    return [(entity.start, entity.end, entity.type) for entity in spans(LABELS, ids, emissions, tokens)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("O O", []),
        ("B-PER E-PER", [(0, 2, "PER")]),
        ("S-PER S-LOC", [(0, 1, "PER"), (1, 2, "LOC")]),
        ("B-PER I-PER I-PER O", [(0, 3, "PER")]),  # BIO
        ("B-PER B-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        ("B-PER O I-PER", [(0, 1, "PER"), (2, 3, "PER")]),
        ("O I-LOC E-LOC O", [(1, 3, "LOC")]),  # INSIDE opens one where none is open
        ("E-LOC", [(0, 1, "LOC")]),
        ("B-PER I-LOC E-LOC", [(0, 3, "PER")]),  # the first label says the type
        ("B-PER E-PER I-PER", [(0, 2, "PER"), (2, 3, "PER")]),
        ("B-PER S-LOC", [(0, 1, "PER"), (1, 2, "LOC")]),
    ],
)
def test_a_path_is_read(path: str, expected: list[tuple[int, int, str]]) -> None:
    assert read(*path.split()) == expected


def test_an_entity_reaches_over_what_has_no_token() -> None:
    assert read("B-PER", "E-PER", starts=[2, 5], ends=[3, 6]) == [(2, 6, "PER")]


def test_words_of_one_character_make_no_overlapping_entities() -> None:
    assert read("S-PER", "S-LOC", starts=[2, 2], ends=[3, 3]) == [(2, 3, "PER")]


def test_the_score_is_the_softmax_at_the_first_word() -> None:
    emissions = np.zeros((2, len(LABELS.names)), np.float32)
    emissions[0, 1], emissions[1, 3] = np.log(8), 100
    places = np.arange(2)
    (entity,) = spans(LABELS, np.array([1, 3]), emissions, Tokens(places, places, places, places + 1))
    assert entity.score == pytest.approx(0.5)


def test_large_emissions_do_not_overflow() -> None:
    emissions = np.full((1, len(LABELS.names)), 1e4, np.float32)
    place = np.arange(1)
    (entity,) = spans(LABELS, np.array([4]), emissions, Tokens(place, place, place, place + 1))
    assert entity.score == pytest.approx(1 / len(LABELS.names))
