"""API keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from web.app import create_app

CALLS = [
    ("GET", "/api/v1/models"),
    ("GET", "/api/v1/farm"),
    ("POST", "/api/v1/jobs"),
    ("GET", "/api/v1/jobs/x"),
    ("DELETE", "/api/v1/jobs/x"),
    ("POST", "/ner"),
]


def test_without_keys_the_farm_is_open(client: FlaskClient) -> None:
    assert client.get("/api/v1/models").status_code == 200


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "wrong"},
        {"X-API-Key": ""},
        {"X-API-Key": "one,two"},
        {"X-API-Key": "ONE"},
        {"Authorization": "Bearer on"},
        {"Authorization": "Bearer"},
        {"Authorization": "one"},
        {"Authorization": "Basic one"},
    ],
)
def test_a_call_without_a_known_key_is_refused(
    client: FlaskClient, with_settings: Callable[..., None], method: str, path: str, headers: dict[str, str]
) -> None:
    with_settings(api_keys="one,two")
    answer = client.open(path, method=method, headers=headers, json={"text": "a"})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert "X-API-Key" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [{"X-API-Key": "one"}, {"X-API-Key": "two"}, {"Authorization": "Bearer two"}, {"Authorization": "bearer two"}],
)
def test_each_of_the_keys_will_do(
    client: FlaskClient, with_settings: Callable[..., None], headers: dict[str, str]
) -> None:
    with_settings(api_keys="one, two,")
    assert client.post("/api/v1/jobs", json={"text": "a"}, headers=headers).status_code == 202


def test_a_call_without_a_key_is_not_read_any_further(client: FlaskClient, with_settings: Callable[..., None]) -> None:
    with_settings(api_keys="one")
    assert client.post("/ner", data="{", content_type="text/plain").status_code == 401
    assert client.post("/api/v1/jobs?wait=soon", json={"text": 1}).status_code == 401


def test_the_document_says_that_a_key_is_needed_where_it_is(with_settings: Callable[..., None]) -> None:
    assert "security" not in create_app().api_doc
    with_settings(api_keys="one")
    document = create_app().api_doc
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/jobs/x",
        "/assets/js/main.js",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/docs/swagger",
        "/metrics",
    ],
)
def test_what_says_nothing_of_texts_needs_none(
    client: FlaskClient, with_settings: Callable[..., None], path: str
) -> None:
    with_settings(api_keys="one")
    assert client.get(path).status_code != 401


def test_a_key_of_any_characters_is_compared(client: FlaskClient, with_settings: Callable[..., None]) -> None:
    with_settings(api_keys="one")
    assert client.get("/api/v1/models", headers={"X-API-Key": "ключ"}).status_code == 401
