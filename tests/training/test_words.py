"""Texts in words."""

from __future__ import annotations

import pytest

from training.words import LABELS, OTHER, PARTS, word_labels

TEXTS = ["阿里巴巴的马云来自杭州。", "", "1975年，Ｇ２０😀 \n\tok", "中国人民银行行长周小川说"]


@pytest.mark.parametrize("processes", [1, 2])
def test_every_character_is_in_a_word(processes: int) -> None:
    found = list(word_labels(TEXTS, processes))
    assert [len(labels) for labels in found] == [len(text) for text in TEXTS]
    of_characters = [LABELS[index] for labels in found for index in labels]
    assert {label[2:] for label in of_characters} <= {*PARTS, OTHER}


def test_names_are_told_from_other_words() -> None:
    (labels,) = word_labels(TEXTS[3:])
    place = TEXTS[3].index("周小川")
    assert [LABELS[index] for index in labels[place : place + 3]] == ["B-nr", "I-nr", "E-nr"]
