"""The labels of a model and what each says of its token."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Position(IntEnum):
    """Where in an entity a token stands, whatever the tag scheme (BIO, BIOES, BMES) calls it."""

    OUTSIDE = 0
    BEGIN = 1  # B: the first token
    INSIDE = 2  # I, M: a further token
    END = 3  # E: the last token, where the scheme marks it
    SINGLE = 4  # S: the only token, where the scheme marks it


_PREFIXES = {
    "B": Position.BEGIN,
    "I": Position.INSIDE,
    "M": Position.INSIDE,
    "E": Position.END,
    "S": Position.SINGLE,
}


class Labels:
    """A model's labels in the order of its output: ``O``, ``B-PER``, ``I-PER`` and so on.

    ``positions`` has the :class:`Position` of each label id, shape ``(labels,)``. A label that is no prefix, separator
    and type counts as outside.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._parsed = [_parse(name) for name in names]
        self.positions: NDArray[np.int8] = np.array([position for position, _ in self._parsed], np.int8)

    @property
    def types(self) -> tuple[str, ...]:
        """The entity types, sorted."""
        return tuple(sorted({kind for position, kind in self._parsed if position != Position.OUTSIDE}))

    def type_of(self, label: int) -> str:
        """The entity type of a label id; empty for outside."""
        return self._parsed[label][1]


def _parse(name: str) -> tuple[Position, str]:
    position = _PREFIXES.get(name[:1])
    if position is None or name[1:2] not in ("-", "_") or not name[2:]:
        return Position.OUTSIDE, ""
    return position, name[2:]
