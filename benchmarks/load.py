"""Load: HTTP requests sent as fast as they are answered, or as they would arrive by chance.

It runs on the cores of what it measures, so it is lean: requests are bytes made beforehand, each connection is one
asyncio protocol that looks for no more than the answer's status and length.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

# Seconds without any answer after which what is still open counts as not answered.
PATIENCE = 120.0
# The status of a request that got no answer.
NO_ANSWER = 0

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass(frozen=True)
class Sample:
    """One request: when it began, by the monotonic clock; how long it took; the answer's status and body's bytes.

    In an open loop it began when it was meant to arrive, whether or not it could be sent then.
    """

    began: float
    seconds: float
    status: int
    size: int

    @property
    def good(self) -> bool:
        """Whether it was answered, and with no error."""
        return NO_ANSWER < self.status < 400


@dataclass(frozen=True)
class Load:
    """What came of a load, in the order of the answers; ``bodies`` of the same order, where they were kept.

    ``seconds``: from the first request that counts to the last answer.
    """

    samples: list[Sample]
    seconds: float
    bodies: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return sum(sample.good for sample in self.samples) / self.seconds

    @property
    def failed(self) -> int:
        """Number of requests that were answered with an error, or not at all."""
        return sum(not sample.good for sample in self.samples)

    def percentile(self, q: float) -> float:
        """Seconds within which ``q`` percent of the good answers came; NaN where there is none."""
        seconds = sorted(sample.seconds for sample in self.samples if sample.good)
        return seconds[max(0, math.ceil(q / 100 * len(seconds)) - 1)] if seconds else math.nan


def body(texts: str | Sequence[str]) -> bytes:
    """The JSON body of a request: one text, or several as ``texts``."""
    content = {"text": texts} if isinstance(texts, str) else {"texts": list(texts)}
    return json.dumps(content, ensure_ascii=False).encode()


def closed_loop(
    url: str, path: str, bodies: Sequence[bytes], clients: int, warm_up: int = 0, *, keep: bool = False
) -> Load:
    """POST each body once; each of ``clients`` connections sends the next as soon as its answer came.

    Args:
        url: of the server, such as ``http://127.0.0.1:8000``.
        path: with its query.
        warm_up: so many answers at the beginning are not counted.
        keep: whether the answers' bodies are kept.

    Raises:
        OSError: the server cannot be reached.
    """
    return asyncio.run(_ClosedLoop(url, path, bodies, keep).run(clients, warm_up))


def open_loop(
    url: str,
    path: str,
    bodies: Sequence[bytes],
    rate: float,
    seconds: float,
    seed: int = 0,
    *,
    keep: bool = False,
) -> Load:
    """POST the bodies in turn, ``rate`` a second as a Poisson process, for so many seconds.

    Each request takes a connection that is free, or a new one. Latency counts from when it was meant to arrive, so a
    server that falls behind does not slow its load down.

    Raises:
        OSError: the server cannot be reached.
    """
    return asyncio.run(_OpenLoop(url, path, bodies, keep).run(rate, seconds, seed))


class _Connection(asyncio.Protocol):
    """A connection that is kept alive and carries one request at a time."""

    def __init__(
        self, answered: Callable[[_Connection, int, bytes], None], closed: Callable[[_Connection], None]
    ) -> None:
        """
        Args:
            answered: called with the status and the body of each answer.
            closed: called when the connection has gone, after ``answered`` where a request was on its way.
        """
        self.began = 0.0
        self.request = b""  # on its way; empty where none is
        self.answers = 0
        self.open = True
        self._answered = answered
        self._closed = closed
        self._received = bytearray()
        self._status = NO_ANSWER
        self._body = 0  # where it begins; 0 before the head is there
        self._needed = 0
        self._transport: asyncio.Transport

    def send(self, request: bytes, began: float) -> None:
        """Send a request; the one before was answered."""
        self.began = began
        self.request = request
        self._transport.write(request)

    def close(self) -> None:
        """Close the connection, whatever is on its way."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        received = self._received
        received += data
        if not self._body:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(received[: end + 2])
            self._status = int(head[9:12])
            length = _LENGTH.search(head)
            assert length, f"an answer without Content-Length: {head!r}"
            self._body = end + 4
            self._needed = self._body + int(length[1])
            if _CLOSES.search(head):
                self.open = False
        if len(received) >= self._needed:
            answer = bytes(received[self._body :])
            received.clear()
            self._body = 0
            self.request = b""
            self.answers += 1
            if not self.open:
                self._transport.close()
            self._answered(self, self._status, answer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """See asyncio."""
        self.open = False
        if self.request:
            self._answered(self, NO_ANSWER, b"")
        self._closed(self)


class _Loop:
    """What both kinds of load have: the requests, the connections, and what was answered."""

    def __init__(self, url: str, path: str, bodies: Sequence[bytes], keep: bool) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
        self._requests = [b"%b%d\r\n\r\n%b" % (head.encode(), len(content), content) for content in bodies]
        self._keep = keep
        self._samples: list[Sample] = []
        self._bodies: list[bytes] = []
        self._connections: set[_Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._giving_up = False
        self._done: asyncio.Future[None]

    def _next(self, connection: _Connection) -> None:
        """Go on with a connection that has been answered; it may be closed."""
        raise NotImplementedError

    async def _connect(self) -> _Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(self._answered, self._closed), self._host, self._port
        )
        self._connections.add(connection)
        return connection

    def _send_on_new(self, request: bytes, began: float) -> None:
        """Send a request as soon as there is a new connection for it."""
        task = asyncio.get_running_loop().create_task(self._connect_and_send(request, began))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect_and_send(self, request: bytes, began: float) -> None:
        try:
            connection = await self._connect()
        except OSError as error:
            if not self._done.done():
                self._done.set_exception(error)
        except asyncio.CancelledError:
            self._count(began, NO_ANSWER, b"")
        else:
            connection.send(request, began)

    def _answered(self, connection: _Connection, status: int, answer: bytes) -> None:
        if status == NO_ANSWER and connection.answers and not self._giving_up:
            # Most likely the server closed an idle connection just when the request was sent.
            self._send_on_new(connection.request, connection.began)
            return
        self._count(connection.began, status, answer)
        self._next(connection)

    def _count(self, began: float, status: int, answer: bytes) -> None:
        self._samples.append(Sample(began, time.monotonic() - began, status, len(answer)))
        if self._keep:
            self._bodies.append(answer)

    def _closed(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    async def _all_answered(self) -> None:
        """Return once all is answered, or nothing has been for :data:`PATIENCE`; then what waits gets no answer."""
        answered = -1
        while not self._done.done() and answered < len(self._samples):
            answered = len(self._samples)
            await asyncio.wait([self._done], timeout=PATIENCE)
        self._giving_up = True
        for task in self._connecting:
            task.cancel()
        for connection in list(self._connections):
            connection.close()
        while self._connecting or self._connections:
            await asyncio.sleep(0)  # each says on the loop's next turn that it has ended
        if self._done.done():
            self._done.result()


class _ClosedLoop(_Loop):
    async def run(self, clients: int, warm_up: int) -> Load:
        self._done = asyncio.get_running_loop().create_future()
        self._waiting = deque(self._requests)
        connections = [await self._connect() for _ in range(min(clients, len(self._requests)))]
        for connection in connections:
            self._next(connection)
        await self._all_answered()
        counted = self._samples[warm_up:]
        ends = [sample.began + sample.seconds for sample in self._samples]
        # The clock starts with the last answer that does not count, else with the first request.
        start = ends[warm_up - 1] if warm_up else min(sample.began for sample in counted)
        return Load(counted, max(ends) - start, self._bodies[warm_up:])

    def _next(self, connection: _Connection) -> None:
        if self._giving_up:
            return
        if self._waiting:
            request, began = self._waiting.popleft(), time.monotonic()
            if connection.open:
                connection.send(request, began)
            else:
                self._send_on_new(request, began)
        elif len(self._samples) == len(self._requests) and not self._done.done():
            self._done.set_result(None)


class _OpenLoop(_Loop):
    async def run(self, rate: float, seconds: float, seed: int) -> Load:
        self._done = asyncio.get_running_loop().create_future()
        self._free = [await self._connect()]
        self._arrived, self._arriving = 0, True
        random = Random(seed)
        start = time.monotonic()
        arrival = start + random.expovariate(rate)
        while arrival < start + seconds and not self._done.done():
            # Also where it is late: answers have to be taken in between.
            await asyncio.sleep(max(0.0, arrival - time.monotonic()))
            request = self._requests[self._arrived % len(self._requests)]
            self._arrived += 1
            if self._free:
                # The one used last: what a burst needed beyond that may go idle and be closed.
                self._free.pop().send(request, arrival)
            else:
                self._send_on_new(request, arrival)
            arrival += random.expovariate(rate)
        self._arriving = False
        self._end_if_all_answered()
        await self._all_answered()
        last = max((sample.began + sample.seconds for sample in self._samples), default=start)
        return Load(self._samples, max(last, start + seconds) - start, self._bodies)

    def _next(self, connection: _Connection) -> None:
        if connection.open:
            self._free.append(connection)
        self._end_if_all_answered()

    def _end_if_all_answered(self) -> None:
        if not self._arriving and len(self._samples) == self._arrived and not self._done.done():
            self._done.set_result(None)

    def _closed(self, connection: _Connection) -> None:
        super()._closed(connection)
        if connection in self._free:
            self._free.remove(connection)
