"""Calls from pages of other origins: which may read an answer, and what a browser is told before it sends a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.redis_server import RedisServer
from tests.web.conftest import Worker, forget_farm
from web.app import create_app
from web.farm import farm

APP = "https://app.example"
OTHER = "http://localhost:3000"
JOB = "0123456789abcdef0123456789abcdef"
Serve = Callable[..., FlaskClient]


@pytest.fixture
def serve(with_settings: Callable[..., None], redis: Any) -> Any:
    """Clients of the application with other settings."""

    def start(origins: str = f"{APP},{OTHER}", **fields: object) -> FlaskClient:
        with_settings(cors_origins=origins, **fields)
        farm.cache_clear()
        return create_app().test_client()

    yield start
    forget_farm()


def preflight(client: FlaskClient, path: str, origin: str = APP, method: str = "POST", headers: str = "") -> Any:
    """What the browser asks before it sends a call."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers={**asked, **({"Access-Control-Request-Headers": headers} if headers else {})})


def listed(value: str | None) -> set[str]:
    """The parts of a header."""
    return {part.strip().lower() for part in (value or "").split(",") if part.strip()}


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/ner", f"/api/v1/jobs/{JOB}", "/api/v1/models", "/openapi.json"])
@pytest.mark.parametrize("origin", [APP, OTHER])
def test_a_browser_is_told_what_it_may_send(serve: Serve, path: str, origin: str) -> None:
    answer = preflight(serve(), path, origin, headers="content-type,idempotency-key,x-api-key")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert listed(answer.headers["Access-Control-Allow-Methods"]) == {"delete", "get", "head", "post"}
    assert listed(answer.headers["Access-Control-Allow-Headers"]) == {
        "authorization",
        "content-encoding",
        "content-type",
        "idempotency-key",
        "if-none-match",
        "x-api-key",
    }
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "origin" in listed(answer.headers["Vary"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_address_is_not_looked_at_before_the_call(serve: Serve) -> None:
    client = serve(api_keys="one")
    for path in ("/ner/", "/nowhere", "/api/v1/jobs?wait=3", "/api/v1/jobs?x=1", "/api/v1/jobs"):
        answer = preflight(client, path)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, APP)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://app.example.evil.example", f"{APP}:8443", "http://app.example", "null", ""],
)
def test_another_origin_may_do_nothing(serve: Serve, origin: str) -> None:
    client = serve()
    for answer in (preflight(client, "/ner", origin), client.get("/healthz", headers={"Origin": origin})):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
        assert "origin" in listed(answer.headers["Vary"])


def test_an_answer_to_nobody_s_page_is_told_apart_by_caches(serve: Serve) -> None:
    answer = serve().get("/healthz")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "origin" in listed(answer.headers["Vary"])


def test_every_origin_may_be_allowed(serve: Serve) -> None:
    client = serve("*")
    for answer in (preflight(client, "/ner", "https://any.example"), client.get("/healthz"), client.get("/nowhere")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "origin" not in listed(answer.headers.get("Vary"))
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert preflight(client, "/ner").headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("origins", ["", ","])
def test_by_default_none_is(serve: Serve, origins: str) -> None:
    client = serve(origins)
    for answer in (preflight(client, "/api/v1/jobs"), client.get("/healthz", headers={"Origin": APP})):
        assert answer.status_code == 200
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
        assert "Vary" not in answer.headers


def test_every_answer_can_be_read(serve: Serve, at_work: Worker) -> None:
    client = serve(api_keys="one")
    key = {"Origin": APP, "X-API-Key": "one"}
    tag = client.get("/assets/page.css", headers={"Origin": APP}).headers["ETag"]
    answers = {
        202: client.post("/api/v1/jobs", json={"text": "王小明"}, headers=key),
        200: client.post("/ner", json={"text": "马云"}, headers=key),
        304: client.get("/assets/page.css", headers={"Origin": APP, "If-None-Match": tag}),
        401: client.get("/api/v1/models", headers={"Origin": APP}),
        404: client.post("/ner/", json={"text": "马云"}, headers=key),
        405: client.get("/ner", headers=key),
        415: client.post("/ner", data="马云", headers=key),
        422: client.post("/ner", json={"text": 7}, headers=key),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers.getlist("Access-Control-Allow-Origin") == [APP]
        assert "origin" in listed(answer.headers["Vary"])
        assert {"location", "retry-after", "etag"} <= listed(answer.headers["Access-Control-Expose-Headers"])
    assert {"accept-encoding", "origin"} <= listed(answers[304].headers["Vary"])
    assert {"location", "retry-after"} <= {name.lower() for name, _ in answers[202].headers}


def test_so_can_those_to_what_goes_wrong(serve: Serve, own_redis: RedisServer) -> None:
    client = serve()
    own_redis.stop()
    answer = client.get("/api/v1/models", headers={"Origin": APP})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (503, APP)
    assert "retry-after" in listed(answer.headers["Access-Control-Expose-Headers"])


def test_options_needs_no_key(serve: Serve) -> None:
    answer = serve("", api_keys="one").options("/api/v1/jobs")
    assert (answer.status_code, listed(answer.headers["Allow"])) == (200, {"options", "post"})
