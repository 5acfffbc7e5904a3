"""The proxy of the tests does to connections what it says."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.support.tcp_proxy import TcpProxy

ANSWERS_WITHIN = 20.0  # seconds


class Echo(socketserver.BaseRequestHandler):
    """Sends back what comes."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(65_536):
                self.request.sendall(data)
        except ConnectionError:
            pass  # the proxy has cut it


@pytest.fixture
def proxy(tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[TcpProxy]:
    """A proxy in front of a server that echoes."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tcp_proxy(server.server_address[1])
        server.shutdown()


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=ANSWERS_WITHIN)


def receive(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := client.recv(65_536)):
        data += more
    return data


def echoed(client: socket.socket, data: bytes) -> bytes:
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    back = receive(client, len(data))
    sender.join()
    return back


def test_everything_passes_in_both_directions(proxy: TcpProxy) -> None:
    data = bytes(range(256)) * 8192
    with connect(proxy) as client:
        assert echoed(client, data) == data
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""  # the server has seen the end, and ends too


def test_it_stalls_and_goes_on_with_what_it_held_back(proxy: TcpProxy) -> None:
    with connect(proxy) as before:
        assert echoed(before, b"a") == b"a"
        proxy.stall()
        with connect(proxy) as during:
            for client in (before, during):
                client.sendall(b"held")
                client.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    client.recv(1)
                client.settimeout(ANSWERS_WITHIN)
            proxy.go_on()
            assert receive(before, 4) == receive(during, 4) == b"held"


def test_it_cuts_and_refuses_until_it_goes_on_at_the_same_port(proxy: TcpProxy) -> None:
    port = proxy.port
    with connect(proxy) as client:
        assert echoed(client, b"a") == b"a"
        proxy.cut()
        assert proxy.connections == 0
        with contextlib.suppress(ConnectionError):  # reset rather than closed
            assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.go_on()
    assert proxy.port == port
    with connect(proxy) as client:
        assert echoed(client, b"b") == b"b"


def test_it_resets_a_share_of_the_connections_and_takes_new_ones(proxy: TcpProxy) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(proxy)) for _ in range(40)]
        for client in clients:
            assert echoed(client, b"a") == b"a"
        proxy.reset(0.5, Random(1))
        assert 8 < proxy.connections < 32
        alive = 0
        for client in clients:
            with contextlib.suppress(ConnectionError):
                client.sendall(b"b")
                alive += receive(client, 1) == b"b"
        assert alive == proxy.connections
    with connect(proxy) as client:
        assert echoed(client, b"c") == b"c"


def test_it_delays(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        proxy.slow(delay=0.2)
        began = time.monotonic()
        assert echoed(client, b"a") == b"a"
        assert time.monotonic() - began > 0.35  # there and back


def test_it_passes_so_many_bytes_a_second(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        proxy.slow(bytes_per_second=20_000)
        began = time.monotonic()
        assert echoed(client, b"a" * 10_000) == b"a" * 10_000
        assert time.monotonic() - began > 0.4


def test_it_drips(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        proxy.drip(pause=0.02)
        client.sendall(b"abcde")
        assert [client.recv(100) for _ in range(5)] == [b"a", b"b", b"c", b"d", b"e"]
        client.sendall(b"fgh")
        proxy.go_on()  # in the middle of it
        assert receive(client, 3) == b"fgh"


def test_a_server_that_refuses_closes_the_client(tcp_proxy: Callable[[int], TcpProxy]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = tcp_proxy(unused.getsockname()[1])
        with connect(proxy) as client, contextlib.suppress(ConnectionError):
            assert client.recv(1) == b""
