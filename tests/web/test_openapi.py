"""The OpenAPI document, and whether the application keeps to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.conftest import Worker
from web.app import create_app

CALLS = {
    ("/api/v1/jobs", "post"),
    ("/api/v1/jobs/{job_id}", "get"),
    ("/api/v1/jobs/{job_id}", "delete"),
    ("/ner", "post"),
    ("/api/v1/models", "get"),
    ("/healthz", "get"),
    ("/readyz", "get"),
    ("/metrics", "get"),
}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def test_it_is_openapi_3_1_and_has_every_call(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == CALLS


def test_every_call_says_what_it_is(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert operation["description"], (path, method)
            assert "200" in operation["responses"], (path, method)


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and "/readyz" not in operation["operationId"]:
                    assert response["content"], status


def test_the_page_needs_no_other_host(client: FlaskClient) -> None:
    page = client.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    html = page.get_data(as_text=True)
    assert "/openapi.json" in html or "openapi.json" in html
    for link in re.findall(r"(?:src|href)=\"([^\"]+)\"", html):
        assert "//" not in link
        assert client.get(f"/docs/{link}").status_code == 200, link


schema = schemathesis.openapi.from_wsgi("/openapi.json", create_app())


@schema.exclude(path="/metrics").parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_application_keeps_to_its_document(case: schemathesis.Case[Any], at_work: Worker) -> None:
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ]
    )
