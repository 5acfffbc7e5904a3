"""Clients of the baseline: each text is answered in the end, and each refusal on the way is counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.article import crowd as module
from benchmarks.article.crowd import Crowd, crowd


class Server(ThreadingHTTPServer):
    """Refuses every text the first time, and fails on one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.refused: set[bytes] = set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"]))
        first = text not in self.server.refused
        self.server.refused.add(text)
        self.send_response(503 if first else 500 if text == b"unreadable" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_who_is_refused_sends_the_text_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    found = crowd(url, [b"one", b"two", b"three", b"unreadable"], clients=2)
    assert (found.answered, found.refused, found.failed) == (3, 4, 1)


def test_the_rate_counts_answers_and_the_share_all_requests() -> None:
    found = Crowd(answered=6, refused=3, failed=1, seconds=2.0)
    assert found.rate == 3.0
    assert found.refused_share == 0.3
