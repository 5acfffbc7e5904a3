"""Spans as labels and back."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from tests.training.labelled import TYPES, labelled, spelt
from training.corpus import Sentence
from training.tags import forbidden, labels_of, tag

LABELS = labels_of(TYPES)
INDEX = {label: index for index, label in enumerate(LABELS)}


@given(labelled())
def test_labels_spell_the_spans(sentence: Sentence) -> None:
    tags = tag(len(sentence.text), sentence.spans, INDEX)
    assert len(tags) == len(sentence.text)
    assert tuple(spelt(LABELS, tags)) == sentence.spans


@given(labelled())
def test_what_spans_are_tagged_as_is_never_forbidden(sentence: Sentence) -> None:
    start, end, between = forbidden(LABELS)
    tags = tag(len(sentence.text), sentence.spans, INDEX)
    if tags:
        assert not start[tags[0]]
        assert not end[tags[-1]]
    assert not any(between[before, after] for before, after in pairwise(tags))


def test_half_an_entity_is_forbidden() -> None:
    start, end, between = forbidden(LABELS)
    assert start[INDEX["I-PER"]]
    assert end[INDEX["B-PER"]]
    assert between[INDEX["B-PER"], INDEX["O"]]
    assert between[INDEX["B-PER"], INDEX["E-LOC"]]
    assert between[INDEX["O"], INDEX["E-LOC"]]
