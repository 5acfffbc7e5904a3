"""Spans as BIOES labels, one a character."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from training.corpus import Span

OUTSIDE = "O"
# Type of a span of which nothing is known, not even whether there is an entity in it.
UNKNOWN = "?"


def labels_of(types: Sequence[str]) -> list[str]:
    """The labels of entity types, O first."""
    return [OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in "BIES")]


def tag(length: int, spans: Sequence[Span], index: dict[str, int]) -> list[int]:
    """Label indexes of a text of ``length`` characters."""
    tags = [index[OUTSIDE]] * length
    for start, end, kind in spans:
        if end - start == 1:
            tags[start] = index[f"S-{kind}"]
            continue
        tags[start] = index[f"B-{kind}"]
        tags[start + 1 : end - 1] = [index[f"I-{kind}"]] * (end - start - 2)
        tags[end - 1] = index[f"E-{kind}"]
    return tags


class Annotation:
    """Which labels of a head the characters of a set's texts may have."""

    def __init__(self, types: Sequence[str], reading: Mapping[str, Sequence[str]]) -> None:
        """``reading``: the set's types, each with those of the head that an entity of it may have."""
        index = {label: place for place, label in enumerate(labels_of(types))}
        annotated = {kind for kinds in reading.values() for kind in kinds}
        self._all = _bits(index.values())
        self._outside = _bits(place for label, place in index.items() if label[2:] not in annotated)
        self._inside = {
            (own, prefix): _bits(index[f"{prefix}-{kind}"] for kind in kinds)
            for own, kinds in reading.items()
            for prefix in "BIES"
        }

    def allowed(self, length: int, spans: Sequence[Span]) -> NDArray[np.int64]:
        """The labels allowed for each character of a text, as bits: ``(length,)``, see :func:`labels_in`.

        Outside of its spans, and in those of types that the reading leaves out, O and the types that are not annotated;
        in those of :data:`UNKNOWN` type, whatever there is.
        """
        allowed = np.full(length, self._outside, np.int64)
        for start, end, kind in spans:
            if kind == UNKNOWN:
                allowed[start:end] = self._all
            if (kind, "B") not in self._inside:
                continue
            if end - start == 1:
                allowed[start] = self._inside[kind, "S"]
                continue
            allowed[start] = self._inside[kind, "B"]
            allowed[start + 1 : end - 1] = self._inside[kind, "I"]
            allowed[end - 1] = self._inside[kind, "E"]
        return allowed


def labels_in(bits: torch.Tensor, count: int) -> torch.Tensor:
    """Of each label of ``count``, whether it is among the bits: ``(…, count)``, boolean, from ``(…)``."""
    return (bits[..., None] >> torch.arange(count, device=bits.device) & 1).bool()


def _bits(places: Iterable[int]) -> int:
    return sum(1 << place for place in places)


def may_begin(label: str) -> bool:
    """Whether a text may begin with the label."""
    return label[0] in "OBS"


def may_end(label: str) -> bool:
    """Whether a text may end with the label."""
    return label[0] in "OES"


def may_follow(before: str, after: str) -> bool:
    """Whether ``after`` may stand behind ``before``."""
    if after[0] in "IE":
        return before[0] in "BI" and before[2:] == after[2:]
    return may_end(before)


def forbidden(labels: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which labels no well-formed path begins with, ends with, and which pairs it has not: booleans."""
    return (
        torch.tensor([not may_begin(label) for label in labels]),
        torch.tensor([not may_end(label) for label in labels]),
        torch.tensor([[not may_follow(before, after) for after in labels] for before in labels]),
    )
