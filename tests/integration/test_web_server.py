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
from redis import Redis

from shared.job_keys import ModelKeys
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


def send_job(client: socket.socket, text: str) -> None:
    """Post a job and leave its answer to come."""
    body = json.dumps({"text": text}).encode()
    head = (
        "POST /api/v1/jobs?wait=30 HTTP/1.1\r\nHost: farm\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
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
            client = stack.enter_context(connect(farm))
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: farm\r\n\r\n")
            assert status(client) == "HTTP/1.1 200 OK"


def test_clients_whose_requests_all_waited_do_not_keep_others_out_either(tmp_path: Path, data_dir: Path) -> None:
    with (
        ExitStack() as stack,
        running_farm(tmp_path, data_dir, RANER_WEB_PROCESSES="1", RANER_WEB_CONNECTIONS="6") as farm,
    ):
        (worker,) = farm.workers
        farm.stop(worker)
        clients = [stack.enter_context(connect(farm)) for _ in range(10)]
        for number, client in enumerate(clients):
            send_job(client, f"第{number}位客人在杭州等候。")
        # Not of the farm: it has no place left to answer.
        redis = stack.enter_context(Redis.from_url(farm.redis.url))
        deadline = time.monotonic() + 20
        while (accepted := redis.zcard(ModelKeys(worker.removeprefix("worker-")).open)) < 6:
            assert time.monotonic() < deadline, accepted
        farm.start(worker)
        heads = [head(client) for client in clients]
        assert {lines[0] for lines in heads} == {"HTTP/1.1 200 OK"}
        # The last place was taken with nobody idle; who took it leaves it, and is told so.
        assert ["Connection: close" in heads[number] for number in (0, 5)] == [False, True]


def test_it_ends_though_a_client_keeps_its_connection_and_answers_who_waits_first(farm: Farm) -> None:
    (worker,) = farm.workers
    farm.wait_ready()
    farm.stop(worker)
    with connect(farm) as idle, connect(farm) as waiting:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: farm\r\n\r\n")
        assert status(idle) == "HTTP/1.1 200 OK"
        send_job(waiting, "最后一位客人在杭州等候。")
        while not open_jobs(farm):
            pass
        web = farm.processes["web"]
        web.terminate()
        while idle.recv(4096):
            pass  # the rest of its answer, then the end of the connection
        assert web.poll() is None
        farm.start(worker)
        assert status(waiting) == "HTTP/1.1 200 OK"
        assert web.wait(60) == 0
    assert "graceful timeout" not in farm.log("web")
    farm.start("web")
    farm.wait_ready()
