"""Reading a request's JSON, and writing answers as JSON."""

from __future__ import annotations

import json
from typing import Any

import orjson
from flask import Response, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from shared.errors import InvalidRequest


class CompactJSONProvider(DefaultJSONProvider):
    """Reads and writes with orjson, and with the standard library what orjson does not take.

    Answers are in UTF-8, not in escapes: a Chinese character is three bytes, not six. A lone surrogate, which JSON can
    carry and UTF-8 cannot, goes back the way it came: escaped.
    """

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of a JSON text.

        Raises:
            ValueError: it is none.
            RecursionError: it is nested too deeply.
        """
        try:
            return orjson.loads(s)
        except orjson.JSONDecodeError:
            # Or it is UTF-16, or has a lone surrogate.
            return super().loads(s, **kwargs)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """A JSON answer of the given value."""
        value = self._prepare_response_obj(args, kwargs)
        try:
            body = orjson.dumps(value)
        except orjson.JSONEncodeError:
            body = self.dumps(value, separators=(",", ":")).encode("utf-8", "backslashreplace")
        return Response(body, mimetype=self.mimetype)


def check_body() -> None:
    """Refuse a body that is no JSON object, before anything looks at its fields.

    Raises:
        InvalidRequest: 400, the body is no JSON or no object; 415, it does not say that it is JSON.
    """
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    try:
        body = request.get_json()
    except UnsupportedMediaType:
        raise InvalidRequest.unreadable(415, "send JSON, with the header Content-Type: application/json") from None
    except (BadRequest, RecursionError):
        raise InvalidRequest.unreadable(400, f"the body is no JSON: {_where()}") from None
    if not isinstance(body, dict):
        raise InvalidRequest.unreadable(400, 'the body must be a JSON object, such as {"text": "…"}')


def _where() -> str:
    try:
        json.loads(request.get_data())
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        return "it must be UTF-8"
    except (RecursionError, ValueError):
        return "it is nested too deeply or has a number out of range"
    return "it cannot be read"
