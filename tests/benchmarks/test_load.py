from __future__ import annotations

import itertools
import json
import math
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Load, Sample, body, closed_loop, open_loop


class Server(ThreadingHTTPServer):
    """Answers each text with itself; says what came, and does what the text asks for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str]] = []
        self.connections: set[int] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        text = json.loads(content)["text"]
        self.server.requests.append((self.path, text))
        self.server.connections.add(self.client_address[1])
        if text == "slow":
            time.sleep(0.2)
        if text == "break off":
            self.close_connection = True
            return
        self.send_response(503 if text == "refuse" else 200)
        self.send_header("content-length", str(len(content)))
        if text == "close":
            self.send_header("Connection", "close")
        self.end_headers()
        # In two parts, as a large answer comes.
        self.wfile.write(content[:3])
        self.wfile.flush()
        self.wfile.write(content[3:])
        if text == "close silently":
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def bodies(*texts: str) -> list[bytes]:
    return [body(text) for text in texts]


def test_a_body_is_one_text_or_several() -> None:
    assert json.loads(body("马云")) == {"text": "马云"}
    assert json.loads(body(["马云", "杭州"])) == {"texts": ["马云", "杭州"]}


def test_a_closed_loop_sends_each_body_once_over_as_many_connections_as_clients(server: Server) -> None:
    texts = [f"text {number}" for number in range(50)]
    load = closed_loop(server.url, "/ner?wait=1", bodies(*texts), clients=3, keep=True)
    assert sorted(server.requests) == sorted(("/ner?wait=1", text) for text in texts)
    assert len(server.connections) == 3
    assert load.failed == 0
    assert load.rate == pytest.approx(50 / load.seconds)
    assert sorted(load.bodies) == sorted(bodies(*texts))
    assert [sample.size for sample in load.samples] == [len(kept) for kept in load.bodies]


def test_the_warm_up_is_not_counted(server: Server) -> None:
    load = closed_loop(server.url, "/", bodies("slow", *["quick"] * 9), clients=1, warm_up=1)
    assert len(server.requests) == 10
    assert len(load.samples) == 9
    assert load.seconds < 0.2
    assert load.bodies == []


def test_errors_are_no_answers_to_count_the_rate_or_the_latency_of(server: Server) -> None:
    load = closed_loop(server.url, "/", bodies("slow", "refuse", "refuse"), clients=1)
    assert load.failed == 2
    assert load.rate == pytest.approx(1 / load.seconds)
    assert load.percentile(1) >= 0.2
    assert [sample.status for sample in load.samples] == [200, 503, 503]


@pytest.mark.parametrize("how", ["close", "close silently"])
def test_it_goes_on_where_the_server_closes_a_connection(server: Server, how: str) -> None:
    load = closed_loop(server.url, "/", bodies("first", how, "next", how, "last"), clients=1)
    assert [sample.status for sample in load.samples] == [200] * 5
    assert len(server.connections) == 3


def test_a_request_whose_connection_breaks_off_has_failed(server: Server) -> None:
    load = closed_loop(server.url, "/", bodies("break off"), clients=1)
    assert [(sample.status, sample.good) for sample in load.samples] == [(0, False)]
    assert load.failed == 1
    assert math.isnan(load.percentile(50))


def test_a_server_that_is_not_there_is_an_error(server: Server) -> None:
    with Server() as other:
        nobody = other.url
    with pytest.raises(OSError, match="Connect call failed"):
        closed_loop(nobody, "/", bodies("text"), clients=1)
    with pytest.raises(OSError, match="Connect call failed"):
        open_loop(nobody, "/", bodies("text"), rate=10, seconds=1)


def test_an_open_loop_sends_at_its_rate_whatever_the_server_does(server: Server) -> None:
    load = open_loop(server.url, "/", bodies("slow"), rate=100, seconds=0.5)
    # A Poisson process: 50 on average, with a standard deviation of 7.
    assert 25 < len(load.samples) < 75
    assert load.failed == 0
    # Each takes 0.2 s, so that some twenty are on their way at once.
    assert 10 < len(server.connections) < 40
    assert load.percentile(1) >= 0.2
    assert load.seconds >= 0.5


def test_the_latency_of_an_open_loop_counts_from_the_intended_arrival(server: Server) -> None:
    load = open_loop(server.url, "/", bodies("text"), rate=200, seconds=0.3, seed=1)
    began = sorted(sample.began for sample in load.samples)
    again = open_loop(server.url, "/", bodies("text"), rate=200, seconds=0.3, seed=1)
    expected = sorted(sample.began for sample in again.samples)
    gaps = [[right - left for left, right in itertools.pairwise(each)] for each in (began, expected)]
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-6)


def test_percentiles_are_of_the_samples_themselves() -> None:
    load = Load([Sample(0, seconds, 200, 0) for seconds in (0.4, 0.1, 0.3, 0.2)], 1.0)
    assert [load.percentile(q) for q in (0, 25, 50, 51, 100)] == [0.1, 0.1, 0.2, 0.3, 0.4]
