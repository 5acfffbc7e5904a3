"""A text as the model reads it, and the place of each of its characters in the text as it was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """``text`` is what the model reads. ``places`` has the index in the source of each of its characters, in order.

    ``places`` is None if each character's index in the source is its index in ``text``. Several characters may share
    one place: those of a ligature do.

    ``separators`` are the indexes in the source, in order, where one thing ends and another begins: no entity runs over
    one.
    """

    text: str
    places: NDArray[np.int64] | None = None
    separators: Sequence[int] = ()

    @property
    def known_places(self) -> NDArray[np.int64]:
        """The places as an array, also if ``places`` is None."""
        return np.arange(len(self.text), dtype=np.int64) if self.places is None else self.places

    def without(self, dropped: Sequence[int]) -> View:
        """The view without the characters at these indexes; the view itself if there are none."""
        if not dropped:
            return self
        kept = np.delete(np.arange(len(self.text)), dropped)
        return replace(self, text="".join([self.text[index] for index in kept]), places=self.known_places[kept])

    def replaced(self, table: Mapping[str, str]) -> View:
        """The view with one or more characters in the place of each character that ``table`` has."""
        read = [table.get(character, character) for character in self.text]
        places = self.places
        if any(len(each) != 1 for each in read):
            places = np.repeat(self.known_places, [len(each) for each in read])
        return replace(self, text="".join(read), places=places)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the source of ``text[start:end]``, which is not empty."""
        if self.places is None:
            return start, end
        return int(self.places[start]), int(self.places[end - 1]) + 1


Step = Callable[[View], View]
