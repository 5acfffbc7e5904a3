"""Origins of web pages, as browsers send them in the header ``Origin``: scheme, host and, unless it is usual, port."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

ANY = "*"
USUAL_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")


def check_origins(origins: Iterable[str]) -> None:
    """Look whether each is an origin as a browser would send it, or the only one is ``*``.

    Raises:
        ValueError: one is not; the message says what to give.
    """
    found = list(origins)
    if ANY in found and len(found) > 1:
        raise ValueError("* means every origin; give it alone, or leave it out")
    for origin in found:
        if origin != ANY:
            _check(origin)


def _check(origin: str) -> None:
    if "*" in origin:
        raise ValueError(f"{origin!r} is a pattern; list each origin, or give * alone for every one")
    if origin == "null":
        raise ValueError("'null' is what browsers send for files; serve the page from an address and give its origin")
    if "://" not in origin:
        raise ValueError(f"{origin!r} has no scheme; give {f'https://{origin}'!r}, or http://")
    try:
        sent = _as_sent(urlsplit(origin))
    except ValueError:
        raise ValueError(f"{origin!r} is no origin; give scheme, host and port, as in 'https://app.example'") from None
    if origin != sent:
        raise ValueError(f"{origin!r} is not what a browser sends; give {sent!r}")


def _as_sent(parts: SplitResult) -> str:
    host = (parts.hostname or "").encode("idna").decode()
    if not HOST.fullmatch(host):
        raise ValueError
    port = "" if parts.port in (None, USUAL_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
