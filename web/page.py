"""The page for people, at ``/`` and at each job's permalink, and its files under ``/assets/``.

All of it is read, filled in and packed once, when the application is made: each process serves one state of the files,
whatever happens to them meanwhile, and names that are not among them lead nowhere. Who edits them starts the web server
anew. Nobody has to keep a copy for ever either: a browser asks each time whether it has changed, and the answer is
mostly 304.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import NotFound

from shared.settings import settings
from web.addresses import public
from web.files import CONTENT_TYPES, File

FOLDER = Path(__file__).parent / "page"
ASSETS = FOLDER / "assets"

# Where the farm's addresses begin, as the page names them. They are relative, so that the page works under a prefix of
# which the farm was not told. If it knows the prefix it uses that, since a proxy may show the page at /raner, too.
HERE, ABOVE = "./", "../"
# Pages that are kept, one a root. A proxy that says its prefix in a header may say many.
MOST_ROOTS = 8

# The page runs its own files and nothing else, and makes no HTML out of a string: a text cannot become a script.
CONTENT_SECURITY_POLICY = {
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
# Nor does it need anything of the machine that it is shown on.
DENIED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")
PAGE_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in CONTENT_SECURITY_POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in DENIED),
}


def register(app: Flask) -> None:
    """Serve the page and its files from ``app``. They are no calls of the API, so its document does not list them."""
    page_under = lru_cache(maxsize=MOST_ROOTS)(_page_under)
    page_under(HERE)
    assets = {
        path.relative_to(ASSETS).as_posix(): File.of(path.read_bytes(), CONTENT_TYPES[path.suffix])
        for path in ASSETS.rglob("*")
        if path.suffix in CONTENT_TYPES and path.is_file()
    }

    def show_page(**job: str) -> Response:
        # Which job it is about, the page's script reads off its address.
        root = public("/") if request.script_root else ABOVE if job else HERE
        response = page_under(root).answer()
        response.headers.update(PAGE_HEADERS)
        return response

    def show_asset(name: str) -> Response:
        if name not in assets:
            raise NotFound
        return assets[name].answer()

    app.add_url_rule("/", "page", show_page)
    app.add_url_rule("/jobs/<string:job_id>", "job_page", show_page)
    app.add_url_rule("/assets/<path:name>", "asset", show_asset)


def _page_under(root: str) -> File:
    """The page, with its links and files at ``root``."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("index.html").render(
        root=root,
        max_text_chars=settings().max_text_chars,
        flower_port=settings().flower_port,
        # Flower takes its own prefix with a slash only.
        flower_url=settings().flower_url and f"{settings().flower_url.rstrip('/')}/",
    )
    return File.of(page.encode(), "text/html; charset=utf-8")
