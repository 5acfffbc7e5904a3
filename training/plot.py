"""A run's progress as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

# Keys of a record that are no score, and ends of scores for a part of the names: those would hide the others.
_OTHERS = {"step", "share", "loss", "characters_per_second", "minutes_left"}
_PARTS = (".seen", ".unseen")


def plot(records: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the loss over the steps and, where there are any, the scores on the development sets beside it."""
    keys = {key for record in records for key in record} - _OTHERS
    scores = sorted(key for key in keys if not key.endswith(_PARTS))
    figure = Figure(figsize=(10 if scores else 5, 3.5), layout="constrained")
    axes = figure.subplots(1, 2 if scores else 1, squeeze=False)[0]
    _lines(axes[0], records, ["loss"])
    if scores:
        _lines(axes[1], records, scores)
    figure.savefig(path, dpi=110)


def _lines(axes: Any, records: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    for name in names:
        drawn = [(record["step"], record[name]) for record in records if name in record]
        axes.plot(*zip(*drawn, strict=True), label=name, marker="." if len(drawn) < 50 else "")
    axes.set_xlabel("step")
    axes.legend()
    axes.grid(alpha=0.3)
