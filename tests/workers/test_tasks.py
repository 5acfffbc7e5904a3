"""The Celery task."""

from __future__ import annotations

import pytest
from redis import Redis

from shared.job_store import JobStore
from shared.keys import ModelKeys
from tests.support.jobs import MODEL, made, waiting
from workers import node
from workers.process import WorkerProcess
from workers.tasks import SUMMARY_LENGTH, recognise
from workers.turn import MOST_JOBS


@pytest.fixture
def process(process: WorkerProcess, monkeypatch: pytest.MonkeyPatch) -> WorkerProcess:
    monkeypatch.setattr(node, "_process", process)
    return process


def test_it_does_what_waits_and_says_what_it_did(jobs: JobStore, process: WorkerProcess) -> None:
    ids = [made(jobs, "马云") for _ in range(3)]
    said = recognise()
    assert all(jobs.read(job_id).status.ended for job_id in ids)
    assert said.startswith("pieces=3 characters=6 ")
    assert said.endswith(" ".join(ids))


def test_flower_is_told_of_each_job(jobs: JobStore, process: WorkerProcess) -> None:
    assert recognise.resultrepr_maxsize == SUMMARY_LENGTH
    assert MOST_JOBS * (len("00000000-0000-0000-0000-000000000000") + 1) + 200 < SUMMARY_LENGTH


def test_what_it_leaves_wakes_another(
    jobs: JobStore, process: WorkerProcess, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.turn.LENGTH", -1.0)
    made(jobs, "马云")
    recognise()
    assert (waiting(redis), redis.llen(ModelKeys(MODEL).wakeups)) == (1, 1)


def test_a_redis_that_takes_no_writes_ends_the_turn_and_nothing_else(
    jobs: JobStore, process: WorkerProcess, redis: Redis
) -> None:
    made(jobs, "马云")
    redis.replicaof("127.0.0.1", 1)
    try:
        assert recognise().startswith("pieces=0 ")
    finally:
        redis.replicaof("NO", "ONE")
    assert waiting(redis) == 1


def test_outside_a_worker_process_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="no model is loaded here"):
        node.current_process()
