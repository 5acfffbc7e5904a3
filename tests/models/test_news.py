"""Paragraphs of news as people post them, read by the bundled model as it is served.

``news.txt`` has one a line, written for this test, with what a reader would mark: ``[马云|PER]``. Of places that touch,
such as 湖北十堰, one set makes two and another one, and a reader takes either; here they count as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from shared.settings import BUNDLED_MODEL, BackendName, settings
from training.corpus import Sentence, Span
from training.scores import ALL, score
from training.sets import PLAIN
from workers.engine.recogniser import Recogniser
from workers.loading import load
from workers.preparation.ensure import ensure_prepared

_MARKED = re.compile(r"\[([^|\]]+)\|([A-Z]+)\]")


def read(line: str) -> Sentence:
    """A paragraph without its marks, and the spans they stood around."""
    text, spans, end = "", [], 0
    for mark in _MARKED.finditer(line):
        text += line[end : mark.start()]
        spans.append(Span(len(text), len(text) + len(mark[1]), mark[2]))
        text += mark[1]
        end = mark.end()
    return Sentence(text + line[end:], with_joined_places(spans))


def with_joined_places(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans with places that touch as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.type == joined[-1].type == "LOC" and joined[-1].end == span.start:
            joined[-1] = joined[-1]._replace(end=span.end)
        else:
            joined.append(span)
    return tuple(joined)


PARAGRAPHS = [read(line) for line in Path(__file__).with_name("news.txt").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    prepared = ensure_prepared(str(BUNDLED_MODEL), BackendName.ONNX_INT8, settings().data_dir / "prepared", 0.05)
    return load(prepared, threads=2)


def test_the_paragraphs_read_well(recogniser: Recogniser) -> None:
    found = [
        with_joined_places(Span(entity.start, entity.end, entity.type) for entity in entities)
        for entities in recogniser.recognise([paragraph.text for paragraph in PARAGRAPHS])
    ]
    for paragraph, spans in zip(PARAGRAPHS, found, strict=True):
        missed, wrong = set(paragraph.spans) - set(spans), set(spans) - set(paragraph.spans)
        print(
            *(
                f"{sign}{paragraph.text[start:end]}/{kind}"
                for sign, of in (("-", missed), ("+", wrong))
                for start, end, kind in sorted(of)
            )
        )
    assert len(PARAGRAPHS) == 22
    assert score(PARAGRAPHS, found, PLAIN)[ALL].f1 >= 0.85
