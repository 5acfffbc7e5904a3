"""Job records in Redis: written when a job is accepted, read when somebody asks, and ended.

Each key of a job, its type and its fields are described at the top of the Lua script that writes it, in
``shared/lua/``. The record ``raner:job:{id}`` is a hash of

    status, model, types (JSON list; absent: all), offsets, created, started, finished (seconds since the epoch),
    lengths (JSON list, bytes of each text), cut (how many texts are cut into parts), done, total (pieces), error,
    idempotency (the key that holds the job's idempotency key), watchers (channels that its end is told on)

An open job's keys expire after :data:`shared.job_keys.OPEN_TTL`, an ended one's after ``RANER_JOB_TTL``. What happens
to its pieces in between is :mod:`shared.piece_queue`'s.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from redis import Redis

from shared.entities import Entity
from shared.errors import IdempotencyConflict, JobEnded, JobNotFound, QueueFull
from shared.job_keys import LUA, OPEN_TTL, JobKeys, ModelKeys
from shared.jobs import Job, JobStatus, NewJob, TextResult
from shared.pieces import WHOLE
from shared.queues import queue_name
from shared.settings import settings
from shared.text import decode_text


@dataclass(frozen=True)
class Accepted:
    """A job that is recorded. ``wake`` says that no turn is on its way that would take its pieces up: send one."""

    job_id: str
    wake: bool


class StoredResult(NamedTuple):
    """What was found in one text: entities in code points, of every type; the model version; whether it was cached."""

    entities: list[Entity]
    model_version: str
    cached: bool


class JobStore:
    """Job records over one Redis client."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._create = redis.register_script((LUA / "create_job.lua").read_text())
        self._watch = redis.register_script((LUA / "watch_job.lua").read_text())
        self._end = redis.register_script((LUA / "end_job.lua").read_text())

    def create(self, new: NewJob, watcher: str | None = None) -> Accepted:
        """Write the record of an accepted job and put its pieces into the queue.

        A job without pieces, all from the cache, has succeeded at once. The id is another than ``new.id`` where the
        idempotency key made that job before.

        Args:
            watcher: a channel on which to tell the job's end, as :meth:`watch` would.

        Raises:
            IdempotencyConflict: the key came with another request before.
            QueueFull: too many pieces wait.
        """
        record: dict[str, Any] = {
            "status": new.job.status,
            "model": new.model,
            "offsets": new.offsets,
            "created": new.created,
            "lengths": json.dumps(new.lengths, separators=(",", ":")),
            "cut": len({item.text for piece in new.pieces for item in piece if item.part != WHOLE}),
            "done": 0,
            "total": len(new.pieces),
        }
        if new.types is not None:
            record["types"] = json.dumps(new.types)
        if not new.pieces:
            record |= {"started": new.created, "finished": new.created}
        if watcher is not None:
            record["watchers"] = watcher
        keys, of_model = JobKeys(new.id), ModelKeys(new.model)
        answer = self._create(
            keys=[
                keys.job,
                keys.texts,
                keys.pieces,
                keys.results,
                of_model.open,
                of_model.waiting,
                of_model.lingering,
                queue_name(new.model),
                _idempotency(new.idempotency_key or ""),
            ],
            args=[
                json.dumps(
                    {
                        "record": _flat(record),
                        "pieces": [json.dumps(piece, separators=(",", ":")) for piece in new.pieces],
                        "results": _flat({text: result.to_json() for text, result in new.cached.items()}),
                        "now": new.created,
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
            return Accepted(answer[1].decode(), wake=False)
        if answer[0] == b"full":
            raise QueueFull(
                f"{answer[1]} pieces wait for model {new.model!r}, of at most {settings().max_queue}; try again later"
            )
        return Accepted(new.id, wake=bool(answer[1]))

    def read(self, job_id: str) -> Job:
        """The job.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        return self._found(job_id, self._redis.hgetall(JobKeys(job_id).job) if _is_id(job_id) else {})

    def watch(self, job_id: str, channel: str) -> Job:
        """The job; where it has not ended, its id will be published on ``channel`` when it does.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        flat = self._watch(keys=[JobKeys(job_id).job], args=[channel]) if _is_id(job_id) else []
        return self._found(job_id, dict(zip(flat[::2], flat[1::2], strict=True)))

    def read_with_results(self, job_id: str) -> tuple[Job, list[StoredResult]]:
        """The job and, where it has succeeded, its results; one round trip.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        keys = JobKeys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.job)
            pipe.hgetall(keys.results)
            record, stored = pipe.execute()
        job = self._found(job_id, record)
        return job, _results(stored) if job.status is JobStatus.SUCCEEDED else []

    def told(self, new: NewJob, message: bytes) -> tuple[Job, list[StoredResult]]:
        """The same from what a watcher was told at the end, where that was enough; no round trip then.

        Args:
            message: the job's id, or what ``finish_pieces.lua`` adds to it.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        _, *rest = message.split(b" ", 3)
        if not rest:
            return self.read_with_results(new.id)
        started, finished, result = rest
        job = replace(
            new.job, status=JobStatus.SUCCEEDED, started=float(started), finished=float(finished), done=len(new.pieces)
        )
        return job, [_result(result)]

    def texts(self, job_id: str) -> list[str]:
        """The job's texts, as they were sent.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        keys = JobKeys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.texts)
            pipe.hget(keys.job, "lengths")
            joined, lengths = pipe.execute()
        if joined is None or lengths is None:
            raise JobNotFound(f"job {job_id} has expired")
        texts, position = [], 0
        for length in json.loads(lengths):
            texts.append(decode_text(joined[position : position + length]))
            position += length
        return texts

    def results(self, job_id: str) -> list[StoredResult]:
        """The results of a succeeded job, one for each of its texts."""
        return _results(self._redis.hgetall(JobKeys(job_id).results))

    def parts(self, job_id: str) -> dict[int, list[str]]:
        """The parts (JSON) of each cut text, in order."""
        stored = self._redis.hgetall(JobKeys(job_id).parts)
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
        status = self._redis.hget(JobKeys(job_id).job, "status")
        return status is None or JobStatus(status.decode()).ended

    def count_open(self, model: str) -> int:
        """How many jobs of a model have not ended."""
        return cast(int, self._redis.zcard(ModelKeys(model).open))

    def count_waiting(self, model: str) -> int:
        """How many pieces of a model wait for a worker process."""
        return cast(int, self._redis.llen(ModelKeys(model).waiting))

    def _found(self, job_id: str, record: dict[bytes, bytes]) -> Job:
        if not record:
            raise JobNotFound(
                f"there is no job {job_id}: check the id; a job is kept for {settings().job_ttl} s after it ended"
            )
        return Job.from_record(job_id, record)

    def _end_job(self, job_id: str, model: str, status: JobStatus, results: dict[int, TextResult], error: str) -> str:
        keys = JobKeys(job_id)
        answer = self._end(
            keys=[keys.job, keys.texts, keys.pieces, keys.results, keys.parts, ModelKeys(model).open],
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


def _is_id(job_id: str) -> bool:
    """With a colon it would be the address of another key than a record, as ``{id}:texts`` is."""
    return ":" not in job_id


def _results(stored: dict[bytes, bytes]) -> list[StoredResult]:
    return [_result(stored[str(index).encode()]) for index in range(len(stored))]


def _result(data: bytes) -> StoredResult:
    result = json.loads(data)
    return StoredResult([Entity(*fields) for fields in result["e"]], result["v"], result["c"])


def _idempotency(key: str) -> str:
    return f"raner:idempotency:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _flat(fields: dict[Any, Any]) -> list[str]:
    return [str(part) for pair in fields.items() for part in pair]
