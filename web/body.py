"""A request with its body: how it is unpacked, how many bytes it may have, and when a large one is let in.

How long a body may take to arrive is the server's to say: see :mod:`web.server`.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from typing import IO, Any, NoReturn

from flask import Request, has_request_context, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.utils import cached_property

from shared.errors import InvalidRequest
from shared.settings import settings
from web import unpacking
from web.json_body import no_json
from web.large_bodies import LARGE, LargeBodies

# Bytes that are read at a time.
STEP = 2**18
# Seconds that work on a large body lets other requests go first.
PAUSE = 0.01


@lru_cache(maxsize=1)
def large_bodies() -> LargeBodies:
    """The large bodies of this web process."""
    return LargeBodies()


class FarmRequest(Request):
    """A request whose body is read within limits, whether it says its length or comes in chunks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = ExitStack()
        self._turn = ExitStack()

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, unpacked.

        Raises:
            EncodingNotTaken: it is packed in a way that nobody here unpacks.
            RequestEntityTooLarge: it has more bytes than a body may have; the rest is not read.
            TextTooLong: so it has once it is unpacked.
            InvalidRequest: it has fewer bytes than the request says, or its chunks or its packed form cannot be read.
            Busy: it is large, and so are too many others.
        """
        most = settings().max_body_bytes
        if (self.content_length or 0) > most:
            raise RequestEntityTooLarge
        encoding = unpacking.encoding(self.headers.get("Content-Encoding"))
        if encoding is None:
            body = self._held(self._parts(), self.content_length)
        else:
            body = self._held(unpacking.unpacked(self._parts(), encoding, most))
        if len(body) > LARGE:
            self._turn.enter_context(large_bodies().turn())
            time.sleep(PAUSE)
        return io.BytesIO(body)

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        """Called with what was wrong with the body."""
        raise no_json(e) from None

    def end_turn(self) -> None:
        """Let the next large body have its turn, since this one has been worked on."""
        self._turn.close()

    def close(self) -> None:
        """Called when the request has been answered."""
        super().close()
        self._turn.close()
        self._room.close()

    def _parts(self) -> Iterator[bytes]:
        most = settings().max_body_bytes
        declared = self.content_length
        if declared is None and not self.environ.get("wsgi.input_terminated"):
            return
        source, received = self.environ["wsgi.input"], 0
        while True:
            try:
                part = source.read(STEP if declared is None else min(STEP, declared - received))
            except OSError:
                raise ClientDisconnected from None
            if not part:
                break
            received += len(part)
            if received > most:
                raise RequestEntityTooLarge
            yield part
        if declared is not None and received < declared:
            raise InvalidRequest.unreadable(
                400, f"the body ended after {received} of the {declared} bytes that Content-Length says"
            )

    def _held(self, parts: Iterable[bytes], expected: int | None = None) -> bytes:
        """The whole body, which has ``expected`` bytes; a large one once there is room for it."""
        held, length, keep = [], 0, None
        for part in parts:
            length += len(part)
            if keep is None and max(length, expected or 0) > LARGE:
                keep = self._room.enter_context(large_bodies().room(expected or settings().max_body_bytes))
            held.append(part)
        if keep is not None:
            keep(length)
        return b"".join(held)


def end_turn() -> None:
    """Say that the request under way, if there is one, has been worked on: a large one need not hold up the next."""
    if has_request_context() and isinstance(request, FarmRequest):
        request.end_turn()
