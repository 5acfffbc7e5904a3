"""What a benchmark found, as a table to read, JSON to compute with, and a plot."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Cell = str | int | float
Line = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Ratio:
    """A headline: what was measured, and the goal that it is at least, or at most."""

    what: str
    value: float
    goal: float | None
    at_least: bool
    unit: str

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    @property
    def row(self) -> list[str]:
        """What, value, goal, and whether it is met."""
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self._with_unit(self.goal)}"
        return [self.what, self._with_unit(self.value), goal, {None: "", True: "met", False: "MISSED"}[self.met]]

    def _with_unit(self, value: float) -> str:
        return f"{readable(value)} {self.unit}".rstrip()


RATIO_HEADER = ("", "measured", "goal", "")


@dataclass(frozen=True)
class Table:
    """Rows under a header."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class _Lines:
    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Line]
    log_x: bool
    log_y: bool

    def draw(self, axes: Any) -> None:
        for label, (xs, ys) in self.lines.items():
            axes.plot(xs, ys, marker="o", markersize=3, label=label)
        axes.set(xlabel=self.x_label, ylabel=self.y_label)
        if self.log_x:
            axes.set_xscale("log")
            _plain_ticks(axes.xaxis)
        if self.log_y:
            axes.set_yscale("log")
            _plain_ticks(axes.yaxis)
        else:
            axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if len(self.lines) > 1:
            axes.legend(fontsize="small")


@dataclass(frozen=True)
class _Bars:
    title: str
    values: Mapping[str, float]

    def draw(self, axes: Any) -> None:
        bars = axes.barh(list(self.values), list(self.values.values()))
        axes.bar_label(bars, [f" {readable(value)}" for value in self.values.values()], fontsize="small")
        axes.invert_yaxis()  # the first at the top
        axes.margins(x=0.15)


class Report:
    """Collects what a benchmark found; ``data`` is for raw figures, which only the JSON has.

    ``name`` is the benchmark's module, ``method`` says what was done: warm-up, repetitions, what is counted.
    """

    def __init__(self, name: str, title: str, method: str, machine: Mapping[str, Cell]) -> None:
        self.name = name
        self.title = title
        self.method = method.replace("\n", " ")
        self.machine = dict(machine)
        self.ratios: list[Ratio] = []
        self.tables: list[Table] = []
        self.data: dict[str, Any] = {}
        self._panels: list[_Lines | _Bars] = []

    def ratio(self, what: str, value: float, goal: float | None = None, at_least: bool = True, unit: str = "×") -> None:
        """Add a headline.

        Args:
            goal: in the value's unit; a least value, or a greatest one where not ``at_least``.
        """
        self.ratios.append(Ratio(what, float(value), goal, at_least, unit))

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Add a table. Numbers may be given as they are."""
        self.tables.append(Table(title, header, rows))

    def plot(
        self,
        title: str,
        x_label: str,
        y_label: str,
        lines: Mapping[str, Line],
        log_x: bool = False,
        log_y: bool = False,
    ) -> None:
        """Add a panel of lines, each its places and its values, by label."""
        self._panels.append(_Lines(title, x_label, y_label, lines, log_x, log_y))

    def bars(self, title: str, values: Mapping[str, float]) -> None:
        """Add a panel with a bar for each label."""
        self._panels.append(_Bars(title, values))

    def markdown(self) -> str:
        """The whole as text: ratios first."""
        parts = [f"## {self.title}"]
        if self.ratios:
            parts.append(markdown_table(RATIO_HEADER, [ratio.row for ratio in self.ratios]))
        for table in self.tables:
            parts.append(f"**{table.title}**\n\n{markdown_table(table.header, table.rows)}")
        machine = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return "\n\n".join([*parts, f"Method: {self.method}", f"Machine: {machine}"]) + "\n"

    def write(self, out: Path) -> None:
        """Print it, and write ``{name}.json`` and, where there are panels, ``{name}.png`` into ``out``."""
        print(self.markdown(), flush=True)
        out.mkdir(parents=True, exist_ok=True)
        content = {
            "name": self.name,
            "title": self.title,
            "method": self.method,
            "machine": self.machine,
            "ratios": [{**asdict(ratio), "met": ratio.met} for ratio in self.ratios],
            "tables": [asdict(table) for table in self.tables],
            "data": self.data,
        }
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (out / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")
        if self._panels:
            self._draw(out / f"{self.name}.png")

    def _draw(self, path: Path) -> None:
        # Takes a second to import, which only those pay that draw.
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot

        across = min(2, len(self._panels))
        down = math.ceil(len(self._panels) / across)
        figure, grid = pyplot.subplots(
            down, across, figsize=(7 * across, 4 * down), squeeze=False, layout="constrained"
        )
        figure.suptitle(self.title)
        for axes, panel in zip(grid.flat, self._panels, strict=False):
            panel.draw(axes)
            axes.set_title(panel.title, fontsize="medium")
        for axes in grid.flat[len(self._panels) :]:
            axes.set_axis_off()
        figure.savefig(path, dpi=100)
        pyplot.close(figure)


def _plain_ticks(axis: Any) -> None:
    """Ticks of a logarithmic axis as 1, 2, 5, 10 and so on."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.15g}"))


def readable(value: Cell) -> str:
    """A number with three digits that say something, thousands set apart; text as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or not math.isfinite(value) or abs(value) >= 1000:
        return f"{value:,.0f}" if math.isfinite(value) else "–"
    if value == 0:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table in Markdown; numbers stand to the right."""
    numeric = [all(not isinstance(row[column], str) for row in rows) and bool(rows) for column in range(len(header))]
    lines = [header, ["---:" if right else "---" for right in numeric], *rows]
    return "\n".join("| " + " | ".join(map(readable, line)) + " |" for line in lines)
