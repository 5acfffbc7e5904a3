"""Waiting for jobs, on a real Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from shared.errors import JobNotFound
from shared.job_store import JobStore
from shared.jobs import Job, JobStatus
from shared.keys import JobKeys
from shared.piece_stream import PieceStream
from tests.support.jobs import CACHED, MODEL, made, new_job, work, worker
from tests.support.redis_server import RedisServer
from web.job_ends import JobEnds
from web.waiting import ending


@pytest.fixture
def ends(redis: Redis, jobs: JobStore) -> Iterator[JobEnds]:
    ends = JobEnds(redis, jobs)
    yield ends
    ends.close()


def test_waiting_ends_with_the_job(ends: JobEnds, jobs: JobStore, stream: PieceStream) -> None:
    job_id = made(jobs, "马云")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ends.wait, job_id, 30)
        work(stream)
        assert waiting.result(timeout=3).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_however_it_ends(ends: JobEnds, jobs: JobStore, end: str) -> None:
    job_id = made(jobs, "马云")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ends.wait, job_id, 30)
        if end == "failed":
            jobs.fail(job_id, MODEL, "why")
        else:
            jobs.cancel(job_id)
        assert waiting.result(timeout=3).status == end


def test_many_wait_for_one_and_one_for_many(ends: JobEnds, jobs: JobStore, stream: PieceStream) -> None:
    ids = [made(jobs, "马云") for _ in range(3)] * 3
    with ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(ends.wait, job_id, 30) for job_id in ids]
        for _ in range(3):
            work(stream)
        assert {future.result(timeout=3).status for future in waiting} == {JobStatus.SUCCEEDED}


def test_waiting_ends_when_time_is_up(ends: JobEnds, jobs: JobStore) -> None:
    job_id = made(jobs, "马云")
    began = time.monotonic()
    assert ends.wait(job_id, 0.2).status is JobStatus.QUEUED
    assert 0.2 <= time.monotonic() - began < 3


def test_waiting_for_what_has_ended_does_not_wait(ends: JobEnds, jobs: JobStore) -> None:
    job_id = made(jobs, "一", cached={0: CACHED})
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ends.wait, job_id, 30).result(timeout=3).status is JobStatus.SUCCEEDED


def test_waiting_for_what_is_not_there_says_so(ends: JobEnds) -> None:
    with pytest.raises(JobNotFound):
        ends.wait("nowhere", 30)


class EndsBeforeItIsWatched(JobStore):
    """A store whose job ends right before somebody watches it."""

    def watch(self, job_id: str, channel: str) -> Job:
        work(worker(self._redis, "one"))
        return super().watch(job_id, channel)


class EndsAsSoonAsItIsWatched(JobStore):
    """A store whose job ends right after somebody began to watch it."""

    def watch(self, job_id: str, channel: str) -> Job:
        job = super().watch(job_id, channel)
        work(worker(self._redis, "one"))
        return job


@pytest.mark.parametrize("store", [EndsBeforeItIsWatched, EndsAsSoonAsItIsWatched])
def test_an_end_around_the_watch_is_not_missed(redis: Redis, store: type[JobStore]) -> None:
    jobs = store(redis)
    job_id = made(jobs, "马云")
    with ThreadPoolExecutor(1) as pool:
        ends = JobEnds(redis, jobs)
        assert pool.submit(ends.wait, job_id, 30).result(timeout=3).status is JobStatus.SUCCEEDED
        ends.close()


def test_waiting_does_not_poll(ends: JobEnds, jobs: JobStore, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    redis.config_resetstat()
    ends.wait(job_id, 1.5)
    commands = {name: stats["calls"] for name, stats in redis.info("commandstats").items()}
    assert commands["cmdstat_hgetall"] <= 4
    assert sum(calls for name, calls in commands.items() if name != "cmdstat_info") < 15


def test_one_subscription_serves_a_process(ends: JobEnds, jobs: JobStore, redis: Redis) -> None:
    ids = [made(jobs, "马云") for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        for waiting in [pool.submit(ends.wait, job_id, 0.5) for job_id in ids]:
            waiting.result(timeout=5)
    assert redis.pubsub_numsub(ends.channel()) == [(ends.channel().encode(), 1)]


def test_an_end_while_redis_was_away_is_learnt_when_it_is_back(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, Redis.from_url(server.url) as redis:
        jobs = JobStore(redis)
        job_id = made(jobs, "马云")
        ends = JobEnds(redis, jobs)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ends.wait, job_id, 30)
            wait_until_watched(redis, job_id)
            # Nobody listens when the end is told.
            redis.client_kill_filter(_type="pubsub")
            work(worker(redis, "one"))
            assert waiting.result(timeout=12).status is JobStatus.SUCCEEDED
        ends.close()


def test_what_is_closed_listens_no_more(ends: JobEnds, jobs: JobStore, redis: Redis) -> None:
    channel = ends.channel()
    ends.close()
    assert redis.pubsub_numsub(channel) == [(channel.encode(), 0)]


def wait_until_watched(redis: Redis, job_id: str) -> None:
    while not redis.hexists(JobKeys(job_id).job, "watchers"):
        time.sleep(0.01)  # nothing tells that somebody has begun to wait


@pytest.mark.parametrize(
    "message",
    [
        b"{",
        b"{}",
        b'{"id": ["a"]}',
        b'{"id": 7, "result": {}}',
        b"{\xff}",
        b"\xff",
        b"nobody waits for this one",
        b"",
    ],
)
def test_a_message_that_cannot_be_read_ends_nothing(
    ends: JobEnds, jobs: JobStore, stream: PieceStream, redis: Redis, message: bytes
) -> None:
    job_id = made(jobs, "马云")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ends.wait, job_id, 30)
        wait_until_watched(redis, job_id)
        connection = listeners(redis)
        redis.publish(ends.channel(), message)
        redis.publish(ends.channel(), message)
        work(stream)
        assert waiting.result(timeout=4).status is JobStatus.SUCCEEDED
    assert listeners(redis) == connection


def listeners(redis: Redis) -> list[str]:
    """The ids of the connections that listen."""
    return sorted(client["id"] for client in redis.client_list(_type="pubsub"))


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"started": "soon", "finished": 2, "result": "{}"},
        {"started": 1, "finished": 2, "result": "of a later release"},
        {"started": 1, "finished": 2, "result": '{"w": 1}'},
        {"started": 1, "finished": 2},
    ],
)
def test_an_end_that_is_told_in_another_releases_way_is_read_from_the_record(
    ends: JobEnds, jobs: JobStore, stream: PieceStream, told: dict[str, Any]
) -> None:
    new = new_job("马云")
    with ends.expecting(new.id) as end:
        accepted = jobs.create(new)
        assert accepted.created is not None
        work(stream)
        end.announce(json.dumps({"id": new.id, **told}).encode())
        job, results = ends.wait_for(end, new.job(accepted.created), time.monotonic() + 30)
    assert (job, results) == jobs.read_with_results(new.id)
    assert job.status is JobStatus.SUCCEEDED


@pytest.fixture
def still_running() -> Iterator[None]:
    """The process is not to end, when the test is over."""
    yield
    ending.clear()


@pytest.mark.usefixtures("still_running")
def test_all_waits_end_when_the_process_is_to_end(ends: JobEnds, jobs: JobStore, redis: Redis) -> None:
    watched, made_here = made(jobs, "马云"), new_job("马化腾")
    with ThreadPoolExecutor(2) as pool, ends.expecting(made_here.id) as end:
        accepted = jobs.create(made_here, watcher=ends.channel())
        assert accepted.created is not None
        job = made_here.job(accepted.created)
        waiting = pool.submit(ends.wait, watched, 600)
        waiting_here = pool.submit(ends.wait_for, end, job, time.monotonic() + 600)
        wait_until_watched(redis, watched)
        ending.set()
        ends.wake_all()
        assert waiting.result(timeout=60).status is JobStatus.QUEUED
        assert waiting_here.result(timeout=60) == (job, [])


@pytest.mark.usefixtures("still_running")
def test_no_wait_begins_when_the_process_is_to_end(ends: JobEnds, jobs: JobStore) -> None:
    job_id = made(jobs, "马云")
    ending.set()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ends.wait, job_id, 600).result(timeout=60).status is JobStatus.QUEUED
