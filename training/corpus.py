"""The labelled sets and the plain text that the models are trained on, read as their README describes them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple


class Span(NamedTuple):
    """An entity: its place in code points, end exclusive, and its type."""

    start: int
    end: int
    type: str


class Sentence(NamedTuple):
    """A labelled text. Spans are in order and do not overlap."""

    text: str
    spans: tuple[Span, ...]


def read_set(data: Path, name: str, types: Collection[str]) -> list[Sentence]:
    """The set ``{name}.jsonl.gz``, with its entities of these types."""
    sentences = []
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            spans = sorted(Span(*entity) for entity in record["entities"] if entity[2] in types)
            sentences.append(Sentence(record["text"], tuple(_apart(spans))))
    return sentences


def _apart(spans: list[Span]) -> Iterator[Span]:
    """Of spans that overlap, the first: a few labels of Boson and CLUENER do."""
    end = 0
    for span in spans:
        if span.start >= end:
            yield span
            end = span.end


def read_plain_text(data: Path) -> list[str]:
    """The lines of text without labels."""
    with gzip.open(data / "unlabelled.txt.gz", "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n") for line in lines]


def read_gazetteer(data: Path, name: str) -> list[str]:
    """The entries of ``gazetteer.{name}.txt.gz``."""
    with gzip.open(data / f"gazetteer.{name}.txt.gz", "rt", encoding="utf-8") as lines:
        return [entry for line in lines if (entry := line.strip())]
