"""Work that a node or a worker process does beside its tasks, again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger()


class Background:
    """Calls ``action`` every ``interval`` seconds in a thread of its own.

    What the action raises is logged and its next turn comes all the same: a thread that died of one bad moment would
    leave a worker that seems dead, or lost pieces that nobody looks for, until somebody restarts it.
    """

    def __init__(self, name: str, interval: float, action: Callable[[], object]) -> None:
        self._name = name
        self._interval = interval
        self._action = action
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first turn comes after ``interval``."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when a turn under way is done."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._action()
            except (RedisError, OperationalError) as error:
                log.warning("put off, Redis does not do it now", what=self._name, error=str(error))
            except Exception:
                log.exception("failed", what=self._name)
