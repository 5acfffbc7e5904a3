"""A TCP proxy for tests. It can stall, cut, slow and drip the connections that pass through it.

It runs in a thread of its own, with its own event loop. Any thread may change what it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any

HOST = "127.0.0.1"
CHUNK = 65_536  # bytes
OBEYS_WITHIN = 30.0  # seconds
# Linger for no time, so that closing a connection resets it.
AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Manner:
    """How the proxy passes bytes on."""

    stalled: bool = False
    answers_only: bool = False  # what clients send passes at once
    slice: int = CHUNK  # bytes passed at a time
    pause: float = 0.0  # seconds before each slice


class TcpProxy:
    """Listens on a port of its own and passes everything on to ``target``, a port of this machine."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0  # known once it has started
        self._manner = Manner()
        self._changed = asyncio.Event()  # one for each manner: set when another one follows
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._do(self._listen())

    def stop(self) -> None:
        """Close everything for good."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(OBEYS_WITHIN)
        self._loop.close()

    def go_on(self) -> None:
        """Pass everything on at once, as at the start. What was held back follows."""
        self._do(self._become(Manner()))

    def stall(self) -> None:
        """Accept connections and pass nothing, as a stopped server does."""
        self._do(self._become(Manner(stalled=True)))

    def cut(self) -> None:
        """Close all connections and refuse new ones until another manner is asked for."""
        self._do(self._close())

    def reset(self, share: float, random: Random) -> None:
        """Reset this share (0 to 1) of the connections. New ones are taken as before."""
        self._do(self._reset(share, random))

    def slow(self, delay: float = 0.0, bytes_per_second: int | None = None) -> None:
        """Wait ``delay`` seconds before passing anything on, and pass at most so many bytes a second."""
        if bytes_per_second is None:
            self._do(self._become(Manner(pause=delay)))
        else:
            size = max(1, min(CHUNK, bytes_per_second // 20))
            self._do(self._become(Manner(slice=size, pause=delay + size / bytes_per_second)))

    def drip(self, pause: float = 0.1) -> None:
        """Pass answers one byte at a time, ``pause`` seconds apart. What clients send passes at once."""
        self._do(self._become(Manner(answers_only=True, slice=1, pause=pause)))

    @property
    def connections(self) -> int:
        """Number of clients that are connected."""
        return len(self._connections)

    def __enter__(self) -> TcpProxy:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(OBEYS_WITHIN)

    async def _become(self, manner: Manner) -> None:
        self._manner = manner
        self._changed.set()
        self._changed = asyncio.Event()
        await self._listen()

    async def _listen(self) -> None:
        if self._server is None:
            # A high backlog: a stalled server's connections are accepted by the kernel.
            self._server = await asyncio.start_server(self._serve, HOST, self.port, backlog=1024)
            self.port = int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _reset(self, share: float, random: Random) -> None:
        chosen = [connection for connection in self._connections if random.random() < share]
        for connection in chosen:
            connection.cancel()
        await asyncio.gather(*chosen, return_exceptions=True)

    async def _serve(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        writers = [client_writer]
        try:
            await self._flow()
            server_reader, server_writer = await asyncio.open_connection(HOST, self.target)
            writers.append(server_writer)
            await asyncio.gather(
                self._pass(client_reader, server_writer),
                self._pass(server_reader, client_writer, answers=True),
            )
        except (OSError, asyncio.CancelledError):
            pass  # one side is gone, or the proxy cuts the connection: both sides are closed now
        finally:
            for writer in writers:
                if not writer.transport.is_closing():
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                writer.transport.abort()
            self._connections.discard(connection)

    async def _pass(
        self, source: asyncio.StreamReader, destination: asyncio.StreamWriter, answers: bool = False
    ) -> None:
        """Pass everything on from one side to the other, then the end of it."""
        while chunk := await source.read(CHUNK):
            while chunk:
                await self._flow()
                manner = self._manner if answers or not self._manner.answers_only else Manner()
                if manner.pause and await self._changes_within(manner.pause):
                    continue
                destination.write(chunk[: manner.slice])
                await destination.drain()
                chunk = chunk[manner.slice :]
        await self._flow()
        with contextlib.suppress(OSError):
            destination.write_eof()

    async def _flow(self) -> None:
        """Return once the proxy isn't stalled."""
        while self._manner.stalled:
            await self._changed.wait()

    async def _changes_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return False
        return True
