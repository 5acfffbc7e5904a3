"""A function in a real process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

WITHIN = 60.0  # seconds


def run_in_child(function: Callable[[], object]) -> int:
    """Run it in a forked process, to its end. Returns the exit status, which is negative for a signal."""
    child = multiprocessing.get_context("fork").Process(target=function, daemon=True)
    child.start()
    child.join(WITHIN)
    assert child.exitcode is not None, "the process did not end"
    return child.exitcode
