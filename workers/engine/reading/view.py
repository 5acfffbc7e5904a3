"""A text as the model reads it, and where each of its characters stands in the text as it was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """``text`` is what is read; ``places``: ``(characters,)``, where each of them stands in the source, rising.

    None: each stands at its own index, as it does before the first change. Several characters may be of one place, as
    those of a ligature are.
    """

    text: str
    places: NDArray[np.int64] | None = None

    @property
    def known_places(self) -> NDArray[np.int64]:
        """The places, also where they are the indexes."""
        return np.arange(len(self.text), dtype=np.int64) if self.places is None else self.places

    def without(self, dropped: NDArray[np.bool_]) -> View:
        """The characters that are not dropped (a flag for each)."""
        kept = np.flatnonzero(~dropped)
        return View("".join([self.text[index] for index in kept]), self.known_places[kept])

    def replaced(self, table: Mapping[str, str]) -> View:
        """With the characters of ``table`` as it has them: one or more for each."""
        read = [table.get(character, character) for character in self.text]
        places = self.known_places
        if any(len(each) != 1 for each in read):
            places = np.repeat(places, [len(each) for each in read])
        return View("".join(read), places)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the source of ``text[start:end]``, which is not empty."""
        if self.places is None:
            return start, end
        return int(self.places[start]), int(self.places[end - 1]) + 1


Step = Callable[[View], View]
