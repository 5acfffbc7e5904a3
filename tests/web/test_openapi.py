"""The OpenAPI document, and whether the application keeps to it.

Beside the calls that are made up here, every answer of every test in this folder is held to the document: see
:class:`tests.web.conftest.HeldClient`.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import jsonschema
import pytest
import schemathesis
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.conftest import NAME, Worker
from web.app import create_app

# What any call may be answered: by the server itself, and to a query that the call does not know.
ANY = {400, 414, 422, 431}
# Each call, and what it may answer.
CALLS = {
    ("post", "/api/v1/jobs"): {200, 202, 401, 408, 413, 415, 422, 503} | ANY,
    ("get", "/api/v1/jobs/{job_id}"): {200, 401, 404, 422, 503} | ANY,
    ("delete", "/api/v1/jobs/{job_id}"): {200, 401, 404, 409, 503} | ANY,
    ("post", "/ner"): {200, 401, 408, 413, 415, 422, 500, 503, 504} | ANY,
    ("get", "/api/v1/models"): {200, 401, 503} | ANY,
    ("get", "/api/v1/farm"): {200, 401, 503} | ANY,
    ("get", "/healthz"): {200} | ANY,
    ("get", "/readyz"): {200, 503} | ANY,
    ("get", "/metrics"): {200, 503} | ANY,
}
# Routes for people and their browsers, not calls.
PAGES = ("/", "/jobs/{job_id}", "/assets/{name}", "/docs", "/openapi.json")


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_openapi_3_1_and_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "RaNER Farm"
    schemathesis.openapi.from_dict(document).validate()


def test_it_has_every_call_with_each_status_that_it_may_answer(document: dict[str, Any]) -> None:
    found = {call: set(map(int, operation["responses"])) for call, operation in operations(document).items()}
    assert found == CALLS


def test_every_route_of_the_application_is_in_it_but_for_pages(app: OpenAPI, document: dict[str, Any]) -> None:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        if path in PAGES or path.startswith("/docs/"):
            assert path not in document["paths"]
        else:
            assert rule.methods is not None
            methods = {method.lower() for method in rule.methods - {"HEAD", "OPTIONS"}}
            assert methods <= set(document["paths"].get(path, {})), path


def test_every_call_says_what_it_is(document: dict[str, Any]) -> None:
    for call, operation in operations(document).items():
        assert operation["summary"], call
        assert operation["description"], call
        assert operation["tags"], call


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for (_, path), operation in operations(document).items():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and path != "/readyz":
                problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
                assert response["content"] == {"application/problem+json": problem}, (path, status)
    assert set(document["components"]["schemas"]["Problem"]["required"]) == {"title", "status", "detail"}


def test_every_field_of_a_request_is_explained(document: dict[str, Any]) -> None:
    for name in ("JobRequest", "NerRequest"):
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            assert schema["description"], (name, field)
    for call, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            assert parameter["schema"]["description"], (call, parameter["name"])


def test_nobody_waits_who_did_not_ask_for_it(document: dict[str, Any]) -> None:
    for call in (("post", "/api/v1/jobs"), ("get", "/api/v1/jobs/{job_id}")):
        (wait,) = (each for each in operations(document)[call]["parameters"] if each["name"] == "wait")
        assert (wait["schema"]["default"], wait["schema"]["minimum"], wait["schema"]["maximum"]) == (0, 0, 30)


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"text": "马云"}, True),
        ({"text": ""}, True),
        ({"texts": ["马云", "杭州"]}, True),
        ({"text": "马云", "texts": None}, True),
        ({"texts": ["马云"], "text": None, "model": NAME, "types": None, "offsets": "utf16"}, True),
        ({}, False),
        ({"text": None, "texts": None}, False),
        ({"text": "马云", "texts": ["杭州"]}, False),
        ({"texts": []}, False),
        ({"texts": ["a"] * 1001}, False),
        ({"texts": [7]}, False),
        ({"text": "马云", "model": "another"}, False),
        ({"text": "马云", "types": []}, False),
        ({"text": "马云", "more": 1}, False),
    ],
)
def test_a_job_is_taken_if_and_only_if_the_document_allows_it(
    client: FlaskClient, worker: Worker, document: dict[str, Any], body: dict[str, Any], valid: bool
) -> None:
    schema = {**document["components"]["schemas"]["JobRequest"], "components": document["components"]}
    assert jsonschema.Draft202012Validator(schema).is_valid(body) is valid
    assert (client.post("/api/v1/jobs", json=body).status_code == 202) is valid


def test_which_types_there_are_is_said_elsewhere(document: dict[str, Any]) -> None:
    for request in ("JobRequest", "NerRequest"):
        types = document["components"]["schemas"][request]["properties"]["types"]
        assert "GET /api/v1/models" in types["x-note"]


class Links(HTMLParser):
    """What a page has its browser load, and the scripts and styles it holds itself."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag in ("script", "style")
        if tag in ("script", "link", "img", "iframe"):
            self.loaded += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline.append(data)


def test_its_page_loads_everything_from_the_farm_itself(client: FlaskClient) -> None:
    answer = client.get("/docs", follow_redirects=True)
    assert answer.status_code == 200
    page = Links()
    page.feed(answer.text)
    assert {link.rsplit(".", 1)[-1] for link in page.loaded} == {"css", "js", "svg"}
    for link in page.loaded:
        assert "//" not in link
        found = client.get(urljoin(answer.request.path, link))
        assert found.status_code == 200, link
        if link.endswith(".css"):
            assert not re.findall(r"@import|url\([\"']?(?:https?:)?//", found.text)
    assert "//" not in re.sub(r"^\s*//.*$", "", "".join(page.inline), flags=re.MULTILINE)


def test_its_page_shows_the_document(client: FlaskClient, document: dict[str, Any]) -> None:
    answer = client.get("/docs", follow_redirects=True)
    page = Links()
    page.feed(answer.text)
    named = re.search(r'new URL\("([^"]+)", window.location.href\)', "".join(page.inline))
    assert named is not None
    assert client.get(urljoin(answer.request.path, named[1])).get_json() == document


schema = schemathesis.openapi.from_wsgi("/openapi.json", create_app())


@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_application_keeps_to_its_document(case: schemathesis.Case[Any], at_work: Worker) -> None:
    case.call_and_validate(
        # Schemathesis asks an application in its own process for gzip, as it would a server, and does not unpack it.
        headers={"Accept-Encoding": "identity"},
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
