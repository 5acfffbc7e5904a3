"""The farm under a prefix of a reverse proxy's: ``https://example.org/raner/`` for what is ``/`` here.

``RANER_URL_PREFIX`` is the prefix. The proxy may pass it on or take it off. An address that begins with it is read
without it. Any other is read as it is, so health checks can go past the proxy. If ``RANER_TRUST_FORWARDED_PREFIX`` is
set, the proxy may give the prefix in ``X-Forwarded-Prefix``. Otherwise the header is ignored, since a client can send
it too.

The addresses that the farm itself gives are paths. So it needs no word of the proxy's host or scheme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from shared.prefix import is_own, is_prefix

HEADER = "HTTP_X_FORWARDED_PREFIX"


class UnderPrefix:
    """A WSGI application whose addresses are under a prefix: WSGI's ``SCRIPT_NAME``."""

    def __init__(self, application: Callable[..., Iterable[bytes]], prefix: str, trusts_header: bool) -> None:
        self._application = application
        self._prefix = prefix
        self._trusts_header = trusts_header

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        prefix = self._prefix
        if self._trusts_header:
            prefix = _forwarded(environ.get(HEADER, "")) or prefix
        if prefix:
            environ["SCRIPT_NAME"] = prefix
            path = environ["PATH_INFO"]
            # A proxy's prefix may be one that the farm has addresses under. By custom it has been taken off.
            if (path == prefix or path.startswith(f"{prefix}/")) and not is_own(prefix):
                environ["PATH_INFO"] = path.removeprefix(prefix) or "/"
        return self._application(environ, start_response)


def _forwarded(header: str) -> str:
    """The prefix that proxies say they have taken off, the outermost first; empty if that is no prefix."""
    prefix = "".join(part.strip().rstrip("/") for part in header.split(","))
    return prefix if is_prefix(prefix) else ""
