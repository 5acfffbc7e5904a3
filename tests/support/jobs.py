"""Jobs for tests, and worker processes that do their pieces without a model."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from redis import Redis

from shared.entities import Entity
from shared.formats import Core, PartResult, TextResult
from shared.job_store import JobStore
from shared.job_texts import JobTexts, encode_texts
from shared.jobs import Lane, NewJob, OffsetUnit
from shared.keys import GROUP, ModelKeys
from shared.piece_stream import Entry, JobState, Piece, PieceResult, PieceStream, Pulse, backlog
from shared.pieces import WHOLE, PieceItem, plan
from shared.registry import WorkerInfo

MODEL = "news"
VERSION = f"{MODEL}@v1"
PIECE_CHARS = 4_000
FOUND = TextResult((Entity(0, 2, "PER", 0.9),), VERSION)
CACHED = TextResult((Entity(0, 1, "LOC", 0.8),), VERSION, cached=True)
LONG = "马云在杭州。" * 1500  # several pieces
EVERYTHING = 10**9  # bytes


def new_job(*texts: str, cached: dict[int, TextResult] | None = None, **fields: Any) -> NewJob:
    """A job as web makes it."""
    encoded = encode_texts(JobTexts(texts))
    known = cached or {}
    wanted = [index for index in range(len(texts)) if index not in known]
    made: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "model": MODEL,
        "types": None,
        "offsets": OffsetUnit.CODEPOINT,
        "texts": encoded,
        "pieces": list(plan(texts, encoded.read_ranges, wanted, PIECE_CHARS)),
        "cached": known,
        "window": 4,
        "ttl": 3_600,
        "idempotency_key": None,
        "fingerprint": "same",
    }
    return NewJob(**{**made, **fields})


def bulk_job(pieces: int, text: str = "马云", **fields: Any) -> NewJob:
    """A job of so many pieces, each of a single short text."""
    job = new_job(*[text] * pieces, **fields)
    return replace(job, pieces=[[item] for piece in job.pieces for item in piece])


def made(jobs: JobStore, *texts: str, **fields: Any) -> str:
    """The id of a job that was accepted."""
    return jobs.create(new_job(*texts, **fields)).job_id


def worker(redis: Redis, name: str, model: str = MODEL) -> PieceStream:
    """The model's pieces, as the worker process of that name sees them."""
    return PieceStream(redis, model, name)


def take(stream: PieceStream, most: int = 1, **options: Any) -> list[Piece]:
    """Take up to ``most`` pieces, of any size."""
    return stream.take(most=most, room=EVERYTHING, **options).pieces


def claim(stream: PieceStream) -> list[Piece]:
    """Take a piece whose worker process is gone, if there is any."""
    return take(stream, 0, claim=True)


def result_of(piece: Piece) -> PieceResult:
    """Some result of a piece."""
    whole = {item.text: FOUND for item in piece.items if item.part == WHOLE}
    parts = {(item.text, item.part): PartResult((_core(item),), VERSION) for item in piece.items if item.part != WHOLE}
    return PieceResult(piece, whole, parts)


def _core(item: PieceItem) -> Core:
    start = item.start + item.core_start
    return Core(start, item.start + item.core_end, (Entity(start, start + 2, "PER", 0.9),))


def finish(stream: PieceStream, pieces: Sequence[Piece]) -> list[JobState]:
    """Finish pieces with some result. Returns the state of each one's job."""
    return stream.finish([result_of(piece) for piece in pieces])


def work(stream: PieceStream) -> JobState:
    """Do the next piece as a worker does. Returns the state of its job."""
    (state,) = finish(stream, take(stream))
    return state


def beat(stream: PieceStream, held: Iterable[Piece] = ()) -> Pulse:
    """Let the worker process give a sign of life, with these pieces in hand."""
    info = WorkerInfo(id=stream.consumer, model=stream.model, version="v1", started=0.0)
    return stream.beat(info, [piece.entry for piece in held])


def waiting(redis: Redis, model: str = MODEL) -> int:
    """How many pieces of both lanes no worker process has taken."""
    return sum(untaken for untaken, _ in backlog(redis, model).values())


def pending(redis: Redis, model: str = MODEL) -> set[Entry]:
    """The entries that worker processes have in hand."""
    return {
        Entry(lane, each["message_id"].decode())
        for lane, stream in lanes(model)
        if redis.exists(stream)
        for each in redis.xpending_range(stream, GROUP, "-", "+", 1000)
    }


def lanes(model: str = MODEL) -> list[tuple[Lane, str]]:
    """Each lane with the key of its stream."""
    of_model = ModelKeys(model)
    return [(Lane.INTERACTIVE, of_model.interactive), (Lane.BULK, of_model.bulk)]
