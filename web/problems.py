"""Every error answer of the API: ``application/problem+json`` (RFC 9457), in one place."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, request
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from shared.errors import EncodingNotTaken, RequestError, Unavailable
from shared.redis_client import REFUSES_WRITES, UNAVAILABLE
from shared.settings import settings
from web.addresses import public, right_address
from web.echo import MOST_NAMED, cut
from web.schemas import MOST_ERRORS

log = structlog.get_logger()

# Bytes of an error answer, whatever was sent, and characters of its detail, each of at most six bytes.
MOST_BYTES = 5_000
MOST_DETAIL = 1_000

PROBLEM_JSON = "application/problem+json"


class Problem(BaseModel):
    """An error (RFC 9457). ``detail`` names what to change."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="always about:blank: the title says which problem it is")
    title: str = Field(description="the problem's fixed short name", examples=["Invalid request"])
    status: int = Field(description="the HTTP status", examples=[422])
    detail: str = Field(description="what was wrong and what to change", examples=["text: give a string"])


def problems(*statuses: int) -> ResponseDict:
    """How a call's OpenAPI description says that it may answer with problems of these statuses."""
    content = {PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """An error answer; ``more`` are RFC 9457 extension members."""
    members = more | members_for(request.path)
    return Response(body(status, title, detail, **members), status=status, headers=headers, content_type=PROBLEM_JSON)


def members_for(path: str) -> dict[str, bool]:
    """What a problem has beside on this path. Clients of the article's call look at ``success`` first.

    A slash too many is still that call.
    """
    return {"success": False} if path.strip("/") == "ner" else {}


def body(status: int, title: str, detail: str, **more: Any) -> bytes:
    """The body of an error answer, also outside of a request. Of ``errors`` it has as many as there is room for."""
    errors: list[dict[str, str]] = more.pop("errors", [])
    members = {"type": "about:blank", "title": title, "status": status, "detail": cut(detail, MOST_DETAIL), **more}
    if len(_encoded(members)) > MOST_BYTES:
        members["detail"] = cut(detail, MOST_DETAIL // 2)
    for count in range(len(errors), 0, -1):
        with_errors = _encoded({**members, "errors": errors[:count]})
        if len(with_errors) <= MOST_BYTES:
            return with_errors
    return _encoded(members)


def _encoded(members: dict[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode("utf-8", "backslashreplace")


def validation_problem(error: ValidationError) -> Response:
    """The answer to a request whose fields do not validate. What was submitted is not echoed."""
    fields = [
        {"field": cut(".".join(map(str, item["loc"]))) or "body", "detail": cut(_readable(item["msg"]), MOST_DETAIL)}
        for item in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ERRORS]
    ]
    detail = "; ".join(f"{item['field']}: {item['detail']}" for item in fields[:MOST_NAMED])
    return problem(422, "Invalid request", detail, errors=fields)


def register(app: Flask) -> None:
    """Answer every error of ``app`` as a problem."""
    app.register_error_handler(RequestError, _request_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    for unavailable in UNAVAILABLE:
        app.register_error_handler(unavailable, _store_unavailable)
    for refuses in REFUSES_WRITES:
        app.register_error_handler(refuses, _store_refuses)


def _readable(message: str) -> str:
    return message.removeprefix("Value error, ")


def _request_error(error: RequestError) -> Response:
    headers: dict[str, str] = {}
    members: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, EncodingNotTaken):
        headers["Accept-Encoding"] = ", ".join(error.taken)
    if error.job_id is not None:
        headers["Location"] = members["job"] = public(f"/api/v1/jobs/{error.job_id}")
    return problem(error.status, error.title, str(error), headers, **members)


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        detail = f"the request's body may have {settings().max_body_bytes} bytes; send fewer or shorter texts"
        return problem(413, "Request too large", detail)
    if isinstance(error, NotFound):
        return problem(404, "Not found", _not_found(request.path))
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or []))
        detail = f"{cut(request.method)} is not for {cut(public(request.path))}; use {allowed}"
        return problem(405, "Method not allowed", detail, {"Allow": allowed})
    status = HTTPStatus(error.code or 500)
    return problem(status, status.phrase, error.description or status.description)


def _not_found(path: str) -> str:
    right, asked = right_address(path), cut(public(path))
    if right is None or right == path:
        return f"there is nothing at {asked}; see {public('/docs')} for what there is"
    if path.replace("/", "") == right.replace("/", ""):
        return f"{asked} has a slash too many; the address is {cut(public(right))}"
    return f"there is nothing at {asked}; the address is {cut(public(right))}"


def _store_unavailable(error: Exception) -> Response:
    log.error("redis does not answer", error=str(error), path=cut(request.path))
    return problem(
        503, "Store unavailable", "the farm's Redis does not answer just now; try again", {"Retry-After": "5"}
    )


def _store_refuses(error: Exception) -> Response:
    log.error("redis takes nothing new", error=str(error), path=cut(request.path))
    return problem(
        503, "Store unavailable", "the farm's Redis takes nothing new just now; try again later", {"Retry-After": "5"}
    )


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", path=cut(request.path), exc_info=error)
    return problem(500, "Internal error", "the farm failed in a way it should not; its log says how")
