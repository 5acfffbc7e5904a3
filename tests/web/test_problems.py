"""Every error says what to change, as application/problem+json."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared.keys import ModelKeys
from shared.settings import settings
from tests.support.redis_server import RedisServer
from tests.web.conftest import NAME, HeldClient, Worker, in_streams
from web.app import create_app


def problem_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = answer.get_json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
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
        ({"text": "a", "types": ["PER"] * 101}, "types: List should have at most 100 items"),
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


def test_what_is_just_within_its_limits_is_taken(client: FlaskClient) -> None:
    for key in ("k", "k" * 255):
        body = {"text": "a", "types": ["PER"] * 100}
        assert client.post("/api/v1/jobs?wait=0", json=body, headers={"Idempotency-Key": key}).status_code == 202


def test_every_wrong_field_is_listed(client: FlaskClient) -> None:
    problem = problem_of(client.post("/api/v1/jobs", json={"text": 1, "types": [2], "modle": "x"}), 422)
    assert [item["field"] for item in problem["errors"]] == ["types.0", "text", "modle"]
    for item in problem["errors"]:
        assert f"{item['field']}: {item['detail']}" in problem["detail"]


def test_an_endless_list_of_unknown_fields_is_cut_short(client: FlaskClient) -> None:
    body = {"text": "马云", **{f"field{number}": 1 for number in range(1000)}}
    problem = problem_of(client.post("/api/v1/jobs", json=body), 422)
    assert [error["field"] for error in problem["errors"]] == [f"field{number}" for number in range(20)]


@pytest.mark.parametrize("field", ["texts", "types"])
def test_the_first_item_of_a_wrong_type_is_the_only_one_named(client: FlaskClient, field: str) -> None:
    items = {"texts": ["马云"], field: ["马云", *[7] * 99]}
    problem = problem_of(client.post("/api/v1/jobs", json=items), 422)
    assert [error["field"] for error in problem["errors"]] == [f"{field}.1"]


def test_too_many_texts_are_counted_before_they_are_looked_at(client: FlaskClient) -> None:
    problem = problem_of(client.post("/api/v1/jobs", json={"texts": [7] * 1001}), 413)
    assert problem["detail"] == "texts: 1001 given, a job may have 1000; send several jobs"


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/jobs"), ("GET", "/api/v1/jobs/x")])
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("wait=30.01", "wait: Input should be less than or equal to 30"),
        ("wait=inf", "wait: Input should be less than or equal to 30"),
        ("wait=nan", "wait: Input should be"),
        ("wait=-1", "wait: Input should be greater than or equal to 0"),
        ("wait=soon", "wait: Input should be a valid number"),
        ("wait=", "wait: Input should be a valid number"),
        ("wiat=3", "wiat: no such parameter"),
    ],
)
def test_a_wrong_query_is_named(
    client: FlaskClient, redis: Redis, method: str, path: str, query: str, says: str
) -> None:
    answer = client.open(f"{path}?{query}", method=method, json={"text": "a"} if method == "POST" else None)
    assert says in problem_of(answer, 422)["detail"]
    assert redis.keys() == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("texts=maybe", "texts: Input should be a valid boolean"),
        ("offsets=bytes", "offsets: Input should be 'codepoint' or 'utf16'"),
        ("offsets=", "offsets: Input should be 'codepoint' or 'utf16'"),
    ],
)
def test_a_wrong_way_to_show_a_job_is_named(client: FlaskClient, query: str, says: str) -> None:
    assert says in problem_of(client.get(f"/api/v1/jobs/x?{query}"), 422)["detail"]


@pytest.mark.parametrize("query", ["texts=true", "offsets=utf16"])
def test_how_a_job_is_shown_is_no_matter_of_its_submission(client: FlaskClient, redis: Redis, query: str) -> None:
    answer = client.post(f"/api/v1/jobs?{query}", json={"text": "a"})
    assert "POST /api/v1/jobs" in problem_of(answer, 422)["detail"]
    assert redis.keys() == []


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_of_the_wrong_length_is_named(client: FlaskClient, key: str) -> None:
    answer = client.post("/api/v1/jobs", json={"text": "a"}, headers={"Idempotency-Key": key})
    assert "Idempotency-Key: String should have at" in problem_of(answer, 422)["detail"]


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        ('{"text": "马云"', "application/json", 400, "line 1, column"),
        ("", "application/json", 400, "the body is no JSON"),
        (b'{"text": "\xff"}', "application/json", 400, "UTF-8"),
        ("[" * 100_000, "application/json", 400, "depth limit"),
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


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"text": ["机密"]}', 422),
        ('{"texts": "机密"}', 422),
        ('{"texts": ["机密", 1]}', 422),
        ('{"text": "机密", "texts": ["机密"]}', 422),
        ('{"text": "机密", "modle": "机密"}', 422),
        ('{"text": "a", "model": "机密"}', 422),
        ('{"text": "a", "model": {"机密": 1}}', 422),
        ('{"text": "a", "offsets": "机密"}', 422),
        ('"机密"', 400),
        ('{"text": "机密"', 400),
        ('{"text": "' + "机密" * 10 + '"}', 413),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
def test_what_was_sent_is_not_echoed(
    client: FlaskClient, with_settings: Callable[..., None], path: str, body: str, status: int
) -> None:
    with_settings(max_text_chars=10)
    answer = client.post(path, data=body.encode(), content_type="application/json")
    problem_of(answer, status)
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


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
def test_a_body_that_is_too_large_is_not_read(with_settings: Callable[..., None], path: str) -> None:
    with_settings(max_text_chars=10)
    limit = settings().max_body_bytes
    answer = create_app().test_client().post(path, data=b" " * (limit + 1), content_type="application/json")
    says = f"the request's body may have {limit} bytes; send fewer or shorter texts"
    assert problem_of(answer, 413)["detail"] == says


def test_a_body_of_the_largest_size_is_read(client: FlaskClient) -> None:
    body = b'{"text": "a"}'.ljust(settings().max_body_bytes)
    assert client.post("/api/v1/jobs", data=body, content_type="application/json").status_code == 202


def test_a_full_queue(client: FlaskClient, redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(max_queue=1)
    assert client.post("/api/v1/jobs", json={"text": "a"}).status_code == 202
    answer = client.post("/api/v1/jobs", json={"text": "b"})
    assert "try again later" in problem_of(answer, 503)["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert len(in_streams(redis)) == 1


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
def test_a_full_queue_says_when_to_come_again(
    client: FlaskClient, worker: Worker, with_settings: Callable[..., None], path: str
) -> None:
    with_settings(models=f"{NAME}=x", max_queue_mb=1)
    worker.beat(characters_per_second=1_000)
    assert client.post("/api/v1/jobs", json={"text": "中" * 340_000}).status_code == 202
    answers = [client.post(path, json={"text": "乙" * 20_000}) for _ in range(20)]
    assert all(problem_of(answer, 503)["title"] == "Queue full" for answer in answers)
    seconds = {int(answer.headers["Retry-After"]) for answer in answers}
    assert all(136 <= each <= 204 for each in seconds)  # half of 340 seconds, a fifth more or less
    assert len(seconds) > 3


def test_a_job_that_is_larger_than_the_queue(client: FlaskClient, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x", max_queue=2)
    answer = client.post("/api/v1/jobs", json={"texts": ["a"] * 100})
    problem = problem_of(answer, 413)
    assert problem["title"] == "Job too large"
    assert "the job has 4 pieces" in problem["detail"]
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
def test_a_model_that_nobody_serves(client: FlaskClient, worker: Worker, redis: Redis, path: str) -> None:
    worker.beat()
    redis.zincrby(ModelKeys(NAME).workers, -3_600, "a:1")  # as if that had been an hour ago
    answer = client.post(path, json={"text": "马云"})
    assert "no worker has held model 'raner-mini-news' for 60 minutes" in problem_of(answer, 503)["detail"]
    assert int(answer.headers["Retry-After"]) == 60


def test_an_address_that_is_not_there(client: FlaskClient) -> None:
    assert "there is nothing at /api/v2; see /docs" in problem_of(client.get("/api/v2"), 404)["detail"]


def test_a_method_that_is_not_for_the_address(client: FlaskClient) -> None:
    answer = client.get("/ner")
    assert "GET is not for /ner; use OPTIONS, POST" in problem_of(answer, 405)["detail"]
    assert answer.headers["Allow"] == "OPTIONS, POST"


@pytest.fixture
def own_client(own_redis: RedisServer) -> FlaskClient:
    """A client of an application on :func:`own_redis`."""
    app = create_app()
    app.test_client_class = HeldClient
    return app.test_client()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ner"),
        ("POST", "/api/v1/jobs"),
        ("GET", "/api/v1/jobs/x"),
        ("DELETE", "/api/v1/jobs/x"),
        ("GET", "/api/v1/models"),
        ("GET", "/api/v1/farm"),
        ("GET", "/metrics"),
    ],
)
def test_a_redis_that_is_away(own_client: FlaskClient, own_redis: RedisServer, method: str, path: str) -> None:
    own_redis.stop()
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(own_client.open, path, method=method, json={"text": "a"} if method == "POST" else None)
        answer = sent.result(timeout=15)
    assert problem_of(answer, 503)["detail"] == "the farm's Redis does not answer just now; try again"
    assert int(answer.headers["Retry-After"]) > 0


def test_the_process_lives_and_is_not_ready_while_redis_is_away(
    own_client: FlaskClient, own_redis: RedisServer
) -> None:
    own_redis.stop()
    assert own_client.get("/healthz").status_code == 200
    readiness = own_client.get("/readyz")
    assert readiness.status_code == 503
    checks = readiness.get_json()["checks"]
    assert list(checks) == ["redis"]
    assert "does not answer" in checks["redis"]


def test_a_redis_that_comes_back_is_used_again(own_client: FlaskClient, own_redis: RedisServer) -> None:
    job = own_client.post("/api/v1/jobs", json={"text": "a"}).get_json()
    own_redis.stop()
    assert own_client.get(f"/api/v1/jobs/{job['id']}").status_code == 503
    own_redis.start()
    assert own_client.get(f"/api/v1/jobs/{job['id']}").get_json() == job


def test_a_redis_that_goes_while_somebody_waits(own_client: FlaskClient, own_redis: RedisServer) -> None:
    job_id = own_client.post("/api/v1/jobs", json={"text": "a"}).get_json()["id"]
    with ThreadPoolExecutor(1) as pool, Redis.from_url(own_redis.url) as redis:
        waiting = pool.submit(own_client.get, f"/api/v1/jobs/{job_id}?wait=30")
        while not redis.hexists(f"raner:job:{job_id}", "watchers"):
            time.sleep(0.01)  # nothing tells that somebody has begun to wait
        own_redis.stop()
        assert "try again" in problem_of(waiting.result(timeout=15), 503)["detail"]


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner"])
@pytest.mark.parametrize("trouble", ["full", "replica"])
def test_a_redis_that_takes_nothing_new(
    own_client: FlaskClient, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch, path: str, trouble: str
) -> None:
    # It had room when the process last looked.
    monkeypatch.setattr("web.farm.MEMORY_FRESH", 3600.0)
    assert own_client.post("/api/v1/jobs", json={"text": "a"}).status_code == 202
    with Redis.from_url(own_redis.url) as redis:
        if trouble == "full":
            redis.config_set("maxmemory", 1)
        else:
            redis.replicaof("127.0.0.1", "1")
        answer = own_client.post(path, json={"text": "a"})
    assert "takes nothing new just now; try again later" in problem_of(answer, 503)["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def test_what_nobody_thought_of_is_an_error_without_its_insides(client: FlaskClient) -> None:
    def broken() -> str:
        raise RuntimeError("secret detail")

    client.application.add_url_rule("/broken", view_func=broken)
    answer = client.get("/broken")
    assert "its log says how" in problem_of(answer, 500)["detail"]
    assert "secret" not in answer.text


def test_the_log_says_what_nobody_thought_of_and_no_text() -> None:
    program = """
from web import api_ner
from web.app import create_app

def broken(*_):
    raise RuntimeError("the reason")

api_ner.submission = broken
assert create_app().test_client().post("/ner", json={"text": "机密"}).status_code == 500
"""
    # A process of its own, since a logger writes for ever to where it first did.
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "RuntimeError: the reason" in done.stderr
    assert "path=/ner" in done.stderr
    assert "机密" not in done.stderr + done.stdout


def ascii_of(sent: str) -> str:
    return ascii(sent[0])


LONG = ["k" * 100_000, "键" * 30_000, "\x01" * 20_000, "\ud83d" * 10_000, "\\u" * 10_000, '"' * 50_000, "😀" * 30_000]


@pytest.mark.parametrize("sent", LONG, ids=ascii_of)
@pytest.mark.parametrize(
    "request_with",
    [
        lambda sent: {"text": "a", sent: 1},
        lambda sent: {"text": "a", **{f"{number}{sent[:4_000]}": 1 for number in range(50)}},
        lambda sent: {"text": "a", "model": sent},
        lambda sent: {"text": "a", "types": [f"{number}{sent[:4_000]}" for number in range(100)]},
        lambda sent: {"text": "a", "offsets": sent},
        lambda sent: {"text": "a", "markup": sent},
        lambda sent: {"text": {sent: sent}},
        lambda sent: {"texts": ["a", {sent: 1}]},
    ],
    ids=["a name", "names", "model", "types", "offsets", "markup", "text", "texts"],
)
@pytest.mark.parametrize("path", ["/ner", "/api/v1/jobs"])
def test_little_is_repeated_of_what_was_sent(
    client: FlaskClient, worker: Worker, path: str, request_with: Callable[[str], Any], sent: str
) -> None:
    answer = client.post(path, data=json.dumps(request_with(sent)), content_type="application/json")
    assert answer.status_code == 422
    assert len(answer.get_data()) <= 5_000
    assert problem_of(answer, 422)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/" + "p" * 7_000, {}),
        ("GET", "/" + "%01" * 2_000, {}),
        ("GET", "/api/v1/jobs/" + "0" * 7_000, {}),
        ("GET", "/api/v1/jobs/" + "0" * 32 + "?wait=" + "9" * 7_000, {}),
        ("GET", "/api/v1/models?" + "&".join(f"{'%01' * 30}{number}=1" for number in range(60)), {}),
        ("M" * 7_000, "/ner", {}),
        ("POST", "/api/v1/jobs", {"Idempotency-Key": "k" * 7_000}),
        ("POST", "/api/v1/jobs", {"Content-Type": "k" * 7_000}),
        ("POST", "/ner", {"Content-Type": "application/json; charset=" + "k" * 7_000, "Accept": "k" * 7_000}),
    ],
)
def test_nor_of_an_address_or_a_header(client: FlaskClient, method: str, path: str, headers: dict[str, str]) -> None:
    answer = client.open(path, method=method, headers={"Content-Type": "application/json", **headers}, data=b"{}")
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"
    assert len(answer.get_data()) <= 5_000
