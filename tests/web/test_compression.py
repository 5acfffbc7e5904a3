"""Answers in gzip: for which clients, which answers, and at what cost to other requests."""

from __future__ import annotations

import gzip
import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import gevent
import pytest
from flask import Response
from flask.testing import FlaskClient
from redis import Redis

from tests.web.conftest import Worker, forget_farm
from web import compression
from web.app import create_app
from web.compression import LEAST, LONG, in_thread, packed
from web.farm import farm

# An answer that is made anew each time, and long.
DOCUMENT = "/openapi.json"


@pytest.fixture
def client(redis: Redis) -> Iterator[FlaskClient]:
    """A client of the application that does not unpack answers, and some answers of a test's own."""
    farm.cache_clear()
    app = create_app()

    def answer(size: int, kind: str) -> Response:
        return Response("a" * size, content_type=kind.replace("_", "/", 1), status=200)

    app.add_url_rule("/sized/<int:size>/<string:kind>", "sized", answer)
    app.add_url_rule("/streamed", "streamed", lambda: Response(iter(["a" * LEAST] * 3), mimetype="text/plain"))
    app.add_url_rule("/tagged", "tagged", lambda: Response("a" * LONG, mimetype="text/plain", headers={"ETag": '"a"'}))
    yield app.test_client()
    forget_farm()


def in_gzip(answer: Any) -> bool:
    return bool(answer.headers.get("Content-Encoding") == "gzip")


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("gzip;q=0.001", True),
        ("*", True),
        ("identity;q=0, *;q=0.5", True),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("gzip;q=1.0, identity;q=0.5", True),
        (None, False),
        ("", False),
        ("identity", False),
        ("br, zstd", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, identity", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("identity;q=1, gzip;q=0.9", False),
    ],
)
@pytest.mark.parametrize("path", [DOCUMENT, "/assets/page.css", "/docs/swagger/css/swagger-ui.css"])
def test_the_client_s_word_is_taken(client: FlaskClient, path: str, accepted: str | None, wanted: bool) -> None:
    plain = client.get(path)
    answer = client.get(path, headers={} if accepted is None else {"Accept-Encoding": accepted})
    assert in_gzip(answer) is wanted
    assert (gzip.decompress(answer.data) if wanted else answer.data) == plain.data
    assert answer.content_length == len(answer.data)
    assert answer.vary.to_header() == plain.vary.to_header() == "Accept-Encoding"


@pytest.mark.parametrize(
    ("size", "kind", "wanted"),
    [
        (LEAST, "application_json", True),
        (LEAST, "application_json; charset=utf-8", True),
        (LEAST, "application_problem+json", True),
        (LEAST, "text_html", True),
        (LEAST, "text_plain; version=1.0.0", True),
        (LONG + 1, "text_html", True),
        (LEAST - 1, "application_json", False),
        (0, "text_html", False),
        (LONG, "image_png", False),
        (LONG, "application_gzip", False),
    ],
)
def test_what_gets_smaller_is_packed(client: FlaskClient, size: int, kind: str, wanted: bool) -> None:
    answer = client.get(f"/sized/{size}/{kind}", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert in_gzip(answer) is wanted
    assert ("Vary" in answer.headers) is wanted
    assert len(gzip.decompress(answer.data) if wanted else answer.data) == size


@pytest.mark.parametrize("path", ["/streamed", "/tagged"])
def test_what_is_no_single_body_of_one_encoding_is_left_alone(client: FlaskClient, path: str) -> None:
    assert not in_gzip(client.get(path, headers={"Accept-Encoding": "gzip"}))


@pytest.mark.parametrize(
    "path", [DOCUMENT, "/docs/swagger", "/docs/swagger/js/swagger-ui-bundle.js", "/assets/page.css"]
)
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_headers_can_be_asked_for_alone(client: FlaskClient, path: str, accepted: str) -> None:
    headers = {"Accept-Encoding": accepted}
    whole, head = client.get(path, headers=headers), client.head(path, headers=headers)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "Content-Type", "Content-Encoding", "Vary", "ETag"):
        assert head.headers.get(name) == whole.headers.get(name)


@pytest.mark.parametrize("path", ["/docs/swagger/js/swagger-ui-bundle.js", "/assets/page.css"])
def test_each_encoding_of_a_file_has_its_own_tag(client: FlaskClient, path: str) -> None:
    tags = {}
    for accepted in ("gzip", "identity"):
        headers = {"Accept-Encoding": accepted}
        tag = tags[accepted] = client.get(path, headers=headers).headers["ETag"]
        again = client.get(path, headers={**headers, "If-None-Match": tag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in again.headers or again.headers["Content-Encoding"] == accepted
    assert tags["gzip"] != tags["identity"]
    other = client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": tags["identity"]})
    assert other.status_code == 200


def test_the_documentation_s_files_are_packed_and_no_others_served(client: FlaskClient) -> None:
    bundle = "/docs/swagger/js/swagger-ui-bundle.js"
    answer = client.get(bundle, headers={"Accept-Encoding": "gzip"})
    assert in_gzip(answer)
    assert len(answer.data) < len(client.get(bundle).data) / 2
    assert answer.content_type == "text/javascript; charset=utf-8"
    for name in ("", "js", "js/none.js", "../__init__.py", "css/../js/swagger-ui-bundle.js"):
        assert client.get(f"/docs/swagger/{name}").status_code == 404, name


def test_results_and_errors_and_metrics_are_packed(client: FlaskClient, at_work: Worker) -> None:
    headers = {"Accept-Encoding": "gzip"}
    body = {"texts": ["马云在杭州。"] * 50}
    done = client.post("/api/v1/jobs?wait=30", json=body, headers=headers)
    refused = client.post("/api/v1/jobs", json={f"field{number}": 1 for number in range(20)}, headers=headers)
    for answer in (
        done,
        refused,
        client.get("/metrics", headers=headers),
        client.get("/docs/swagger", headers=headers),
    ):
        assert in_gzip(answer), answer.status_code
        assert gzip.decompress(answer.data)
    assert not in_gzip(client.post("/ner", json={"text": "马云"}, headers=headers))


def test_equal_answers_are_packed_alike() -> None:
    data = b"a" * LONG
    assert packed(data) == packed(data)
    assert gzip.decompress(packed(data)) == data


def test_a_long_answer_does_not_hold_up_others(client: FlaskClient) -> None:
    generator = random.Random(1)
    data = "".join(generator.choices("阿里巴巴集团创始人马云在杭州", k=10_000_000)).encode()
    began = time.perf_counter()
    packed(data)
    alone = time.perf_counter() - began
    turns: list[float] = []

    def others() -> None:
        while True:
            turns.append(time.perf_counter())
            gevent.sleep(0)

    beside = gevent.spawn(others)
    assert gzip.decompress(in_thread(packed, data)) == data
    beside.kill()
    longest = max(after - before for before, after in pairwise(turns))
    assert longest < alone / 4


def test_few_are_packed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_may_pack", threading.BoundedSemaphore(2))
    under_way, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)  # what packing takes
        with lock:
            under_way -= 1

    threads = [threading.Thread(target=in_thread, args=(work,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_failure_in_the_thread_is_the_caller_s() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        in_thread(fail)


def test_caches_tell_encodings_and_origins_apart(with_settings: Callable[..., None], client: FlaskClient) -> None:
    with_settings(cors_origins="https://app.example")
    answer = create_app().test_client().get(DOCUMENT, headers={"Origin": "https://app.example"})
    assert {part.strip() for part in answer.headers["Vary"].split(",")} == {"Accept-Encoding", "Origin"}
