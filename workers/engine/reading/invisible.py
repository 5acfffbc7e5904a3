"""Characters that nobody sees are not read."""

from __future__ import annotations

import numpy as np
import regex

from workers.engine.reading.view import View

# What Unicode says to show nothing of, if it is not known: zero-width characters, the byte order mark, direction marks,
# soft hyphens, variation selectors, tags. Beside it controls that are no white space, halves of surrogate pairs, what
# a decoder put in the place of bytes that it could not read, marks of annotations, and what is no character at all.
INVISIBLE = r"\p{DI}\p{Cs}\p{NChar}\uFFF9-\uFFFD\x00-\x08\x0E-\x1B\x7F-\x84\x86-\x9F"

_INVISIBLE = regex.compile(f"[{INVISIBLE}]")


def without_invisible(view: View) -> View:
    """The view without invisible characters."""
    found = [match.start() for match in _INVISIBLE.finditer(view.text)]
    if not found:
        return view
    dropped = np.zeros(len(view.text), bool)
    dropped[found] = True
    return view.without(dropped)
