"""What a benchmark is told on its command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from shared.settings import PROJECT_ROOT

WORK = PROJECT_ROOT / "var" / "benchmarks"


@dataclass(frozen=True)
class Options:
    """How to measure, and where to write.

    ``data``: folder of the data sets, as training/README.md describes it; None: sentences of our own. ``out``: for the
    reports. ``quick``: shorter, for trying out; its figures mean little. ``work``: for models made and prepared for the
    benchmarks, kept between runs.
    """

    data: Path | None = None
    out: Path = WORK
    quick: bool = False
    work: Path = WORK

    @property
    def arguments(self) -> list[str]:
        """The command line that gives these options."""
        data = ["--data", str(self.data)] if self.data else []
        return [*data, "--out", str(self.out), *(["--quick"] if self.quick else [])]


def parse(description: str | None) -> Options:
    """The options of this process's command line.

    Args:
        description: the module's docstring.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    add_to(parser)
    return options_of(parser.parse_args())


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the data sets, for real sentences")
    parser.add_argument("--out", type=Path, default=WORK, metavar="DIR", help="for the reports; default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="shorter, for trying out; its figures mean little")


def options_of(arguments: argparse.Namespace) -> Options:
    """The options that a parser has found."""
    return Options(arguments.data, arguments.out, arguments.quick)
