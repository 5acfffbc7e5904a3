"""Spans as labels and back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from numpy.typing import NDArray

from tests.training.labelled import TYPES, labelled, spelt
from training.corpus import Sentence, Span
from training.tags import UNKNOWN, Annotation, forbidden, labels_in, labels_of, tag

LABELS = labels_of(TYPES)
INDEX = {label: index for index, label in enumerate(LABELS)}


def in_words(bits: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The labels among the bits: ``(length, labels)``."""
    found: NDArray[np.bool_] = labels_in(torch.from_numpy(bits), len(LABELS)).numpy()
    return found


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


@given(labelled())
def test_an_annotation_of_all_types_allows_one_path(sentence: Sentence) -> None:
    annotation = Annotation(TYPES, {kind: (kind,) for kind in TYPES})
    allowed = in_words(annotation.allowed(len(sentence.text), sentence.spans))
    tags = tag(len(sentence.text), sentence.spans, INDEX)
    assert [np.flatnonzero(of_character).tolist() for of_character in allowed] == [[label] for label in tags]


@given(labelled())
def test_types_that_are_not_annotated_may_stand_wherever_nothing_is_said(sentence: Sentence) -> None:
    annotation = Annotation(TYPES, {"PER": ("PER",), "LOC": ("LOC", "ORG")})
    known = tuple(span for span in sentence.spans if span.type in ("PER", "LOC"))
    allowed = in_words(annotation.allowed(len(sentence.text), known))
    tags = tag(len(sentence.text), sentence.spans, INDEX)
    inside = {place for start, end, _ in known for place in range(start, end)}
    for place, label in enumerate(tags):
        names = {LABELS[other] for other in np.flatnonzero(allowed[place])}
        if place not in inside:
            # ORG is known only together with LOC, and is therefore not open either.
            assert names == {"O"}
        elif LABELS[label].endswith("LOC"):
            assert names == {LABELS[label], LABELS[label].replace("LOC", "ORG")}
        else:
            assert names == {LABELS[label]}
    alone = in_words(Annotation(TYPES, {"PER": ("PER",)}).allowed(3, []))
    assert {LABELS[other] for other in np.flatnonzero(alone[0])} == {
        label for label in LABELS if not label.endswith("PER")
    }


def test_of_an_unknown_span_nothing_is_said() -> None:
    annotation = Annotation(TYPES, {kind: (kind,) for kind in TYPES})
    allowed = in_words(annotation.allowed(4, [Span(0, 1, "PER"), Span(2, 4, UNKNOWN)]))
    assert allowed.sum(axis=1).tolist() == [1, 1, len(LABELS), len(LABELS)]
