from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

import pytest

from benchmarks import behind_bulk, recovery
from benchmarks.client import Client
from benchmarks.jobs import JOBS, Times, ended, post, share_done
from benchmarks.load import body

PIECES = 10


class Served(ThreadingHTTPServer):
    """A farm of which each job does one piece whenever it is asked for; it keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.done: list[int] = []  # pieces of each job
        self.cancelled: list[int] = []
        self.behind: list[int] = []  # pieces of the last job that were done when /ner was asked

    def kill(self, name: str) -> None:
        self.killed = name

    def job(self, number: int) -> dict[str, Any]:
        done = self.done[number]
        moments = dict.fromkeys(("created_at", "started_at", "finished_at"), datetime.now(UTC).isoformat())
        status = "succeeded" if done == PIECES else "running"
        return {"id": str(number), "status": status, "progress": {"done": done, "total": PIECES}, **moments}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Served

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/ner":
            self.server.behind.append(self.server.done[-1])
            self.answer(200, {})
        else:
            self.server.done.append(0)
            self.answer(202, self.server.job(len(self.server.done) - 1))

    def do_GET(self) -> None:
        number = int(self.path.partition("?")[0].rpartition("/")[2])
        self.server.done[number] = min(PIECES, self.server.done[number] + 1)
        self.answer(200, self.server.job(number))

    def do_DELETE(self) -> None:
        self.server.cancelled.append(int(self.path.rpartition("/")[2]))
        self.answer(200, {})

    def answer(self, status: int, content: Any) -> None:
        written = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_job_is_posted_and_followed_to_its_end(served: Served) -> None:
    with Client(served.url) as client:
        address = post(client, body("text"))
        assert address == f"{JOBS}/0"
        assert share_done(client, address) == 0.1
        assert ended(client, address).pieces == PIECES


def test_times_are_seconds_since_the_epoch() -> None:
    job = {
        "status": "succeeded",
        "created_at": "1970-01-01T00:00:01Z",
        "started_at": "1970-01-01T00:00:02.5Z",
        "finished_at": "1970-01-01T01:00:04+01:00",
        "progress": {"done": 7, "total": 7},
    }
    assert Times.of(job) == Times(created=1, started=2.5, finished=4, pieces=7)
    with pytest.raises(AssertionError):
        Times.of(job | {"status": "failed"})


def test_each_short_text_is_behind_a_bulk_job_that_is_not_mostly_done(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind_bulk, "PAUSE", 0)
    effort = behind_bulk.Effort(0, 0, tries=30, seconds=60, pair_texts=0, pairs=0)
    with Client(served.url) as client:
        found = behind_bulk._behind(client, "bulk", body("bulk"), [body("text")] * 30, effort)
    assert len(found.seconds) == 30
    assert found.not_good == 0
    assert found.pieces == PIECES
    assert max(served.behind) < behind_bulk.MOSTLY_DONE * PIECES
    # The first was measured alone; each of the others was cancelled.
    assert served.cancelled == list(range(1, len(served.done)))
    assert len(served.done) > 3


def test_the_tries_end_with_their_time(served: Served) -> None:
    effort = behind_bulk.Effort(0, 0, tries=1_000, seconds=0.3, pair_texts=0, pairs=0)
    with Client(served.url) as client:
        found = behind_bulk._behind(client, "bulk", body("bulk"), [body("text")] * 1_000, effort)
    assert 1 <= len(found.seconds) < 1_000


def test_recovery_counts_from_the_kill(served: Served) -> None:
    began = time.time()
    found = recovery._try(served, [body("text")] * 3, "node-2", Random(0))  # type: ignore[arg-type]
    assert served.killed == "node-2"
    assert len(found.seconds) == 3
    assert 0 < found.longest <= time.time() - began
    assert recovery.Try([]).longest == 0
