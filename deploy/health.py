"""Whether a process of the farm is well, as it says itself."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWERS_WITHIN = 3.0  # seconds


@dataclass(frozen=True)
class HealthCheck:
    """Where a process tells that it is well.

    ``url``: an http address that answers 200; any other is well if it takes connections. ``check``: one among the
    ``checks`` of a JSON answer, which has to be ``ok``.
    """

    url: str
    check: str = ""

    async def passes(self) -> bool:
        """Ask. An answer that does not come within seconds is none."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                return await self._ask()
        except (OSError, ValueError, LookupError, TypeError):
            return False  # nobody listens, or it is not the farm that answers

    async def _ask(self) -> bool:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            if parts.scheme != "http":
                return True
            writer.write(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.transport.abort()
        status = head.split(b" ", 2)[1:2]
        if not self.check:
            return status == [b"200"]
        # The farm as a whole may be ready without this process, or not ready for want of another.
        return bool(json.loads(body)["checks"][self.check] == "ok")
