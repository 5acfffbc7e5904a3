"""What users of other systems reported of addresses, browsers of other origins and proxies. Each report has its id, the
issues that it is from, and a sentence on the symptom.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from redis import Redis

from tests.web.conftest import HeldClient, forget_farm
from web.app import create_app
from web.farm import farm

SUMMIT = "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"


@pytest.fixture
def serve(with_settings: Callable[..., None], redis: Redis) -> Iterator[Callable[..., FlaskClient]]:
    """Clients of the application with other settings: ``serve(url_prefix="/raner")``."""

    def start(**fields: object) -> FlaskClient:
        with_settings(models="raner-mini-news=models/raner-mini-news", **fields)
        farm.cache_clear()
        app = create_app()
        app.test_client_class = HeldClient
        return app.test_client()

    yield start
    forget_farm()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ner?offsets=utf16"),
        ("GET", "/api/v1/models?x=1"),
        ("GET", "/healthz?x"),
        ("GET", "/openapi.json?x=1"),
    ],
)
def test_http_query(serve: Callable[..., FlaskClient], method: str, path: str) -> None:
    """Our own: ``/ner?offsets=utf16`` is ignored without a word, so that the offsets are wrong."""
    answer = serve().open(path, method=method, json={"text": f"😂。{SUMMIT}"})
    name = path.partition("?")[2].partition("=")[0]
    assert answer.status_code == 422
    assert name in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [("POST", "/ner/", "/ner"), ("GET", "/api/v1/jobs/1f0c/", "/api/v1/jobs/1f0c"), ("GET", "/healthz/", "/healthz")],
)
def test_http_slash(serve: Callable[..., FlaskClient], method: str, path: str, right: str) -> None:
    """flask-mongorest#67, Flexget#1635, starlette#464, resources_api#120: a slash at the end: 404, no reason given."""
    answer = serve().open(path, method=method, json={"text": SUMMIT})
    assert answer.status_code == 404
    assert answer.get_json()["detail"] == f"{path} has a slash too many; the address is {right}"


def test_http_options(serve: Callable[..., FlaskClient]) -> None:
    """Shioaji#204, aspnetcore#62029, node-wot#78: no setting lets a page of another origin call the API."""
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = serve(cors_origins="https://app.example").options("/api/v1/jobs", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("path", ["/raner/api/v1/jobs", "/api/v1/jobs"])
def test_http_prefix(serve: Callable[..., FlaskClient], path: str) -> None:
    """flask-restx#58, flasgger#523, swagger-ui#7957, feathers-swagger#239: addresses lack the proxy's prefix."""
    client = serve(url_prefix="/raner")
    answer = client.post(path, json={"text": SUMMIT})
    assert answer.status_code == 202
    assert re.match("/raner/api/v1/jobs/.", answer.headers["Location"])
    assert client.get("/raner/openapi.json").get_json()["servers"] == [{"url": "/raner"}]


def test_http_prefix_forwarded(serve: Callable[..., FlaskClient]) -> None:
    """flask-restx#58: nor is the prefix known that the proxy says in ``X-Forwarded-Prefix``."""
    client = serve(trust_forwarded_prefix="yes")
    answer = client.post("/api/v1/jobs", json={"text": SUMMIT}, headers={"X-Forwarded-Prefix": "/raner"})
    assert re.match("/raner/api/v1/jobs/.", answer.headers["Location"])


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-Prefix": "/raner"}])
def test_http_prefix_page(serve: Callable[..., FlaskClient], headers: dict[str, str]) -> None:
    """flask-restx#58: and the page asks for its files at the root of the host."""
    page = serve().get("/", headers=headers)
    assert page.status_code == 200
    assert not re.search('(href|src)="/', page.text)


def test_http_answer_gzip(serve: Callable[..., FlaskClient]) -> None:
    """glances#1182, webcompat#24: a large answer is not compressed though the client asks for it."""
    client = serve()
    plain = client.get("/openapi.json")
    answer = client.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.data) == plain.data
