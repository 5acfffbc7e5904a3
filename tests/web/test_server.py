"""The web server as it is started: the time and the size of bodies and answers, and its own refusals."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from typing import Any

import pytest
from redis import Redis

from tests.support.web_server import WebServer, answer, running_web_server
from web.headers import SECURITY_HEADERS

PLACES = 60
# Seconds; a client that does nothing for twice as long has outstayed its time.
BODY_SECONDS = 2.0
POST = "POST /api/v1/jobs HTTP/1.1\nContent-Type: application/json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A web server with few places and little patience."""
    limits = {"server.BODY_SECONDS": BODY_SECONDS, "server.ANSWER_SECONDS": 2.0, "server.SLICE": 2**16}
    folder = tmp_path_factory.mktemp("web")
    with running_web_server(folder, limits, RANER_WEB_CONNECTIONS=str(PLACES)) as server:
        yield server


def problem(found: HTTPResponse, status: int) -> dict[str, Any]:
    """The problem in an answer of the given status, which has to be hardened and the last of its connection."""
    body: dict[str, Any] = json.loads(found.read())
    assert (found.status, body["status"]) == (status, status)
    assert found.headers["Content-Type"] == "application/problem+json"
    assert found.headers["Connection"] == "close"
    for name, value in SECURITY_HEADERS.items():
        assert found.headers.get_all(name) == [value]
    return body


def ended(client: socket.socket) -> bool:
    """Whether the server has ended a connection."""
    with suppress(ConnectionResetError):
        while client.recv(2**16):
            pass
    return True


@pytest.mark.parametrize("length", [f"Content-Length: {2**20}", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_arrive_is_refused_in_time(server: WebServer, length: str) -> None:
    with server.send(f"{POST}\n{length}", b"1") as client:
        assert "send a smaller one, or faster" in problem(answer(client), 408)["detail"]
        assert ended(client)


def test_nor_may_it_drip(server: WebServer) -> None:
    began = time.monotonic()
    with server.send(f"{POST}\nContent-Length: 1000", b"{") as client:
        client.settimeout(0.1)
        while time.monotonic() < began + 20 * BODY_SECONDS:
            try:
                client.sendall(b" ")
                found = answer(client)
            except TimeoutError:
                continue
            problem(found, 408)
            return
    pytest.fail("it may drip for as long as it likes")


def test_a_large_body_that_arrives_steadily_has_longer(server: WebServer) -> None:
    body = json.dumps({"text": "a" * 600_000}).encode()
    with server.send(f"{POST}\nContent-Length: {len(body)}") as client:
        for start in range(0, len(body), 100_000):
            client.sendall(body[start : start + 100_000])
            time.sleep(BODY_SECONDS / 4)  # the client's own pace
        assert answer(client).status == 202


def test_slow_bodies_on_all_places_do_not_keep_others_out_for_longer_than_their_time(server: WebServer) -> None:
    with ExitStack() as stack:
        for _ in range(PLACES):
            stack.enter_context(server.send(f"{POST}\nContent-Length: 1000", b"{"))
        assert server.seconds_to_answer() < 10 * BODY_SECONDS


@pytest.mark.parametrize("length", ["Content-Length: 20000000", "Transfer-Encoding: chunked"])
def test_a_body_over_the_limit_is_cut_off(server: WebServer, length: str) -> None:
    block, sent = b" " * 2**20, 0
    with server.send(f"{POST}\n{length}") as client:
        client.settimeout(5)
        with suppress(ConnectionError, TimeoutError):
            while sent < 600 * 2**20:
                client.sendall(b"%x\r\n%b\r\n" % (len(block), block) if "chunked" in length else block)
                sent += len(block)
        assert "bytes; send fewer or shorter texts" in problem(answer(client), 413)["detail"]
    assert sent < 150 * 2**20  # what the server and both ends' buffers took


@pytest.mark.parametrize("request_line", ["GET /nowhere HTTP/1.1", "GET /healthz HTTP/1.1", "POST /nowhere HTTP/1.1"])
def test_a_long_body_that_nobody_asked_for_is_not_read(server: WebServer, request_line: str) -> None:
    with server.send(f"{request_line}\nTransfer-Encoding: chunked", b"1\r\n") as client:
        found = answer(client)
        assert found.headers["Connection"] == "close"
        found.read()
        assert ended(client)


def test_a_short_one_does_not_end_the_connection(server: WebServer) -> None:
    with server.send("POST /nowhere HTTP/1.1\nContent-Length: 1000", b" " * 1000) as client:
        answer(client).read()
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: farm\r\n\r\n")
        assert answer(client).status == 200


def test_chunks_that_are_none_are_refused(server: WebServer) -> None:
    with server.send(f"{POST}\nTransfer-Encoding: chunked", b"what?\r\n") as client:
        assert "chunks" in problem(answer(client), 400)["detail"]


def test_a_client_that_does_not_read_its_answer_is_dropped(server: WebServer) -> None:
    made = server.post("/api/v1/jobs", {"text": "马" * 900_000})
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        # What the system holds for a client is several answers.
        client.sendall(f"GET {made.headers['Location']}?texts=1 HTTP/1.1\r\nHost: farm\r\n\r\n".encode() * 8)
        wait_for(server, "did not read its answer")
        assert ended(client)


def test_one_that_reads_slowly_gets_all_of_it(server: WebServer) -> None:
    made = server.post("/api/v1/jobs", {"text": "马" * 900_000})
    with server.send(f"GET {made.headers['Location']}?texts=1 HTTP/1.1\nConnection: close") as client:
        found, received = answer(client), 0
        while part := found.read(2**18):
            received += len(part)
            time.sleep(0.3)  # the client's own pace
        assert received == int(found.headers["Content-Length"])


def test_many_large_bodies_leave_others_their_turns(redis: Redis, server: WebServer) -> None:
    body = {"texts": ["马云在杭州出席了技术峰会。" * 42_300] * 3}
    assert server.post("/api/v1/jobs", body).status == 202
    statuses: list[int] = []
    posts = [
        threading.Thread(target=lambda: statuses.append(server.post("/api/v1/jobs", body).status)) for _ in range(30)
    ]
    began = time.monotonic()
    for post in posts:
        post.start()
    longest = 0.0
    while any(post.is_alive() for post in posts):
        longest = max(longest, server.seconds_to_answer())
    lasted = time.monotonic() - began
    redis.flushall()
    assert set(statuses) <= {202, 503}
    assert 202 in statuses
    assert longest < lasted / 3


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (f"GET /{'a' * 5000} HTTP/1.1", 414),
        (f"GET / HTTP/1.1\nX: {'a' * 9000}", 431),
        ("GET / HTTP/1.1\n" + "\n".join(f"X{number}: a" for number in range(200)), 431),
        ("GET / HTTP/1.1\nX: a\x00b", 400),
        ("GET / HTTP/1.1\nContent-Length: -1", 400),
        ("GET / HTTP/1.1\nContent-Length: 1\nTransfer-Encoding: chunked", 400),
        ("nonsense", 400),
        ("GET / HTTP/1.1\nTransfer-Encoding: rot13", 501),
        ("GET / HTTP/1.1\nExpect: more", 417),
    ],
)
def test_what_is_no_request_is_a_problem_too(server: WebServer, request_head: str, status: int) -> None:
    with server.send(request_head) as client:
        assert problem(answer(client), status)["detail"]


APP = "https://app.example"


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A web server that pages of one other origin may call."""
    with running_web_server(tmp_path_factory.mktemp("open"), {}, RANER_CORS_ORIGINS=APP) as server:
        yield server


@pytest.mark.parametrize(
    ("request_head", "body", "status"),
    [
        ("POST /ner HTTP/1.1\nTransfer-Encoding: gzip, chunked", b"", 501),
        ("POST /ner HTTP/1.1\nContent-Length: 1\nTransfer-Encoding: chunked", b"", 400),
        ("POST /ner HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked", b"what?\r\n", 400),
        ("POST /ner HTTP/1.1\nContent-Type: application/json\nContent-Length: 2000000000", b"", 413),
        ("POST /ner HTTP/1.1\nContent-Type: text/plain\nContent-Length: 2", b"{}", 415),
        ("POST /ner?a=1 HTTP/1.1\nContent-Length: 0", b"", 422),
        ("GET /ner HTTP/1.1", b"", 405),
        ("POST /ner/ HTTP/1.1\nContent-Length: 0", b"", 404),
    ],
)
def test_each_refusal_of_the_articles_call_has_its_form(
    open_server: WebServer, request_head: str, body: bytes, status: int
) -> None:
    with open_server.send(f"{request_head}\nOrigin: {APP}", body) as client:
        found = answer(client)
        said = json.loads(found.read())
    assert (found.status, said.get("success")) == (status, False)
    assert said["detail"]
    assert found.headers["Access-Control-Allow-Origin"] == APP
    assert found.headers["Access-Control-Expose-Headers"]
    assert "Origin" in found.headers["Vary"]


def wait_for(server: WebServer, line: str) -> None:
    """Return once the server's log has the line."""
    deadline = time.monotonic() + 60
    while line not in server.log.read_text():
        assert time.monotonic() < deadline, server.log.read_text()[-3000:]
        time.sleep(0.05)  # there is no event for a line in a file
