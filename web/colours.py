"""The colour of each entity type, where an answer names one."""

from __future__ import annotations

COLOURS = {
    "PER": "red",
    "LOC": "cyan",
    "ORG": "yellow",
}
OTHER = "magenta"


def colour(entity_type: str) -> str:
    """The type's colour; subtypes such as ``PER.NAM`` have their type's."""
    return COLOURS.get(entity_type.split(".")[0], OTHER)
