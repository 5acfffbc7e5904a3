"""The pieces of a model's jobs on their way through the workers.

Each model has two Redis Streams, a lane each: *interactive* for jobs of a single piece, *bulk* for the rest, of which
a job has only a few pieces in the stream at a time. The worker processes of a model are the consumers of one group. A
piece waits in its stream from the moment its job is recorded; it is *pending* from the moment a worker process takes
it until its result is written, which deletes it. Each step from one to the next is one Lua script.

A worker process names the pieces that it has in hand with each heartbeat. What it has held for :data:`CLAIM_AFTER`
without a sign of life, by Redis's clock, others claim; its successor hands it back at once. Redis counts the
deliveries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import ResponseError

from shared import keys
from shared.errors import UnreadableRecord
from shared.formats import PartResult, TextResult, decode_items, encode_items, encode_part, encode_result
from shared.jobs import Lane
from shared.keys import GROUP, OPEN_TTL, READABLE_SCHEMAS, JobKeys, ModelKeys
from shared.pieces import PieceItem
from shared.registry import ALIVE, REMEMBERED, WorkerInfo
from shared.scripts import Script
from shared.text import decode_text

log = structlog.get_logger()

# Seconds without a sign of life after which a piece is claimed by another worker process.
CLAIM_AFTER = ALIVE
# Open jobs that one heartbeat looks at when a stream is lost, at most: the script keeps Redis busy meanwhile.
LOOK = 200

# The scripts know lanes by their number.
LANES = (Lane.INTERACTIVE, Lane.BULK)


@dataclass(frozen=True)
class Entry:
    """Where a piece is: the lane, and the id of its entry in that stream."""

    lane: Lane
    id: str

    @property
    def numbered(self) -> tuple[int, str]:
        """The entry as the scripts take it."""
        return LANES.index(self.lane) + 1, self.id


class Kind(StrEnum):
    """What is to be done with a piece."""

    DO = "do"  # recognise its texts
    ASSEMBLE = "assemble"  # all pieces of its job are done: put the parts of cut texts together, end the job
    UNREADABLE = "unreadable"  # its job was recorded by a release that this one cannot read: fail it


@dataclass(frozen=True)
class Piece:
    """A piece that a worker process has taken. ``deliveries`` is how often a process has, this time included.

    ``items`` and ``slices`` (the text of each) are empty unless the kind is :attr:`Kind.DO`.
    """

    entry: Entry
    deliveries: int
    job_id: str
    kind: Kind
    number: int
    items: list[PieceItem]
    slices: list[str]

    @property
    def bytes(self) -> int:
        """Bytes of text."""
        return sum(item.byte_end - item.byte_start for item in self.items)


@dataclass(frozen=True)
class Delivered:
    """A piece that a blocking read brought, of which only its stream's entry is known."""

    entry: Entry
    job_id: str
    number: str
    kind: str


@dataclass(frozen=True)
class Taken:
    """What a worker process was given. ``wake``: pieces wait for another process, and the caller is to wake it."""

    pieces: list[Piece]
    wake: bool


@dataclass(frozen=True)
class PieceResult:
    """What a piece found: ``results`` of whole texts by index, ``parts`` of cut ones by (text, part)."""

    piece: Piece
    results: dict[int, TextResult]
    parts: dict[tuple[int, int], PartResult]


class JobState(StrEnum):
    """Where a job is when a piece of it is finished."""

    RUNNING = "running"  # other pieces are still to come, or this one was done before
    ASSEMBLING = "assembling"  # it was the last, and an entry that asks for the job's assembly is in the stream
    SUCCEEDED = "succeeded"  # it was the last, and the job has ended with it
    FAILED = "failed"  # the same, and no text of the job could be recognised
    ENDED = "ended"  # the job had ended or expired: nothing was wanted


@dataclass(frozen=True)
class Pulse:
    """What a heartbeat tells: the live worker processes of the model, whether to send a wake-up, jobs put back."""

    peers: int
    wake: bool
    put_back: int


class PieceStream:
    """The pieces of one model, for the worker process ``consumer``, over one Redis client.

    The consumer's name stays that of its place in its node, so that a process finds what its predecessor left.
    """

    def __init__(self, redis: Redis, model: str, consumer: str) -> None:
        self.model = model
        self.consumer = consumer
        self._redis = redis
        self._keys = ModelKeys(model)
        self._streams = [self._keys.interactive, self._keys.bulk]
        self._take = Script(redis, "take_pieces")
        self._finish = Script(redis, "finish_pieces")
        self._split = Script(redis, "split_piece")
        self._hand_back = Script(redis, "hand_back")
        self._beat = Script(redis, "beat")

    def take(
        self,
        *,
        most: int,
        room: int,
        takers: int = 1,
        first: Lane = Lane.INTERACTIVE,
        delivered: Sequence[Delivered] = (),
        claim: bool = False,
        linger: float = 0.0,
    ) -> Taken:
        """Take pieces, the oldest of a lane first: one of any size, and more until ``room`` bytes of text are full.

        Args:
            most: the largest number of pieces. 0 takes only what was delivered, or is claimed.
            takers: how many worker processes do the model's pieces. This one is given no more than its share of those
                that wait, rounded up.
            first: the lane to look at first. The other is looked at if that has nothing.
            delivered: what :meth:`wait` brought; these come before any other.
            claim: whether to look for pieces whose worker process is gone. A claimed piece comes alone.
            linger: if there is nothing, the process is going to :meth:`wait` for so many seconds, so that nobody sends
                a wake-up for a piece that comes meanwhile.
        """
        lanes = [LANES.index(first) + 1, 2 - LANES.index(first)]
        wake, *pieces = self._take(
            [*self._streams, self._keys.idle, self._keys.wakeups, self._keys.open, self._keys.load],
            consumer=self.consumer,
            lanes=lanes,
            most=most,
            room=room,
            takers=takers,
            delivered=[[*each.entry.numbered, each.job_id, each.number, each.kind] for each in delivered],
            claim=claim,
            claim_after=int(CLAIM_AFTER * 1000),
            linger=int(linger * 1000),
            ttl=OPEN_TTL,
            job_prefix=keys.job_prefix(),
            schemas=READABLE_SCHEMAS,
        )
        return Taken([_piece(*fields) for fields in pieces], bool(wake))

    def wait(self, seconds: float) -> list[Delivered]:
        """The pieces, at most one of each lane, that come within so many seconds; they are the process's then."""
        try:
            found = self._redis.xreadgroup(
                GROUP,
                self.consumer,
                dict.fromkeys(self._streams, ">"),
                count=1,
                block=max(1, int(seconds * 1000)),
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            return []  # the streams were deleted; the next take makes them anew
        return [
            Delivered(
                Entry(LANES[self._streams.index(stream.decode())], entry.decode()),
                fields.get(b"job", b"").decode(),
                fields.get(b"piece", b"").decode(),
                fields.get(b"kind", b"").decode(),
            )
            for stream, entries in found or []
            for entry, fields in entries
        ]

    def finish(self, done: Sequence[PieceResult]) -> list[JobState]:
        """Write what pieces found. Takes effect once for each, however often it is done. Returns each job's state."""
        states = self._finish(
            [*self._streams, self._keys.open, self._keys.load],
            ttl=OPEN_TTL,
            job_prefix=keys.job_prefix(),
            pieces=[_finished(each) for each in done],
        )
        return [JobState(state.decode()) for state in states]

    def split(self, piece: Piece) -> int:
        """Replace a piece of several texts by one piece for each. Returns how many; 0 if nobody wants it any more."""
        of_job = JobKeys(piece.job_id)
        lane, entry = piece.entry.numbered
        count: int = self._split(
            [of_job.job, of_job.pieces, self._streams[lane - 1], self._keys.load],
            id=piece.job_id,
            entry=entry,
            number=piece.number,
            items=[encode_items([item]) for item in piece.items],
            ttl=OPEN_TTL,
        )
        return count

    def hand_back(self, entries: Iterable[Entry] = ()) -> tuple[int, bool]:
        """Let any process claim these pieces of the consumer at once; all of the consumer's if none is given.

        Returns how many, and whether to send a wake-up.
        """
        count, wake = self._hand_back(
            [*self._streams, self._keys.wakeups],
            consumer=self.consumer,
            entries=[entry.numbered for entry in entries],
            claim_after=int(CLAIM_AFTER * 1000),
            ttl=OPEN_TTL,
        )
        return count, bool(wake)

    def beat(self, worker: WorkerInfo, held: Iterable[Entry]) -> Pulse:
        """Give a sign of life, and keep the pieces that the process has in hand."""
        peers, wake, put_back = self._beat(
            [keys.workers(), self._keys.workers, *self._streams, self._keys.idle, self._keys.wakeups, self._keys.open],
            worker=self.consumer,
            info=worker.model_dump_json(),
            ttl=REMEMBERED,
            alive=ALIVE,
            held=[entry.numbered for entry in held],
            claim_after=int(CLAIM_AFTER * 1000),
            pieces_ttl=OPEN_TTL,
            job_prefix=keys.job_prefix(),
            look=LOOK,
        )
        return Pulse(peers, bool(wake), put_back)


def backlog(redis: Redis, model: str) -> dict[Lane, tuple[int, int]]:
    """For each lane of a model: the pieces that no worker process has taken, and those that one has in hand."""
    of_model = ModelKeys(model)
    found = {}
    for lane, stream in ((Lane.INTERACTIVE, of_model.interactive), (Lane.BULK, of_model.bulk)):
        length = int(redis.xlen(stream))
        pending = int(redis.xpending(stream, GROUP)["pending"]) if length else 0
        found[lane] = (length - pending, pending)
    return found


def _piece(
    lane: int, entry: bytes, deliveries: int, job: bytes, kind: bytes, number: int, items: bytes, *slices: bytes
) -> Piece:
    what, decoded = Kind(kind.decode()), []
    try:
        decoded = decode_items(items) if items else []
    except UnreadableRecord as error:
        log.warning("a piece is of another release", job=job.decode(), error=str(error))
        what = Kind.UNREADABLE
    return Piece(
        entry=Entry(LANES[lane - 1], entry.decode()),
        deliveries=deliveries,
        job_id=job.decode(),
        kind=what,
        number=number,
        items=decoded,
        slices=[decode_text(data) for data in slices],
    )


def _finished(done: PieceResult) -> dict[str, Any]:
    lane, entry = done.piece.entry.numbered
    # The error of a part is counted when its text is assembled.
    errors = [result.error for result in done.results.values() if result.error is not None]
    return {
        "lane": lane,
        "entry": entry,
        "job": done.piece.job_id,
        "number": done.piece.number,
        "results": {str(text): encode_result(result) for text, result in done.results.items()},
        "parts": {f"{text}:{part}": encode_part(result) for (text, part), result in done.parts.items()},
        "failed": len(errors),
        "error": errors[0] if errors else "",
    }
