from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.soak.proxy import HOST, Proxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


def through_proxy(test: Callable[[Proxy, Connect], Awaitable[None]]) -> None:
    """Run a test with a proxy before a server that sends back each line."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(echo, HOST, 0, limit=2**24)
        proxy = Proxy(server.sockets[0].getsockname()[1])
        listening = await proxy.listen(0)
        port = listening.sockets[0].getsockname()[1]
        await test(proxy, lambda: asyncio.open_connection(HOST, port, limit=2**24))
        listening.close()
        server.close()

    asyncio.run(asyncio.wait_for(run(), 60))


async def says(streams: Streams, line: bytes) -> bytes:
    reader, writer = streams
    writer.write(line)
    return await reader.readline()


def test_it_carries_what_is_sent() -> None:
    async def test(proxy: Proxy, connect: Connect) -> None:
        first, second = await connect(), await connect()
        large = b"x" * 5_000_000 + b"\n"
        assert await says(first, b"hello\n") == b"hello\n"
        assert await says(second, large) == large
        for _, writer in (first, second):
            writer.close()

    through_proxy(test)


def test_a_connection_that_is_cut_ends_and_another_one_can_be_opened() -> None:
    async def test(proxy: Proxy, connect: Connect) -> None:
        cut = await connect()
        assert await says(cut, b"hello\n") == b"hello\n"
        proxy.obey("cut 1\n")
        with pytest.raises(ConnectionError):
            await cut[0].readline()
        other = await connect()
        assert await says(other, b"hello\n") == b"hello\n"
        other[1].close()

    through_proxy(test)


def test_a_share_of_the_connections_is_cut() -> None:
    async def test(proxy: Proxy, connect: Connect) -> None:
        connections = [await connect() for _ in range(40)]
        for each in connections:
            assert await says(each, b"hello\n") == b"hello\n"
        proxy.obey("cut 0.5")
        answers = await asyncio.gather(*(says(each, b"again\n") for each in connections), return_exceptions=True)
        assert 8 < answers.count(b"again\n") < 32
        for _, writer in connections:
            writer.close()

    through_proxy(test)


def test_nothing_is_carried_while_it_stalls_and_nothing_is_lost() -> None:
    async def test(proxy: Proxy, connect: Connect) -> None:
        old = await connect()
        assert await says(old, b"hello\n") == b"hello\n"
        proxy.obey("stall")
        new = await connect()
        waiting = [asyncio.ensure_future(says(each, b"later\n")) for each in (old, new)]
        done, _ = await asyncio.wait(waiting, timeout=0.3)
        assert not done
        proxy.obey("resume")
        assert [await each for each in waiting] == [b"later\n", b"later\n"]
        for each in (old, new):
            each[1].close()

    through_proxy(test)


def test_a_target_that_is_away_ends_the_connection() -> None:
    async def test(proxy: Proxy, connect: Connect) -> None:
        proxy.target = 1  # nobody listens
        reader, _ = await connect()
        with pytest.raises(ConnectionError):
            await reader.readline()

    through_proxy(test)


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(ValueError, match="no command 'drip'"):
        Proxy(1).obey("drip 3\n")
