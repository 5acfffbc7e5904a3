"""Redis stalls, is cut off, drips or refuses: every request is answered soon, and none waits for another."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from shared.redis_client import cache_client, redis_client
from tests.support.redis_server import RedisServer
from tests.support.tcp_proxy import TcpProxy
from tests.web.conftest import HeldClient, Worker, find_ma_yun, forget_farm
from web.app import create_app
from web.farm import farm

AT_ONCE = 40
# Seconds. One after the other, forty requests would take a minute at the least.
SOON = 10.0

READS = (("GET", "/api/v1/jobs/x"), ("GET", "/api/v1/jobs/x?wait=5"))
WRITES = (("POST", "/ner"), ("POST", "/api/v1/jobs"), ("POST", "/api/v1/jobs?wait=5"))


@pytest.fixture
def proxy(own_redis: RedisServer, tcp_proxy: Callable[[int], TcpProxy], with_settings: Callable[..., None]) -> TcpProxy:
    """A proxy in front of the test's own Redis. The settings name it."""
    proxy = tcp_proxy(own_redis.port)
    with_settings(redis_url=f"redis://127.0.0.1:{proxy.port}/0")
    return proxy


@pytest.fixture
def troubled(own_redis: RedisServer, proxy: TcpProxy) -> Iterator[FlaskClient]:
    """A client of an application that has served before its Redis gets into trouble, behind :func:`proxy`."""
    for cached in (redis_client, cache_client, farm):
        cached.cache_clear()
    app = create_app()
    app.test_client_class = HeldClient
    client = app.test_client()
    Worker(redis_client(), find_ma_yun).beat()
    assert client.get("/readyz").status_code == 200
    assert client.post("/api/v1/jobs?wait=0.1", json={"text": "马云"}).status_code == 202
    yield client
    own_redis.resume()
    proxy.go_on()
    forget_farm()
    cache_client.cache_clear()


def all_at_once(client: FlaskClient, *requests: tuple[str, str]) -> Counter[tuple[str, int]]:
    """The statuses of forty requests that are sent at the same time; each has to be answered soon."""
    together = threading.Barrier(AT_ONCE)
    application = client.application

    def send(number: int) -> tuple[str, int]:
        method, path = requests[number % len(requests)]
        body = {"text": f"马云{number}"} if method == "POST" else None
        own = application.test_client()
        together.wait()
        began = time.monotonic()
        answer = own.open(path, method=method, json=body)
        assert time.monotonic() - began < SOON, path
        if answer.status_code == 503 and path != "/readyz":
            assert int(answer.headers["Retry-After"]) > 0
            assert "127.0.0.1" not in answer.text
        return path.partition("?")[0], answer.status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(send, range(AT_ONCE)))


def statuses(counted: Counter[tuple[str, int]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for path, status in counted:
        found.setdefault(path, set()).add(status)
    return found


def stall(server: RedisServer, proxy: TcpProxy) -> None:
    server.suspend()


def stop(server: RedisServer, proxy: TcpProxy) -> None:
    server.stop()


def stall_the_line(server: RedisServer, proxy: TcpProxy) -> None:
    proxy.stall()


def cut_the_line(server: RedisServer, proxy: TcpProxy) -> None:
    proxy.cut()


def drip(server: RedisServer, proxy: TcpProxy) -> None:
    proxy.drip(pause=0.7)


@pytest.mark.parametrize("trouble", [stall, stop, stall_the_line, cut_the_line, drip])
def test_forty_requests_are_answered_503_beside_each_other(
    troubled: FlaskClient,
    own_redis: RedisServer,
    proxy: TcpProxy,
    trouble: Callable[[RedisServer, TcpProxy], None],
) -> None:
    trouble(own_redis, proxy)
    found = statuses(all_at_once(troubled, *READS, *WRITES, ("GET", "/healthz"), ("GET", "/readyz")))
    assert found == {
        "/api/v1/jobs/x": {503},
        "/api/v1/jobs": {503},
        "/ner": {503},
        "/readyz": {503},
        "/healthz": {200},
    }


@pytest.mark.parametrize(
    "refuse", [RedisServer.refuse_for_memory, RedisServer.refuse_for_disk, RedisServer.refuse_as_a_replica]
)
def test_a_redis_that_takes_nothing_new_answers_what_is_asked_and_503_to_what_is_new(
    troubled: FlaskClient, own_redis: RedisServer, refuse: Callable[[RedisServer], None]
) -> None:
    refuse(own_redis)
    found = statuses(all_at_once(troubled, READS[0], *WRITES, ("GET", "/healthz"), ("GET", "/readyz")))
    assert found == {
        "/api/v1/jobs/x": {404},
        "/api/v1/jobs": {503},
        "/ner": {503},
        "/readyz": {503},
        "/healthz": {200},
    }


def test_it_serves_again_once_redis_goes_on(troubled: FlaskClient, own_redis: RedisServer) -> None:
    own_redis.suspend()
    assert troubled.post("/api/v1/jobs", json={"text": "a"}).status_code == 503
    own_redis.resume()
    assert troubled.post("/api/v1/jobs", json={"text": "a"}).status_code == 202
    assert troubled.get("/readyz").status_code == 200
