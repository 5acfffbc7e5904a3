"""Waiting for jobs, on a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from shared.errors import JobNotFound
from shared.job_store import JobStore
from shared.jobs import Job, JobStatus
from shared.piece_queue import PieceQueue
from tests.support.jobs import CACHED, MODEL, new_job, work
from tests.support.redis_server import RedisServer
from web.job_ends import JobEnds


@pytest.fixture
def ends(redis: Redis, jobs: JobStore) -> Iterator[JobEnds]:
    ends = JobEnds(redis, jobs)
    yield ends
    ends.close()


def test_waiting_ends_with_the_job(ends: JobEnds, jobs: JobStore, queue: PieceQueue) -> None:
    job_id = jobs.create(new_job("马云")).job_id
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ends.wait, job_id, 30)
        work(queue)
        assert waiting.result(timeout=3).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_however_it_ends(ends: JobEnds, jobs: JobStore, end: str) -> None:
    job_id = jobs.create(new_job("马云")).job_id
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ends.wait, job_id, 30)
        if end == "failed":
            jobs.fail(job_id, MODEL, "why")
        else:
            jobs.cancel(job_id)
        assert waiting.result(timeout=3).status == end


def test_many_wait_for_one_and_one_for_many(ends: JobEnds, jobs: JobStore, queue: PieceQueue) -> None:
    ids = [jobs.create(new_job("马云")).job_id for _ in range(3)] * 3
    with ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(ends.wait, job_id, 30) for job_id in ids]
        for _ in range(3):
            work(queue)
        assert {future.result(timeout=3).status for future in waiting} == {JobStatus.SUCCEEDED}


def test_waiting_ends_when_time_is_up(ends: JobEnds, jobs: JobStore) -> None:
    job_id = jobs.create(new_job("马云")).job_id
    began = time.monotonic()
    assert ends.wait(job_id, 0.2).status is JobStatus.QUEUED
    assert 0.2 <= time.monotonic() - began < 3


def test_waiting_for_what_has_ended_does_not_wait(ends: JobEnds, jobs: JobStore) -> None:
    job_id = jobs.create(new_job("一", cached={0: CACHED})).job_id
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ends.wait, job_id, 30).result(timeout=3).status is JobStatus.SUCCEEDED


def test_waiting_for_what_is_not_there_says_so(ends: JobEnds) -> None:
    with pytest.raises(JobNotFound):
        ends.wait("nowhere", 30)


class EndsBeforeItIsWatched(JobStore):
    """A store whose job ends right before somebody watches it."""

    def watch(self, job_id: str, channel: str) -> Job:
        work(PieceQueue(self._redis, MODEL))
        return super().watch(job_id, channel)


class EndsAsSoonAsItIsWatched(JobStore):
    """A store whose job ends right after somebody began to watch it."""

    def watch(self, job_id: str, channel: str) -> Job:
        job = super().watch(job_id, channel)
        work(PieceQueue(self._redis, MODEL))
        return job


@pytest.mark.parametrize("store", [EndsBeforeItIsWatched, EndsAsSoonAsItIsWatched])
def test_an_end_around_the_watch_is_not_missed(redis: Redis, store: type[JobStore]) -> None:
    jobs = store(redis)
    job_id = jobs.create(new_job("马云")).job_id
    with ThreadPoolExecutor(1) as pool:
        ends = JobEnds(redis, jobs)
        assert pool.submit(ends.wait, job_id, 30).result(timeout=3).status is JobStatus.SUCCEEDED
        ends.close()


def test_waiting_does_not_poll(ends: JobEnds, jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job("马云")).job_id
    redis.config_resetstat()
    ends.wait(job_id, 1.5)
    commands = {name: stats["calls"] for name, stats in redis.info("commandstats").items()}
    assert commands["cmdstat_hgetall"] <= 4
    assert sum(calls for name, calls in commands.items() if name != "cmdstat_info") < 15


def test_one_subscription_serves_a_process(ends: JobEnds, jobs: JobStore, redis: Redis) -> None:
    ids = [jobs.create(new_job("马云")).job_id for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        for waiting in [pool.submit(ends.wait, job_id, 0.5) for job_id in ids]:
            waiting.result(timeout=5)
    assert redis.pubsub_numsub(ends.channel()) == [(ends.channel().encode(), 1)]


def test_an_end_while_redis_was_away_is_learnt_when_it_is_back(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, Redis.from_url(server.url) as redis:
        jobs = JobStore(redis)
        job_id = jobs.create(new_job("马云")).job_id
        ends = JobEnds(redis, jobs)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ends.wait, job_id, 30)
            while not redis.hget(f"raner:job:{job_id}", "watchers"):
                time.sleep(0.01)  # until it waits
            # Nobody listens when the end is told.
            redis.client_kill_filter(_type="pubsub")
            work(PieceQueue(redis, MODEL))
            assert waiting.result(timeout=12).status is JobStatus.SUCCEEDED
        ends.close()


def test_what_is_closed_listens_no_more(ends: JobEnds, jobs: JobStore, redis: Redis) -> None:
    channel = ends.channel()
    ends.close()
    assert redis.pubsub_numsub(channel) == [(channel.encode(), 0)]
