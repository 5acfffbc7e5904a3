"""The web server as it is started: many who wait, and how it ends."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.farm import Farm, running_farm

# Many more than a pool of threads would have.
WAITING = 150


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm of one web process."""
    with running_farm(tmp_path_factory.mktemp("server"), data_dir, RANER_WEB_PROCESSES="1") as farm:
        yield farm


def connect(farm: Farm) -> socket.socket:
    """A connection, and nothing sent on it yet."""
    address = urlsplit(farm.url)
    return socket.create_connection((address.hostname, address.port), timeout=60)


def ask_health(farm: Farm) -> socket.socket:
    """A connection on which the server's health was asked for."""
    client = connect(farm)
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: farm\r\n\r\n")
    return client


def send_job(client: socket.socket, text: str, path: str = "/api/v1/jobs?wait=30") -> None:
    """Post a job and leave its answer to come."""
    body = json.dumps({"text": text}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: farm\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client.sendall(head.encode() + body)


def head(client: socket.socket) -> list[str]:
    """The status line and the headers of the answer on a connection; nothing where the connection ended."""
    with client.makefile("rb") as answer:
        return [line.decode().strip() for line in takewhile(bytes.strip, answer)]


def status(client: socket.socket) -> str:
    """The status line of the answer on a connection; empty where the connection ended."""
    return next(iter(head(client)), "")


def open_jobs(farm: Farm) -> int:
    """How many jobs have not ended."""
    return sum(model["open_jobs"] for model in farm.get("/api/v1/farm").json()["models"])


def test_however_many_requests_wait_others_are_answered(farm: Farm) -> None:
    (worker,) = farm.workers
    farm.stop(worker)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(farm)) for _ in range(WAITING)]
        for number, client in enumerate(clients):
            send_job(client, f"第{number}位客人在杭州等候。")
        deadline = time.monotonic() + 20
        while (accepted := open_jobs(farm)) < WAITING:
            assert time.monotonic() < deadline, accepted
        assert farm.get("/healthz").status_code == 200
        farm.start(worker)
        assert {status(client) for client in clients} == {"HTTP/1.1 200 OK"}


def test_clients_that_keep_their_connections_do_not_keep_others_out(tmp_path: Path, data_dir: Path) -> None:
    with (
        ExitStack() as stack,
        running_farm(tmp_path, data_dir, RANER_WEB_PROCESSES="1", RANER_WEB_CONNECTIONS="6") as farm,
    ):
        for _ in range(20):
            assert status(stack.enter_context(ask_health(farm))) == "HTTP/1.1 200 OK"


def test_however_many_would_wait_each_has_an_answer_and_others_have_places(tmp_path: Path, data_dir: Path) -> None:
    with (
        ExitStack() as stack,
        running_farm(tmp_path, data_dir, RANER_WEB_PROCESSES="1", RANER_WEB_CONNECTIONS="20") as farm,
    ):
        (worker,) = farm.workers
        farm.stop(worker)
        clients = [stack.enter_context(connect(farm)) for _ in range(60)]
        for number, client in enumerate(clients):
            send_job(client, f"第{number}位客人在杭州等候。")
        with ExitStack() as idle:
            # Nobody else could be answered if those who wait held all places.
            for _ in range(10):
                assert status(idle.enter_context(ask_health(farm))) == "HTTP/1.1 200 OK"
        farm.start(worker)
        heads = [head(client) for client in clients]
        assert all(heads)
        waited = [lines for lines in heads if lines[0] == "HTTP/1.1 200 OK"]
        at_once = [lines for lines in heads if lines[0] == "HTTP/1.1 202 ACCEPTED"]
        assert (len(waited), len(at_once)) == (16, 44)
        assert all("Retry-After: 1" in lines for lines in at_once)


def test_it_ends_at_once_though_clients_wait_and_answers_them_first(tmp_path: Path, data_dir: Path) -> None:
    with running_farm(tmp_path, data_dir, RANER_WEB_PROCESSES="1", RANER_NER_TIMEOUT="300") as farm:
        (worker,) = farm.workers
        farm.stop(worker)
        with ask_health(farm) as idle, connect(farm) as waiting, connect(farm) as blocking:
            assert status(idle) == "HTTP/1.1 200 OK"
            send_job(waiting, "最后一位客人在杭州等候。")
            send_job(blocking, "还有一位。", "/ner")
            while open_jobs(farm) < 2:
                pass
            web = farm.processes["web"]
            web.terminate()
            while idle.recv(4096):
                pass  # the rest of its answer, then the end of the connection
            assert status(waiting) == "HTTP/1.1 202 ACCEPTED"
            assert status(blocking) == "HTTP/1.1 504 GATEWAY TIMEOUT"
            assert web.wait(60) == 0
        assert "graceful timeout" not in farm.log("web")
