"""Jobs that Redis accepted and then forgot, as it may when it is killed while its disk is busy."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from shared.job_store import JobStore
from shared.jobs import JobStatus
from shared.piece_stream import PieceStream
from tests.support.jobs import MODEL, new_job, work
from tests.support.redis_server import RedisServer
from web import recent_jobs
from web.farm import farm
from web.recent_jobs import RecentJobs


@pytest.fixture
def recent(jobs: JobStore) -> RecentJobs:
    return RecentJobs(jobs)


def accepted(jobs: JobStore, recent: RecentJobs, *texts: str, **fields: Any) -> str:
    """The id of a job that was accepted by this process."""
    new = new_job(*texts, **fields)
    jobs.create(new)
    recent.add(new)
    return new.id


def test_a_job_that_redis_forgot_is_recorded_anew_and_done(jobs: JobStore, recent: RecentJobs, redis: Redis) -> None:
    job_id = accepted(jobs, recent, "马云")
    redis.flushall()
    assert recent.restore() == 1
    assert jobs.read(job_id).status is JobStatus.QUEUED
    work(PieceStream(redis, MODEL, "a:0"))
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED


def test_what_redis_knows_is_left_as_it_is(jobs: JobStore, recent: RecentJobs, redis: Redis) -> None:
    job_id = accepted(jobs, recent, "马云")
    work(PieceStream(redis, MODEL, "a:0"))
    before = jobs.read(job_id)
    assert recent.restore() == 0
    assert jobs.read(job_id) == before


def test_a_cancelled_job_is_not_recorded_anew(jobs: JobStore, recent: RecentJobs, redis: Redis) -> None:
    recent.forget(accepted(jobs, recent, "马云"))
    redis.flushall()
    assert recent.restore() == 0


def test_old_jobs_are_forgotten(
    jobs: JobStore, recent: RecentJobs, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted(jobs, recent, "马云")
    accepted(jobs, recent, "马云", ttl=1)
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 2)
    redis.flushall()
    assert recent.restore() == 1  # not the one whose time to live is over
    redis.flushall()
    monkeypatch.setattr(time, "monotonic", lambda: began + recent_jobs.REMEMBERED + 1)
    assert recent.restore() == 0


def test_what_is_remembered_is_bounded(
    jobs: JobStore, recent: RecentJobs, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_jobs, "MOST_BYTES", 30)
    for _ in range(10):
        accepted(jobs, recent, "马云" * 2)  # 12 bytes
    redis.flushall()
    assert recent.restore() == 2


def test_a_farm_whose_redis_lost_its_data_records_its_last_jobs_anew(own_redis: RedisServer) -> None:
    """The whole way: the process notices by itself that it was disconnected."""
    new = new_job("马云")
    farm().jobs.create(new)
    farm().recent.add(new)
    farm().ends.listen()
    until(lambda: bool(farm().redis.pubsub_channels()))
    own_redis.kill()
    shutil.rmtree(own_redis.folder)
    own_redis.start()
    until(lambda: bool(farm().jobs.known([new.id])))


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # what another thread does tells nobody
