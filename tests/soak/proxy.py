"""``python -m tests.soak.proxy PORT TARGET``: a TCP proxy on the loopback address that cuts and stalls on command.

It reads commands from its standard input, one a line, and ends when that closes:

- ``cut SHARE``: reset this share (0 to 1) of all connections;
- ``stall``: carry no byte in either direction until ``resume``. New connections are accepted and wait as well.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from random import Random

HOST = "127.0.0.1"
# Linger for no time, so that closing a connection resets it.
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Carries bytes between its clients and the target."""

    def __init__(self, target: int, seed: int = 0) -> None:
        """
        Args:
            target: port to which every client is connected.
            seed: of the choice which connections are cut.
        """
        self.target = target
        self.stalled = False
        self.sides: set[_Side] = set()
        self._random = Random(seed)

    async def listen(self, port: int) -> asyncio.Server:
        """Accept clients on ``port``; 0 takes a free one."""
        return await asyncio.get_running_loop().create_server(lambda: _Client(self), HOST, port)

    def obey(self, command: str) -> None:
        """Do what a line of the standard input says.

        Raises:
            ValueError: there is no such command.
        """
        name, _, argument = command.strip().partition(" ")
        if name == "cut":
            self._cut(float(argument))
        elif name in ("stall", "resume"):
            self.stalled = name == "stall"
            for side in self.sides:
                side.read_or_pause()
        else:
            raise ValueError(f"there is no command {name!r}")

    def _cut(self, share: float) -> None:
        for side in list(self.sides):
            if isinstance(side, _Client) and self._random.random() < share:
                side.abort()


class _Side(asyncio.Protocol):
    """One of the two connections that the proxy joins; ``peer`` is the other one."""

    def __init__(self, proxy: Proxy, peer: _Side | None = None) -> None:
        self.peer = peer
        self._proxy = proxy
        self._full = False  # what was written to this side has not been taken yet
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._proxy.sides.add(self)
        self.read_or_pause()

    def data_received(self, data: bytes) -> None:
        assert self.peer is not None
        assert self.peer._transport is not None
        self.peer._transport.write(data)

    def pause_writing(self) -> None:
        self._full = True
        self._pause_or_resume_peer()

    def resume_writing(self) -> None:
        self._full = False
        self._pause_or_resume_peer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._proxy.sides.discard(self)
        if self.peer is not None and self.peer._transport is not None:
            self.peer._transport.close()

    def read_or_pause(self) -> None:
        """Read from this side if what it sends can be carried on."""
        if self._transport is None:
            return
        if self._proxy.stalled or self.peer is None or self.peer._full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Reset both connections."""
        for side in (self, self.peer):
            if side is not None and side._transport is not None:
                connection = side._transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                side._transport.abort()

    def _pause_or_resume_peer(self) -> None:
        if self.peer is not None:
            self.peer.read_or_pause()


class _Client(_Side):
    """The side that a client opened. It is read once the target is connected."""

    _connecting: asyncio.Task[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, target = await loop.create_connection(lambda: _Side(self._proxy, self), HOST, self._proxy.target)
        except OSError:
            self.abort()
            return
        self.peer = target
        assert self._transport is not None
        if self._transport.is_closing():
            self.abort()
        else:
            self.read_or_pause()


async def _serve(port: int, target: int) -> None:
    proxy = Proxy(target)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    server = await proxy.listen(port)
    while line := await commands.readline():
        proxy.obey(line.decode())
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(*map(int, sys.argv[1:3])))
