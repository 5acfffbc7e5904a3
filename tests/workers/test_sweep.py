"""Lost pieces are put back and a turn is sent for what waits, and nothing else."""

from __future__ import annotations

import json
import time

from redis import Redis

from shared.job_keys import ModelKeys
from shared.job_store import JobStore
from shared.piece_queue import PieceQueue
from shared.queues import RECOGNISE, queue_name
from shared.settings import settings
from tests.support.jobs import MODEL, new_job, take
from workers import sweep as sweeping
from workers.sweep import sweep, sweep_in_turn

LOST_AFTER = settings().visibility_timeout + sweeping.LOST_GRACE


def turns(redis: Redis) -> list[str]:
    """Names of the tasks in Celery's queue."""
    return [json.loads(message)["headers"]["task"] for message in redis.lrange(queue_name(MODEL), 0, -1)]


def taken_since(redis: Redis, seconds: float) -> None:
    """Let everything that is taken have been so for that long."""
    taken = ModelKeys(MODEL).taken
    for name in redis.zrange(taken, 0, -1):
        redis.zadd(taken, {name: time.time() - seconds})


def test_a_job_for_which_no_turn_was_sent_gets_one(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    jobs.create(new_job("马云"))
    assert sweep(queue, MODEL) == []
    assert turns(redis) == [RECOGNISE]
    sweep(queue, MODEL)
    assert turns(redis) == [RECOGNISE]


def test_a_piece_whose_turn_was_lost_is_put_back(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    jobs.create(new_job("马云"))
    (piece,) = take(queue)
    taken_since(redis, LOST_AFTER - 5)
    assert sweep(queue, MODEL) == []  # the broker may deliver its turn again still
    assert turns(redis) == []
    taken_since(redis, LOST_AFTER + 1)
    assert sweep(queue, MODEL) == [piece.name]
    assert turns(redis) == [RECOGNISE]


def test_other_models_are_none_of_its_business(jobs: JobStore, redis: Redis) -> None:
    jobs.create(new_job("马云"))
    sweep(PieceQueue(redis, "other"), "other")
    assert turns(redis) == []


def test_of_many_nodes_one_sweeps_at_a_time(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    jobs.create(new_job("马云"))
    (piece,) = take(queue)
    taken_since(redis, 3600)
    assert [sweep_in_turn(queue, redis, MODEL) for _ in range(3)] == [[piece.name], [], []]
    assert 0 < redis.pttl(f"raner:sweep:{MODEL}") < sweeping.INTERVAL * 1000
