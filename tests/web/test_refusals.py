"""What the server refuses has a sentence of bounded length, whatever was sent."""

from __future__ import annotations

import json

import pytest
from gunicorn.http import errors

from web.headers import SECURITY_HEADERS
from web.refusals import RequestCut, last_answer, refusal


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (errors.InvalidHeader("CONTENT-TYPE"), 400, "give the header Content-Type once"),
        (errors.InvalidHeaderName("\x01"), 400, "'\\x01' cannot be the name of a header"),
        (errors.ObsoleteFolding("X"), 400, "the header 'X' goes on in another line; send it in one"),
        (errors.ExpectationFailed("more"), 417, "of what a client may expect, only 100-continue is known"),
        (RequestCut(), 400, "the request ended before its headers did"),
        (errors.InvalidProxyLine("PROXY"), 400, "Invalid PROXY line: 'PROXY'"),
    ],
)
def test_each_error_has_a_status_and_a_sentence(error: errors.ParseException, status: int, detail: str) -> None:
    assert refusal(error) == (status, detail)


@pytest.mark.parametrize(
    "kind",
    [
        errors.InvalidHeader,
        errors.InvalidHeaderName,
        errors.InvalidRequestLine,
        errors.InvalidRequestMethod,
        errors.ObsoleteFolding,
        errors.InvalidProxyLine,
    ],
)
def test_no_sentence_repeats_a_long_one(kind: type[errors.ParseException]) -> None:
    _, detail = refusal(kind("\x00" * 8000))
    assert len(detail) < 300


def test_the_last_answer_of_a_connection_is_a_whole_one() -> None:
    head, _, body = last_answer(431, "too long").partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ") for line in lines)
    assert first == "HTTP/1.1 431 Request Header Fields Too Large"
    assert headers.items() >= {**SECURITY_HEADERS, "Connection": "close", "Content-Length": str(len(body))}.items()
    assert json.loads(body)["detail"] == "too long"
