"""Other views of a labelled sentence: with other names in it, disturbed, in another form, or as the model reads it.

RaNER learns from views of a sentence with and without context (Wang et al., ACL 2021, "Improving Named Entity
Recognition by External Context Retrieving and Cooperative Learning"); here the context is other sentences.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from random import Random

import numpy as np
from pypinyin import lazy_pinyin

from training import forms
from training.corpus import Sentence, Span
from training.tags import UNKNOWN
from workers.engine.reading.steps import STEPS
from workers.engine.reading.view import View

_SUFFIXES = ("公司", "集团", "有限公司", "股份有限公司", "科技", "银行", "")
# Names to draw that are not in the labelled sets, as a share of all that are drawn.
_FROM_LISTS = {"PER": 0.4, "LOC": 0.3, "ORG": 0.2}


class Names:
    """Names by type, from the labelled sentences and from the gazetteers."""

    def __init__(
        self,
        sentences: Iterable[Sentence],
        places: Iterable[str],
        companies: Sequence[str],
        japanese: Sequence[str],
        people: Sequence[str],
    ) -> None:
        """``people``: known ones; ``japanese``: names in Chinese characters; ``companies``: their short forms."""
        found: dict[str, set[str]] = defaultdict(set)
        for text, spans in sentences:
            for start, end, kind in spans:
                found[kind].add(text[start:end])
        self._of = {kind: sorted(names) for kind, names in found.items()}
        chinese = [name for name in self._of.get("PER", ()) if 2 <= len(name) <= 3]
        self._surnames = [name[0] for name in chinese]
        self._given = [name[1:] for name in chinese]
        self._places = [name for name in places if 2 <= len(name) <= 6]
        self._companies = companies
        self._japanese = japanese
        self._people = people

    def __contains__(self, kind: str) -> bool:
        return kind in self._of

    def draw(self, kind: str, random: Random) -> str:
        """A name of the type: from the sentences, else composed or from a list."""
        if random.random() < _FROM_LISTS.get(kind, 0.0):
            if kind == "PER":
                chance = random.random()
                if chance < 0.2:
                    return random.choice(self._japanese)
                if chance < 0.4:
                    return random.choice(self._people)
                return random.choice(self._surnames) + random.choice(self._given)
            if kind == "LOC":
                return random.choice(self._places)
            place = random.choice(self._places) if random.random() < 0.3 else ""
            return place + random.choice(self._companies) + random.choice(_SUFFIXES)
        return random.choice(self._of[kind])


def rename(sentence: Sentence, names: Names, share: float, random: Random) -> Sentence:
    """The sentence with so large a share of its names replaced by others of their types.

    Those of types without names to draw stay, and those of one character: they are short forms, such as 中 and 美,
    which stand where no other name does.
    """
    text, spans = "", []
    end = 0
    for span in sentence.spans:
        name = sentence.text[span.start : span.end]
        if span.type in names and len(name) > 1 and random.random() < share:
            name = names.draw(span.type, random)
        text += sentence.text[end : span.start]
        spans.append(Span(len(text), len(text) + len(name), span.type))
        text += name
        end = span.end
    return Sentence(text + sentence.text[end:], tuple(spans))


class Typos:
    """Mistakes such as people make, and ways of writing that differ between sources."""

    def __init__(self, characters: Sequence[str]) -> None:
        """``characters``: those that may come in, most of them Chinese."""
        self._characters = characters
        self._sounds: dict[str, list[str]] = defaultdict(list)
        self._sound_of = dict(zip(characters, lazy_pinyin(list(characters)), strict=True))
        for character, sound in self._sound_of.items():
            self._sounds[sound].append(character)

    def disturb(self, sentence: Sentence, rate: float, random: Random) -> Sentence:
        """The sentence with about that share of its characters dropped, swapped, doubled or replaced."""
        written: list[tuple[str, int]] = []
        for character, of in _owned(sentence):
            if random.random() >= rate:
                written.append((character, of))
                continue
            mistake = random.random()
            if unicodedata.category(character)[0] == "P" or mistake < 0.2:
                continue
            if mistake < 0.4:
                # Swapped with the one before, where both are of one name or of none.
                written.append((character, of))
                if len(written) > 1 and written[-2][1] == of:
                    written[-1], written[-2] = written[-2], written[-1]
            elif mistake < 0.5:
                written += [(character, of)] * 2
            elif mistake < 0.8:
                written.append((self._like(character, random), of))
            else:
                written.append((random.choice(self._characters), of))
        return _collect(written, sentence.spans)

    def _like(self, character: str, random: Random) -> str:
        sound = self._sound_of.get(character)
        return random.choice(self._sounds[sound]) if sound is not None else character


def _owned(sentence: Sentence) -> Iterator[tuple[str, int]]:
    """Each character with the index of the span that it is in, or -1."""
    owner = [-1] * len(sentence.text)
    for index, span in enumerate(sentence.spans):
        owner[span.start : span.end] = [index] * (span.end - span.start)
    return zip(sentence.text, owner, strict=True)


def _collect(written: Sequence[tuple[str, int]], spans: Sequence[Span]) -> Sentence:
    places: dict[int, tuple[int, int]] = {}
    for place, (_, of) in enumerate(written):
        if of >= 0:
            places[of] = (places.get(of, (place, 0))[0], place + 1)
    return Sentence(
        "".join(character for character, _ in written),
        tuple(Span(start, end, spans[of].type) for of, (start, end) in sorted(places.items())),
    )


_PUNCTUATION = {ord(mark): None for mark in "，。、；：？！“”‘’（）《》,.;:?!\"'()"}
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_HALF_WIDTH_MARKS = {"，": ",", "。": ".", "；": ";", "：": ":", "？": "?", "！": "!", "（": "(", "）": ")", "、": ","}
# What stands between things in a form or a list, in the place of punctuation.
_SPACES = (" ", "\u3000", "  ")
# What conversions of web pages and chats leave beside names: before them, and behind them.
_REMNANTS: Sequence[forms.Marks] = (
    ("**", "**"),
    ("__", "__"),
    ("&nbsp;", "&nbsp;"),
    ("<br>", ""),
    ("", "<br/>"),
    ("&quot;", "&quot;"),
    ("[", "](https://t.cn/A6xY2)"),
    ("[[", "]]"),
    ("{{", "}}"),
    ("#", "#"),
    ("@", " "),
    ("【", "】"),
    ("`", "`"),
    ("//", ""),
    ("", "[1]"),
)
# Most names of a sentence that have remnants beside them.
_WITH_REMNANTS = 5
_WIDTHS = (8, 45)
_LINE_ENDS = ("\n", "\r\n", "\n    ", " \n")
_TABLES: Sequence[forms.Form] = (
    forms.tab_separated,
    forms.comma_separated,
    forms.markdown_table,
    forms.columns,
    forms.rows,
    forms.labelled,
)


def without_punctuation(sentence: Sentence) -> Sentence:
    """The sentence as somebody writes who leaves all marks out."""
    kept = [pair for pair in _owned(sentence) if ord(pair[0]) not in _PUNCTUATION]
    return _collect(kept, sentence.spans)


def spaces_for_punctuation(sentence: Sentence) -> Sentence:
    """The sentence with a space in the place of each mark."""
    return sentence._replace(text=sentence.text.translate(dict.fromkeys(_PUNCTUATION, " ")))


def half_width_punctuation(sentence: Sentence) -> Sentence:
    """The sentence with ASCII's marks."""
    return forms.in_characters(sentence, _HALF_WIDTH_MARKS)


def full_width(sentence: Sentence) -> Sentence:
    """ASCII's letters, digits and marks in their full-width forms."""
    return sentence._replace(text=sentence.text.translate(_FULL_WIDTH))


def traditional(sentence: Sentence, known: Container[str]) -> Sentence:
    """The sentence in traditional characters where these are ``known``: others are all alike to the network."""
    written = zip(sentence.text, forms.traditional(sentence).text, strict=True)
    return sentence._replace(text="".join(new if new in known else old for old, new in written))


def between_spaces(sentence: Sentence, random: Random) -> Sentence:
    """The sentence with spaces around some of its names, and at some other places.

    A space is then no sign of a name.
    """
    places = [place for span in sentence.spans if random.random() < 0.6 for place in span[:2]]
    others = _outside(sentence)
    places += random.sample(others, min(len(others), random.randint(0, len(sentence.spans) + 1)))
    space = random.choice(_SPACES)
    return forms.with_added(sentence, dict.fromkeys(places, space))


def wrapped(sentence: Sentence, random: Random) -> Sentence:
    """The sentence in lines of about the same width, each of which ends outside of names."""
    width, line_end = random.randint(*_WIDTHS), random.choice(_LINE_ENDS)
    ends: list[int] = []
    for place in _outside(sentence):
        if place - (ends[-1] if ends else 0) >= width:
            ends.append(place)
    return forms.with_added(sentence, dict.fromkeys(ends, line_end))


def with_remnants(sentence: Sentence, random: Random) -> Sentence:
    """The sentence with what is left of markup beside some of its names."""
    chosen = {*random.sample(sentence.spans, min(len(sentence.spans), random.randint(1, _WITH_REMNANTS)))}
    added: dict[int, str] = {}
    for span in sentence.spans:
        if span in chosen:
            before, behind = random.choice(_REMNANTS)
            added[span.start] = added.get(span.start, "") + before
            added[span.end] = behind
    return forms.with_added(sentence, added)


def tables(sentences: Sequence[Sentence], random: Random) -> list[Sentence]:
    """The names of the sentences in tables, columns or forms."""
    known = [
        sentence._replace(spans=tuple(span for span in sentence.spans if span.type != UNKNOWN))
        for sentence in sentences
    ]
    return random.choice(_TABLES)(known)


def as_read(sentence: Sentence) -> Sentence:
    """The sentence as the farm's model reads it: see :mod:`workers.engine.reading`."""
    view = View(sentence.text)
    for step in STEPS.values():
        view = step(view)
    if view.places is None:
        return sentence._replace(text=view.text)
    spans = []
    for start, end, kind in sentence.spans:
        first, last = (int(place) for place in np.searchsorted(view.places, (start, end)))
        if first < last:
            spans.append(Span(first, last, kind))
    return Sentence(view.text, tuple(spans))


def _outside(sentence: Sentence) -> list[int]:
    """The places between characters that are not inside a name, in order."""
    inside = {place for start, end, _ in sentence.spans for place in range(start + 1, end)}
    return [place for place in range(1, len(sentence.text)) if place not in inside]
