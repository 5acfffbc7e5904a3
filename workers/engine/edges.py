"""Takes from entities what does not belong to their edges: white space, invisible characters, emoji, punctuation.

Some punctuation stays. A bracket or quotation mark stays if its other half is inside the entity (刚果（金）,
“五一”劳动节). Title marks around the whole entity stay (《三体》), since the training data labels them so. Signs stay
that are part of names and numbers in ASCII letters and digits (Yahoo!, C++, Inc., .NET, 50%, $3).
"""

from __future__ import annotations

from collections.abc import Iterable

import regex

from shared.entities import Entity
from workers.engine.reading.invisible import INVISIBLE

_CLOSERS = dict(zip("([{（［｛〔【〖「『“‘〈《<＜", ")]}）］｝〕】〗」』”’〉》>＞", strict=True))
_OPENERS = {closer: opener for opener, closer in _CLOSERS.items()}
# Pairs that stay around a whole entity.
_TITLES = "《〈"
_STRAIGHT = "\"'"
_UNSEEN = regex.compile(rf"[\s\x1C-\x1F{INVISIBLE}\p{{Co}}]")
# Radicals are symbols to Unicode, but PDF files have them in the place of ideographs.
_OUTSIDE = regex.compile(r"[[\p{P}\p{S}\p{M}\p{Extended_Pictographic}\p{RI}]--\p{Han}]", regex.V1)
_MARK = regex.compile(r"\p{M}")
_BEFORE_WORD = regex.compile(r"[.$￥¥€£+-](?=[A-Za-z0-9])")
_BEHIND_WORD = regex.compile(r"(?<=[A-Za-z0-9!+.])[.!+%‰℃°$￥¥€£]")


def trimmed(text: str, entities: Iterable[Entity]) -> list[Entity]:
    """The entities of a text without what does not belong to their edges. An entity of nothing else is dropped."""
    kept = []
    for entity in entities:
        start, end = _trim(text, entity.start, entity.end)
        if start < end:
            kept.append(entity if (start, end) == entity[:2] else entity._replace(start=start, end=end))
    return kept


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end:
        first, last = text[start], text[end - 1]
        if _UNSEEN.match(first):
            start += 1
        elif _UNSEEN.match(last):
            end -= 1
        elif end - start > 1 and _is_enclosed(text, start, end):
            if first in _TITLES:
                break
            start, end = start + 1, end - 1
        elif _OUTSIDE.match(first) and not _belongs_before(text, start, end):
            start += 1
        elif _OUTSIDE.match(last) and not _belongs_behind(text, start, end):
            end -= 1
        else:
            break
    return start, end


def _is_enclosed(text: str, start: int, end: int) -> bool:
    """Whether one pair of brackets or quotation marks encloses ``text[start:end]``."""
    if text[start] in _STRAIGHT:
        return text[start] == text[end - 1]
    return text[start] in _CLOSERS and _closer(text, start, end) == end - 1


def _belongs_before(text: str, start: int, end: int) -> bool:
    if text[start] in _CLOSERS:
        return _closer(text, start, end) is not None
    if text[start] in _STRAIGHT:
        return text.count(text[start], start + 1, end) % 2 == 1
    return _BEFORE_WORD.match(text, start, end) is not None


def _belongs_behind(text: str, start: int, end: int) -> bool:
    if text[end - 1] in _OPENERS:
        return _opener(text, start, end) is not None
    if text[end - 1] in _STRAIGHT:
        return text.count(text[end - 1], start, end - 1) % 2 == 1
    if _MARK.match(text, end - 1):  # it combines with the letter before it, as in é
        return any(not _OUTSIDE.match(text, place) for place in range(start, end))
    return _BEHIND_WORD.match(text, end - 1, end) is not None


def _closer(text: str, start: int, end: int) -> int | None:
    """Where the bracket at ``start`` is closed."""
    opener, closer, depth = text[start], _CLOSERS[text[start]], 0
    for place in range(start, end):
        depth += (text[place] == opener) - (text[place] == closer)
        if depth == 0:
            return place
    return None


def _opener(text: str, start: int, end: int) -> int | None:
    """Where the bracket that closes at ``end - 1`` was opened."""
    closer, opener, depth = text[end - 1], _OPENERS[text[end - 1]], 0
    for place in range(end - 1, start - 1, -1):
        depth += (text[place] == closer) - (text[place] == opener)
        if depth == 0:
            return place
    return None
