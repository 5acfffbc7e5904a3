"""Reading a request's JSON, and writing answers as JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import orjson
from flask import Response, request
from flask.json.provider import DefaultJSONProvider

from shared.errors import InvalidRequest, TextTooLong
from shared.settings import settings
from web.echo import cut

# Bytes that a request may have outside its strings, beside what its texts need: names' colons, commas, brackets.
MOST_OUTSIDE = 2**17


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
            InvalidRequest: an object in it has a name twice.
            TextTooLong: it has more in it than any request.
        """
        text = _in_utf8(s)
        names = _count_names(text)
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            # orjson takes no lone surrogate. It calls what is no UTF-8 by that name, too.
            if "surrogate" not in error.msg:
                raise
        else:
            if not isinstance(value, dict) or len(value) == names:
                return value
            # A name is there twice, or a value has names of its own.
        try:
            # As text: of bytes, json would take surrogates for characters.
            return super().loads(text.decode(), object_pairs_hook=_object, **kwargs)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None

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
        TextTooLong: it has more in it than any request.
    """
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    if not request.is_json:
        raise InvalidRequest.unreadable(415, "send JSON, with the header Content-Type: application/json")
    if not isinstance(request.get_json(), dict):
        raise InvalidRequest.unreadable(400, 'the body must be a JSON object, such as {"text": "…"}')


def no_json(error: ValueError | None) -> InvalidRequest:
    """The answer to a body that cannot be read as JSON, with the place at which it breaks."""
    if isinstance(error, json.JSONDecodeError):  # orjson's own is one, too
        why = f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}"
    elif isinstance(error, UnicodeDecodeError):
        why = _no_character(error)
    else:
        why = "it is nested too deeply or has a number out of range"
    return InvalidRequest.unreadable(400, f"the body is no JSON: {why}")


def _no_character(error: UnicodeDecodeError) -> str:
    if error.encoding != "utf-8":
        return f"it begins as {error.encoding.upper()} does, and goes on as nothing that is; send UTF-8"
    if re.match(rb"\xed[\xa0-\xbf]", error.object[error.start : error.start + 2]):
        return f"it must be UTF-8; bytes {error.start} to {error.start + 2} are half of a pair of surrogates (CESU-8)"
    return f"it must be UTF-8; no character begins with byte {error.start}, 0x{error.object[error.start]:02X}"


def _in_utf8(text: str | bytes) -> bytes:
    """The text in UTF-8 without a byte order mark. What claims to be UTF-8 is not looked at."""
    if isinstance(text, str):
        return text.encode()
    encoding = json.detect_encoding(text)
    return text if encoding == "utf-8" else text.decode(encoding).encode()


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these names and values.

    Raises:
        InvalidRequest: a name is there twice. Parsers would keep one of the two values without a word.
    """
    value = dict(members)
    if len(value) < len(members):
        (name, count), *_ = Counter(name for name, _ in members).most_common(1)
        raise InvalidRequest.unreadable(400, f"the body has {json.dumps(cut(name))} {count} times; give it once")
    return value


def _count_names(text: bytes) -> int:
    """How many names of members a JSON text has.

    It takes less time than a parser takes for strings: it drops the escapes that could hide a quotation mark, cuts the
    text at quotation marks, and looks at every other part. A text that is no JSON may be measured wrongly from where it
    breaks, but no parser reads on from there.

    Raises:
        TextTooLong: the text has more values than any request has. Values cost a parser up to thirty times their bytes.
    """
    most = MOST_OUTSIDE + 4 * settings().max_texts
    outside = text.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"', most)[::2]
    if sum(map(len, outside)) > most and sum(len(part.translate(None, b" \t\r\n")) for part in outside) > most:
        raise TextTooLong(
            f"the body has more values than any request; a job may have {settings().max_texts} texts: send several jobs"
        )
    return sum(part.count(b":") for part in outside)
