"""A preparation that a worker started ends when that worker does."""

from __future__ import annotations

import os
import select
import threading


def die_with_reader(pipe: int) -> None:
    """End this process as soon as nobody has the reading end of ``pipe`` open any more."""
    threading.Thread(target=_watch, args=(pipe,), name="parent", daemon=True).start()


def _watch(pipe: int) -> None:
    poll = select.poll()
    # No events of its own: errors, such as a reader that has gone, are always told.
    poll.register(pipe, 0)
    poll.poll()
    os._exit(1)
