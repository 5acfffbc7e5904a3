"""Missing pieces are found and enqueued again, and only those."""

from __future__ import annotations

import json
import time

import pytest
from redis import Redis

from shared.celery_app import enqueue
from shared.job_store import JobStore
from shared.queues import queue_name
from shared.settings import settings
from tests.shared.test_job_store import MODEL, new_job, work_on
from workers import sweep as sweeping
from workers.sweep import sweep, sweep_in_turn

QUEUE = queue_name(MODEL)


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    return JobStore(redis)


def accepted(jobs: JobStore, *texts: str) -> str:
    """A job as web leaves it: recorded, enqueued, noted as such."""
    new = new_job(*texts)
    jobs.create(new)
    enqueue(MODEL, new.id, range(len(new.pieces)))
    jobs.mark_enqueued(new.id, MODEL)
    return new.id


def queued(redis: Redis) -> list[str]:
    """Ids of the tasks in the queue, oldest first."""
    return [json.loads(message)["headers"]["id"] for message in reversed(redis.lrange(QUEUE, 0, -1))]


def pass_time(redis: Redis, seconds: float) -> None:
    """Let everything that the records say of the past be so much longer ago."""
    for job_id, score in redis.zrange(f"raner:jobs:open:{MODEL}", 0, -1, withscores=True):
        redis.zadd(f"raner:jobs:open:{MODEL}", {job_id: score - seconds})
        key = f"raner:job:{job_id.decode()}"
        if enqueued := redis.hget(key, "enqueued"):
            redis.hset(key, "enqueued", float(enqueued) - seconds)
    head = f"raner:queue:{MODEL}:head"
    if at := redis.get(head):
        redis.set(head, float(at) - seconds, keepttl=True)


def test_a_job_that_was_never_enqueued_is(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job(*["马云"] * 40))
    assert sweep(jobs, MODEL) == []  # its web process may be about to
    pass_time(redis, sweeping.ENQUEUE_GRACE + 1)
    assert sweep(jobs, MODEL) == [job_id]
    assert queued(redis) == [f"{job_id}.0", f"{job_id}.1"]
    assert sweep(jobs, MODEL) == []


def test_a_piece_whose_message_was_lost_is_enqueued_again(jobs: JobStore, redis: Redis) -> None:
    job_id = accepted(jobs, *["马云"] * 40)
    redis.delete(QUEUE)
    work_on(jobs, job_id, 0)
    pass_time(redis, settings().visibility_timeout + sweeping.LOST_GRACE + 1)
    assert sweep(jobs, MODEL) == [job_id]
    assert queued(redis) == [f"{job_id}.1"]


def test_a_job_that_waits_its_turn_is_left_alone_however_long(jobs: JobStore, redis: Redis) -> None:
    earlier, later = accepted(jobs, "马云"), accepted(jobs, "马化腾")
    jobs.start_piece(earlier, MODEL, 0)
    # The earlier one, which has had its turn, is still at work; the later one waits behind it.
    pass_time(redis, 3600)
    redis.zadd(f"raner:jobs:open:{MODEL}", {earlier: time.time()})
    assert sweep(jobs, MODEL) == []
    assert len(queued(redis)) == 2
    assert later in queued(redis)[1]


def test_a_job_whose_turn_has_passed_is_missed(jobs: JobStore, redis: Redis) -> None:
    lost = accepted(jobs, "马云")
    redis.delete(QUEUE)
    pass_time(redis, settings().visibility_timeout + sweeping.LOST_GRACE + 10)
    # Later ones have had their turn, and more wait: the queue is not empty, yet the lost one is not in it.
    later = accepted(jobs, "马化腾")
    jobs.start_piece(later, MODEL, 0)
    assert sweep(jobs, MODEL) == [lost]


def test_a_job_that_just_made_a_step_is_left_alone(jobs: JobStore, redis: Redis) -> None:
    job_id = accepted(jobs, *["马云"] * 40)
    redis.delete(QUEUE)
    pass_time(redis, 3600)
    work_on(jobs, job_id, 0)
    pass_time(redis, sweeping.ENQUEUE_GRACE + 1)
    assert sweep(jobs, MODEL) == []


def test_a_job_whose_last_worker_died_before_the_end_is_ended_by_another(jobs: JobStore, redis: Redis) -> None:
    job_id = accepted(jobs, "马云在杭州。" * 1500)
    redis.delete(QUEUE)
    for piece in range(jobs.read(job_id).total):
        work_on(jobs, job_id, piece)
    pass_time(redis, 3600)
    assert sweep(jobs, MODEL) == [job_id]
    assert queued(redis) == [f"{job_id}.0"]


def test_a_job_that_expired_is_forgotten(jobs: JobStore, redis: Redis) -> None:
    job_id = accepted(jobs, "马云")
    redis.delete(QUEUE, *redis.keys(f"raner:job:{job_id}*"))
    redis.zadd(f"raner:jobs:open:{MODEL}", {job_id: time.time() - 3600})
    assert sweep(jobs, MODEL) == []
    assert jobs.count_open(MODEL) == 0


def test_other_models_are_none_of_its_business(jobs: JobStore, redis: Redis) -> None:
    jobs.create(new_job("马云"))
    pass_time(redis, 3600)
    assert sweep(jobs, "other") == []


def test_of_many_nodes_one_sweeps_at_a_time(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job("马云"))
    pass_time(redis, 3600)
    assert [sweep_in_turn(jobs, redis, MODEL) for _ in range(3)] == [[job_id], [], []]
    assert 0 < redis.pttl(f"raner:sweep:{MODEL}") < sweeping.INTERVAL * 1000
