"""Job records on a real Redis: accepted, read, ended, and gone in time; test_piece_queue.py has what is in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from shared.entities import Entity
from shared.errors import IdempotencyConflict, JobEnded, JobNotFound, QueueFull
from shared.job_keys import OPEN_TTL, ModelKeys
from shared.job_store import JobStore
from shared.jobs import JobStatus, OffsetUnit, TextResult
from shared.piece_queue import PieceQueue, PieceResult, PieceState
from shared.queues import queue_name
from shared.settings import settings
from tests.support.jobs import CACHED, FOUND, LONG, MODEL, finish, new_job, take, work

WAITING = ModelKeys(MODEL).waiting


def keys_of(redis: Redis, job_id: str) -> set[bytes]:
    return set(redis.keys(f"raner:job:{job_id}*"))


def made(jobs: JobStore, *texts: str, **fields: object) -> str:
    """Id of a job that was accepted."""
    return jobs.create(new_job(*texts, **fields)).job_id  # type: ignore[arg-type]


# A life without accidents


def test_a_job_of_one_text(jobs: JobStore, queue: PieceQueue) -> None:
    new = new_job("马云")
    assert jobs.create(new).job_id == new.id
    assert jobs.read(new.id) == new.job
    assert new.job.status is JobStatus.QUEUED
    (piece,) = take(queue)
    assert (piece.job_id, piece.slices) == (new.id, ["马云"])
    assert jobs.read(new.id).status is JobStatus.RUNNING
    assert finish(queue, [piece]) == [PieceState.SUCCEEDED]
    job = jobs.read(new.id)
    assert job.status is JobStatus.SUCCEEDED
    assert job.started is not None
    assert job.finished is not None
    assert job.created <= job.started <= job.finished
    assert jobs.results(new.id) == [([Entity(0, 2, "PER", 0.9)], "news@v1", False)]
    assert jobs.read_with_results(new.id) == (job, jobs.results(new.id))
    assert jobs.texts(new.id) == ["马云"]


def test_texts_come_back_as_they_were_sent(jobs: JobStore, queue: PieceQueue) -> None:
    texts = ["", "马云", "\ud83d", "😀\x00", " \r\n", "\ude00"]
    job_id = made(jobs, *texts)
    (piece,) = take(queue)
    assert piece.slices == texts
    assert jobs.texts(job_id) == texts


def test_the_parts_of_a_cut_text_are_put_together_by_whoever_is_last(jobs: JobStore, queue: PieceQueue) -> None:
    job_id = made(jobs, LONG, "马云")
    total = jobs.read(job_id).total
    states = [work(queue) for _ in range(total)]
    assert states == [PieceState.RUNNING] * (total - 1) + [PieceState.ASSEMBLE]
    parts = jobs.parts(job_id)
    assert [json.loads(part)["part"] for part in parts[0]] == list(range(total - 1))
    assert jobs.read(job_id).status is JobStatus.RUNNING
    assert jobs.succeed(job_id, MODEL, {0: FOUND})
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED
    assert len(jobs.results(job_id)) == 2


def test_a_job_that_the_cache_answers_has_ended_at_once(jobs: JobStore) -> None:
    new = new_job("一", "二", cached={0: CACHED, 1: CACHED})
    accepted = jobs.create(new)
    assert not accepted.wake
    job = jobs.read(new.id)
    assert job == new.job
    assert (job.status, job.done, job.total) == (JobStatus.SUCCEEDED, 0, 0)
    assert [cached for _, _, cached in jobs.results(new.id)] == [True, True]
    assert jobs.count_open(MODEL) == jobs.count_waiting(MODEL) == 0


def test_what_the_cache_knows_and_what_is_found_come_together(jobs: JobStore, queue: PieceQueue) -> None:
    job_id = made(jobs, "一", "马云", "三", cached={0: CACHED, 2: CACHED})
    assert work(queue) is PieceState.SUCCEEDED
    assert [cached for _, _, cached in jobs.results(job_id)] == [True, False, True]


def test_a_job_keeps_how_it_was_asked_for(jobs: JobStore) -> None:
    job = jobs.read(made(jobs, "马云", types=("PER", "公司"), offsets=OffsetUnit.UTF16))
    assert (job.types, job.offsets, job.model) == (("PER", "公司"), OffsetUnit.UTF16, MODEL)


# The end


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_a_terminal_state_never_changes(jobs: JobStore, queue: PieceQueue, end: str) -> None:
    job_id = made(jobs, "马云")
    pieces = take(queue)
    if end == "succeeded":
        finish(queue, pieces)
    elif end == "failed":
        jobs.fail(job_id, MODEL, "why")
    else:
        jobs.cancel(job_id)
    before = jobs.read(job_id)
    assert before.status == end

    assert queue.take_held("turn") is None
    assert finish(queue, pieces) == [PieceState.ENDED]
    assert not jobs.fail(job_id, MODEL, "another")
    assert not jobs.succeed(job_id, MODEL, {})
    with pytest.raises(JobEnded, match=f"{job_id} has {end} already"):
        jobs.cancel(job_id)
    assert jobs.read(job_id) == before


def test_a_failed_job_says_why_and_has_no_results(jobs: JobStore) -> None:
    job_id = made(jobs, "一", "马云", cached={0: CACHED})
    assert jobs.fail(job_id, MODEL, "piece 0 failed")
    assert jobs.read(job_id).error == "piece 0 failed"
    assert jobs.results(job_id) == []
    assert jobs.read_with_results(job_id)[1] == []


def test_workers_learn_that_a_job_is_not_wanted(jobs: JobStore) -> None:
    job_id = made(jobs, "马云")
    assert not jobs.has_ended(job_id)
    jobs.cancel(job_id)
    assert jobs.has_ended(job_id)
    assert jobs.has_ended("expired")


def test_a_job_that_is_not_there_says_what_to_check(jobs: JobStore) -> None:
    for ask in (jobs.read, jobs.cancel, jobs.read_with_results, lambda job_id: jobs.watch(job_id, "channel")):
        with pytest.raises(JobNotFound, match="there is no job nowhere: check the id"):
            ask("nowhere")
    with pytest.raises(JobNotFound):
        jobs.texts("nowhere")


def test_the_address_of_another_key_is_no_job(jobs: JobStore) -> None:
    job_id = made(jobs, "马云")
    for ask in (jobs.read, lambda job_id: jobs.watch(job_id, "channel")):
        with pytest.raises(JobNotFound):
            ask(f"{job_id}:pieces")


# Its watchers


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_the_end_is_told_once_to_each_who_watches(jobs: JobStore, queue: PieceQueue, redis: Redis, end: str) -> None:
    job_id = jobs.create(new_job("马云"), watcher="one").job_id
    for channel in ("one", "two", "two"):
        assert jobs.watch(job_id, channel).status is JobStatus.QUEUED
    with redis.pubsub(ignore_subscribe_messages=True) as events:
        events.subscribe("one", "two")
        for _ in range(2):
            events.get_message(timeout=5)
        if end == "succeeded":
            work(queue)
        elif end == "failed":
            jobs.fail(job_id, MODEL, "why")
        else:
            jobs.cancel(job_id)
        heard = [events.get_message(timeout=5) for _ in range(2)]
        assert {message["channel"] for message in heard} == {b"one", b"two"}
        assert {message["data"].split()[0] for message in heard} == {job_id.encode()}
        assert events.get_message(timeout=0.1) is None


@pytest.mark.parametrize(
    ("texts", "cached", "found", "all_is_told"),
    [
        (("马云",), {}, "[]", True),
        (("马云",), {}, json.dumps([[0, 2, "PER", 0.99, "model"]] * 3), True),
        (("马云",), {}, json.dumps([[0, 2, "PER", 0.99, "model"]] * 300), False),
        (("马云", "一"), {}, "[]", False),
        (("一", "马云"), {0: CACHED}, "[]", False),
    ],
    ids=["nothing found", "some", "too much", "two texts", "one from the cache"],
)
def test_what_is_told_is_what_can_be_read(
    jobs: JobStore,
    queue: PieceQueue,
    redis: Redis,
    texts: tuple[str, ...],
    cached: dict[int, TextResult],
    found: str,
    all_is_told: bool,
) -> None:
    new = new_job(*texts, cached=cached, types=("PER",), offsets=OffsetUnit.UTF16)
    with redis.pubsub(ignore_subscribe_messages=True) as events:
        events.subscribe("channel")
        events.get_message(timeout=5)
        jobs.create(new, watcher="channel")
        (piece,) = take(queue)
        results = {item.text: TextResult(found, "news@v1", cached=False) for item in piece.items}
        assert queue.finish("turn", [PieceResult(piece, results, {})]) == [PieceState.SUCCEEDED]
        message = events.get_message(timeout=5)["data"]
    assert (message != new.id.encode()) == all_is_told
    assert jobs.told(new, message) == jobs.read_with_results(new.id)
    if all_is_told:
        redis.delete(f"raner:job:{new.id}")
        assert jobs.told(new, message)[0].status is JobStatus.SUCCEEDED


def test_watching_what_has_ended_leaves_no_trace(jobs: JobStore, queue: PieceQueue, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    work(queue)
    assert jobs.watch(job_id, "late").status is JobStatus.SUCCEEDED
    assert redis.hget(f"raner:job:{job_id}", "watchers") is None


# Idempotency and the full queue


def test_the_same_key_gives_the_same_job(jobs: JobStore) -> None:
    first = made(jobs, "马云", idempotency_key="k")
    assert made(jobs, "马云", idempotency_key="k") == first
    assert made(jobs, "马云", idempotency_key="other") != first
    assert made(jobs, "马云") != first
    assert jobs.count_waiting(MODEL) == 3


def test_the_same_key_with_another_request_is_refused(jobs: JobStore) -> None:
    jobs.create(new_job("马云", idempotency_key="k"))
    with pytest.raises(IdempotencyConflict, match="use a new key"):
        jobs.create(new_job("马化腾", idempotency_key="k", fingerprint="other"))


def test_the_same_key_at_the_same_time_makes_one_job(jobs: JobStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: made(jobs, "马云", idempotency_key="k"), range(24)))
    assert len(ids) == 1
    assert jobs.count_open(MODEL) == jobs.count_waiting(MODEL) == 1


def test_a_script_that_is_sent_again_changes_nothing(jobs: JobStore, queue: PieceQueue) -> None:
    # The client tries a command again when the connection broke before the answer came.
    for key in ("k", None):
        new = new_job("马云", idempotency_key=key)
        jobs.create(new)
        work(queue)
        assert jobs.create(new).job_id == new.id
        assert jobs.read(new.id).status is JobStatus.SUCCEEDED
        assert jobs.count_waiting(MODEL) == 0


def test_a_full_queue_refuses_and_leaves_nothing(
    jobs: JobStore, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(max_queue=3)
    redis.rpush(WAITING, "a:0", "b:0", "c:0", "d:0")
    refused = new_job("马云", idempotency_key="k")
    with pytest.raises(QueueFull, match="4 pieces wait for model 'news', of at most 3; try again later"):
        jobs.create(refused)
    assert keys_of(redis, refused.id) == set()
    # What needs no worker is answered all the same, and other models have queues of their own.
    jobs.create(new_job("一", cached={0: CACHED}))
    redis.ltrim(WAITING, 0, 1)
    with pytest.raises(QueueFull):
        jobs.create(new_job(*["马云"] * 40))  # two pieces, where there is room for one
    assert jobs.create(refused).job_id == refused.id


# Whether a turn is wanted


def test_a_turn_is_wanted_where_none_waits(jobs: JobStore, redis: Redis) -> None:
    assert jobs.create(new_job("马云")).wake
    assert jobs.create(new_job("马云")).wake
    redis.rpush(queue_name(MODEL), "a turn")
    assert not jobs.create(new_job("马云")).wake


def test_no_turn_is_wanted_while_there_are_as_many_that_wait_for_pieces(jobs: JobStore, queue: PieceQueue) -> None:
    for turn in ("one", "two"):
        queue.take(turn, 1, 1, linger=60)
    assert not jobs.create(new_job("马云")).wake
    assert not jobs.create(new_job("马云")).wake
    assert jobs.create(new_job("马云")).wake


# Nothing is for ever


def test_every_key_expires_while_the_job_is_open_and_after_its_end(
    jobs: JobStore, queue: PieceQueue, redis: Redis
) -> None:
    job_id = made(jobs, LONG, "一", cached={1: CACHED}, idempotency_key="k")
    queue.take("idle", 0, 0, linger=60)
    for _ in range(jobs.read(job_id).total):
        work(queue)
        assert all(0 < redis.ttl(key) <= OPEN_TTL for key in redis.keys("raner:*"))
    jobs.succeed(job_id, MODEL, {0: FOUND})
    assert all(0 < redis.ttl(key) <= OPEN_TTL for key in redis.keys("raner:*"))
    assert all(0 < redis.ttl(key) <= settings().job_ttl for key in keys_of(redis, job_id))
    assert all(0 < redis.ttl(key) <= settings().job_ttl for key in redis.keys("raner:idempotency:*"))
    assert jobs.count_open(MODEL) == 0


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_what_an_ended_job_no_longer_needs_goes_at_once(
    jobs: JobStore, queue: PieceQueue, redis: Redis, end: str
) -> None:
    job_id = made(jobs, LONG)
    work(queue)
    if end == "fail":
        jobs.fail(job_id, MODEL, "why")
    else:
        jobs.cancel(job_id)
    kinds = {key.decode().removeprefix(f"raner:job:{job_id}") for key in keys_of(redis, job_id)}
    assert kinds == {"", ":texts"}
    assert jobs.count_open(MODEL) == 0
