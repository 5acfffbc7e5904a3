"""The model does not read the marks before the lines of quoted mail: ``> ``, ``>> ``, ``> > ``.

A quote goes on from line to line. Where one begins, or one of another depth, a blank line is read.
"""

from __future__ import annotations

from dataclasses import replace

import regex

from workers.engine.reading.view import View

# Marks end with a space, or are the whole line: >5 is no quote.
_LINE = regex.compile(r"^(?P<marks>>[> ]*+(?:(?<= )|$))?+.*+$", regex.M)


def without_quote_marks(view: View) -> View:
    """The view without the marks of quoted lines."""
    text = view.text
    if ">" not in text:
        return view
    characters, dropped, depth = list(text), list[int](), 0
    for line in _LINE.finditer(text):
        before, depth = depth, (line["marks"] or "").count(">")
        if not depth:
            continue
        first, end = line.span("marks")
        if depth != before:
            characters[first] = "\n"
            first += 1
        dropped.extend(range(first, end))
    return replace(view, text="".join(characters)).without(dropped)
