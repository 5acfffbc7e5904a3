"""The sets as they are read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from training.corpus import Sentence, Span, read_marked
from training.sets import DEVELOPMENT, GENERIC, PLAIN, sentences_of


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


def test_a_product_with_the_marks_of_a_title_is_told_apart(tmp_path: Path) -> None:
    texts = ["他看《画皮》", "他看《画皮》", "他用微信"]
    spans = [[2, 6], [3, 5], [2, 4]]
    lines = [
        json.dumps({"text": text, "entities": [[*span, "product_name"]]})
        for text, span in zip(texts, spans, strict=True)
    ]
    with gzip.open(tmp_path / "boson.train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    types = [span.type for sentence in sentences_of(tmp_path, "boson.dev") for span in sentence.spans]
    assert types == ["titled product", "titled product", "product_name"]
    assert {types[0], types[2]} <= set(DEVELOPMENT[GENERIC]["boson.dev"])
