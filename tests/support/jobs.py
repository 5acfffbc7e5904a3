"""Jobs for tests, and turns at their pieces without a model."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from shared.cache import encode_entities
from shared.entities import Entity
from shared.jobs import NewJob, OffsetUnit, TextResult
from shared.piece_queue import Piece, PieceQueue, PieceResult, PieceState
from shared.pieces import plan
from shared.text import encode_text

MODEL = "news"
FOUND = TextResult(encode_entities([Entity(0, 2, "PER", 0.9)]), "news@v1", cached=False)
CACHED = TextResult(encode_entities([Entity(0, 1, "LOC", 0.8)]), "news@v1", cached=True)
LONG = "马云在杭州。" * 1500  # three pieces


def new_job(*texts: str, cached: dict[int, TextResult] | None = None, **fields: Any) -> NewJob:
    """A job as web makes it."""
    encoded = [encode_text(text) for text in texts]
    starts = [0, *accumulate(map(len, encoded))]
    known = cached or {}
    made: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "created": time.time(),
        "model": MODEL,
        "types": None,
        "offsets": OffsetUnit.CODEPOINT,
        "texts": b"".join(encoded),
        "lengths": [len(text) for text in encoded],
        "pieces": plan(texts, starts, [index for index in range(len(texts)) if index not in known]),
        "cached": known,
        "idempotency_key": None,
        "fingerprint": "same",
    }
    return NewJob(**{**made, **fields})


def take(queue: PieceQueue, turn: str = "turn", most: int = 1) -> list[Piece]:
    """Take up to ``most`` pieces up, of any size."""
    return queue.take(turn, most_pieces=most, most_bytes=10**9).pieces


def result_of(piece: Piece) -> PieceResult:
    """Some result of a piece."""
    whole = {item.text: FOUND for item in piece.items if item.part < 0}
    parts = {(item.text, item.part): json.dumps({"part": item.part}) for item in piece.items if item.part >= 0}
    return PieceResult(piece, whole, parts)


def finish(queue: PieceQueue, pieces: Sequence[Piece], turn: str = "turn") -> list[PieceState]:
    """Finish pieces with some result. Returns the state of each one's job."""
    return queue.finish(turn, [result_of(piece) for piece in pieces])


def work(queue: PieceQueue, turn: str = "turn") -> PieceState:
    """Do the next piece as a worker does. Returns the state of its job."""
    (state,) = finish(queue, take(queue, turn), turn)
    return state
