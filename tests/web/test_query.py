"""The query of an address: what a call does not know, and what comes twice, is refused on every route."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from redis import Redis

from tests.web.conftest import Worker
from web.app import create_app
from web.query import PAGE_FILES, PAGES

JOB = "0123456789abcdef0123456789abcdef"


def errors_of(answer: Any) -> dict[str, str]:
    """What a 422 answer says of each parameter."""
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.text
    problem = answer.get_json()
    for error in problem["errors"][:5]:
        assert f"{error['field']}: {error['detail']}" in problem["detail"]
    return {error["field"]: error["detail"] for error in problem["errors"]}


def address(rule: str) -> str:
    """An address that a rule matches."""
    return re.sub(r"<path:\w+>", "js/main.js", re.sub(r"<(?:string:)?\w+>", JOB, rule))


def test_every_route_of_the_application_refuses_what_it_does_not_know(app: OpenAPI, redis: Redis) -> None:
    seen = set()
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PAGES | PAGE_FILES:
            continue
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = client.open(f"{address(rule.rule)}?made_up=1", method=method, json={"text": "a"})
            assert answer.status_code == 422, (method, rule.rule)
            if method != "HEAD":
                assert "made_up" in errors_of(answer), (method, rule.rule)
            seen.add(rule.rule)
    assert {"/ner", "/api/v1/jobs", "/api/v1/models", "/healthz", "/metrics", "/openapi.json"} <= seen
    assert redis.keys() == []


@pytest.mark.parametrize(
    "path",
    [
        "/?utm_source=mail&fbclid=1",
        f"/jobs/{JOB}?utm_source=mail",
        "/assets/page.css?v=3",
        "/docs/swagger?ref=1",
        "/docs/swagger/css/swagger-ui.css?v=3",
    ],
)
def test_a_visitor_of_a_page_is_not_turned_away(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.data == client.get(path.partition("?")[0]).data


def test_every_endpoint_that_is_let_off_is_there(app: OpenAPI) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= PAGES | PAGE_FILES


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("POST", "/api/v1/jobs?made_up=1", "no such parameter; POST /api/v1/jobs knows wait"),
        (
            "GET",
            f"/api/v1/jobs/{JOB}?made_up=1",
            "no such parameter; GET /api/v1/jobs/{job_id} knows offsets, texts, wait",
        ),
        ("GET", "/api/v1/models?made_up=1", "no such parameter; GET /api/v1/models takes none in its address"),
        ("GET", "/healthz?made_up", "no such parameter; GET /healthz takes none in its address"),
        ("HEAD", "/healthz?made_up", None),
    ],
)
def test_the_answer_says_what_the_call_knows(client: FlaskClient, method: str, path: str, says: str | None) -> None:
    answer = client.open(path, method=method, json={"text": "a"})
    assert answer.status_code == 422
    assert says is None or errors_of(answer) == {"made_up": says}


@pytest.mark.parametrize("field", ["text", "types", "model", "offsets"])
def test_a_field_of_the_body_is_sent_there(client: FlaskClient, field: str) -> None:
    errors = errors_of(client.post(f"/ner?{field}=1", json={"text": "a"}))
    assert errors == {field: "POST /ner takes it in the body, not in the address"}


@pytest.mark.parametrize("query", ["wait=0&wait=0", "wait=0&wait=1", "wait=0&texts=1&wait=0&wait=2"])
def test_a_parameter_that_comes_twice_is_refused(client: FlaskClient, query: str) -> None:
    times = query.count("wait")
    assert errors_of(client.get(f"/api/v1/jobs/{JOB}?{query}")) == {"wait": f"it is given {times} times; give it once"}


def test_every_wrong_parameter_is_named_and_none_at_its_full_length(client: FlaskClient) -> None:
    long = "ü" * 500
    answer = client.get(f"/api/v1/models?{long}=1&a=1&b=1")
    assert set(errors_of(answer)) == {"ü" * 100 + "…", "a", "b"}
    many = client.get("/api/v1/models?" + "&".join(f"{number}{'x' * 100}=1" for number in range(30)))
    assert len(errors_of(many)) == 20
    assert len(many.data) < 8000


@pytest.mark.parametrize("query", ["=1", "&=", "%00=1", "%FF=1", "a%0D%0Ab=1", "x;y"])
def test_a_name_may_be_anything(client: FlaskClient, query: str) -> None:
    assert len(errors_of(client.get(f"/healthz?{query}"))) == 1


@pytest.mark.parametrize("query", ["", "&", "&&"])
def test_an_address_may_end_with_a_question_mark(client: FlaskClient, query: str) -> None:
    assert client.get(f"/healthz?{query}").status_code == 200


def test_the_page_s_own_calls_are_taken(client: FlaskClient, at_work: Worker) -> None:
    job = client.post("/api/v1/jobs?wait=0.5", json={"text": "马云", "offsets": "utf16"}).get_json()
    assert client.get(f"/api/v1/jobs/{job['id']}?wait=0.5&offsets=utf16&texts=true").status_code == 200


def test_what_is_nowhere_is_404_and_a_wrong_method_405(client: FlaskClient) -> None:
    assert client.get("/nowhere?x=1").status_code == 404
    assert client.get("/ner?x=1").status_code == 405


def test_whoever_has_no_key_learns_nothing_else(with_settings: Callable[..., None]) -> None:
    with_settings(api_keys="one")
    client = create_app().test_client()
    assert client.get("/api/v1/models?x=1").status_code == 401
    assert client.get("/api/v1/models?x=1", headers={"X-API-Key": "one"}).status_code == 422
