"""Spans as BIOES labels, one a character."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
        self._outside = np.array([label == OUTSIDE or label[2:] not in annotated for label in index])
        self._inside = {
            (own, prefix): [index[f"{prefix}-{kind}"] for kind in kinds]
            for own, kinds in reading.items()
            for prefix in "BIES"
        }

    def allowed(self, length: int, spans: Sequence[Span]) -> NDArray[np.bool_]:
        """The labels allowed for each character of a text: ``(length, labels)``, boolean.

        Outside of its spans, and in those of types that the reading leaves out, O and the types that are not annotated;
        in those of :data:`UNKNOWN` type, whatever there is.
        """
        allowed = np.tile(self._outside, (length, 1))
        for start, end, kind in spans:
            if kind == UNKNOWN:
                allowed[start:end] = True
            if (kind, "B") not in self._inside:
                continue
            allowed[start:end] = False
            if end - start == 1:
                allowed[start, self._inside[kind, "S"]] = True
                continue
            allowed[start, self._inside[kind, "B"]] = True
            for label in self._inside[kind, "I"]:
                allowed[start + 1 : end - 1, label] = True
            allowed[end - 1, self._inside[kind, "E"]] = True
        return allowed


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
