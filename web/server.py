"""What serves the requests of a web process: gunicorn's gevent worker, with limits on time and places.

A request that waits is a greenlet, so hundreds may wait at a time in one process.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import gevent.monkey
from greenlet import greenlet
from gunicorn import util
from gunicorn.http import errors
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.ggevent import GeventWorker

from shared.errors import BodyTooSlow, InvalidRequest
from shared.settings import settings
from web import chunks, refusals, waiting
from web.farm import farm

# A body may take this many seconds, and a second more for each BODY_RATE bytes of it that have arrived.
BODY_SECONDS = 10.0
BODY_RATE = 100_000
# A client may take this many seconds for SLICE bytes of its answer, and for the next bytes of its body.
ANSWER_SECONDS = 30.0
SLICE = 2**18
# Unread bytes of a body that are read for the sake of the connection. If more are left, it ends with the answer.
MOST_UNREAD = 2**16
# What the server goes on reading after the last answer, which most clients read once they have sent all of the body.
LINGER_BYTES = 2**24
LINGER_SECONDS = 5.0
# Seconds that a connection has to have been idle before it may be closed.
IDLE = 0.25

# Of gunicorn's errors, those that an answer of ours gave rise to.
ANSWER_ERRORS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)

_poll = gevent.monkey.get_original("select", "poll")


class Incoming:
    """The body of a request as it comes in: ``wsgi.input``."""

    def __init__(self, req: Any) -> None:
        self._req = req
        body = self._body = req.body
        self._length: int | None = body.reader.length if isinstance(body.reader, LengthReader) else None
        self._received = 0
        self._ended = self._length == 0
        self._cut = False  # fewer bytes came than the request says
        self._began = time.monotonic()

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, or all; fewer where the body ends.

        Raises:
            BodyTooSlow: they did not arrive in time.
            InvalidRequest: they are no chunked body, though the request says so.
        """
        left = self._began + BODY_SECONDS + self._received / BODY_RATE - time.monotonic()
        try:
            with gevent.Timeout(max(left, 0.001), _slow()):
                part: bytes = self._body.read(None if size < 0 else size)
        except TimeoutError:  # the socket's own
            raise _slow() from None
        except (errors.ParseException, errors.NoMoreData) as error:
            raise InvalidRequest.unreadable(
                400, f"the body's chunks cannot be read: {chunks.sentence(error)}"
            ) from None
        self._received += len(part)
        if self._length is not None and len(part) < size:
            self._cut = self._received < self._length
        self._ended = self._ended or (size != 0 and len(part) < size) or self._received == self._length
        return part

    def end_connection_if_left(self) -> None:
        """Called before the headers of the answer are sent, which say whether the connection ends."""
        if self.left:
            self._req.force_close()

    @property
    def left(self) -> bool:
        """Whether it could not be read, or more of it has not been read than is worth reading."""
        if self._body.failed or self._cut:
            return True
        return not self._ended and (self._length is None or self._length - self._received > MOST_UNREAD)


def _slow() -> BodyTooSlow:
    return BodyTooSlow(
        f"the body did not arrive within {BODY_SECONDS:g} s and a second more for each {BODY_RATE} bytes; "
        "send a smaller one, or faster"
    )


class Head(Request):  # type: ignore[misc]
    """A request as gunicorn reads it. One that it cannot read goes with the error, as far as it was read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except errors.ParseException as error:
            error.req = self
            raise

    def set_body_reader(self) -> None:
        """Called once the headers are read.

        Raises:
            UnsupportedTransferCoding: the body has a coding that gunicorn would leave as it is, such as gzip.
        """
        super().set_body_reader()
        for name, value in self.headers:
            if name == "TRANSFER-ENCODING" and value.strip().lower() != "chunked":
                raise errors.UnsupportedTransferCoding(value)


RequestParser.mesg_class = Head


class WebWorker(GeventWorker):  # type: ignore[misc]  # see pyproject.toml
    """Limits the time of bodies and answers, and closes connections on which nobody says anything.

    gunicorn's own worker lets a client take as long as it likes over both. It also lets clients that keep their
    connections open, as browsers do, delay its end and keep new clients out for as long as a connection may idle.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[greenlet, Any] = {}  # the socket of each connection
        self._idle: dict[greenlet, float] = {}  # since when; those that have waited longest come first

    def load_wsgi(self) -> None:
        """Called once, before the first connection."""
        super().load_wsgi()
        self._application: Any = self.wsgi
        self.wsgi: Any = self._answer

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Called for each connection, in a greenlet of its own; there are ``worker_connections`` of them at most."""
        connection = gevent.getcurrent()
        self._clients[connection] = client
        try:
            self._make_room()
            super().handle(listener, client, addr)
        finally:
            del self._clients[connection]

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """In it a connection waits for its next request."""
        connection = gevent.getcurrent()
        self._idle[connection] = time.monotonic()
        try:
            with super().timeout_ctx():
                yield
        except errors.NoMoreData:
            # gunicorn would end the connection without a word, though the client may still read.
            raise refusals.RequestCut from None
        finally:
            del self._idle[connection]

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Called for each request. If all places are taken, its connection ends with the answer, which says so."""
        if self._full:
            req.force_close()
        if isinstance(req.body.reader, ChunkedReader):
            req.body = Body(chunks.Chunks(req, settings().max_body_bytes))
        body = req.body
        incoming = req.body = Incoming(req)
        sock.settimeout(ANSWER_SECONDS)
        try:
            super().handle_request(listener_name, req, sock, addr)
            sock.settimeout(None)
        except TimeoutError:
            self.log.info("A client did not read its answer; its connection is closed")
            # At once, rather than when the client has read what the system holds for it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise StopIteration from None
        except StopIteration:
            if incoming.left:
                util.close_graceful(sock, LINGER_SECONDS, LINGER_BYTES)
            raise
        finally:
            # gunicorn reads the rest of a short body as part of the wait for the next request.
            req.body = body

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Called where gunicorn refuses what was sent, and where its own code fails."""
        if isinstance(exc, errors.ParseException) and not isinstance(exc, ANSWER_ERRORS):
            status, detail = refusals.refusal(exc)
            self.log.info("Refused a request from %s: %s", addr[0] if addr else "a socket", exc)
        else:
            status, detail = 500, "the farm failed in a way it should not; its log says how"
            self.log.exception("Error handling a request")
        read = req or getattr(exc, "req", None)
        path = (read and read.path) or ""
        origin = next((value for name, value in read.headers if name == "ORIGIN"), None) if read else None
        try:
            client.settimeout(ANSWER_SECONDS)
            client.sendall(refusals.last_answer(status, detail, path, origin))
            util.close_graceful(client, LINGER_SECONDS, LINGER_BYTES)
        except OSError:
            self.log.debug("The client is gone")

    def notify(self) -> None:
        """Called each second for as long as the process lives, and while it waits for its last requests."""
        super().notify()
        if self.alive:
            # Where all had requests under way when the last place was taken, there was none to close.
            self._make_room()
        else:
            self._end_waits()
            self._close(self._silent())

    @staticmethod
    def _end_waits() -> None:
        """Let the requests that wait answer now, with their jobs as they are."""
        if not waiting.ending.is_set():
            waiting.ending.set()
            farm().ends.wake_all()

    @property
    def _full(self) -> bool:
        """Whether all places are taken."""
        return bool(len(self._clients) >= self.worker_connections)

    def _make_room(self) -> None:
        """If all places are taken, free one for the next client."""
        if not self._full or not self._idle:
            return
        if silent := self._silent():
            self._close(silent[:1])
        else:
            gevent.spawn_later(IDLE, self._make_room)

    def _silent(self) -> list[greenlet]:
        """The connections on which nothing has arrived for a moment: no client of theirs is owed an answer."""
        before = time.monotonic() - IDLE
        return [
            connection
            for connection, since in self._idle.items()
            if since <= before and not _has_arrived(self._clients[connection])
        ]

    def _close(self, connections: list[greenlet]) -> None:
        for connection in connections:
            gevent.get_hub().loop.run_callback(self._close_one, connection)

    def _close_one(self, connection: greenlet) -> None:
        # In between a request may have come.
        if connection in self._idle and not _has_arrived(self._clients[connection]):
            # gunicorn takes this for the end of what the client had to say.
            connection.throw(StopIteration)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The application, as gunicorn calls it."""

        # A client may offer another protocol, and a server go on without it. Routing would answer 400.
        environ.pop("HTTP_UPGRADE", None)

        def start(status: str, headers: list[tuple[str, str]], *failed: Any) -> Any:
            environ["wsgi.input"].end_connection_if_left()
            return start_response(status, headers, *failed)

        return _slices(self._application(environ, start))


def _has_arrived(client: Any) -> bool:
    """Whether there is something to read on a socket."""
    ready = _poll()
    ready.register(client.fileno(), select.POLLIN)
    return bool(ready.poll(0))


def _slices(answer: Any) -> Iterator[bytes]:
    """An answer in parts for each of which the client has a time of its own."""
    try:
        for part in answer:
            for start in range(0, len(part), SLICE):
                yield part[start : start + SLICE]
    finally:
        if hasattr(answer, "close"):
            answer.close()
