"""The labelled sets and the plain text that the models are trained on, read as their README describes them."""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections.abc import Collection, Iterator, Sequence
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


# 〔PER 雷军〕 is a person, and the text between brackets is of no entity.
_MARKED = re.compile(r"〔(?P<type>[A-Z]+) (?P<entity>[^〔〕]+)〕|(?P<other>[^〔〕]+)")


def read_marked(path: Path) -> list[Sentence]:
    """A text a line, with the entities marked in it.

    Raises:
        ValueError: a bracket is missing, or a type.
    """
    sentences = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text, spans, end = "", [], 0
        for part in _MARKED.finditer(line):
            if part.start() != end:
                break
            end, shown = part.end(), part["entity"] or part["other"]
            if part["type"]:
                spans.append(Span(len(text), len(text) + len(shown), part["type"]))
            text += shown
        if end < len(line):
            raise ValueError(f"{path}: no mark is {line[end : end + 20]!r}")
        sentences.append(Sentence(text, tuple(spans)))
    return sentences


def _apart(spans: list[Span]) -> Iterator[Span]:
    """Of spans that overlap, the first: a few labels of Boson and CLUENER do."""
    end = 0
    for span in spans:
        if span.start >= end:
            yield span
            end = span.end


def join(sentences: Sequence[Sentence]) -> Sentence:
    """One text of several sentences."""
    text, spans = "", []
    for sentence in sentences:
        spans += [Span(start + len(text), end + len(text), kind) for start, end, kind in sentence.spans]
        text += sentence.text
    return Sentence(text, tuple(spans))


UNLABELLED = "unlabelled.txt.gz"
# The files of plain text, each with how often a line of it is in a pass of pre-training. Below 1, successive passes
# take successive parts of the lines. A pass has 44 million characters. Without weights it would have 42.5 million, and
# more than a third would be histories. The models are for present-day text with names in it.
PLAIN_TEXT = {
    UNLABELLED: 3.0,  # encyclopaedia, news, and the texts of the labelled sets: the style that the models read
    "plain.wikipedia.txt.xz": 4.0,  # the most names of people, places and organisations a line
    "plain.weibo.txt.xz": 3.0,  # social media, of which there is little
    "plain.hot_searches.txt.xz": 1.5,  # stars, companies and events of 2020 to 2026, but mostly without a sentence
    "plain.questions.txt.xz": 1.0,  # present-day topics and products in whole sentences
    "plain.fewclue.txt.xz": 1.0,  # news titles, but also reviews and novels
    "plain.kdconv.txt.xz": 1.0,  # films, music and travel; the dialogues repeat themselves
    "plain.cmrc.txt.xz": 0.7,  # children's stories: good sentences, few real names
    "plain.laws.txt.xz": 0.25,  # authorities, in formulas that repeat themselves
    "plain.histories.txt.xz": 0.04,  # a third of all characters, and names and places of other times
}


def read_plain_text(data: Path, name: str) -> list[str]:
    """The lines of a file of :data:`PLAIN_TEXT`."""
    opened = lzma.open if name.endswith(".xz") else gzip.open
    with opened(data / name, "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n") for line in lines]


def read_gazetteer(data: Path, name: str) -> list[str]:
    """The entries of ``gazetteer.{name}.txt.gz``."""
    with gzip.open(data / f"gazetteer.{name}.txt.gz", "rt", encoding="utf-8") as lines:
        return [entry for line in lines if (entry := line.strip())]
