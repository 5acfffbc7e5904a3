"""An address that is nearly one of the farm's is answered with the right one."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

JOB = "0123456789abcdef0123456789abcdef"


def detail_of(client: FlaskClient, method: str, path: str) -> str:
    """What a 404 answer says."""
    answer = client.open(path, method=method, json={"text": "a"})
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    return str(answer.get_json()["detail"])


def addresses(app: OpenAPI) -> set[tuple[str, str]]:
    """A method and an address of each route, but for files."""
    return {
        (method, re.sub(r"<\w+:\w+>", JOB, rule.rule))
        for rule in app.url_map.iter_rules()
        if "<path:" not in rule.rule and rule.rule not in ("/", "/docs", "/docs/")
        for method in (rule.methods or set()) & {"GET", "POST", "DELETE"}
    }


def test_every_route_tells_of_a_slash_too_many(app: OpenAPI) -> None:
    client = app.test_client()
    for method, path in addresses(app):
        for wrong in {f"{path}/", f"{path}//", path.replace("/", "//")[1:]} - {path}:
            assert detail_of(client, method, wrong) == f"{wrong} has a slash too many; the address is {path}"


def test_every_route_tells_of_capital_letters(app: OpenAPI) -> None:
    client = app.test_client()
    for method, path in addresses(app):
        wrong = path.replace(JOB, "").upper() + (JOB if JOB in path else "")
        assert detail_of(client, method, wrong) == f"there is nothing at {wrong}; the address is {path}"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("/NER/", "/ner"),
        ("/ner%20", "/ner"),
        ("/ner%0A", "/ner"),
        (f"/API/V1/Jobs/{JOB}/", f"/api/v1/jobs/{JOB}"),
        ("/Jobs/Ab/", "/jobs/Ab"),  # the id is the caller's own
    ],
)
def test_several_mistakes_are_seen_through(client: FlaskClient, wrong: str, right: str) -> None:
    assert detail_of(client, "POST", wrong).endswith(f"; the address is {right}")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/nowhere/", "/api/v1", "/jobs", "/jobs/", "/ner/more", "/assets/", "/ner."]
)
def test_what_is_like_none_is_sent_to_the_documentation(client: FlaskClient, path: str) -> None:
    assert detail_of(client, "GET", path) == f"there is nothing at {path}; see /docs for what there is"


def test_a_long_address_is_not_repeated(client: FlaskClient) -> None:
    assert len(detail_of(client, "GET", f"/{'a' * 3000}")) < 300
    assert len(detail_of(client, "GET", f"/jobs/{'a' * 3000}/")) < 300
    assert len(client.post(f"/jobs/{'a' * 3000}").get_json()["detail"]) < 300


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/ner", ["OPTIONS", "POST"]),
        ("PUT", "/api/v1/jobs", ["OPTIONS", "POST"]),
        ("POST", f"/api/v1/jobs/{JOB}", ["DELETE", "GET", "HEAD", "OPTIONS"]),
        ("POST", "/api/v1/models", ["GET", "HEAD", "OPTIONS"]),
    ],
)
def test_a_method_that_is_not_for_an_address(client: FlaskClient, method: str, path: str, allowed: list[str]) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == ", ".join(allowed)
    assert answer.get_json()["detail"] == f"{method} is not for {path}; use {', '.join(allowed)}"
