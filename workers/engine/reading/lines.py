"""Breaks inside a sentence are read over, and those between things that stand by themselves as a mark between them.

Somebody wrapped the lines of a sentence: in mail, in a PDF file, in subtitles. The cells of a table, the items of a
list, the names of a column, the fields of a form or a log stand by themselves: no entity runs from one into the next.
A model knows names in a row between 、 and few in a column.

What stands around a break tells the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import regex

from workers.engine.reading.view import View

_SPACE = regex.compile(r"\s+")
_MAY_SEPARATE = regex.compile(r"[\t\n\r\v\f\x85\u2028\u2029|]")
# What ends a sentence, at the end of a line.
_ENDED = regex.compile(r"[。！？!?；;…：:][”’\"'」』）)]*$")
# What a line begins with that is an item of a list, a row of a table, a field, a key, or a line of a log.
_ITEM = regex.compile(
    r"[-*+•·●○■□◆◇★☆▪►※#>|]"
    r"|[(（\[【]?(?:[0-9]{1,3}|[一二三四五六七八九十]{1,3}|[a-zA-Z]|[①-⑳])[)）\]】.．、:：]"
    r"|[①-⑳]"
    r"|[\[0-9]{1,5}[-/年.:][0-9]{1,2}[-/月:]"
    r"|[\p{L}\p{N}_ .-]{1,12}[:：=]"
)
# What divides a sentence into clauses: no cell of a table has it.
_CLAUSES = regex.compile(r"[，。！？；、]")
# The end of a name of an organisation, or of a place: a column of these may be wide.
_NAMED = regex.compile(
    r"(?:公司|集团|大学|学院|学校|中学|小学|医院|银行|研究院|研究所|委员会|协会|学会|基金会|中心|俱乐部|法院|检察院|政府|酒店"
    r"|[部局厅处厂社所院团队会省市县区镇乡村])$"
)
# A line of fewer characters is no line of wrapped text, if no clause ends in it or beside it.
_WRAPPED_CHARS = 10
# Cells of a row: between tabs, or between the bars of a Markdown table.
_ROW = regex.compile(r"\t|(?<=\s)\|(?=\s)|^\||\|$")


# What is read between the cells of a row, and between lines that stand by themselves. Of 、 ， ； 。 for either, these
# have the bundled news model find most in tables, and all in columns.
CELL, LINE = "，", "。"
_NEW_LINE = regex.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
# A line that ends with a mark needs no other.
_MARKED = regex.compile(r"[\p{P}--[”’\"'」』】）)\]》]]", regex.V1)


class _Line(NamedTuple):
    """``text[start:end]`` without the break behind it, which ends at ``next``."""

    start: int
    end: int
    next: int


def as_sentences(view: View) -> View:
    """The view with the breaks inside sentences left out, and a mark between what stands by itself.

    Between letters of words, as of English, a break inside a sentence stays: it is their space.
    """
    text = view.text
    if not _MAY_SEPARATE.search(text):
        return view
    characters, flags = list(text), np.zeros(len(text), bool)
    for line, wrapped in _lines(text):
        if wrapped and not _is_between_words(text, line):
            flags[line.end : line.next] = True
    for start, end in separators(text):
        flags[start:end] = True
        # None where the text begins or ends, or where it has a mark of its own.
        if start > 0 and end < len(text) and not _MARKED.match(text, start - 1):
            characters[start], flags[start] = LINE if _NEW_LINE.search(text, start, end) else CELL, False
    return View("".join(characters), view.places).without(flags)


def separators(text: str) -> list[tuple[int, int]]:
    """What separates things that stand by themselves, with the white space around it."""
    breaks = [(line.end, line.next) for line, wrapped in _lines(text) if not wrapped]
    found: list[tuple[int, int]] = []
    for start, end in sorted([*breaks, *_in_rows(text)]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _is_between_words(text: str, line: _Line) -> bool:
    return text[line.end - 1].isascii() and text[line.next].isascii()


def _lines(text: str) -> Iterator[tuple[_Line, bool]]:
    """Each line that has another behind it, and whether a sentence goes on there."""
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
        )
        yield line, wrapped


def _in_rows(text: str) -> Iterator[tuple[int, int]]:
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
    # One bar alone may stand between anything. A table has several, at the ends of rows or with space around.
    if has_bars and (line.startswith("|") or " | " in line):
        for bar in regex.finditer(r"\|(?:\s*+\|)*+\s*+", line):
            yield start + len(line[: bar.start()].rstrip()), start + bar.end()
