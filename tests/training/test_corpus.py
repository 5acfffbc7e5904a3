"""The sets as they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.corpus import Sentence, Span, read_marked
from training.sets import PLAIN, sentences_of


def test_entities_are_marked_in_a_text(tmp_path: Path) -> None:
    path = tmp_path / "marked.txt"
    path.write_text("〔PER 埃隆·马斯克〕在〔LOC 北京〕。\n没有\n", encoding="utf-8")
    assert read_marked(path) == [
        Sentence("埃隆·马斯克在北京。", (Span(0, 6, "PER"), Span(7, 9, "LOC"))),
        Sentence("没有", ()),
    ]


@pytest.mark.parametrize("line", ["〔PER 马云在", "马云〕在", "〔马云〕在", "〔PER 〕在", "〔PER 〔LOC 北京〕〕"])
def test_a_mark_that_is_not_whole_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "marked.txt"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(ValueError, match="no mark"):
        read_marked(path)


def test_the_page_of_today_is_dense_in_names(tmp_path: Path) -> None:
    sentences = sentences_of(tmp_path, "today")
    assert len(sentences) >= 20
    assert {span.type for sentence in sentences for span in sentence.spans} == set(PLAIN)
    assert all(len(sentence.spans) >= 3 for sentence in sentences)
