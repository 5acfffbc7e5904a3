"""What a preparation says while it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(message: str) -> None:
    """One line on stderr."""
    print(f"prepare: {message}", file=sys.stderr, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say how many seconds a step took when it is done."""
    began = time.monotonic()
    yield
    say(f"{name:<8} {time.monotonic() - began:6.1f} s")
