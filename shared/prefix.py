"""The path under which a reverse proxy serves the farm, such as ``/raner``; empty where it serves it at ``/``."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# What the farm's own paths begin with. Under a prefix of that name nobody could tell the two apart.
OWN = ("api", "assets", "docs", "healthz", "jobs", "metrics", "ner", "openapi.json", "readyz")
MOST_CHARACTERS = 200
PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+")


def is_prefix(value: str) -> bool:
    """Whether it is a path that is neither empty nor ends with a slash, of characters that need no escapes."""
    return len(value) <= MOST_CHARACTERS and PREFIX.fullmatch(value) is not None


def is_own(prefix: str) -> bool:
    """Whether the farm has addresses of its own under this prefix."""
    return prefix.split("/")[1] in OWN


def check_prefix(value: str) -> None:
    """Look whether a prefix can be used; an empty one can.

    Raises:
        ValueError: it cannot; the message says what to give.
    """
    if not value:
        return
    if not is_prefix(value):
        path = urlsplit(value).path if "://" in value else value
        meant = "/" + "/".join(part for part in path.split("/") if part)
        if meant == "/":
            raise ValueError(f"{value!r} is no prefix; leave it out where the proxy serves the farm at /")
        if is_prefix(meant):
            raise ValueError(f"{value!r} is no path without a slash at its end; give {meant!r}")
        raise ValueError(
            f"give a path such as /raner: at most {MOST_CHARACTERS} letters, digits, - . _ ~, with / before each part"
        )
    if is_own(value):
        raise ValueError(f"the farm has addresses of its own under /{value.split('/')[1]}; give another prefix")
