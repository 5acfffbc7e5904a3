"""F1: a body of 1 MB that was refused stopped a web process for seconds, one of 4 MB took 2.2 GB."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import app, client, one_model

__all__ = ["app", "client", "one_model"]

BOMBS = {
    "1 MB of numbers": b'{"texts":[' + b"1," * 500_000 + b"1]}",
    "4 MB of numbers": b'{"texts":[' + b"1," * 2_000_000 + b"1]}",
    "4 MB of empty lists": b'{"texts":[' + b"[]," * 1_300_000 + b"1]}",
    "a million unknown fields": b"{" + b",".join(b'"f%d":1' % number for number in range(1_000_000)) + b"}",
    "four million types": b'{"text":"a","types":[' + b'"",' * 4_000_000 + b'""]}',
    "two million numbers as types": b'{"text":"a","types":[' + b"1," * 2_000_000 + b"1]}",
    "numbers, and what orjson does not take": b'{"texts":["\\ud83d",' + b"1," * 2_000_000 + b"1]}",
    "numbers, and then no JSON": b'{"texts":[' + b"1," * 2_000_000 + b"]}",
    "numbers in UTF-16": ('{"texts":[' + "1," * 1_000_000 + "1]}").encode("utf-16"),
    "numbers between quotation marks": b'{"texts":[' + rb'"\"\\",1,' * 500_000 + b"1]}",
}


@contextlib.contextmanager
def measured() -> Iterator[Callable[[], float]]:
    """Yields what tells the processor time since."""
    began = time.process_time()
    yield lambda: time.process_time() - began


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_refusal_costs_no_more_than_reading_the_body_as_json_does(client: FlaskClient, path: str, bomb: str) -> None:
    body = BOMBS[bomb]
    with measured() as reading:
        with contextlib.suppress(ValueError):  # one breaks at its end
            json.loads(body)
        limit = reading()
    client.post(path, json={"texts": 1})  # whatever the first request loads
    with measured() as refusing:
        answer = client.post(path, data=body, content_type="application/json")
        assert answer.status_code in (400, 413, 422)
        assert refusing() < 2 * limit


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_refusal_takes_no_more_memory_than_a_few_times_the_body(client: FlaskClient, bomb: str) -> None:
    body = BOMBS[bomb]
    tracemalloc.start()
    try:
        answer = client.post("/api/v1/jobs", data=body, content_type="application/json")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code in (400, 413, 422)
    assert most < 5 * len(body)


@pytest.mark.parametrize("field", ["texts", "types"])
def test_a_bomb_that_is_small_enough_to_be_read_is_one_error(client: FlaskClient, field: str) -> None:
    body = {"text": "马云", field: [7] * 50_000}
    answer = client.post("/api/v1/jobs", json=body)
    assert answer.status_code == (413 if field == "texts" else 422)
    assert len(answer.get_json().get("errors", [])) <= 1


def test_quotation_marks_and_backslashes_in_texts_are_no_values(client: FlaskClient) -> None:
    text = '"\\",[]{}:' * 100_000
    assert client.post("/api/v1/jobs", json={"text": text}).status_code == 202
    assert client.post("/api/v1/jobs", json={"texts": [text[:1000]] * 1000}).status_code == 202


def test_neither_is_white_space(client: FlaskClient) -> None:
    body = b'{"text": "a"' + b" \n\t\r" * 500_000 + b"}"
    assert client.post("/api/v1/jobs", data=body, content_type="application/json").status_code == 202
