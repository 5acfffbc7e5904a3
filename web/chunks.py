"""A body in chunks (RFC 9112, section 7.1): what is no chunk is refused as soon as that can be seen, in a sentence."""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.http import errors
from gunicorn.http.body import ChunkedReader
from werkzeug.exceptions import RequestEntityTooLarge

from web.echo import cut
from web.refusals import refusal

# Bytes that a chunk's first line may have, with its extension.
LONGEST_LINE = 8190


class BadLine(errors.ParseException):  # type: ignore[misc]  # see pyproject.toml
    """A line between chunks has no end that a reader could find."""


class Chunks(ChunkedReader):  # type: ignore[misc]
    """Reads chunks as gunicorn does, but waits neither for the end of a line that has ended in a line feed alone, nor
    for a chunk larger than a body may be.
    """

    def __init__(self, req: Any, most: int) -> None:
        """``most`` is how many bytes a body may have."""
        super().__init__(req, req.unreader)
        # read_into() has the limit, since gunicorn's message would pass for a chunk's size.
        self.limit_chunk_size_line = sys.maxsize
        self._most = most

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> tuple[int, bytes | None]:
        """The size of the next chunk, and what has come after the line that says it.

        Raises:
            RequestEntityTooLarge: no body may have that many bytes.
        """
        size, rest = super().parse_chunk_size(unreader, data)
        if size > self._most:
            raise RequestEntityTooLarge
        return size, rest

    def read_into(self, unreader: Any, buf: bytearray) -> None:
        """Called for as long as a line, or the trailers, have no end in ``buf``.

        Raises:
            BadLine: they will not have one.
        """
        if b"\r\n" not in buf:
            if b"\n" in buf:
                raise BadLine("lines between chunks must end with CRLF, not with LF alone")
            if len(buf) > LONGEST_LINE:
                raise BadLine(f"a line between chunks may have {LONGEST_LINE} bytes")
        super().read_into(unreader, buf)


def sentence(error: errors.ParseException | errors.NoMoreData) -> str:
    """What is wrong with the chunks of a body, or with the trailers after them."""
    match error:
        case errors.NoMoreData():
            return "it ended before its last chunk, which has the size 0"
        case errors.ChunkMissingTerminator() if len(error.term) < len(b"\r\n"):
            return "it ended before the CRLF of a chunk or of the trailers"
        case errors.ChunkMissingTerminator():
            return "a chunk must have as many bytes as its size says, and then CRLF"
        case errors.InvalidChunkSize():
            return f"a chunk must begin with its size in hexadecimal digits, not with {cut(repr(error.data)[1:])}"
        case errors.InvalidChunkExtension():
            return "a chunk's extension must be a semicolon, a name and perhaps a value"
        case BadLine():
            return str(error)
    return f"its trailers: {refusal(error)[1]}"
