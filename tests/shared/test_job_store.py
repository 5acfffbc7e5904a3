"""Job records on a real Redis: the whole life of a job, and everything that may come twice, late or never."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any

import pytest
from redis import Redis

from shared.cache import encode_entities, encode_text
from shared.entities import Entity
from shared.errors import IdempotencyConflict, JobEnded, JobNotFound, QueueFull
from shared.job_store import OPEN_TTL, JobStore, PieceState, PieceWork
from shared.jobs import Job, JobStatus, NewJob, OffsetUnit, TextResult
from shared.pieces import plan
from shared.queues import queue_name
from shared.settings import settings

MODEL = "news"
FOUND = TextResult(encode_entities([Entity(0, 2, "PER", 0.9)]), "news@v1", cached=False)
CACHED = TextResult(encode_entities([Entity(0, 1, "LOC", 0.8)]), "news@v1", cached=True)
LONG = "马云在杭州。" * 1500  # three pieces


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    return JobStore(redis)


def new_job(*texts: str, cached: dict[int, TextResult] | None = None, **fields: Any) -> NewJob:
    encoded = [encode_text(text) for text in texts]
    starts = [0, *accumulate(map(len, encoded))]
    known = cached or {}
    made: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "model": MODEL,
        "types": None,
        "offsets": OffsetUnit.CODEPOINT,
        "texts": b"".join(encoded),
        "lengths": [len(text) for text in encoded],
        "pieces": plan(texts, starts, [index for index in range(len(texts)) if index not in known]),
        "cached": known,
        "idempotency_key": None,
        "fingerprint": "same",
    }
    return NewJob(**{**made, **fields})


def begin(jobs: JobStore, job_id: str, piece: int) -> PieceWork:
    """Take a piece up that has to be done."""
    work = jobs.start_piece(job_id, MODEL, piece)
    assert isinstance(work, PieceWork)
    return work


def work_on(jobs: JobStore, job_id: str, piece: int) -> str:
    """Do a piece as a worker does. Returns the state that follows."""
    return finish(jobs, job_id, piece, begin(jobs, job_id, piece))


def finish(jobs: JobStore, job_id: str, piece: int, work: PieceWork) -> str:
    whole = {item.text: FOUND for item in work.items if item.part < 0}
    parts = {(item.text, item.part): json.dumps({"part": item.part}) for item in work.items if item.part >= 0}
    return jobs.finish_piece(job_id, MODEL, piece, whole, parts)


def keys_of(redis: Redis, job_id: str) -> set[bytes]:
    return set(redis.keys(f"raner:job:{job_id}*"))


# A life without accidents


def test_a_job_of_one_text(jobs: JobStore) -> None:
    job_id = jobs.create(new_job("马云"))
    assert jobs.read(job_id).status is JobStatus.QUEUED
    work = begin(jobs, job_id, 0)
    assert work.slices == ["马云"]
    assert jobs.read(job_id).status is JobStatus.RUNNING
    assert finish(jobs, job_id, 0, work) == PieceState.SUCCEEDED
    job = jobs.read(job_id)
    assert job.status is JobStatus.SUCCEEDED
    assert job.started is not None
    assert job.finished is not None
    assert job.created <= job.started <= job.finished
    assert jobs.results(job_id) == [([Entity(0, 2, "PER", 0.9)], "news@v1", False)]
    assert jobs.texts(job_id) == ["马云"]


def test_texts_come_back_as_they_were_sent(jobs: JobStore) -> None:
    texts = ["", "马云", "\ud83d", "😀\x00", " \r\n", "\ude00"]
    job_id = jobs.create(new_job(*texts))
    work = begin(jobs, job_id, 0)
    assert work.slices == texts
    assert jobs.texts(job_id) == texts


def test_pieces_may_be_done_in_any_order(jobs: JobStore) -> None:
    job_id = jobs.create(new_job(*["马云"] * 70))
    assert jobs.read(job_id).total == 3
    assert work_on(jobs, job_id, 2) == PieceState.RUNNING
    assert work_on(jobs, job_id, 0) == PieceState.RUNNING
    assert jobs.pieces_to_do(job_id) == [1]
    assert jobs.read(job_id).done == 2
    assert work_on(jobs, job_id, 1) == PieceState.SUCCEEDED
    assert len(jobs.results(job_id)) == 70


def test_the_parts_of_a_cut_text_are_put_together_by_whoever_is_last(jobs: JobStore) -> None:
    job_id = jobs.create(new_job(LONG, "马云"))
    total = jobs.read(job_id).total
    states = [work_on(jobs, job_id, piece) for piece in range(total)]
    assert states == [PieceState.RUNNING] * (total - 1) + [PieceState.ASSEMBLE]
    parts = jobs.parts(job_id)
    assert [json.loads(part)["part"] for part in parts[0]] == list(range(total - 1))
    assert jobs.read(job_id).status is JobStatus.RUNNING
    assert jobs.succeed(job_id, MODEL, {0: FOUND})
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED
    assert len(jobs.results(job_id)) == 2


def test_a_job_that_the_cache_answers_has_ended_at_once(jobs: JobStore) -> None:
    job_id = jobs.create(new_job("一", "二", cached={0: CACHED, 1: CACHED}))
    job = jobs.read(job_id)
    assert (job.status, job.done, job.total) == (JobStatus.SUCCEEDED, 0, 0)
    assert [cached for _, _, cached in jobs.results(job_id)] == [True, True]
    assert jobs.count_open(MODEL) == 0


def test_what_the_cache_knows_and_what_is_found_come_together(jobs: JobStore) -> None:
    job_id = jobs.create(new_job("一", "马云", "三", cached={0: CACHED, 2: CACHED}))
    assert work_on(jobs, job_id, 0) == PieceState.SUCCEEDED
    assert [cached for _, _, cached in jobs.results(job_id)] == [True, False, True]


def test_a_job_keeps_how_it_was_asked_for(jobs: JobStore) -> None:
    job = jobs.read(jobs.create(new_job("马云", types=("PER", "公司"), offsets=OffsetUnit.UTF16)))
    assert (job.types, job.offsets, job.model) == (("PER", "公司"), OffsetUnit.UTF16, MODEL)


# What comes twice, late, or after the end


def test_a_piece_that_is_delivered_again_after_it_was_done_is_not_done_again(jobs: JobStore) -> None:
    job_id = jobs.create(new_job(*["马云"] * 40))
    work_on(jobs, job_id, 0)
    assert jobs.start_piece(job_id, MODEL, 0) == PieceState.DONE


def test_a_piece_that_runs_twice_at_the_same_time_counts_once(jobs: JobStore) -> None:
    job_id = jobs.create(new_job(*["马云"] * 40))
    first, second = (begin(jobs, job_id, 0) for _ in range(2))
    assert (first.tries, second.tries) == (1, 2)
    assert finish(jobs, job_id, 0, first) == PieceState.RUNNING
    assert finish(jobs, job_id, 0, second) == PieceState.RUNNING
    assert jobs.read(job_id).done == 1
    assert work_on(jobs, job_id, 1) == PieceState.SUCCEEDED


def test_a_worker_that_died_before_it_put_the_parts_together_is_replaced(jobs: JobStore) -> None:
    job_id = jobs.create(new_job(LONG))
    for piece in range(jobs.read(job_id).total):
        last = work_on(jobs, job_id, piece)
    assert last == PieceState.ASSEMBLE
    # Its message comes again, or the sweep sends piece 0.
    assert jobs.pieces_to_do(job_id) == [0]
    assert jobs.start_piece(job_id, MODEL, 0) == PieceState.ASSEMBLE


def test_the_end_comes_once_however_many_finish_together(jobs: JobStore) -> None:
    for _ in range(20):
        job_id = jobs.create(new_job(*["马云"] * 100))
        works = [begin(jobs, job_id, piece) for piece in range(4)] * 2
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(finish, jobs, job_id, n % 4, works[n]) for n in range(8)]
        states = [future.result() for future in futures]
        assert states.count(PieceState.SUCCEEDED) == 1
        assert jobs.read(job_id).done == 4


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_a_terminal_state_never_changes(jobs: JobStore, end: str) -> None:
    job_id = jobs.create(new_job("马云"))
    work = begin(jobs, job_id, 0)
    if end == "succeeded":
        finish(jobs, job_id, 0, work)
    elif end == "failed":
        jobs.fail(job_id, MODEL, "why")
    else:
        jobs.cancel(job_id)
    before = jobs.read(job_id)
    assert before.status == end

    assert jobs.start_piece(job_id, MODEL, 0) == PieceState.ENDED
    assert finish(jobs, job_id, 0, work) == PieceState.ENDED
    assert not jobs.fail(job_id, MODEL, "another")
    assert not jobs.succeed(job_id, MODEL, {})
    with pytest.raises(JobEnded, match=f"{job_id} has {end} already"):
        jobs.cancel(job_id)
    assert jobs.read(job_id) == before


def test_a_failed_job_says_why_and_has_no_results(jobs: JobStore) -> None:
    job_id = jobs.create(new_job("一", "马云", cached={0: CACHED}))
    assert jobs.fail(job_id, MODEL, "piece 0 failed")
    assert jobs.read(job_id).error == "piece 0 failed"
    assert jobs.results(job_id) == []


def test_workers_learn_that_a_job_is_not_wanted(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job("马云"))
    assert not jobs.has_ended(job_id)
    jobs.cancel(job_id)
    assert jobs.has_ended(job_id)
    assert jobs.has_ended("expired")


def test_a_job_that_is_not_there_says_what_to_check(jobs: JobStore) -> None:
    with pytest.raises(JobNotFound, match="there is no job nowhere: check the id"):
        jobs.read("nowhere")
    with pytest.raises(JobNotFound):
        jobs.cancel("nowhere")
    with pytest.raises(JobNotFound):
        jobs.texts("nowhere")
    assert jobs.start_piece("nowhere", MODEL, 0) == PieceState.ENDED


def test_a_late_note_does_not_bring_an_expired_job_back(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job("马云"))
    redis.delete(*keys_of(redis, job_id))
    jobs.mark_enqueued(job_id, MODEL)
    with pytest.raises(JobNotFound):
        jobs.read(job_id)
    assert keys_of(redis, job_id) == set()


def test_a_late_note_does_not_open_an_ended_job_again(jobs: JobStore) -> None:
    job_id = jobs.create(new_job("马云"))
    work_on(jobs, job_id, 0)
    jobs.mark_enqueued(job_id, MODEL)
    assert jobs.count_open(MODEL) == 0


# Idempotency and the full queue


def test_the_same_key_gives_the_same_job(jobs: JobStore) -> None:
    first = jobs.create(new_job("马云", idempotency_key="k"))
    assert jobs.create(new_job("马云", idempotency_key="k")) == first
    assert jobs.create(new_job("马云", idempotency_key="other")) != first
    assert jobs.create(new_job("马云")) != first


def test_the_same_key_with_another_request_is_refused(jobs: JobStore) -> None:
    jobs.create(new_job("马云", idempotency_key="k"))
    with pytest.raises(IdempotencyConflict, match="use a new key"):
        jobs.create(new_job("马化腾", idempotency_key="k", fingerprint="other"))


def test_the_same_key_at_the_same_time_makes_one_job(jobs: JobStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: jobs.create(new_job("马云", idempotency_key="k")), range(24)))
    assert len(ids) == 1
    assert jobs.count_open(MODEL) == 1


def test_a_script_that_is_sent_again_changes_nothing(jobs: JobStore) -> None:
    # The client tries a command again when the connection broke before the answer came.
    for key in ("k", None):
        new = new_job("马云", idempotency_key=key)
        jobs.create(new)
        work_on(jobs, new.id, 0)
        assert jobs.create(new) == new.id
        assert jobs.read(new.id).status is JobStatus.SUCCEEDED


def test_a_full_queue_refuses_and_leaves_nothing(
    jobs: JobStore, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(max_queue=3)
    redis.rpush(queue_name(MODEL), "a", "b", "c", "d")
    refused = new_job("马云", idempotency_key="k")
    with pytest.raises(QueueFull, match="4 pieces wait for model 'news', of at most 3; try again later"):
        jobs.create(refused)
    assert keys_of(redis, refused.id) == set()
    # What needs no worker is answered all the same, and other models have queues of their own.
    jobs.create(new_job("一", cached={0: CACHED}))
    redis.ltrim(queue_name(MODEL), 0, 1)
    with pytest.raises(QueueFull):
        jobs.create(new_job(*["马云"] * 40))  # two pieces, where there is room for one
    assert jobs.create(refused) == refused.id


# Waiting


def test_waiting_ends_with_the_job(jobs: JobStore) -> None:
    job_id = jobs.create(new_job("马云"))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(jobs.wait, job_id, 30)
        work_on(jobs, job_id, 0)
        assert waiting.result(timeout=3).status is JobStatus.SUCCEEDED


def test_waiting_ends_when_time_is_up(jobs: JobStore) -> None:
    job_id = jobs.create(new_job("马云"))
    assert jobs.wait(job_id, 0.2).status is JobStatus.QUEUED


def test_waiting_for_what_has_ended_does_not_wait(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job("一", cached={0: CACHED}))
    assert jobs.wait(job_id, 30).status is JobStatus.SUCCEEDED


class EndsBeforeTheSubscription(JobStore):
    """A store whose job ends right after it was first read."""

    def read(self, job_id: str) -> Job:
        job = super().read(job_id)
        if not job.status.ended:
            work_on(self, job_id, 0)
        return job


def test_an_end_between_reading_and_subscribing_is_not_missed(redis: Redis) -> None:
    jobs = EndsBeforeTheSubscription(redis)
    job_id = jobs.create(new_job("马云"))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(jobs.wait, job_id, 30).result(timeout=3).status is JobStatus.SUCCEEDED


def test_waiting_does_not_poll(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job("马云"))
    redis.config_resetstat()
    jobs.wait(job_id, 1.5)
    commands = {name: stats["calls"] for name, stats in redis.info("commandstats").items()}
    assert commands["cmdstat_hgetall"] <= 4
    assert sum(calls for name, calls in commands.items() if name != "cmdstat_info") < 12


def test_progress_is_published(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job(*["马云"] * 40))
    with redis.pubsub(ignore_subscribe_messages=True) as events:
        events.subscribe(f"raner:job:{job_id}:events")
        events.get_message(timeout=5)
        work_on(jobs, job_id, 0)
        work_on(jobs, job_id, 1)
        seen = [json.loads(message["data"]) for message in messages(events, 2)]
    assert seen == [{"status": "running", "done": 1, "total": 2}, {"status": "succeeded", "done": 2, "total": 2}]


def messages(events: Any, count: int) -> Iterator[dict[str, Any]]:
    for _ in range(100):
        if (message := events.get_message(timeout=0.1)) is not None:
            yield message
            count -= 1
        if not count:
            return


# Nothing is for ever


def test_every_key_expires_while_the_job_is_open_and_after_its_end(jobs: JobStore, redis: Redis) -> None:
    job_id = jobs.create(new_job(LONG, "一", cached={1: CACHED}, idempotency_key="k"))
    jobs.mark_enqueued(job_id, MODEL)
    total = jobs.read(job_id).total
    for piece in range(total):
        work_on(jobs, job_id, piece)
        assert all(0 < redis.ttl(key) <= OPEN_TTL for key in redis.keys("raner:*"))
    jobs.succeed(job_id, MODEL, {0: FOUND})
    assert all(0 < redis.ttl(key) <= OPEN_TTL for key in redis.keys("raner:*"))
    assert all(0 < redis.ttl(key) <= settings().job_ttl for key in keys_of(redis, job_id))
    assert all(0 < redis.ttl(key) <= settings().job_ttl for key in redis.keys("raner:idempotency:*"))
    assert jobs.count_open(MODEL) == 0


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_what_an_ended_job_no_longer_needs_goes_at_once(jobs: JobStore, redis: Redis, end: str) -> None:
    job_id = jobs.create(new_job(LONG))
    work_on(jobs, job_id, 0)
    if end == "fail":
        jobs.fail(job_id, MODEL, "why")
    else:
        jobs.cancel(job_id)
    kinds = {key.decode().removeprefix(f"raner:job:{job_id}") for key in keys_of(redis, job_id)}
    assert kinds == {"", ":texts"}
    assert jobs.open_jobs(MODEL, idle_since=float("inf"), limit=10) == []
