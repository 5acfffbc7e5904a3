"""The model does not read invisible characters, nor the sequences of them that colour a terminal's text."""

from __future__ import annotations

import regex

from workers.engine.reading.view import View

# Unicode's Default_Ignorable_Code_Point has zero-width characters, the byte order mark, direction marks, soft hyphens,
# variation selectors and tags. The others are lone surrogates, noncharacters, U+FFFD (the replacement character), the
# annotation marks before it, and control characters that are no white space.
INVISIBLE = r"\p{DI}\p{Cs}\p{NChar}\uFFF9-\uFFFD\x00-\x08\x0E-\x1B\x7F-\x84\x86-\x9F"

# Control sequences as ECMA-48 has them, and what else is invisible.
_INVISIBLE = regex.compile(rf"\x1B\[[0-?]{{0,50}}+[ -/]{{0,5}}+[@-~]|[{INVISIBLE}]")


def without_invisible(view: View) -> View:
    """The view without invisible characters."""
    return view.without([place for found in _INVISIBLE.finditer(view.text) for place in range(*found.span())])
