"""The model reads over line breaks inside a sentence, and a mark in the place of those between separate things.

Mail, PDF files and subtitles wrap the lines of a sentence. The cells of a table, the items of a list, the names of a
column and the fields of a form or a log are separate: an entity should not run from one into the next. What stands
around a break tells the two kinds apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import regex

from workers.engine.reading.view import View

_SPACE = regex.compile(r"\s+")
_MAY_SEPARATE = regex.compile(r"[\t\n\r\v\f\x85\u2028\u2029|]")
# What ends a sentence, at the end of a line.
_ENDED = regex.compile(r"[。！？!?；;…：:][”’\"'」』）)]*$")
# The beginning of an item of a list, a row of a table, a field, a key, or a line of a log.
_ITEM = regex.compile(
    r"[-*+•·●○■□◆◇★☆▪►※#>|]"
    r"|[(（\[【]?(?:[0-9]{1,3}|[一二三四五六七八九十]{1,3}|[a-zA-Z]|[①-⑳])[)）\]】.．、:：]"
    r"|[①-⑳]"
    r"|[\[0-9]{1,5}[-/年.:][0-9]{1,2}[-/月:]"
    r"|[\p{L}\p{N}_ .-]{1,12}[:：=]"
)
# Punctuation of sentences, which cells of tables seldom have.
_CLAUSES = regex.compile(r"[，。！？；、]")
# The end of a name of an organisation or place. A column of such names may be as wide as wrapped text.
_NAMED = regex.compile(
    r"(?:公司|集团|大学|学院|学校|中学|小学|医院|银行|研究院|研究所|委员会|协会|学会|基金会|中心|俱乐部|法院|检察院|政府|酒店"
    r"|[部局厅处厂社所院团队会省市县区镇乡村])$"
)
# A row of at least three values that commas separate. In a sentence a space may be behind a comma.
_VALUES = regex.compile(r"[^,，。！？；、]*+(?:,(?!\s)[^,，。！？；、]*+){2,}+")
# A shorter line counts as wrapped only if it or the next line has punctuation of a sentence.
_WRAPPED_CHARS = 10
# What separates the cells of a row: tabs, or the bars of a Markdown table.
_ROW = regex.compile(r"\t|(?<=\s)\|(?=\s)|\G\||\|$")
# The marks between the cells of a row, and between separate lines. Each of 、 ， ； 。 was tried for either with the
# bundled news model, which finds most names in tables with these two, and all in columns.
CELL, LINE = "，", "。"
_NEW_LINE = regex.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
# A line that ends with a mark needs no other.
_MARKED = regex.compile(r"[\p{P}--[”’\"'」』】）)\]》]]", regex.V1)


class _Line(NamedTuple):
    """The line ``text[start:end]``. The next line begins at ``next``."""

    start: int
    end: int
    next: int


class Breaks(NamedTuple):
    """The breaks of a text, each a range of indexes with the white space around the break.

    ``wraps`` are those inside a sentence, ``separators`` those between separate things; both are in order.
    """

    wraps: list[tuple[int, int]]
    separators: list[tuple[int, int]]


def as_sentences(view: View) -> View:
    """The view without the breaks inside sentences, and with a mark in the place of each separator.

    A break between words in ASCII letters stays, since it is also their space.
    """
    text = view.text
    if not _MAY_SEPARATE.search(text):
        return view
    characters, found = list(text), breaks(text)
    dropped = [place for start, end in found.wraps for place in range(start, end)]
    for start, end in found.separators:
        # A mark is needed only between two things of which the first does not end with a mark.
        needed = start > 0 and end < len(text) and not _MARKED.match(text, start - 1)
        if needed:
            characters[start] = LINE if _NEW_LINE.search(text, start, end) else CELL
        dropped.extend(range(start + needed, end))
    places = view.known_places
    separators = sorted({*view.separators, *(int(places[start]) for start, _ in found.separators)})
    return View("".join(characters), view.places, separators).without(dropped)


def breaks(text: str) -> Breaks:
    """The breaks of a text. A break between words in ASCII letters, inside a sentence, is in neither list."""
    wraps, separators = [], list(_in_rows(text))
    for line, wrapped in _lines(text):
        if not wrapped:
            separators.append((line.end, line.next))
        elif not _is_between_words(text, line):
            wraps.append((line.end, line.next))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(separators):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return Breaks(wraps, merged)


def _is_between_words(text: str, line: _Line) -> bool:
    return text[line.end - 1].isascii() and text[line.next].isascii()


def _lines(text: str) -> Iterator[tuple[_Line, bool]]:
    """Each line but the last, and whether its sentence goes on in the next line."""
    breaks = [run.span() for run in _SPACE.finditer(text) if _NEW_LINE.search(run[0])]
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(text)]
    has_clauses = [_CLAUSES.search(text, start, end) is not None for start, end in zip(starts, ends, strict=True)]
    for index, (end, following) in enumerate(breaks):
        line = _Line(starts[index], end, following)
        is_blank = len(_NEW_LINE.findall(text, end, following)) > 1
        is_edge = line.start == line.end or following == len(text)
        wrapped = (
            not (is_blank or is_edge)
            and not _ENDED.search(text, line.start, line.end)
            and not _ITEM.match(text, following)
            and not _ROW.search(text, line.start, line.end)
            and not _ROW.search(text, following, ends[index + 1])
            and (
                has_clauses[index]
                or has_clauses[index + 1]
                or (line.end - line.start >= _WRAPPED_CHARS and not _NAMED.search(text, line.start, line.end))
            )
            and not _are_values(text[line.start : line.end], text[following : ends[index + 1]])
        )
        yield line, wrapped


def _are_values(line: str, next_line: str) -> bool:
    """Whether both lines are rows of equally many values."""
    return (
        line.count(",") == next_line.count(",")
        and _VALUES.fullmatch(line) is not None
        and _VALUES.fullmatch(next_line) is not None
    )


def _in_rows(text: str) -> Iterator[tuple[int, int]]:
    """The tabs, and the bars of tables."""
    start, has_bars = 0, text.count("|") > 1
    for run in _SPACE.finditer(text):
        if _NEW_LINE.search(run[0]):
            yield from _bars(text, start, run.start(), has_bars)
            start = run.end()
        elif "\t" in run[0]:
            yield run.span()
    yield from _bars(text, start, len(text), has_bars)


def _bars(text: str, start: int, end: int, has_bars: bool) -> Iterator[tuple[int, int]]:
    """The bars in a line with the white space around them, if it is a row of a table."""
    line = text[start:end]
    # A single bar in a text may mean anything. A table has several, at the ends of rows or with space around them.
    if has_bars and (line.lstrip().startswith("|") or " | " in line):
        for bar in regex.finditer(r"\|(?:\s*+\|)*+\s*+", line):
            yield start + len(line[: bar.start()].rstrip()), start + bar.end()
