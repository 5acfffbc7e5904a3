"""The query of a request's address: it may have the parameters that the OpenAPI document lists for the call, each once.

A parameter that no call knows is refused, since it means something to whoever sends it: ``POST /ner?offsets=utf16``
would otherwise be answered in code points without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request

from web.echo import MOST_NAMED, cut
from web.problems import problem
from web.schemas import MOST_ERRORS

# The pages that people visit, by their endpoints, with their files. A link to a page may carry what a campaign or a
# mailing adds to it (utm_source, fbclid), and a link to a file what a cache tells versions by (?v=2). A page does not
# read its query, so nothing is lost when it is ignored, and a visitor is not turned away.
PAGES = {"page", "job_page", "asset", "docs", "openapi.openapi", "swagger.swagger", "swagger.oauth2-redirect"}
PAGE_FILES = {"openapi.static", "swagger.static"}


@dataclass(frozen=True)
class Call:
    """What a call takes: the parameters of its query, and the fields of its body."""

    name: str
    parameters: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()


class QueryCheck:
    """Knows the parameters of every route of an application."""

    def __init__(self, app: Flask, document: dict[str, Any]) -> None:
        """``document`` is the OpenAPI document of ``app``."""
        self._calls = {
            (rule.endpoint, method): _call(rule.rule, method, document)
            for rule in app.url_map.iter_rules()
            if rule.endpoint not in PAGES | PAGE_FILES
            for method in rule.methods or ()
            if method != "OPTIONS"
        }

    def refuse(self) -> Response | None:
        """The answer to the present request if its query is not what its call takes; None if it is."""
        if not request.query_string:
            return None
        call = self._calls.get((request.endpoint or "", request.method))
        if call is None:
            return None
        errors = [{"field": name, "detail": detail} for name, detail in _errors(call)]
        if not errors:
            return None
        detail = "; ".join(f"{error['field']}: {error['detail']}" for error in errors[:MOST_NAMED])
        return problem(422, "Invalid request", detail, errors=errors[:MOST_ERRORS])


def document_path(rule: str) -> str:
    """The path by which the OpenAPI document knows a route."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def _call(rule: str, method: str, document: dict[str, Any]) -> Call:
    path = document_path(rule)
    name = f"{method} {path}"
    operation = document["paths"].get(path, {}).get("get" if method == "HEAD" else method.lower())
    if operation is None:
        return Call(name)
    return Call(
        name,
        frozenset(each["name"] for each in operation.get("parameters", []) if each["in"] == "query"),
        frozenset(_body_fields(operation, document)),
    )


def _body_fields(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        schema = media["schema"]["$ref"].rsplit("/", 1)[-1]
        yield from document["components"]["schemas"][schema]["properties"]


def _errors(call: Call) -> Iterator[tuple[str, str]]:
    for name, values in request.args.lists():
        if name not in call.parameters:
            yield cut(name) or '""', _unknown(call, name)
        elif len(values) > 1:
            yield name, f"it is given {len(values)} times; give it once"


def _unknown(call: Call, name: str) -> str:
    if name in call.fields:
        return f"{call.name} takes it in the body, not in the address"
    if call.parameters:
        return f"no such parameter; {call.name} knows {', '.join(sorted(call.parameters))}"
    return f"no such parameter; {call.name} takes none in its address"
