"""How replies of Redis are read: within a time limit, and with an error class for each reason to refuse a write."""

from __future__ import annotations

import re
import time
from typing import Any

from redis.connection import DefaultParser
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError, TimeoutError

# A long reply may take longer than the time-out as long as so many bytes arrive each second.
SLOWEST = 256 * 1024

# Before Redis 7, an error inside a script comes as an ERR that quotes it.
QUOTED = re.compile(r": -(OOM|READONLY|MISCONF|NOREPLICAS) ")


class PersistenceError(ResponseError):  # type: ignore[misc]  # see pyproject.toml
    """Redis cannot write its disk (``MISCONF``), and takes no writes until it can."""


class TooFewReplicasError(ResponseError):  # type: ignore[misc]  # see pyproject.toml
    """Redis takes no writes while it has fewer replicas than its configuration asks for (``NOREPLICAS``)."""


class BusyScriptError(ResponseError):  # type: ignore[misc]  # see pyproject.toml
    """Redis is busy with a script (``BUSY``)."""


# Redis answers but takes nothing new: its memory or its disk is full, it is a replica just now, or it has too few.
REFUSES_WRITES = (OutOfMemoryError, ReadOnlyError, PersistenceError, TooFewReplicasError)

KINDS: dict[str, type[ResponseError]] = {
    "OOM": OutOfMemoryError,
    "READONLY": ReadOnlyError,
    "MISCONF": PersistenceError,
    "NOREPLICAS": TooFewReplicasError,
    "BUSY": BusyScriptError,
}


class ReplyParser(DefaultParser):  # type: ignore[misc]  # see pyproject.toml
    """hiredis's parser, with a limit on the time of a whole reply.

    A socket's own time-out begins anew with each byte.
    """

    @classmethod
    def parse_error(cls, response: str) -> Exception:
        """The exception for an error reply."""
        quoted = QUOTED.search(response)
        kind = KINDS.get(quoted[1] if quoted else response.split(" ", 1)[0])
        return kind(response) if kind is not None else super().parse_error(response)  # type: ignore[no-any-return]

    def read_response(self, *args: Any, **options: Any) -> Any:
        """The next reply.

        Raises:
            TimeoutError: it did not come in time.
        """
        self._began = time.monotonic()
        self._received = 0
        return super().read_response(*args, **options)

    def read_from_socket(self, *args: Any, **options: Any) -> bool:
        """Read what has arrived. Returns whether anything has."""
        before = self._reader.len()
        arrived = bool(super().read_from_socket(*args, **options))
        if not args and not options and self._socket_timeout is not None:  # it is part of a reply
            self._received += self._reader.len() - before
            if time.monotonic() - self._began > self._socket_timeout + self._received / SLOWEST:
                raise TimeoutError("Timeout reading from socket")
        return arrived
