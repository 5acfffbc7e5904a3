"""The one Celery task: do a piece of a job."""

from __future__ import annotations

import json
import time

import structlog
from celery import Task

from shared import cache
from shared.celery_app import app
from shared.entities import Entity
from shared.job_store import PieceState, PieceWork
from shared.jobs import TextResult
from shared.pieces import WHOLE
from shared.queues import RECOGNISE
from workers.engine.merge import Part, merge
from workers.engine.tagger import Stopped
from workers.node import current_process
from workers.process import WorkerProcess

log = structlog.get_logger()

# A piece that has ended this many worker processes, or failed this often, is given up and its job fails.
MAX_TRIES = 4
# While a piece runs, its job is looked at this often, in case it was cancelled (seconds).
CANCEL_CHECK = 0.25


@app.task(name=RECOGNISE, bind=True, max_retries=None)  # type: ignore[untyped-decorator]
def recognise(task: Task, job_id: str, piece: int) -> None:
    """Recognise one piece and write what it found; the last piece ends the job."""
    process = current_process()
    with structlog.contextvars.bound_contextvars(job=job_id, piece=piece):
        work = process.jobs.start_piece(job_id, process.model.name, piece)
        if isinstance(work, PieceWork):
            if work.tries > MAX_TRIES:
                _give_up(
                    process, job_id, f"piece {piece} ended {MAX_TRIES} worker processes; the workers' logs say why"
                )
                return
            try:
                state = _do(process, job_id, piece, work)
            except Stopped:
                log.info("piece stopped, its job has ended")
                return
            except Exception as error:
                log.exception("piece failed", tries=work.tries)
                if work.tries == MAX_TRIES:
                    _give_up(process, job_id, f"piece {piece} failed {MAX_TRIES} times: {type(error).__name__}")
                    raise
                raise task.retry(exc=error, countdown=2 ** (work.tries - 1)) from error
        else:
            state = work
        if state == PieceState.ASSEMBLE:
            _assemble(process, job_id)


def _do(process: WorkerProcess, job_id: str, piece: int, work: PieceWork) -> str:
    began = time.monotonic()
    found = process.recogniser.recognise(work.slices, stop=_CancelCheck(process, job_id))
    process.count(sum(map(len, work.slices)), time.monotonic() - began)

    results: dict[int, TextResult] = {}
    parts: dict[tuple[int, int], str] = {}
    cacheable: list[tuple[bytes, str]] = []
    for item, text, entities in zip(work.items, work.slices, found, strict=True):
        if item.part == WHOLE:
            encoded = cache.encode_entities(entities)
            results[item.text] = TextResult(encoded, process.model_version, cached=False)
            cacheable.append((cache.encode_text(text), encoded))
        else:
            parts[item.text, item.part] = json.dumps(
                {
                    "model": process.model_version,
                    "start": item.start + item.core_start,
                    "end": item.start + item.core_end,
                    "entities": [e._replace(start=e.start + item.start, end=e.end + item.start) for e in entities],
                }
            )
    cache.store(process.redis, process.model.version, cacheable)
    return process.jobs.finish_piece(job_id, process.model.name, piece, results, parts)


def _assemble(process: WorkerProcess, job_id: str) -> None:
    """Put the parts of the job's cut texts together and end it."""
    texts = process.jobs.texts(job_id)
    results: dict[int, TextResult] = {}
    for index, stored in process.jobs.parts(job_id).items():
        parts = [json.loads(data) for data in stored]
        entities = merge(
            [Part(part["start"], part["end"], [Entity(*fields) for fields in part["entities"]]) for part in parts]
        )
        encoded = cache.encode_entities(entities)
        versions = {part["model"] for part in parts}
        # While a new version rolls out, the parts of one text may be of two: say so, and keep it out of the cache.
        results[index] = TextResult(encoded, "+".join(sorted(versions)), cached=False)
        if versions == {process.model_version}:
            cache.store(process.redis, process.model.version, [(cache.encode_text(texts[index]), encoded)])
    process.jobs.succeed(job_id, process.model.name, results)


def _give_up(process: WorkerProcess, job_id: str, reason: str) -> None:
    log.error("job failed", reason=reason)
    process.jobs.fail(job_id, process.model.name, reason)


class _CancelCheck:
    """Asked by the engine between windows; asks Redis at most every :data:`CANCEL_CHECK` seconds."""

    def __init__(self, process: WorkerProcess, job_id: str) -> None:
        self._process = process
        self._job_id = job_id
        self._asked = time.monotonic()

    def __call__(self) -> bool:
        if time.monotonic() - self._asked < CANCEL_CHECK:
            return False
        self._asked = time.monotonic()
        return self._process.jobs.has_ended(self._job_id)
