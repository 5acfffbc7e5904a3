"""Job records in Redis: the only module that reads or writes them.

Each key of a job, its type and its fields are described at the top of the Lua script that writes it, in
``shared/lua/``. The record ``raner:job:{id}`` is a hash of

    status, model, types (JSON list; absent: all), offsets, created, enqueued, started, finished (seconds since the
    epoch), lengths (JSON list, bytes of each text), cut (how many texts are cut into parts), done, total (pieces),
    error, idempotency (the key that holds the job's idempotency key)

An open job's keys expire after :data:`OPEN_TTL`, an ended one's after ``RANER_JOB_TTL``.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from redis import Redis

from shared.cache import decode_text
from shared.entities import Entity
from shared.errors import IdempotencyConflict, JobEnded, JobNotFound, QueueFull
from shared.jobs import Job, JobStatus, NewJob, TextResult
from shared.pieces import WHOLE, PieceItem
from shared.queues import queue_name
from shared.settings import settings

# Longer than any queue takes to drain; only there so that no key is for ever.
OPEN_TTL = 7 * 86_400
# A waiting request reads the record at least this often, in case an event was lost while Redis restarted (seconds).
RECHECK = 5.0

_LUA = Path(__file__).parent / "lua"


@dataclass(frozen=True)
class PieceWork:
    """A piece to be done: its items and the slice of text of each. ``tries`` counts this one."""

    items: list[PieceItem]
    slices: list[str]
    tries: int


class PieceState:
    """What the store answers where there is no work, or when a piece is finished."""

    ENDED = "ended"  # the job has ended or expired: nothing is wanted
    DONE = "done"  # another delivery of this piece has done it
    RUNNING = "running"  # counted; other pieces are still to come
    ASSEMBLE = "assemble"  # it was the last: put the parts of cut texts together and end the job
    SUCCEEDED = "succeeded"  # it was the last, and the job has ended with it


class JobStore:
    """Job records over one Redis client."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._create = redis.register_script((_LUA / "create_job.lua").read_text())
        self._mark_enqueued = redis.register_script((_LUA / "mark_enqueued.lua").read_text())
        self._start = redis.register_script((_LUA / "start_piece.lua").read_text())
        self._finish = redis.register_script((_LUA / "finish_piece.lua").read_text())
        self._end = redis.register_script((_LUA / "end_job.lua").read_text())

    def create(self, new: NewJob) -> str:
        """Write the record of an accepted job. Its pieces are enqueued after that, then :meth:`mark_enqueued`.

        A job without pieces, all from the cache, has succeeded at once.

        Returns:
            The job's id: another than ``new.id`` where the idempotency key made that job before.

        Raises:
            IdempotencyConflict: the key came with another request before.
            QueueFull: too many pieces wait.
        """
        now = time.time()
        record: dict[str, Any] = {
            "status": JobStatus.QUEUED if new.pieces else JobStatus.SUCCEEDED,
            "model": new.model,
            "offsets": new.offsets,
            "created": now,
            "lengths": json.dumps(new.lengths, separators=(",", ":")),
            "cut": len({item.text for piece in new.pieces for item in piece if item.part != WHOLE}),
            "done": 0,
            "total": len(new.pieces),
        }
        if new.types is not None:
            record["types"] = json.dumps(new.types)
        if not new.pieces:
            record |= {"started": now, "finished": now}
        keys = _Keys(new.id, new.model)
        answer = self._create(
            keys=[
                keys.job,
                keys.texts,
                keys.pieces,
                keys.results,
                keys.open,
                queue_name(new.model),
                _idempotency(new.idempotency_key or ""),
            ],
            args=[
                json.dumps(
                    {
                        "record": _flat(record),
                        "pieces": [json.dumps(piece, separators=(",", ":")) for piece in new.pieces],
                        "results": _flat({text: result.to_json() for text, result in new.cached.items()}),
                        "now": now,
                        "open_ttl": OPEN_TTL,
                        "job_ttl": settings().job_ttl,
                        "max_queue": settings().max_queue,
                        "idempotent": new.idempotency_key is not None,
                        "id": new.id,
                        "fingerprint": new.fingerprint,
                    }
                ),
                new.texts,
            ],
        )
        if answer[0] == b"known":
            if answer[2].decode() != new.fingerprint:
                raise IdempotencyConflict(
                    "this Idempotency-Key came with a different request before; use a new key for a new request"
                )
            return cast(str, answer[1].decode())
        if answer[0] == b"full":
            raise QueueFull(
                f"{answer[1]} pieces wait for model {new.model!r}, of at most {settings().max_queue}; try again later"
            )
        return new.id

    def mark_enqueued(self, job_id: str, model: str) -> None:
        """Note that every piece of the job that is to be done is in the queue."""
        keys = _Keys(job_id, model)
        self._mark_enqueued(keys=[keys.job, keys.open], args=[time.time(), job_id])

    def read(self, job_id: str) -> Job:
        """The job.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        # With a colon it would be the address of another key than a record, as ``{id}:texts`` is.
        record = self._redis.hgetall(f"raner:job:{job_id}") if ":" not in job_id else None
        if not record:
            raise JobNotFound(
                f"there is no job {job_id}: check the id; a job is kept for {settings().job_ttl} s after it ended"
            )
        return Job.from_record(job_id, record)

    def wait(self, job_id: str, seconds: float) -> Job:
        """The job once it has ended, or as it is after ``seconds``. Sleeps on the job's events; does not poll.

        Raises:
            JobNotFound: there is none, or it expired meanwhile.
        """
        deadline = time.monotonic() + seconds
        job = self.read(job_id)
        if job.status.ended or seconds <= 0:
            return job
        with self._redis.pubsub() as events:
            events.subscribe(f"raner:job:{job_id}:events")
            # The confirmation first: what happened before it is in the record, what happens after it is an event.
            events.get_message(timeout=seconds)
            job = self.read(job_id)
            while not job.status.ended and (left := deadline - time.monotonic()) > 0:
                event = events.get_message(timeout=min(left, RECHECK))
                if event is None or (
                    event["type"] == "message" and JobStatus(json.loads(event["data"])["status"]).ended
                ):
                    job = self.read(job_id)
        return job

    def texts(self, job_id: str) -> list[str]:
        """The job's texts, as they were sent.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        joined, lengths = (
            self._redis.get(f"raner:job:{job_id}:texts"),
            self._redis.hget(f"raner:job:{job_id}", "lengths"),
        )
        if joined is None or lengths is None:
            raise JobNotFound(f"job {job_id} has expired")
        texts, position = [], 0
        for length in json.loads(lengths):
            texts.append(decode_text(joined[position : position + length]))
            position += length
        return texts

    def results(self, job_id: str) -> list[tuple[list[Entity], str, bool]]:
        """For each text of a succeeded job: its entities in code points, the model version, whether it was cached."""
        stored = self._redis.hgetall(f"raner:job:{job_id}:results")
        results = []
        for index in range(len(stored)):
            result = json.loads(stored[str(index).encode()])
            results.append(([Entity(*fields) for fields in result["e"]], result["v"], result["c"]))
        return results

    def start_piece(self, job_id: str, model: str, piece: int) -> PieceWork | str:
        """Take a piece up: its work, or the :class:`PieceState` that says why there is none."""
        keys = _Keys(job_id, model)
        answer = self._start(
            keys=[keys.job, keys.texts, keys.pieces, keys.open, keys.head],
            args=[piece, time.time(), job_id, OPEN_TTL],
        )
        if answer[0] != b"work":
            return cast(str, answer[0].decode())
        return PieceWork(
            items=[PieceItem(*item) for item in json.loads(answer[2])],
            slices=[decode_text(data) for data in answer[3:]],
            tries=answer[1],
        )

    def finish_piece(
        self,
        job_id: str,
        model: str,
        piece: int,
        results: dict[int, TextResult],
        parts: dict[tuple[int, int], str],
    ) -> str:
        """Write what a piece found: ``results`` of whole texts, ``parts`` (JSON) of cut ones by (text, part).

        Takes effect once, however often the piece is done. Returns the :class:`PieceState`.
        """
        keys = _Keys(job_id, model)
        answer = self._finish(
            keys=keys.until_the_end,
            args=[
                piece,
                time.time(),
                job_id,
                settings().job_ttl,
                OPEN_TTL,
                json.dumps(_flat({text: result.to_json() for text, result in results.items()})),
                json.dumps(_flat({f"{text}:{part}": data for (text, part), data in parts.items()})),
            ],
        )
        return cast(str, answer[0].decode())

    def parts(self, job_id: str) -> dict[int, list[str]]:
        """The parts (JSON) of each cut text, in order."""
        stored = self._redis.hgetall(f"raner:job:{job_id}:parts")
        parts: dict[int, list[str]] = {}
        for text, part in sorted(tuple(map(int, field.split(b":"))) for field in stored):
            parts.setdefault(text, []).append(stored[f"{text}:{part}".encode()].decode())
        return parts

    def succeed(self, job_id: str, model: str, results: dict[int, TextResult]) -> bool:
        """End the job well; ``results`` are those of its cut texts. False where it had ended or expired."""
        found = self._end_job(job_id, model, JobStatus.SUCCEEDED, results, error="")
        return found != "" and not JobStatus(found).ended

    def fail(self, job_id: str, model: str, error: str) -> bool:
        """End the job with an error, a sentence for its client. False where it had ended or expired."""
        found = self._end_job(job_id, model, JobStatus.FAILED, {}, error)
        return found != "" and not JobStatus(found).ended

    def cancel(self, job_id: str) -> Job:
        """End the job because its client asked; workers leave its pieces.

        Raises:
            JobNotFound: there is none, or it expired.
            JobEnded: it had ended already.
        """
        job = self.read(job_id)
        found = self._end_job(job_id, job.model, JobStatus.CANCELLED, {}, error="")
        if found == "":
            raise JobNotFound(f"job {job_id} has expired")
        if JobStatus(found).ended:
            raise JobEnded(f"job {job_id} has {found} already; only a queued or running job can be cancelled")
        return self.read(job_id)

    def has_ended(self, job_id: str) -> bool:
        """Whether nobody wants the job's pieces any more: it ended, or expired."""
        status = self._redis.hget(f"raner:job:{job_id}", "status")
        return status is None or JobStatus(status.decode()).ended

    def open_jobs(self, model: str, idle_since: float, limit: int) -> list[tuple[str, float]]:
        """Jobs of a model that have not ended and had no step since that time: (id, time of the last step)."""
        found = self._redis.zrangebyscore(
            f"raner:jobs:open:{model}", "-inf", idle_since, start=0, num=limit, withscores=True
        )
        return [(job_id.decode(), score) for job_id, score in found]

    def count_open(self, model: str) -> int:
        """How many jobs of a model have not ended."""
        return cast(int, self._redis.zcard(f"raner:jobs:open:{model}"))

    def enqueued_at(self, job_id: str) -> float | None:
        """When the job's pieces were all in the queue; None where that is not known to have happened."""
        enqueued = self._redis.hget(f"raner:job:{job_id}", "enqueued")
        return float(enqueued) if enqueued is not None else None

    def queue_head(self, model: str) -> float:
        """Every job enqueued before this time has had its turn: the queue is first in, first out."""
        if self._redis.llen(queue_name(model)) == 0:
            return time.time()
        head = self._redis.get(f"raner:queue:{model}:head")
        return float(head) if head is not None else 0.0

    def pieces_to_do(self, job_id: str) -> list[int]:
        """Numbers of the pieces that are not done. Piece 0 where all are: taking it up again ends the job."""
        fields = self._redis.hkeys(f"raner:job:{job_id}:pieces")
        return sorted(int(field) for field in fields if field.isdigit()) or [0]

    def forget_open(self, job_id: str, model: str) -> None:
        """Take a job that expired before it ended off the list of open ones."""
        self._redis.zrem(f"raner:jobs:open:{model}", job_id)

    def _end_job(self, job_id: str, model: str, status: JobStatus, results: dict[int, TextResult], error: str) -> str:
        keys = _Keys(job_id, model)
        answer = self._end(
            keys=keys.until_the_end,
            args=[
                status,
                time.time(),
                job_id,
                settings().job_ttl,
                json.dumps(_flat({text: result.to_json() for text, result in results.items()})),
                error,
            ],
        )
        return cast(str, answer.decode())


class _Keys:
    def __init__(self, job_id: str, model: str) -> None:
        self.job = f"raner:job:{job_id}"
        self.texts = f"{self.job}:texts"
        self.pieces = f"{self.job}:pieces"
        self.results = f"{self.job}:results"
        self.parts = f"{self.job}:parts"
        self.events = f"{self.job}:events"
        self.open = f"raner:jobs:open:{model}"
        self.head = f"raner:queue:{model}:head"
        # Of the scripts that may end the job, in their order.
        self.until_the_end = [self.job, self.texts, self.pieces, self.results, self.parts, self.open, self.events]


def _idempotency(key: str) -> str:
    return f"raner:idempotency:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _flat(fields: dict[Any, Any]) -> list[str]:
    return [str(part) for pair in fields.items() for part in pair]
