"""Code points and UTF-16 code units.

Python indexes strings by code point, JavaScript by UTF-16 code unit; a character beyond U+FFFF is one of the first and
two of the second.
"""

from __future__ import annotations

import re
from bisect import bisect_left

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


class Utf16Offsets:
    """Converts code-point offsets of one text to UTF-16 offsets; O(log n) each after one pass over the text."""

    def __init__(self, text: str) -> None:
        self._astral = [match.start() for match in _ASTRAL.finditer(text)]

    def __call__(self, offset: int) -> int:
        """The UTF-16 offset of the code-point ``offset``, 0 to ``len(text)``."""
        return offset + bisect_left(self._astral, offset)
