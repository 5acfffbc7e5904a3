"""A job and its life.

``queued`` → ``running`` → ``succeeded`` | ``failed`` | ``cancelled``; a terminal state never changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.pieces import PieceItem


class JobStatus(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"  # accepted, no piece started
    RUNNING = "running"  # a worker has started a piece
    SUCCEEDED = "succeeded"  # every text has its result
    FAILED = "failed"  # a piece could not be done; the job's error says why
    CANCELLED = "cancelled"  # the client asked for it

    @property
    def ended(self) -> bool:
        """Whether the state is terminal."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


class OffsetUnit(StrEnum):
    """What ``start`` and ``end`` count in a job's results."""

    CODEPOINT = "codepoint"  # Unicode code points: Python's indexes
    UTF16 = "utf16"  # UTF-16 code units: JavaScript's and Java's indexes


@dataclass(frozen=True)
class Job:
    """A job as its record says. Times are seconds since the epoch; ``done`` and ``total`` count pieces."""

    id: str
    status: JobStatus
    model: str
    types: tuple[str, ...] | None
    offsets: OffsetUnit
    created: float
    started: float | None
    finished: float | None
    done: int
    total: int
    error: str | None

    @classmethod
    def from_record(cls, job_id: str, record: Mapping[bytes, bytes]) -> Job:
        """The job whose Redis hash is ``record``; :class:`shared.job_store.JobStore` documents the hash."""
        types = record.get(b"types")
        started, finished, error = record.get(b"started"), record.get(b"finished"), record.get(b"error")
        return cls(
            id=job_id,
            status=JobStatus(record[b"status"].decode()),
            model=record[b"model"].decode(),
            types=tuple(json.loads(types)) if types is not None else None,
            offsets=OffsetUnit(record[b"offsets"].decode()),
            created=float(record[b"created"]),
            started=float(started) if started is not None else None,
            finished=float(finished) if finished is not None else None,
            done=int(record[b"done"]),
            total=int(record[b"total"]),
            error=error.decode() if error is not None else None,
        )


@dataclass(frozen=True)
class NewJob:
    """What it takes to write a job's record.

    ``created`` is in seconds since the epoch, ``texts`` the joined UTF-8 of all texts, ``lengths`` the bytes of each.
    ``cached`` maps the index of a text that the cache answered to its result (see :class:`TextResult`). ``fingerprint``
    tells different requests with one idempotency key apart; it is empty where there is no key.
    """

    id: str
    created: float
    model: str
    types: tuple[str, ...] | None
    offsets: OffsetUnit
    texts: bytes
    lengths: list[int]
    pieces: list[list[PieceItem]]
    cached: dict[int, TextResult]
    idempotency_key: str | None
    fingerprint: str

    @property
    def job(self) -> Job:
        """The job when it is written: queued, or at its end where the cache answered every text."""
        ended = None if self.pieces else self.created
        return Job(
            id=self.id,
            status=JobStatus.QUEUED if self.pieces else JobStatus.SUCCEEDED,
            model=self.model,
            types=self.types,
            offsets=self.offsets,
            created=self.created,
            started=ended,
            finished=ended,
            done=0,
            total=len(self.pieces),
            error=None,
        )


@dataclass(frozen=True)
class TextResult:
    """What was found in one text: ``entities`` as :func:`shared.cache.encode_entities` writes them."""

    entities: str
    model_version: str
    cached: bool

    def to_json(self) -> str:
        """As it is stored: ``{"v": version, "c": cached, "e": [[start, end, type, score], ...]}``."""
        return f'{{"v":{json.dumps(self.model_version)},"c":{json.dumps(self.cached)},"e":{self.entities}}}'
