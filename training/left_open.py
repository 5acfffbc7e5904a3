"""What an annotation says nothing about, because its guidelines are not those of the other sets."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from training.corpus import Sentence, Span
from training.tags import UNKNOWN

# Behind a country, these make a word of it that Universal NER takes for no place, and MSRA for a place with the rest
# behind it: 法国人, 法语, 法国队, 法国籍.
_ADJECTIVES = "人语话队籍裔军"


def with_countries_open(sentences: Iterable[Sentence], countries: Iterable[str]) -> list[Sentence]:
    """The sentences in which countries that are parts of such words, and have no mark, may be marked or not."""
    found = regex.compile(rf"\L<countries>(?=[{_ADJECTIVES}])", countries=sorted(set(countries)))
    return [_opened(sentence, found) for sentence in sentences]


def _opened(sentence: Sentence, found: regex.Pattern[str]) -> Sentence:
    text, spans = sentence
    added = [
        Span(*match.span(), UNKNOWN)
        for match in found.finditer(text)
        # With what is behind it: where a team is marked, nothing is open.
        if all(end <= match.start() or start > match.end() for start, end, _ in spans)
    ]
    return Sentence(text, tuple(sorted([*spans, *added]))) if added else sentence
