"""Whether a process is well, asked of servers that answer in all ways."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.health import HealthCheck

Serve = Callable[[int, bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers everything with one status and body. Returns its address."""
    with ExitStack() as servers:

        def start(status: int, body: bytes) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(body)

                def log_message(self, *_: object) -> None:
                    pass

            server = servers.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            servers.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}/healthz"

        yield start


def passes(url: str, check: str = "") -> bool:
    return asyncio.run(HealthCheck(url, check).passes())


def test_a_status_of_200_is_well(serve: Serve) -> None:
    assert passes(serve(200, b""))
    assert not passes(serve(503, b""))


@pytest.mark.parametrize("status", [200, 503])
def test_a_check_is_well_or_not_whatever_the_others_are(serve: Serve, status: int) -> None:
    url = serve(status, json.dumps({"checks": {"worker a": "ok", "worker b": "no worker"}}).encode())
    assert passes(url, "worker a")
    assert not passes(url, "worker b")
    assert not passes(url, "worker c")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"checks": null}', b"{}", b"\xff"])
def test_another_answer_is_not_well(serve: Serve, body: bytes) -> None:
    assert not passes(serve(200, body), "worker a")


def test_one_that_only_takes_connections_is_well_if_no_more_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert passes(f"redis://:secret@{address}/0")
    assert not passes(f"redis://:secret@{address}/0")


def test_one_that_does_not_answer_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.health.ANSWERS_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not passes(f"http://127.0.0.1:{listener.getsockname()[1]}/healthz")
