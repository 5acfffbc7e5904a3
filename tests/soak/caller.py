"""One client's connection to the farm. Every request is written into the history, with the answer or without one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from tests.soak.history import History

# Longer than the longest wait that a request asks for.
TIMEOUT = 45.0  # seconds


@dataclass(frozen=True)
class Answer:
    """An answer. ``status`` is 0 if none came."""

    status: int
    content: bytes

    @property
    def json(self) -> Any:
        """What its body says."""
        return json.loads(self.content)


class Caller:
    """Asks one request at a time. For one thread."""

    def __init__(self, url: str, history: History) -> None:
        self._address = urlsplit(url).netloc
        self._history = history
        self._connection: HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, *, route: str
    ) -> Answer:
        """Send a request and read its answer.

        Args:
            route: what the history calls it.
        """
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        sent = {} if body is None else {"Content-Type": "application/json"}
        began = time.monotonic()
        error = None
        try:
            if self._connection is None:
                self._connection = HTTPConnection(self._address, timeout=TIMEOUT)
            self._connection.request(method, path, content, {**sent, **(headers or {})})
            response = self._connection.getresponse()
            answer = Answer(response.status, response.read())
        except (OSError, HTTPException) as failure:
            self.close()
            answer, error = Answer(0, b""), type(failure).__name__
        seconds = round(time.monotonic() - began, 4)
        self._history.write("answer", route=route, status=answer.status, seconds=seconds, error=error)
        return answer

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
