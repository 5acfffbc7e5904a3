"""The farm's own addresses: what clients call them, and which of them a mistyped one was meant to be."""

from __future__ import annotations

from collections.abc import Iterator

from flask import current_app, request


def public(path: str) -> str:
    """A path of the farm as the client of the present request has to ask for it: behind the proxy's prefix."""
    return f"{request.script_root}{path}"


def right_address(path: str) -> str | None:
    """The address that ``path`` was meant to be; None if it is like none.

    They differ in slashes that are too many, in capital letters, or in white space that was copied with the address.
    """
    given = [part for part in (part.strip() for part in path.split("/")) if part]
    # A rule with variables matches more, so those without come first.
    for rule in sorted(_rules(), key=lambda rule: rule.count("<")):
        parts = rule.strip("/").split("/")
        if len(parts) == len(given) and all(map(_is_alike, parts, given)):
            spelt = (mine if part.startswith("<") else part for part, mine in zip(parts, given, strict=True))
            return f"/{'/'.join(spelt)}"
    return None


def _rules() -> Iterator[str]:
    """The rules of all addresses but those of files, whose names are the rest of the address."""
    return (rule.rule for rule in current_app.url_map.iter_rules() if "<path:" not in rule.rule)


def _is_alike(part: str, given: str) -> bool:
    return part.startswith("<") or part.casefold() == given.casefold()
