"""Every error says what to change, as application/problem+json."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared.queues import queue_name
from shared.redis_client import redis_client
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, Worker
from web.app import create_app
from web.farm import farm


def problem_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = answer.get_json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["type"] == "about:blank"
    return problem


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "give either text, a string, or texts, a list of strings"),
        ({"text": "a", "texts": ["b"]}, "give either text, a string, or texts"),
        ({"text": 1}, "text: Input should be a valid string"),
        ({"texts": "马云"}, "texts: Input should be a valid list"),
        ({"texts": ["a", None]}, "texts.1: Input should be a valid string"),
        ({"texts": []}, "texts: List should have at least 1 item"),
        ({"text": "a", "modle": "x"}, "modle: Extra inputs are not permitted"),
        ({"text": "a", "model": "other"}, f"model: this farm serves no such model; choose one of {NAME}"),
        ({"text": "a", "types": []}, "types: List should have at least 1 item"),
        ({"text": "a", "types": "PER"}, "types: Input should be a valid list"),
        ({"text": "a", "offsets": "bytes"}, "offsets: Input should be 'codepoint' or 'utf16'"),
        (
            {"text": "a", "types": ["PER", "CAT"]},
            f"types: model '{NAME}' does not know CAT; it knows LOC, ORG, PER",
        ),
    ],
)
def test_a_wrong_field_is_named(client: FlaskClient, worker: Worker, body: object, says: str) -> None:
    assert says in problem_of(client.post("/api/v1/jobs", json=body), 422)["detail"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/v1/jobs?wait=31", "wait: Input should be less than or equal to 30"),
        ("/api/v1/jobs?wait=-1", "wait: Input should be greater than or equal to 0"),
        ("/api/v1/jobs?wait=soon", "wait: Input should be a valid number"),
        ("/api/v1/jobs?wiat=3", "wiat: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_query_is_named(client: FlaskClient, path: str, says: str) -> None:
    assert says in problem_of(client.post(path, json={"text": "a"}), 422)["detail"]


def test_a_key_that_is_too_long_is_named(client: FlaskClient) -> None:
    answer = client.post("/api/v1/jobs", json={"text": "a"}, headers={"Idempotency-Key": "k" * 300})
    assert "Idempotency-Key" in problem_of(answer, 422)["detail"]


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        ('{"text": "马云"', "application/json", 400, "line 1, column"),
        ("", "application/json", 400, "the body is no JSON"),
        (b'{"text": "\xff"}', "application/json", 400, "UTF-8"),
        ("[" * 100_000, "application/json", 400, "nested too deeply"),
        ('"马云"', "application/json", 400, "must be a JSON object"),
        ("[1]", "application/json", 400, "must be a JSON object"),
        ("null", "application/json", 400, "must be a JSON object"),
        ("text=马云", "application/x-www-form-urlencoded", 415, "Content-Type: application/json"),
    ],
)
def test_a_body_that_cannot_be_read(
    client: FlaskClient, path: str, body: str | bytes, kind: str, status: int, says: str
) -> None:
    assert says in problem_of(client.post(path, data=body, content_type=kind), status)["detail"]


def test_what_was_sent_is_not_echoed(client: FlaskClient) -> None:
    answer = client.post("/api/v1/jobs", json={"text": ["机密文件"], "model": {"机密": 1}})
    problem_of(answer, 422)
    assert "机密" not in answer.text


def test_a_text_that_is_too_long(client: FlaskClient, with_settings: Callable[..., None]) -> None:
    with_settings(max_text_chars=10)
    problem = problem_of(client.post("/api/v1/jobs", json={"texts": ["a", "b" * 11]}), 413)
    assert problem["detail"] == "text 1 has 11 characters, at most 10 are taken; divide it"
    assert client.post("/api/v1/jobs", json={"text": "b" * 10}).status_code == 202


def test_too_many_texts(client: FlaskClient, with_settings: Callable[..., None]) -> None:
    with_settings(max_texts=2)
    problem = problem_of(client.post("/api/v1/jobs", json={"texts": ["a"] * 3}), 413)
    assert problem["detail"] == "texts: 3 given, a job may have 2; send several jobs"


def test_a_body_that_is_too_large(client: FlaskClient) -> None:
    client.application.config["MAX_CONTENT_LENGTH"] = 100
    problem = problem_of(client.post("/ner", json={"text": "a" * 200}), 413)
    assert "send fewer or shorter texts" in problem["detail"]
    assert problem["success"] is False


def test_a_full_queue(client: FlaskClient, redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(max_queue=1)
    assert client.post("/api/v1/jobs", json={"text": "a"}).status_code == 202
    answer = client.post("/api/v1/jobs", json={"text": "b"})
    assert "try again later" in problem_of(answer, 503)["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert redis.llen(queue_name(NAME)) == 1


def test_an_address_that_is_not_there(client: FlaskClient) -> None:
    assert "there is nothing at /api/v2; see /docs" in problem_of(client.get("/api/v2"), 404)["detail"]


def test_a_method_that_is_not_for_the_address(client: FlaskClient) -> None:
    answer = client.get("/ner")
    assert "GET is not for /ner; use OPTIONS, POST" in problem_of(answer, 405)["detail"]
    assert answer.headers["Allow"] == "OPTIONS, POST"


def test_a_redis_that_is_away(with_settings: Callable[..., None], tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with_settings(redis_url=server.url)
    redis_client.cache_clear()
    farm.cache_clear()
    try:
        client = create_app().test_client()
        for answer in (client.post("/ner", json={"text": "a"}), client.get("/api/v1/jobs/x")):
            assert "try again" in problem_of(answer, 503)["detail"]
            assert int(answer.headers["Retry-After"]) > 0
        assert client.get("/healthz").status_code == 200
        readiness = client.get("/readyz")
        assert readiness.status_code == 503
        assert "does not answer" in readiness.get_json()["checks"]["redis"]
    finally:
        redis_client.cache_clear()
        farm.cache_clear()


def test_what_nobody_thought_of_is_an_error_without_its_insides(client: FlaskClient) -> None:
    def broken() -> str:
        raise RuntimeError("secret detail")

    client.application.add_url_rule("/broken", view_func=broken)
    answer = client.get("/broken")
    problem_of(answer, 500)
    assert "secret" not in answer.text
