"""The lines of several processes on one terminal, each with its time and its process's name, in that one's colour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

LAUNCHER = "system"
# ANSI: cyan, yellow, green, magenta, blue, and the same bright.
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class Printer:
    """Prints lines. In colour on a terminal."""

    def __init__(self, output: TextIO, names: Iterable[str]) -> None:
        names = [LAUNCHER, *names]
        self._output = output
        self._width = max(map(len, names))
        colours = dict(zip(names[1:], COLOURS * len(names), strict=False)) if output.isatty() else {}
        self._colours: dict[str, int] = colours

    def line(self, name: str, text: str) -> None:
        """Print one line of a process.

        Raises:
            OSError: nobody reads the output any more.
        """
        prefix = f"{datetime.now():%H:%M:%S} {name.ljust(self._width)} | "
        if name in self._colours:
            prefix = f"\033[{self._colours[name]}m{prefix}\033[0m"
        print(prefix + text, file=self._output, flush=True)
