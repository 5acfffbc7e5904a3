"""Files that do not change while the process runs, in both of the encodings that they are served in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask import Response, request

from web.compression import packed, takes_gzip

# What kinds of files are served: whatever else lies in a folder, such as an editor's backup, is not.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
BEST = 9


@dataclass(frozen=True)
class Body:
    """Bytes as they are sent in one encoding, and the ETag of just these."""

    data: bytes
    etag: str

    @classmethod
    def of(cls, data: bytes) -> Body:
        """The body; its ETag is a hash, so that every process gives the same."""
        return cls(data, hashlib.sha256(data).hexdigest()[:32])


@dataclass(frozen=True)
class File:
    """A file in both encodings."""

    content_type: str
    plain: Body
    packed: Body

    @classmethod
    def of(cls, data: bytes, content_type: str) -> File:
        """The file, packed as well as it can be."""
        return cls(content_type, Body.of(data), Body.of(packed(data, BEST)))

    def answer(self) -> Response:
        """The answer to the present request: 304 where its sender has this file."""
        in_gzip = takes_gzip()
        body = self.packed if in_gzip else self.plain
        response = Response(body.data, content_type=self.content_type)
        if in_gzip:
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        response.cache_control.no_cache = True
        response.set_etag(body.etag)
        response.make_conditional(request)
        return response
