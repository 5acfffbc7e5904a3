"""Finds jobs whose pieces went missing, and puts those pieces back into the queue.

Pieces go missing in two ways: the web process died between writing a job's record and enqueuing it, or the broker lost
a message (a worker killed between taking a message and noting that it had it, a Redis that lost its last second). A
piece that only runs twice does no harm, so the sweep need not be certain, only slow to act.
"""

from __future__ import annotations

import time

import structlog
from redis import Redis

from shared.celery_app import enqueue
from shared.errors import JobNotFound
from shared.job_store import JobStore
from shared.settings import settings

log = structlog.get_logger()

# Seconds between two sweeps of a model's jobs, and jobs looked at in each.
INTERVAL = 5.0
LIMIT = 200
# A web process enqueues a job within this many seconds after it wrote the record, or it has died.
ENQUEUE_GRACE = 10.0
# Seconds beyond the visibility timeout, after which the broker has surely delivered a lost piece again by itself.
LOST_GRACE = 30.0


def sweep(jobs: JobStore, model: str) -> list[str]:
    """Enqueue again the missing pieces of a model's jobs. Returns the ids of those jobs."""
    now = time.time()
    head = jobs.queue_head(model)
    lost_after = settings().visibility_timeout + LOST_GRACE
    requeued = []
    for job_id, last_step in jobs.open_jobs(model, idle_since=now - ENQUEUE_GRACE, limit=LIMIT):
        enqueued = jobs.enqueued_at(job_id)
        waiting = enqueued is not None and (last_step > now - lost_after or enqueued > head - lost_after)
        if waiting:
            continue
        try:
            job = jobs.read(job_id)
        except JobNotFound:
            jobs.forget_open(job_id, model)
            continue
        pieces = jobs.pieces_to_do(job.id)
        enqueue(model, job.id, pieces)
        jobs.mark_enqueued(job.id, model)
        log.warning("missing pieces enqueued again", job=job.id, pieces=len(pieces))
        requeued.append(job.id)
    return requeued


def sweep_in_turn(jobs: JobStore, redis: Redis, model: str) -> list[str]:
    """:func:`sweep`, unless a node did within the last :data:`INTERVAL` or is at it now."""
    # The lock is left to expire, which also spaces the sweeps of many nodes.
    if not redis.set(f"raner:sweep:{model}", "1", nx=True, px=int(INTERVAL * 900)):
        return []
    return sweep(jobs, model)
