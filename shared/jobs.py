"""A job and its life.

``queued`` → ``running`` → ``succeeded`` | ``failed`` | ``cancelled``; a terminal state never changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import UnreadableRecord
from shared.formats import TextResult
from shared.job_texts import EncodedTexts
from shared.pieces import PieceItem


class JobStatus(StrEnum):
    """Where a job is in its life. ``shared/lua/prelude.lua`` knows the terminal states by the same names."""

    QUEUED = "queued"  # accepted, no piece started
    RUNNING = "running"  # a worker has started a piece
    SUCCEEDED = "succeeded"  # every text has its result, at least one of them without an error
    FAILED = "failed"  # no text could be recognised; the job's error says why
    CANCELLED = "cancelled"  # the client asked for it

    @property
    def ended(self) -> bool:
        """Whether the state is terminal."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


class Lane(StrEnum):
    """Which of a model's two streams a job's pieces go through."""

    INTERACTIVE = "interactive"  # the job fits one piece: somebody may be waiting
    BULK = "bulk"  # a job of many pieces, of which only a few are in the stream at a time


class OffsetUnit(StrEnum):
    """What ``start`` and ``end`` count in a job's results."""

    CODEPOINT = "codepoint"  # Unicode code points: Python's indexes
    UTF16 = "utf16"  # UTF-16 code units: JavaScript's and Java's indexes


@dataclass(frozen=True)
class Job:
    """A job as its record says.

    Times are seconds since the epoch by Redis's clock. ``done`` and ``total`` count pieces.
    """

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
        """The job whose Redis hash is ``record``; :class:`shared.job_store.JobStore` documents the hash.

        Raises:
            UnreadableRecord: the hash lacks a field, or holds what this release does not know.
        """
        types = record.get(b"types")
        started, finished, error = record.get(b"started"), record.get(b"finished"), record.get(b"error")
        try:
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
        except (KeyError, ValueError, TypeError) as problem:
            raise UnreadableRecord(f"the record of job {job_id} cannot be read: {problem!r}") from problem


@dataclass(frozen=True)
class NewJob:
    """What it takes to record a job.

    ``cached`` maps the index of a text that
    the cache knows to its result. ``window`` is how many pieces of a bulk job are in the stream at a time. ``ttl`` is
    the seconds that the job is kept after its end. ``fingerprint`` tells different requests with one idempotency key
    apart; it is empty if there is no key.
    """

    id: str
    model: str
    types: tuple[str, ...] | None
    offsets: OffsetUnit
    texts: EncodedTexts
    pieces: list[list[PieceItem]]
    cached: dict[int, TextResult]
    window: int
    ttl: int
    idempotency_key: str | None = None
    fingerprint: str = ""

    @property
    def lane(self) -> Lane:
        """The lane of the job's pieces."""
        return Lane.INTERACTIVE if len(self.pieces) <= 1 else Lane.BULK

    def job(self, created: float) -> Job:
        """The job when it is recorded: queued, or at its end if the cache knew every text."""
        ended = None if self.pieces else created
        return Job(
            id=self.id,
            status=JobStatus.QUEUED if self.pieces else JobStatus.SUCCEEDED,
            model=self.model,
            types=self.types,
            offsets=self.offsets,
            created=created,
            started=ended,
            finished=ended,
            done=0,
            total=len(self.pieces),
            error=None,
        )
