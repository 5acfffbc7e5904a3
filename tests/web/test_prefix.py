"""The farm under a proxy's prefix, whether the proxy passes it on, takes it off, or says it in a header."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from redis import Redis

from tests.web.conftest import Worker, forget_farm
from web.app import create_app
from web.farm import farm

Serve = Callable[..., FlaskClient]
JOB = "0123456789abcdef0123456789abcdef"
HOSTILE = [
    "//evil.example",
    "https://evil.example",
    "/a/../b",
    "/ü",
    '/"><script>',
    "raner",
    "/raner\\",
    "/a b",
    "/a%2fb",
]


@pytest.fixture
def serve(with_settings: Callable[..., None], redis: Redis) -> Iterator[Serve]:
    """Clients of the application with other settings."""

    def start(**fields: object) -> FlaskClient:
        with_settings(**fields)
        farm.cache_clear()
        return create_app().test_client()

    yield start
    forget_farm()


@pytest.fixture(params=["passed on", "taken off", "forwarded"])
def proxied(request: pytest.FixtureRequest, serve: Serve) -> Callable[..., Any]:
    """A client behind a proxy at ``/raner``: it asks for the public address."""
    forwarded = request.param == "forwarded"
    client = serve(**({"trust_forwarded_prefix": "1"} if forwarded else {"url_prefix": "/raner"}))

    def ask(method: str, address: str, **options: Any) -> Any:
        assert address.startswith("/raner")
        taken_off = address.removeprefix("/raner")
        path = address if request.param == "passed on" else f"/{taken_off.removeprefix('/')}"
        headers = {"X-Forwarded-Prefix": "/raner"} if forwarded else {}
        return client.open(path, method=method, headers=headers, **options)

    return ask


def test_every_call_is_there(proxied: Callable[..., Any], at_work: Worker) -> None:
    assert proxied("POST", "/raner/ner", json={"text": "马云"}).status_code == 200
    for path in ("/raner/healthz", "/raner/api/v1/models", "/raner/metrics", "/raner/openapi.json", "/raner/jobs/x"):
        assert proxied("GET", path).status_code == 200, path


def test_the_address_of_a_job_is_public(proxied: Callable[..., Any], at_work: Worker) -> None:
    made = proxied("POST", "/raner/api/v1/jobs", json={"text": "马云"})
    assert re.fullmatch(r"/raner/api/v1/jobs/\w{32}", made.headers["Location"])
    assert proxied("GET", made.headers["Location"]).get_json()["id"] == made.get_json()["id"]


def test_so_is_that_of_a_job_that_goes_on(serve: Serve, worker: Worker) -> None:
    worker.beat()
    answer = serve(url_prefix="/raner", ner_timeout="0.1").post("/ner", json={"text": "马云"})
    assert answer.status_code == 504
    address = answer.headers["Location"]
    assert address.startswith("/raner/api/v1/jobs/")
    assert answer.get_json()["job"] == address
    assert address in answer.get_json()["detail"]


def test_the_document_says_where_its_paths_are(proxied: Callable[..., Any]) -> None:
    for path in ("/raner/openapi.json", "/raner/docs/openapi.json"):
        assert proxied("GET", path).get_json()["servers"] == [{"url": "/raner"}]


def test_without_a_prefix_it_says_nothing_of_it(serve: Serve) -> None:
    assert "servers" not in serve().get("/openapi.json").get_json()


def test_the_documentation_loads_its_files(proxied: Callable[..., Any]) -> None:
    moved = proxied("GET", "/raner/docs")
    assert moved.status_code == 302
    address = urljoin("/raner/docs", moved.headers["Location"])
    assert address == "/raner/docs/swagger"
    page = proxied("GET", address)
    for file in re.findall(r'(?:href|src)="([^"]+)"', page.text):
        assert proxied("GET", urljoin(address, file)).status_code == 200, file


@pytest.mark.parametrize("address", ["/raner/", f"/raner/jobs/{JOB}"])
def test_the_page_loads_its_files(proxied: Callable[..., Any], address: str) -> None:
    page = proxied("GET", address)
    assert page.status_code == 200
    links = re.findall(r'(?:href|src)="([^"#]+)"', page.text)
    assert len(links) >= 4
    for link in links:
        assert link.startswith("/raner/")
        assert proxied("GET", link).status_code in (200, 302), link


@pytest.mark.parametrize("page", ["/", "/jobs/1f0c"])
def test_it_does_so_under_a_prefix_that_the_farm_does_not_know(serve: Serve, page: str) -> None:
    client = serve()
    text = client.get(page).text
    for link in re.findall(r'(?:href|src)="([^"#]+)"', text):
        address = urljoin(f"/raner{page}", link)
        assert address.startswith("/raner/")
        assert client.get(address.removeprefix("/raner")).status_code in (200, 302), link


def test_the_prefix_itself_shows_the_page(proxied: Callable[..., Any]) -> None:
    page = proxied("GET", "/raner?utm_source=mail")
    assert (page.status_code, page.data) == (200, proxied("GET", "/raner/").data)


def test_what_is_wrong_is_said_of_public_addresses(proxied: Callable[..., Any]) -> None:
    said = {
        ("POST", "/raner/ner/"): "/raner/ner/ has a slash too many; the address is /raner/ner",
        ("GET", "/raner/nowhere"): "there is nothing at /raner/nowhere; see /raner/docs for what there is",
        ("GET", "/raner/ner"): "GET is not for /raner/ner; use OPTIONS, POST",
    }
    for (method, path), detail in said.items():
        assert proxied(method, path).get_json()["detail"] == detail


def test_a_blocking_call_that_is_refused_says_so_in_its_own_way(proxied: Callable[..., Any]) -> None:
    assert proxied("POST", "/raner/ner", json={}).get_json()["success"] is False


def test_the_prefix_is_a_whole_part_of_the_path(serve: Serve) -> None:
    client = serve(url_prefix="/raner")
    for path in ("/ranerner", "/raner2/healthz", "/RANER/healthz", "/raner/raner/healthz"):
        assert client.get(path).status_code == 404, path


def test_a_header_that_nobody_trusts_changes_nothing(serve: Serve) -> None:
    for fields, location in (({}, "/api/v1/jobs/"), ({"url_prefix": "/raner"}, "/raner/api/v1/jobs/")):
        client = serve(**fields)
        answer = client.post("/api/v1/jobs", json={"text": "a"}, headers={"X-Forwarded-Prefix": "/mine"})
        assert answer.headers["Location"].startswith(location)
        assert "mine" not in client.get("/", headers={"X-Forwarded-Prefix": "/mine"}).text


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("/raner", "/raner"),
        ("/raner/", "/raner"),
        ("/outer, /inner", "/outer/inner"),
        ("/api", "/api"),  # the farm's own, but this has been taken off
        ("/", "/set"),
        ("", "/set"),
        *((each, "/set") for each in HOSTILE),
    ],
)
def test_a_trusted_header_is_a_path_or_nothing(serve: Serve, said: str, prefix: str) -> None:
    client = serve(url_prefix="/set", trust_forwarded_prefix="1")
    answer = client.post(
        "/api/v1/jobs", json={"text": "a"}, headers={"X-Forwarded-Prefix": said.encode().decode("latin-1")}
    )
    assert answer.headers["Location"].startswith(f"{prefix}/api/v1/jobs/")


def test_many_prefixes_do_not_fill_the_memory(serve: Serve) -> None:
    client = serve(trust_forwarded_prefix="1")
    for number in range(30):
        page = client.get("/", headers={"X-Forwarded-Prefix": f"/{number}"})
        assert f'src="/{number}/assets/js/main.js"' in page.text
