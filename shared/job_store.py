"""Job records in Redis: written when a job is accepted, read when somebody asks, and ended.

The keys of a job and the fields of its record are described in ``shared/lua/prelude.lua``. An open job's keys expire
after :data:`shared.keys.OPEN_TTL`, an ended one's after the job's own ``ttl``. What happens to its pieces in between
is :mod:`shared.piece_stream`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import structlog
from redis import Redis

from shared import keys
from shared.errors import IdempotencyConflict, JobEnded, JobNotFound, QueueFull, UnreadableRecord
from shared.formats import PartResult, TextResult, decode_part, decode_result, encode_items, encode_result
from shared.job_texts import JobTexts, decode_texts
from shared.jobs import Job, JobStatus, Lane, NewJob
from shared.keys import OPEN_TTL, SCHEMA, JobKeys, ModelKeys
from shared.pieces import WHOLE
from shared.scripts import Script
from shared.settings import MIB, settings

log = structlog.get_logger()

_ENDED = frozenset(str(status) for status in JobStatus if status.ended)


@dataclass(frozen=True)
class Accepted:
    """A job that is recorded: ``created`` at that time. ``wake``: the caller is to send a wake-up.

    ``created`` is None if the job's idempotency key had made the job ``job_id`` before.
    """

    job_id: str
    created: float | None
    wake: bool


class JobStore:
    """Job records over one Redis client."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._create = Script(redis, "create_job")
        self._watch = Script(redis, "watch_job")
        self._end = Script(redis, "end_job")

    def create(self, new: NewJob, watcher: str | None = None) -> Accepted:
        """Record an accepted job and put its pieces into the stream.

        A job without pieces, all from the cache, has succeeded at once. The id is another than ``new.id`` if the
        idempotency key made that job before.

        Args:
            watcher: a channel on which to publish the job's end, as :meth:`watch` would.

        Raises:
            IdempotencyConflict: the key came with another request before.
            QueueFull: too many pieces, or bytes of text, wait.
        """
        record: dict[str, Any] = {
            "schema": SCHEMA,
            "status": new.job(0).status,
            "model": new.model,
            "lane": new.lane,
            "offsets": new.offsets,
            "lengths": json.dumps(new.texts.lengths, separators=(",", ":")),
            "texts": len(new.texts.lengths),
            "cut": len({item.text for piece in new.pieces for item in piece if item.part != WHOLE}),
            "done": 0,
            "total": len(new.pieces),
            "planned": len(new.pieces),
            "numbered": len(new.pieces),
            "added": 0,
            "window": new.window,
            "bytes": len(new.texts.joined),
            "failed": 0,
            "ttl": new.ttl,
        }
        if new.types is not None:
            record["types"] = json.dumps(new.types)
        if new.texts.read_lengths:
            record["read"] = json.dumps(new.texts.read_lengths, separators=(",", ":"))
        if watcher is not None:
            record["watchers"] = watcher
        of_job, of_model = JobKeys(new.id), ModelKeys(new.model)
        streams = [of_model.interactive, of_model.bulk]
        answer = self._create(
            [
                of_job.job,
                of_job.texts,
                of_job.pieces,
                of_job.results,
                of_model.open,
                of_model.load,
                *(streams if new.lane is Lane.INTERACTIVE else reversed(streams)),
                of_model.idle,
                of_model.wakeups,
                keys.idempotency(new.idempotency_key or ""),
            ],
            new.texts.joined,
            id=new.id,
            record=record,
            pieces=[encode_items(piece) for piece in new.pieces],
            results={str(index): encode_result(result) for index, result in new.cached.items()},
            open_ttl=OPEN_TTL,
            max_pieces=settings().max_queue,
            max_bytes=settings().max_queue_mb * MIB,
            idempotent=new.idempotency_key is not None,
            fingerprint=new.fingerprint,
        )
        if answer[0] == b"known":
            if answer[2].decode() != new.fingerprint:
                raise IdempotencyConflict(
                    "this Idempotency-Key came with a different request before; use a new key for a new request"
                )
            return Accepted(answer[1].decode(), created=None, wake=False)
        if answer[0] == b"full":
            pieces, size = answer[1:]
            raise QueueFull(
                f"the open jobs of model {new.model!r} have {pieces} pieces and {size / MIB:.1f} MiB of text, of at "
                f"most {settings().max_queue} and {settings().max_queue_mb}; this job has {len(new.pieces)} and "
                f"{len(new.texts.joined) / MIB:.1f}; try again later"
            )
        return Accepted(new.id, created=float(answer[1]), wake=bool(answer[2]))

    def read(self, job_id: str) -> Job:
        """The job.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        return self._found(job_id, self._redis.hgetall(_keys(job_id).job))

    def watch(self, job_id: str, channel: str) -> Job:
        """The job; if it has not ended, its id will be published on ``channel`` when it does.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        flat = self._watch([_keys(job_id).job], channel=channel)
        return self._found(job_id, dict(zip(flat[::2], flat[1::2], strict=True)))

    def read_with_results(self, job_id: str) -> tuple[Job, list[TextResult]]:
        """The job and, if it has succeeded, its results; one round trip.

        Raises:
            JobNotFound: there is none, or it expired.
        """
        of_job = _keys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(of_job.job)
            pipe.hgetall(of_job.results)
            record, stored = pipe.execute()
        job = self._found(job_id, record)
        return job, _results(stored, record) if job.status is JobStatus.SUCCEEDED else []

    def from_end_message(self, job: Job, message: bytes) -> tuple[Job, list[TextResult]] | None:
        """The ended job and its results, as a message about the end of ``job`` tells them.

        None if the message only names the job, or cannot be read: the record has to be read then.
        """
        if not message.startswith(b"{"):
            return None
        try:
            told = json.loads(message)
            started, finished = float(told["started"]), float(told["finished"])
            result = decode_result(told["result"])
        except (UnreadableRecord, ValueError, TypeError, KeyError) as error:
            log.warning("a message about a job's end is of another release", job=job.id, error=str(error))
            return None
        return replace(job, status=JobStatus.SUCCEEDED, started=started, finished=finished, done=job.total), [result]

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Those of the jobs that have a record; one round trip."""
        with self._redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.exists(JobKeys(job_id).job)
            return {job_id for job_id, exists in zip(job_ids, pipe.execute(), strict=True) if exists}

    def knows_key(self, idempotency_key: str) -> bool:
        """Whether the idempotency key has made a job that is kept."""
        return bool(self._redis.exists(keys.idempotency(idempotency_key)))

    def texts(self, job_id: str) -> JobTexts:
        """The job's texts.

        Raises:
            JobNotFound: there is none, it expired, or it was cancelled, which deletes its texts.
        """
        of_job = _keys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(of_job.texts)
            pipe.hmget(of_job.job, "lengths", "read")
            joined, (lengths, read) = pipe.execute()
        if joined is None or lengths is None:
            raise JobNotFound(f"the texts of job {job_id} are gone: it has expired or was cancelled")
        return decode_texts(joined, json.loads(lengths), json.loads(read or b"[]"))

    def results(self, job_id: str) -> list[TextResult]:
        """The results of a succeeded job, one for each of its texts."""
        return self.read_with_results(job_id)[1]

    def parts(self, job_id: str) -> dict[int, list[PartResult]]:
        """The results of the parts of each cut text, in order.

        Raises:
            UnreadableRecord: one of them cannot be read.
        """
        stored = self._redis.hgetall(JobKeys(job_id).parts)
        parts: dict[int, list[PartResult]] = {}
        for text, part in sorted(tuple(map(int, field.split(b":"))) for field in stored):
            parts.setdefault(text, []).append(decode_part(stored[f"{text}:{part}".encode()]))
        return parts

    def succeed(self, job_id: str, model: str, results: dict[int, TextResult], lane: Lane, entry: str) -> None:
        """End an assembled job; ``results`` are those of its cut texts, ``entry`` the stream's that asked for it.

        The job fails if every one of its texts ended in an error.
        """
        errors = [result.error for result in results.values() if result.error is not None]
        error = errors[0] if errors else ""
        self._end_job(job_id, model, JobStatus.SUCCEEDED, error, lane, entry, results, len(errors))

    def fail(self, job_id: str, model: str, error: str, lane: Lane = Lane.INTERACTIVE, entry: str = "") -> bool:
        """End the job with an error, a sentence for its client. False if it had ended or expired."""
        found = self._end_job(job_id, model, JobStatus.FAILED, error, lane, entry)
        return found != "" and found not in _ENDED

    def cancel(self, job_id: str) -> Job:
        """End the job because its client asked; workers leave its pieces, and its texts are deleted.

        Raises:
            JobNotFound: there is none, or it expired.
            JobEnded: it had ended already.
        """
        job = self.read(job_id)
        found = self._end_job(job_id, job.model, JobStatus.CANCELLED)
        if found == "":
            raise JobNotFound(f"job {job_id} has expired")
        if found in _ENDED:
            raise JobEnded(f"job {job_id} has {found} already; only a queued or running job can be cancelled")
        return self.read(job_id)

    def count_open(self, model: str) -> int:
        """How many jobs of a model have not ended."""
        return cast(int, self._redis.zcard(ModelKeys(model).open))

    def load(self, model: str) -> tuple[int, int]:
        """How many pieces of a model's open jobs are not done, and the bytes of text of these jobs."""
        pieces, size = self._redis.hmget(ModelKeys(model).load, "pieces", "bytes")
        return int(pieces or 0), int(size or 0)

    def _found(self, job_id: str, record: dict[bytes, bytes]) -> Job:
        if not record:
            raise _not_found(job_id)
        try:
            return Job.from_record(job_id, record)
        except UnreadableRecord as error:
            log.warning("a job's record is of another release", job=job_id, error=str(error))
            raise JobNotFound(
                f"job {job_id} was recorded by another release of the farm; submit its texts again"
            ) from error

    def _end_job(
        self,
        job_id: str,
        model: str,
        status: JobStatus,
        error: str = "",
        lane: Lane = Lane.INTERACTIVE,
        entry: str = "",
        results: Mapping[int, TextResult] | None = None,
        failed: int = 0,
    ) -> str:
        of_model = ModelKeys(model)
        stream = of_model.interactive if lane is Lane.INTERACTIVE else of_model.bulk
        found = self._end(
            [JobKeys(job_id).job, of_model.open, of_model.load, stream],
            id=job_id,
            status=status,
            error=error,
            results={str(index): encode_result(result) for index, result in (results or {}).items()},
            failed=failed,
            entry=entry,
        )
        return cast(bytes, found).decode()


def _keys(job_id: str) -> JobKeys:
    if ":" in job_id:  # with a colon it could be the address of another key than a record, as {id}:texts is
        raise _not_found(job_id)
    return JobKeys(job_id)


def _not_found(job_id: str) -> JobNotFound:
    return JobNotFound(
        f"there is no job {job_id}: check the id; a job is kept for {settings().job_ttl} s after it ended"
    )


def _results(stored: dict[bytes, bytes], record: dict[bytes, bytes]) -> list[TextResult]:
    count = int(record.get(b"texts", len(stored)))
    return [_result(index, stored.get(str(index).encode())) for index in range(count)]


def _result(index: int, data: bytes | None) -> TextResult:
    if data is None:
        return TextResult((), "", error=f"text {index}: its result is gone from Redis; submit the text again")
    try:
        return decode_result(data)
    except UnreadableRecord as error:
        log.warning("a result is of another release", error=str(error))
        return TextResult((), "", error=f"text {index}: another release of the farm wrote its result; submit it again")
