"""Where the characters of a text that was read out of markup stand in the source."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right


class Places:
    """The places of the characters of a read text, as runs in order.

    A run is of one of two kinds. In a plain one each character stands in the source right behind the one before it. The
    characters of the other kind stand together for ``source[start:start + width]``: they are the character of a
    character reference, or the break for which a tag stands.
    """

    def __init__(self) -> None:
        self._begins = array("I")  # index in the read text of each run's first character
        self._starts = array("I")  # its place in the source
        self._widths = array("I")  # 0 for a plain run

    def add(self, begin: int, start: int, width: int = 0) -> None:
        """Add the run that begins at index ``begin`` of the read text and ``start`` of the source."""
        self._begins.append(begin)
        self._starts.append(start)
        self._widths.append(width)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the source of the characters ``[start, end)`` of the read text, which are not none."""
        first, last = bisect_right(self._begins, start) - 1, bisect_right(self._begins, end - 1) - 1
        source_start = self._starts[first] + (0 if self._widths[first] else start - self._begins[first])
        source_end = self._starts[last] + (self._widths[last] or end - self._begins[last])
        return source_start, source_end

    def to_bytes(self) -> bytes:
        """The runs as little-endian numbers of 32 bits: all begins, all starts, all widths."""
        together = self._begins + self._starts + self._widths
        if sys.byteorder == "big":
            together.byteswap()
        return together.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Places:
        """The places that :meth:`to_bytes` made ``data`` of.

        Raises:
            ValueError: no places make such data.
        """
        together = array("I")
        together.frombytes(data)
        if sys.byteorder == "big":
            together.byteswap()
        count, rest = divmod(len(together), 3)
        if rest:
            raise ValueError("the runs of places have three numbers each")
        places = cls()
        places._begins, places._starts, places._widths = (
            together[part * count : (part + 1) * count] for part in range(3)
        )
        return places
