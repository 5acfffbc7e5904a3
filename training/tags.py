"""Spans as BIOES labels, one a character."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from training.corpus import Span

OUTSIDE = "O"


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
