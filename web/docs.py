"""The readable documentation at ``/docs``: Swagger's page, with its files as the farm serves its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Flask, Response, redirect
from werkzeug.exceptions import NotFound

from web.compression import in_thread
from web.files import CONTENT_TYPES, File

# The name of flask-openapi3-swagger's blueprint.
SWAGGER = "swagger"


def register(app: Flask) -> None:
    """Serve the page's files from ``app``. They are two megabytes, so each is packed when it is first asked for."""
    folder = Path(app.blueprints[SWAGGER].static_folder or "")
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in CONTENT_TYPES}

    @cache
    def file(name: str) -> File:
        return in_thread(File.of, paths[name].read_bytes(), CONTENT_TYPES[paths[name].suffix])

    def show_file(filename: str) -> Response:
        if filename not in paths:
            raise NotFound
        return file(filename).answer()

    app.view_functions[f"{SWAGGER}.static"] = show_file
    # Relative, so that it leads there under a proxy's prefix of which the farm was not told, too.
    app.add_url_rule("/docs", "docs", lambda: redirect("docs/swagger"))
