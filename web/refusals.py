"""What the server itself refuses, since no application could be given it as a request, and what it says of it."""

from __future__ import annotations

from http import HTTPStatus

from gunicorn.http import errors

from shared.settings import settings
from web import cors, problems
from web.echo import cut
from web.headers import LONGEST_HEADER, LONGEST_REQUEST_LINE, MOST_HEADERS, SECURITY_HEADERS

# By gunicorn's error. Others are 400.
STATUSES = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.ExpectationFailed: 417,
    errors.UnsupportedTransferCoding: 501,
}
SENTENCES = {
    errors.LimitRequestLine: f"the request line has more than {LONGEST_REQUEST_LINE} bytes: send less in the address",
    errors.LimitRequestHeaders: (
        f"the headers are too many or too long: send at most {MOST_HEADERS}, each of at most {LONGEST_HEADER} bytes"
    ),
    errors.ExpectationFailed: "of what a client may expect, only 100-continue is known",
    errors.UnsupportedTransferCoding: (
        "of transfer codings, only chunked is known; a packed body has the header Content-Encoding"
    ),
    errors.InvalidRequestLine: (
        "the first line must be a method, an address and HTTP/1.1, with one space between them; "
        "percent-encode whatever in the address is not printable ASCII"
    ),
    errors.InvalidRequestMethod: "the method must be a word in capital letters, such as GET or POST",
    errors.InvalidHTTPVersion: "the server reads HTTP/1.1 and HTTP/1.0; send one of them",
    errors.InvalidSchemeHeaders: "X-Forwarded-Proto, X-Forwarded-Protocol and X-Forwarded-Ssl contradict each other",
}
# By the name of a header that says what a request may not say.
HEADERS = {
    "CONTENT-LENGTH": "Content-Length must be given once, as a number, and not beside Transfer-Encoding",
    "TRANSFER-ENCODING": "Transfer-Encoding must name chunked once, at its end, in a request of HTTP/1.1",
    "HOST": "give the header Host once",
    "CONTENT-TYPE": "give the header Content-Type once",
}


class RequestCut(errors.ParseException):  # type: ignore[misc]  # see pyproject.toml
    """The client stopped sending before the end of its headers."""

    def __str__(self) -> str:
        return "the request ended before its headers did"


def refusal(error: errors.ParseException) -> tuple[int, str]:
    """The status and the detail of the answer to what gunicorn could not read."""
    return STATUSES.get(type(error), 400), SENTENCES.get(type(error)) or _of_header(error)


def last_answer(status: int, detail: str, path: str = "", origin: str | None = None) -> bytes:
    """A problem as it goes over a connection that it ends.

    Args:
        path, origin: of the request, as far as it could be read.
    """
    title = HTTPStatus(status).phrase
    body = problems.body(status, title, detail, **problems.members_for(path.removeprefix(settings().url_prefix)))
    headers = {
        "Content-Type": problems.PROBLEM_JSON,
        "Content-Length": len(body),
        "Connection": "close",
        **SECURITY_HEADERS,
        **cors.headers(origin),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {title}\r\n{head}\r\n".encode() + body


def _of_header(error: errors.ParseException) -> str:
    # What was sent is in latin-1. repr() shows what cannot be seen.
    match error:
        case errors.ObsoleteFolding():
            return f"the header {cut(repr(error.hdr))} goes on in another line; send it in one"
        case errors.InvalidHeaderName():
            return f"{cut(repr(error.hdr))} cannot be the name of a header"
        case errors.InvalidHeader() if error.hdr in HEADERS:
            return HEADERS[error.hdr]
        case errors.InvalidHeader():
            return f"a header must be a name, a colon and a value without control characters: {cut(repr(error.hdr))}"
    return cut(str(error))
