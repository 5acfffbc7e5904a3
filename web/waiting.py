"""Requests that wait for a job: how many may at a time, and when all of them have to come to an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.settings import settings

# Share of a web process's places that requests which wait may hold. The others are for those that do not.
SHARE = 0.8

# Set when the web process is to end. A wait ends then, with the job as it is.
ending = threading.Event()

_lock = threading.Lock()
_waiting = 0


@contextmanager
def may_wait(seconds: float) -> Iterator[float]:
    """A place among the requests that wait, for as long as the context lasts.

    Yields:
        How many seconds the request may wait: ``seconds``; 0 if as many wait as may, or if the process is to end.
    """
    if seconds <= 0 or ending.is_set() or not _take_place():
        yield 0.0
        return
    try:
        yield seconds
    finally:
        _leave_place()


def most_waiting() -> int:
    """How many requests of a web process may wait at a time."""
    return max(1, int(settings().web_connections * SHARE))


def _take_place() -> bool:
    global _waiting
    with _lock:
        if _waiting >= most_waiting():
            return False
        _waiting += 1
        return True


def _leave_place() -> None:
    global _waiting
    with _lock:
        _waiting -= 1
