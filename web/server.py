"""What serves the requests of a web process: gunicorn's gevent worker, which ends as soon as its requests are answered.

A request that waits is a greenlet, so hundreds may wait at a time in one process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from greenlet import greenlet
from gunicorn.workers.ggevent import GeventWorker


class WebWorker(GeventWorker):  # type: ignore[misc]  # see pyproject.toml
    """Closes, when it is to end, the connections on which no request is under way.

    gunicorn's own waits for clients that keep theirs open, as browsers do, until its grace is over.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: set[greenlet] = set()

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """In it a connection waits for its next request."""
        connection = gevent.getcurrent()
        self._idle.add(connection)
        try:
            with super().timeout_ctx():
                yield
        finally:
            self._idle.discard(connection)

    def notify(self) -> None:
        """Called each second for as long as the process lives, and while it waits for its last requests."""
        super().notify()
        if not self.alive:
            # Which gunicorn takes for the end of what the client had to say.
            gevent.killall(list(self._idle), exception=StopIteration, block=False)
