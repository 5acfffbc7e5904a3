"""The places of a node for its worker processes, in memory that the processes share with their parent.

Nothing here takes a lock: a process that is killed while it holds one would stop all the others.

A worker process that does not come to itself, because it was stopped or because native code holds Python's lock, can
neither give up its piece nor end. Its parent sees that by the stamp that the process writes twice a second, and kills
it; Celery then starts another.
"""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.sharedctypes import RawArray, RawValue

import structlog

log = structlog.get_logger()

# Seconds between two looks of the parent, and the seconds without a stamp after which it kills.
LOOK_EVERY = 0.5
SILENT_FOR = 8.0


class Slots:
    """One slot for each worker process of a node. Made before these are forked."""

    def __init__(self, count: int) -> None:
        self._pids = RawArray("l", count)
        self._stamps = RawArray("d", count)  # as time.monotonic counts, which is one clock for all processes of a host
        self._ending = RawValue("b", 0)
        self._model_failed = RawValue("b", 0)
        self._looked = time.monotonic()

    @property
    def ending(self) -> bool:
        """Whether the node is to end: worker processes take no further pieces."""
        return bool(self._ending.value)

    def end(self) -> None:
        """Say that the node is to end."""
        self._ending.value = 1

    @property
    def model_failed(self) -> bool:
        """Whether a worker process could not load the model."""
        return bool(self._model_failed.value)

    def fail_model(self) -> None:
        """Say, from a worker process, that it cannot load the model."""
        self._model_failed.value = 1

    def stamp(self, slot: int) -> None:
        """Say, from the worker process in that slot, that it comes to itself."""
        self._stamps[slot] = time.monotonic()
        self._pids[slot] = os.getpid()

    def leave(self, slot: int) -> None:
        """Say, from the worker process in that slot, that it ends."""
        self._pids[slot] = 0

    def kill_silent(self) -> None:
        """Kill the worker processes that have been silent too long; the parent calls this again and again."""
        now = time.monotonic()
        # If the parent itself did not run, its children may not have run either: give them time for a stamp.
        late = now - self._looked > 4 * LOOK_EVERY
        self._looked = now
        if late:
            return
        for slot, (pid, stamp) in enumerate(zip(self._pids, self._stamps, strict=True)):
            if pid and now - stamp > SILENT_FOR:
                self._pids[slot] = 0
                log.error(
                    "a worker process was silent and is killed", slot=slot, pid=pid, seconds=round(now - stamp, 1)
                )
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    log.info("it had ended by itself", slot=slot, pid=pid)
