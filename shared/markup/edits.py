"""What to read in the place of a piece of markup."""

from __future__ import annotations

from typing import NamedTuple

# What tags and marks stand for, beside nothing at all: the end of a paragraph, of a line, of a cell in a row.
PARAGRAPH, LINE, CELL, NOTHING = "\n\n", "\n", "\t", ""


class Edit(NamedTuple):
    """``text`` is read in the place of ``source[start:end]``, which is not empty."""

    start: int
    end: int
    text: str
