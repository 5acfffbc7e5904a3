"""The page for people and its files, as they are served. What the page does is seen in ``tests/browser``."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from tests.support.redis_server import RedisServer
from web import page
from web.app import create_app

PAGES = ("/", "/jobs/1f0c")
ASSETS = sorted(
    f"/assets/{path.relative_to(page.ASSETS).as_posix()}" for path in page.ASSETS.rglob("*") if path.is_file()
)
# One is enough where they are all treated alike.
SCRIPT = "/assets/js/main.js"
MOST_BYTES = 120_000


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text inside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in ("script", "style"):
            self.inline += data.strip()

    @property
    def loaded(self) -> list[str]:
        """Addresses that the browser loads with the page."""
        sources = [attributes.get("src") for _, attributes in self.elements]
        links = [attributes.get("href") for tag, attributes in self.elements if tag == "link"]
        return [address for address in (*sources, *links) if address]


def imports(script: str) -> list[str]:
    """What a module imports, as it names it."""
    static = re.findall(r"""^(?:import|export)\s(?:[^;"'=(]*?\bfrom\s*)?["']([^"']+)["']""", script, re.MULTILINE)
    return static + re.findall(r"""\bimport\(\s*["']([^"']+)["']""", script)


def modules(client: FlaskClient, address: str) -> set[str]:
    """Addresses of a module and of everything that it imports, directly or not."""
    found: set[str] = set()
    new = [address]
    while new:
        script = new.pop()
        found.add(script)
        new += {urljoin(script, name) for name in imports(client.get(script).text)} - found
    return found


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_at_the_front_and_at_each_permalink(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert 'id="text"' in answer.text
    # The page's links are relative.
    assert answer.text.replace("../", "./") == client.get("/").text


@pytest.mark.parametrize("path", ["/jobs", "/jobs/", "/jobs/a/b", "/index.html", "/page/index.html"])
def test_it_is_nowhere_else(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_it_knows_the_settings_that_its_script_needs(with_settings: Callable[..., None]) -> None:
    with_settings(max_text_chars=4321, flower_port=5678, flower_url="/flower")
    (_, html), *_ = Elements(create_app().test_client().get("/").text).elements
    assert (html["data-max-text-chars"], html["data-flower-port"]) == ("4321", "5678")
    assert html["data-flower-url"] == "/flower/"


@pytest.mark.parametrize("path", PAGES)
def test_it_may_run_its_own_files_only(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert dict(directive.split(" ", 1) for directive in policy.split("; ")) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


@pytest.mark.parametrize("path", PAGES)
def test_it_is_hardened(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    for feature in ("camera", "microphone", "geolocation"):
        assert f"{feature}=()" in headers["Permissions-Policy"].split(", ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"


def test_it_has_nothing_that_its_own_policy_forbids(client: FlaskClient) -> None:
    html = Elements(client.get("/").text)
    assert html.inline == ""
    for tag, attributes in html.elements:
        assert tag not in ("style", "base", "iframe", "object", "embed")
        wrong = [name for name in attributes if name == "style" or name.startswith("on")]
        assert not wrong, (tag, wrong)


def test_it_loads_only_files_that_are_served(client: FlaskClient) -> None:
    loaded = Elements(client.get("/").text).loaded
    assert {PurePosixPath(address).suffix for address in loaded} == {".css", ".js", ".svg"}
    for address in loaded:
        assert not address.startswith("/")
        assert urljoin("/", address).startswith("/assets/")
        assert client.get(urljoin("/", address)).status_code == 200, address


def test_each_script_imports_only_files_that_are_served(client: FlaskClient) -> None:
    for address in ASSETS:
        if address.endswith(".js"):
            for name in imports(client.get(address).text):
                assert name.startswith("./"), f"{address} imports {name}"
                assert client.get(urljoin(address, name)).status_code == 200, f"{address} imports {name}"


def test_each_script_is_used(client: FlaskClient) -> None:
    assert {address for address in ASSETS if address.endswith(".js")} - modules(client, SCRIPT) == set()


def test_no_style_sheet_loads_anything_from_elsewhere(client: FlaskClient) -> None:
    for address in ASSETS:
        if address.endswith(".css"):
            assert not re.findall(r"@import|url\(\s*[\"']?(?!data:)", client.get(address).text), address


def test_the_whole_page_is_light(client: FlaskClient) -> None:
    weights = {path: len(client.get(path, headers={"Accept-Encoding": "gzip"}).data) for path in ("/", *ASSETS)}
    assert sum(weights.values()) < MOST_BYTES, weights


@pytest.mark.parametrize("path", ASSETS)
def test_every_file_is_served_as_it_is(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.data == (page.FOLDER / path.removeprefix("/")).read_bytes()


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".js", "text/javascript"), (".css", "text/css"), (".svg", "image/svg+xml")]
)
def test_each_kind_of_file_has_its_media_type(client: FlaskClient, suffix: str, kind: str) -> None:
    (path, *_) = [path for path in ASSETS if path.endswith(suffix)]
    assert client.get(path).content_type == f"{kind}; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/jobs/1f0c", SCRIPT])
@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.5", "*"])
def test_who_takes_gzip_gets_it(client: FlaskClient, path: str, accepted: str) -> None:
    plain = client.get(path)
    answer = client.get(path, headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data)
    assert gzip.decompress(answer.data) == plain.data
    assert answer.content_type == plain.content_type


@pytest.mark.parametrize("path", ["/", "/jobs/1f0c", SCRIPT])
@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "gzip;q=0, *"])
def test_who_does_not_gets_it_plain(client: FlaskClient, path: str, accepted: str | None) -> None:
    answer = client.get(path, headers={} if accepted is None else {"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert not answer.data.startswith(b"\x1f\x8b")


@pytest.mark.parametrize("path", ["/", "/jobs/1f0c", SCRIPT])
@pytest.mark.parametrize("accepted", ["identity", "gzip"])
def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, path: str, accepted: str) -> None:
    headers = {"Accept-Encoding": accepted}
    first = client.get(path, headers=headers)
    again = client.get(path, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    # A cache brings what it holds up to date from these, and a browser the page's policy.
    for name in ("ETag", "Cache-Control", "Vary", "Content-Security-Policy"):
        assert again.headers.get(name) == first.headers.get(name)
    assert client.get(path, headers={**headers, "If-None-Match": '"other"'}).data == first.data


@pytest.mark.parametrize("path", ["/", "/jobs/1f0c", SCRIPT])
def test_a_browser_asks_each_time_and_a_cache_tells_the_encodings_apart(client: FlaskClient, path: str) -> None:
    plain, packed = (client.get(path, headers={"Accept-Encoding": accepted}) for accepted in ("identity", "gzip"))
    for answer in (plain, packed):
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
def test_every_process_gives_a_file_the_same_tag(client: FlaskClient, accepted: str) -> None:
    tags = {
        each.get(SCRIPT, headers={"Accept-Encoding": accepted}).headers["ETag"]
        for each in (client, create_app().test_client())
    }
    assert len(tags) == 1


@pytest.mark.parametrize("path", ["/", "/jobs/1f0c", SCRIPT])
def test_its_headers_can_be_asked_for_alone(client: FlaskClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Content-Security-Policy"):
        assert head.headers.get(name) == whole.headers.get(name)


@pytest.mark.parametrize(
    "path",
    [
        "/assets",
        "/assets/",
        "/assets/js",
        "/assets/js/",
        "/assets/none.js",
        "/assets/js/MAIN.JS",
        "/assets/index.html",
        "/assets/../index.html",
        "/assets/js/../../index.html",
        "/assets/js/../js/main.js",
        "/assets/../../app.py",
        "/assets/%2e%2e/%2e%2e/app.py",
        "/assets/..%2f..%2fapp.py",
        "/assets/..\\..\\app.py",
        "/assets/%00",
        f"/assets/{page.ASSETS}/js/main.js",
        f"/assets/{page.FOLDER.parent}/app.py",
    ],
)
def test_names_that_are_not_among_its_files_lead_nowhere(client: FlaskClient, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_it_cannot_be_written_to(client: FlaskClient) -> None:
    for path in ("/", "/jobs/1f0c", SCRIPT):
        assert client.post(path).status_code == 405


def test_it_is_there_while_redis_is_away(own_redis: RedisServer) -> None:
    client = create_app().test_client()
    own_redis.stop()
    for path in ("/", "/jobs/1f0c", SCRIPT):
        assert client.get(path).status_code == 200


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of files, with ``page.css`` in it, for a test to spoil."""
    monkeypatch.setattr(page, "ASSETS", tmp_path)
    (tmp_path / "page.css").write_text("a {}", encoding="utf-8")
    return tmp_path


def test_what_else_lies_in_the_folder_is_not_served(folder: Path) -> None:
    others = ["page.css~", "page.css.orig", "notes.txt", "README", ".DS_Store", "main.ts"]
    for name in others:
        (folder / name).write_text("secret", encoding="utf-8")
    (folder / ".#main.js").symlink_to("nobody@nowhere")  # how one editor marks a file as open
    (folder / "folder.js").mkdir()
    client = create_app().test_client()
    assert client.get("/assets/page.css").text == "a {}"
    for name in (*others, ".#main.js", "folder.js"):
        assert client.get(f"/assets/{name.replace('#', '%23')}").status_code == 404, name


def test_a_running_process_serves_the_files_that_it_began_with(folder: Path) -> None:
    client = create_app().test_client()
    (folder / "page.css").write_text("b {}", encoding="utf-8")
    assert client.get("/assets/page.css").text == "a {}"
    (folder / "page.css").unlink()
    assert client.get("/assets/page.css").text == "a {}"
