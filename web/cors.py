"""Calls from pages of other origins, as ``RANER_CORS_ORIGINS`` allows them (the Fetch standard's CORS protocol).

A browser asks first whether it may send a call that has a JSON body or a key; the answer to that needs no key. All
answers, errors among them, say who may read them. Credentials are not allowed: the farm has no cookies, and a key is a
header that the page's script sends itself.

flask-cors 6.0 leaves out ``Vary: Origin`` if the request's origin is not allowed, and if only one is. A cache could
then give a page an answer that names no origin, or the origin of another.
"""

from __future__ import annotations

from flask import Flask, Response, request

from shared.origins import ANY
from shared.settings import settings

METHODS = ("DELETE", "GET", "HEAD", "POST")
# What the API looks at in a request and what it says in an answer, beside what any script may send and read.
REQUEST_HEADERS = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "X-API-Key",
)
ANSWER_HEADERS = ("Accept-Encoding", "Allow", "ETag", "Location", "Retry-After")
# Seconds that a browser may remember that it may call. Browsers keep it for up to two hours.
REMEMBERED = 600


def register(app: Flask) -> None:
    """Let pages of the allowed origins call ``app``."""
    origins = settings().origins
    if not origins:
        return

    @app.before_request
    def answer_preflight() -> Response | None:
        # Whatever the address is: that it is wrong, the call itself is told, in an answer that its script can read.
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        response = Response(status=204)
        if _allowed(origins, request.headers.get("Origin")) is not None:
            response.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
            response.headers["Access-Control-Allow-Headers"] = ", ".join(REQUEST_HEADERS)
            response.headers["Access-Control-Max-Age"] = str(REMEMBERED)
        return response

    @app.after_request
    def allow(response: Response) -> Response:
        if ANY not in origins:
            response.vary.add("Origin")
        allowed = _allowed(origins, request.headers.get("Origin"))
        if allowed is not None:
            response.headers["Access-Control-Allow-Origin"] = allowed
            if request.method != "OPTIONS":
                response.headers["Access-Control-Expose-Headers"] = ", ".join(ANSWER_HEADERS)
        return response


def headers(origin: str | None) -> dict[str, str]:
    """What an answer says of who may read it, if the application does not give it."""
    origins = settings().origins
    said = {} if ANY in origins or not origins else {"Vary": "Origin"}
    allowed = _allowed(origins, origin)
    if allowed is not None:
        said |= {
            "Access-Control-Allow-Origin": allowed,
            "Access-Control-Expose-Headers": ", ".join(ANSWER_HEADERS),
        }
    return said


def _allowed(origins: frozenset[str], origin: str | None) -> str | None:
    """The origin that may read the answer; None if the request's own may not."""
    if ANY in origins:
        return ANY
    return origin if origin in origins else None
