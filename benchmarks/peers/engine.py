"""What every peer's process holds: the prepared model, loaded as a worker process loads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from shared.entities import Entity
from web.colours import colour
from workers.loading import load

# The environment variable that names the prepared folder.
FOLDER = "PEER_MODEL"


class Engine:
    """The model, with one thread."""

    def __init__(self) -> None:
        self._recogniser = load(Path(os.environ[FOLDER]), 1)

    def answers(self, texts: list[str]) -> list[dict[str, Any]]:
        """What ``POST /ner`` answers to each text."""
        found = self._recogniser.recognise(texts)
        return [
            {"success": True, "data": [_view(text, entity) for entity in entities]}
            for text, entities in zip(texts, found, strict=True)
        ]


def _view(text: str, entity: Entity) -> dict[str, Any]:
    return {
        "text": text[entity.start : entity.end],
        "type": entity.type,
        "start_offset": entity.start,
        "end_offset": entity.end,
        "score": round(entity.score, 4),
        "color": colour(entity.type),
    }
