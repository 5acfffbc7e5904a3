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
    """Closes connections on which no request is under way: all when it is to end, the oldest where there is no place.

    gunicorn's own lets clients that keep theirs open, as browsers do, hold up its end until its grace is over, and keep
    new clients out for as long as a connection may idle.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections = 0
        self._idle: dict[greenlet, None] = {}  # those that have waited longest for a request come first

    def handle(self, *connection: Any) -> None:
        """Called for each connection, in a greenlet of its own; there are ``worker_connections`` of them at most."""
        self._connections += 1
        try:
            self._make_room()
            super().handle(*connection)
        finally:
            self._connections -= 1

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """In it a connection waits for its next request."""
        connection = gevent.getcurrent()
        self._idle[connection] = None
        try:
            with super().timeout_ctx():
                yield
        finally:
            del self._idle[connection]

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Called for each request. Where all places are taken, its connection ends with the answer, which says so."""
        if self._full:
            req.force_close()
        super().handle_request(listener_name, req, sock, addr)

    def notify(self) -> None:
        """Called each second for as long as the process lives, and while it waits for its last requests."""
        super().notify()
        if self.alive:
            # Where all had requests under way when the last place was taken, there was none to close.
            self._make_room()
        else:
            self._close(list(self._idle))

    @property
    def _full(self) -> bool:
        """Whether all places are taken."""
        return bool(self._connections >= self.worker_connections)

    def _make_room(self) -> None:
        """Where all places are taken, free one for the next client."""
        if self._full:
            self._close(list(self._idle)[:1])

    @staticmethod
    def _close(connections: list[greenlet]) -> None:
        # gunicorn takes this for the end of what the client had to say.
        gevent.killall(connections, exception=StopIteration, block=False)
