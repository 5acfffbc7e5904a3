"""Texts in words."""

from __future__ import annotations

from training.words import OTHER, PARTS, worded

TEXTS = ["阿里巴巴的马云来自杭州。", "", "1975年，Ｇ２０😀 \n\tok", "中国人民银行行长周小川说"]


def test_words_cover_their_text_and_have_known_parts() -> None:
    for text, (given, words) in zip(TEXTS, worded(TEXTS, 2), strict=True):
        assert given == text
        assert [0, *(word.end for word in words)] == [*(word.start for word in words), len(text)]
        assert {word.type for word in words} <= {*PARTS, OTHER}


def test_names_are_told_from_other_words() -> None:
    (_, words) = worded(TEXTS[3:], 1)[0]
    assert {TEXTS[3][start:end]: kind for start, end, kind in words}["周小川"] == "nr"
