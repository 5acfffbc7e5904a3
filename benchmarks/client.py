"""One caller with one connection, for what is not a load: a client that polls, tries again, or sends bulk jobs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 120.0  # seconds


@dataclass(frozen=True)
class Answer:
    """An answer as it came."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


class Client:
    """A keep-alive connection to a server. Not for two threads at once."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)

    def post(self, path: str, body: bytes) -> Answer:
        """Send JSON and read the answer, whatever its status.

        Raises:
            OSError: the server is away.
        """
        return self._ask("POST", path, body)

    def get(self, path: str) -> Answer:
        """Read an address, whatever the status of its answer.

        Raises:
            OSError: the server is away.
        """
        return self._ask("GET", path, None)

    def delete(self, path: str) -> Answer:
        """Cancel a job, whatever the status of the answer.

        Raises:
            OSError: the server is away.
        """
        return self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read())

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
