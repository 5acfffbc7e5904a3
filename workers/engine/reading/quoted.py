"""The model does not read the marks before lines of quoted mail (``> ``, ``>> ``, ``> > ``) and of comments (``//``).

A quote goes on from line to line. Where one begins, or one of another depth, a blank line is read.
"""

from __future__ import annotations

from dataclasses import replace

import regex

from workers.engine.reading.view import View

# What is behind the marks: a space, an ideograph, an opening mark, or nothing. >5 is no quote, and //example.org is an
# address.
_LINE = regex.compile(
    r"^(?P<marks>(?:>[> ]*+|[ \t]*+/{2,}+[ ]*+)(?:(?<= )|$|(?=[\p{Han}“‘「『《（【])))?+.*+$", regex.M
)


def without_quote_marks(view: View) -> View:
    """The view without the marks of quoted lines."""
    text = view.text
    if ">" not in text and "//" not in text:
        return view
    characters, dropped, marks = list(text), list[int](), ""
    for line in _LINE.finditer(text):
        before, marks = marks, (line["marks"] or "").replace(" ", "").replace("\t", "")
        if not marks:
            continue
        first, end = line.span("marks")
        if marks != before:
            characters[first] = "\n"
            first += 1
        dropped.extend(range(first, end))
    return replace(view, text="".join(characters)).without(dropped)
