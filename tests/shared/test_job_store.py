"""Job records on a real Redis: accepted, read, ended, and gone in time; test_piece_stream.py has what is in between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from redis import Redis

from shared.entities import Entity
from shared.errors import IdempotencyConflict, JobEnded, JobNotFound, QueueFull
from shared.formats import TextResult
from shared.job_store import JobStore
from shared.jobs import JobStatus, Lane, OffsetUnit
from shared.keys import NER_TTL, OPEN_TTL, JobKeys, ModelKeys
from shared.piece_stream import JobState, PieceResult, PieceStream
from shared.redis_client import REFUSES_WRITES, redis_client
from shared.settings import MIB, settings
from tests.support.jobs import (
    CACHED,
    FOUND,
    LONG,
    MODEL,
    VERSION,
    bulk_job,
    finish,
    made,
    new_job,
    result_of,
    take,
    waiting,
    work,
)

KEYS = ModelKeys(MODEL)
NOT_FOUND = TextResult((), VERSION, error="text 0: its recognition failed")


def keys_of(redis: Redis, job_id: str) -> set[str]:
    """What follows the job's id in the names of its keys."""
    return {key.decode().removeprefix(JobKeys(job_id).job) for key in redis.keys(f"{JobKeys(job_id).job}*")}


# A life without accidents


def test_a_job_of_one_text(jobs: JobStore, stream: PieceStream) -> None:
    new = new_job("马云")
    accepted = jobs.create(new)
    assert accepted.job_id == new.id
    assert accepted.created is not None
    assert jobs.read(new.id) == new.job(accepted.created)
    assert jobs.read(new.id).status is JobStatus.QUEUED
    (piece,) = take(stream)
    assert (piece.job_id, piece.slices) == (new.id, ["马云"])
    assert jobs.read(new.id).status is JobStatus.RUNNING
    assert finish(stream, [piece]) == [JobState.SUCCEEDED]
    job = jobs.read(new.id)
    assert job.status is JobStatus.SUCCEEDED
    assert job.started is not None
    assert job.finished is not None
    assert job.created <= job.started <= job.finished
    assert jobs.results(new.id) == [FOUND]
    assert jobs.read_with_results(new.id) == (job, [FOUND])
    assert jobs.texts(new.id).sent == ["马云"]


def test_a_job_of_empty_texts(jobs: JobStore, stream: PieceStream) -> None:
    for texts in ([""], ["", ""]):
        job_id = made(jobs, *texts)
        assert work(stream) is JobState.SUCCEEDED
        assert len(jobs.results(job_id)) == len(texts)
        jobs.cancel(made(jobs, *texts))
    assert jobs.load(MODEL) == (0, 0)


def test_texts_come_back_as_they_were_sent(jobs: JobStore, stream: PieceStream) -> None:
    texts = ["", "马云", "\ud83d", "😀\x00", " \r\n", "\ude00"]
    job_id = made(jobs, *texts)
    (piece,) = take(stream)
    assert piece.slices == texts
    assert jobs.texts(job_id).sent == texts


def test_the_parts_of_a_cut_text_are_put_together(jobs: JobStore, stream: PieceStream) -> None:
    job_id = made(jobs, LONG, "马云")
    total = jobs.read(job_id).total
    states = [work(stream) for _ in range(total)]
    assert states == [JobState.RUNNING] * (total - 1) + [JobState.ASSEMBLING]
    (parts,) = jobs.parts(job_id).values()
    cores = [core for part in parts for core in part.found]
    assert (cores[0].start, cores[-1].end) == (0, len(LONG))
    assert [core.start for core in cores[1:]] == [core.end for core in cores[:-1]]
    assert jobs.read(job_id).status is JobStatus.RUNNING
    jobs.succeed(job_id, MODEL, {0: FOUND}, Lane.BULK, "0-1")
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED
    assert jobs.results(job_id) == [FOUND, FOUND]


def test_more_than_ten_parts_are_in_order(jobs: JobStore, stream: PieceStream) -> None:
    job_id = made(jobs, LONG * 6)
    assert jobs.read(job_id).total > 10
    while work(stream) is not JobState.ASSEMBLING:
        pass
    (parts,) = jobs.parts(job_id).values()
    starts = [core.start for part in parts for core in part.found]
    assert starts == sorted(starts)


def test_a_job_that_the_cache_answers_has_ended_at_once(jobs: JobStore, redis: Redis) -> None:
    new = new_job("一", "二", cached={0: CACHED, 1: CACHED})
    accepted = jobs.create(new)
    assert not accepted.wake
    assert accepted.created is not None
    job = jobs.read(new.id)
    assert job == new.job(accepted.created)
    assert (job.status, job.done, job.total) == (JobStatus.SUCCEEDED, 0, 0)
    assert jobs.results(new.id) == [CACHED, CACHED]
    assert jobs.count_open(MODEL) == waiting(redis) == 0


def test_what_the_cache_knows_and_what_is_found_come_together(jobs: JobStore, stream: PieceStream) -> None:
    job_id = made(jobs, "一", "马云", "三", cached={0: CACHED, 2: CACHED})
    assert work(stream) is JobState.SUCCEEDED
    assert jobs.results(job_id) == [CACHED, FOUND, CACHED]


def test_a_job_keeps_how_it_was_asked_for(jobs: JobStore) -> None:
    job = jobs.read(made(jobs, "马云", types=("PER", "公司"), offsets=OffsetUnit.UTF16))
    assert (job.types, job.offsets, job.model) == (("PER", "公司"), OffsetUnit.UTF16, MODEL)


# Texts that could not be recognised


def test_a_text_that_fails_among_others_has_an_error_for_a_result(jobs: JobStore, stream: PieceStream) -> None:
    job_id = made(jobs, "坏", "马云")
    (piece,) = take(stream)
    assert stream.finish([PieceResult(piece, {0: NOT_FOUND, 1: FOUND}, {})]) == [JobState.SUCCEEDED]
    assert jobs.results(job_id) == [NOT_FOUND, FOUND]


@pytest.mark.parametrize("cached", [{}, {1: CACHED}], ids=["alone", "one from the cache"])
def test_a_job_fails_if_each_of_its_texts_failed(
    jobs: JobStore, stream: PieceStream, cached: dict[int, TextResult]
) -> None:
    job_id = made(jobs, "坏", *["一"] * len(cached), cached=cached)
    (piece,) = take(stream)
    (state,) = stream.finish([PieceResult(piece, {0: NOT_FOUND}, {})])
    job = jobs.read(job_id)
    if cached:
        assert (state, job.status, jobs.results(job_id)) == (JobState.SUCCEEDED, "succeeded", [NOT_FOUND, CACHED])
    else:
        assert (state, job.status, jobs.results(job_id)) == (JobState.FAILED, "failed", [])
        assert job.error == NOT_FOUND.error


def test_a_job_whose_cut_texts_all_failed_fails(jobs: JobStore) -> None:
    one, two = made(jobs, LONG), made(jobs, LONG, LONG)
    jobs.succeed(one, MODEL, {0: NOT_FOUND}, Lane.BULK, "0-1")
    jobs.succeed(two, MODEL, {0: NOT_FOUND, 1: FOUND}, Lane.BULK, "0-1")
    assert (jobs.read(one).status, jobs.read(one).error) == (JobStatus.FAILED, NOT_FOUND.error)
    assert (jobs.read(two).status, jobs.results(two)) == (JobStatus.SUCCEEDED, [NOT_FOUND, FOUND])


# The end


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_a_terminal_state_never_changes(jobs: JobStore, stream: PieceStream, end: str) -> None:
    job_id = made(jobs, "马云")
    pieces = take(stream)
    if end == "succeeded":
        finish(stream, pieces)
    elif end == "failed":
        assert jobs.fail(job_id, MODEL, "why")
    else:
        assert jobs.cancel(job_id).status is JobStatus.CANCELLED
    before = jobs.read_with_results(job_id)
    assert before[0].status == end

    assert finish(stream, pieces) == [JobState.ENDED]
    assert not jobs.fail(job_id, MODEL, "another")
    jobs.succeed(job_id, MODEL, {0: NOT_FOUND}, Lane.INTERACTIVE, "0-1")
    with pytest.raises(JobEnded, match=f"{job_id} has {end} already"):
        jobs.cancel(job_id)
    assert jobs.read_with_results(job_id) == before
    assert jobs.load(MODEL) == (0, 0)


def test_a_failed_job_says_why_and_has_no_results(jobs: JobStore) -> None:
    job_id = made(jobs, "一", "马云", cached={0: CACHED})
    assert jobs.fail(job_id, MODEL, "it cannot be done")
    assert jobs.read(job_id).error == "it cannot be done"
    assert jobs.results(job_id) == []
    assert jobs.read_with_results(job_id)[1] == []


def test_why_a_job_failed_outweighs_why_one_of_its_texts_did(jobs: JobStore, stream: PieceStream) -> None:
    job_id = jobs.create(bulk_job(2)).job_id
    (piece,) = take(stream)
    stream.finish([PieceResult(piece, {0: NOT_FOUND}, {})])
    jobs.fail(job_id, MODEL, "it cannot be done")
    assert jobs.read(job_id).error == "it cannot be done"


def test_the_texts_of_a_cancelled_job_are_deleted(jobs: JobStore, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    jobs.cancel(job_id)
    assert not redis.exists(JobKeys(job_id).texts)
    with pytest.raises(JobNotFound, match="was cancelled"):
        jobs.texts(job_id)


def test_a_job_that_is_not_there_says_what_to_check(jobs: JobStore) -> None:
    for ask in (jobs.read, jobs.cancel, jobs.read_with_results, lambda job_id: jobs.watch(job_id, "channel")):
        with pytest.raises(JobNotFound, match="there is no job nowhere: check the id"):
            ask("nowhere")
    with pytest.raises(JobNotFound):
        jobs.texts("nowhere")


def test_the_address_of_another_key_is_no_job(jobs: JobStore) -> None:
    job_id = made(jobs, LONG)
    for ask in (
        jobs.read,
        jobs.cancel,
        jobs.read_with_results,
        jobs.texts,
        lambda job_id: jobs.watch(job_id, "channel"),
    ):
        for key in ("pieces", "texts", "results"):
            with pytest.raises(JobNotFound):
                ask(f"{job_id}:{key}")


# Its watchers


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_the_end_is_told_once_to_each_who_watches(jobs: JobStore, stream: PieceStream, redis: Redis, end: str) -> None:
    job_id = jobs.create(new_job("马云"), watcher="one").job_id
    for channel in ("one", "two", "two"):
        assert jobs.watch(job_id, channel).status is JobStatus.QUEUED
    with redis.pubsub(ignore_subscribe_messages=True) as events:
        events.subscribe("one", "two")
        for _ in range(2):
            events.get_message(timeout=5)
        if end == "succeeded":
            work(stream)
        elif end == "failed":
            jobs.fail(job_id, MODEL, "why")
        else:
            jobs.cancel(job_id)
        heard = [events.get_message(timeout=5) for _ in range(2)]
        assert {message["channel"] for message in heard} == {b"one", b"two"}
        assert all(job_id.encode() in message["data"] for message in heard)
        assert events.get_message(timeout=0.1) is None


MANY = (Entity(0, 2, "PER", 0.99),) * 300


@pytest.mark.parametrize(
    ("texts", "cached", "result", "all_is_told"),
    [
        (("马云",), {}, TextResult((), VERSION), True),
        (("马云",), {}, TextResult(MANY[:3], VERSION), True),
        (("马云",), {}, TextResult(MANY, VERSION), False),
        (("马云",), {}, NOT_FOUND, False),
        (("马云", "一"), {}, FOUND, False),
        (("一", "马云"), {0: CACHED}, FOUND, False),
    ],
    ids=["nothing found", "some", "too much", "failed", "two texts", "one from the cache"],
)
def test_what_is_told_is_what_can_be_read(
    jobs: JobStore,
    stream: PieceStream,
    redis: Redis,
    texts: tuple[str, ...],
    cached: dict[int, TextResult],
    result: TextResult,
    all_is_told: bool,
) -> None:
    new = new_job(*texts, cached=cached, types=("PER",), offsets=OffsetUnit.UTF16)
    with redis.pubsub(ignore_subscribe_messages=True) as events:
        events.subscribe("channel")
        events.get_message(timeout=5)
        job = new.job(jobs.create(new, watcher="channel").created or 0.0)
        (piece,) = take(stream)
        stream.finish([PieceResult(piece, {item.text: result for item in piece.items}, {})])
        message = events.get_message(timeout=5)["data"]
    assert (message != new.id.encode()) == all_is_told
    assert jobs.from_end_message(job, message) == (jobs.read_with_results(new.id) if all_is_told else None)


def test_watching_what_has_ended_leaves_no_trace(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    work(stream)
    assert jobs.watch(job_id, "late").status is JobStatus.SUCCEEDED
    assert redis.hget(JobKeys(job_id).job, "watchers") is None


# Idempotency and the full queue


def test_the_same_key_gives_the_same_job(jobs: JobStore, redis: Redis) -> None:
    first = made(jobs, "马云", idempotency_key="k")
    again = jobs.create(new_job("马云", idempotency_key="k"))
    assert (again.job_id, again.created, again.wake) == (first, None, False)
    assert made(jobs, "马云", idempotency_key="other") != first
    assert made(jobs, "马云") != first
    assert waiting(redis) == 3


def test_the_same_key_with_another_request_is_refused(jobs: JobStore) -> None:
    jobs.create(new_job("马云", idempotency_key="k"))
    with pytest.raises(IdempotencyConflict, match="use a new key"):
        jobs.create(new_job("马化腾", idempotency_key="k", fingerprint="other"))


def test_the_same_key_at_the_same_time_makes_one_job(jobs: JobStore, redis: Redis) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: made(jobs, "马云", idempotency_key="k"), range(24)))
    assert len(ids) == 1
    assert jobs.count_open(MODEL) == waiting(redis) == 1


def test_a_script_that_is_sent_again_changes_nothing(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    # The client tries a command again when the connection broke before the answer came.
    for key in ("k", None):
        new = new_job("马云", idempotency_key=key)
        first = jobs.create(new)
        work(stream)
        again = jobs.create(new)
        assert (again.job_id, again.created, again.wake) == (new.id, first.created, False)
        assert jobs.read(new.id).status is JobStatus.SUCCEEDED
        assert waiting(redis) == 0


def test_a_full_queue_refuses_and_leaves_nothing(
    jobs: JobStore, stream: PieceStream, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(max_queue=3)
    jobs.create(bulk_job(3))
    refused = new_job("马云", idempotency_key="k")
    with pytest.raises(QueueFull, match=r"of model 'news' have 3 pieces .* of at most 3 .* try again later"):
        jobs.create(refused)
    assert keys_of(redis, refused.id) == set()
    assert redis.keys("raner:idempotency:*") == []
    # What needs no worker is answered all the same, and other models have queues of their own.
    jobs.create(new_job("一", cached={0: CACHED}))
    jobs.create(new_job("马云", model="generic"))
    work(stream)
    with pytest.raises(QueueFull):
        jobs.create(bulk_job(2))  # where there is room for one
    assert jobs.create(refused).job_id == refused.id


def test_the_queue_is_bounded_in_bytes_too(
    jobs: JobStore, stream: PieceStream, with_settings: Callable[..., None]
) -> None:
    with_settings(max_queue_mb=1)
    first = made(jobs, "a" * (MIB - 1))
    made(jobs, "a")
    with pytest.raises(QueueFull, match=r"1\.0 MiB of text, of at most .* and 1;"):
        jobs.create(new_job("a"))
    jobs.cancel(first)
    jobs.create(new_job("a"))


def test_jobs_that_expired_unfinished_do_not_fill_the_queue(
    jobs: JobStore, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(max_queue=1)
    made(jobs, "马云")
    redis.delete(*redis.keys("raner:job:*"), KEYS.open)
    made(jobs, "马云")
    assert jobs.load(MODEL) == (1, 6)


def test_a_full_redis_refuses_a_job_and_keeps_nothing_of_it(
    jobs: JobStore, redis: Redis, full_redis: Callable[[], object]
) -> None:
    full_redis()
    new = new_job("马云")
    with pytest.raises(REFUSES_WRITES):
        JobStore(redis_client()).create(new)
    assert keys_of(redis, new.id) == set()


def test_the_load_is_what_open_jobs_have_left(jobs: JobStore, stream: PieceStream) -> None:
    assert jobs.load(MODEL) == (0, 0)
    one, two = jobs.create(bulk_job(3)).job_id, made(jobs, "马云")
    assert jobs.load(MODEL) == (4, 4 * 6)
    work(stream)
    assert jobs.read(two).status.ended
    assert jobs.load(MODEL) == (3, 3 * 6)
    work(stream)
    assert jobs.load(MODEL) == (2, 3 * 6)
    jobs.cancel(one)
    assert jobs.load(MODEL) == (0, 0)


# Nothing is for ever


def test_every_key_expires_while_the_job_is_open_and_after_its_end(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    job_id = made(jobs, LONG, "一", cached={1: CACHED}, idempotency_key="k", ttl=100)
    stream.take(most=0, room=0, linger=60)
    for _ in range(jobs.read(job_id).total):
        work(stream)
        assert all(0 < redis.ttl(key) <= OPEN_TTL for key in redis.keys("*"))
    jobs.succeed(job_id, MODEL, {0: FOUND}, Lane.BULK, "0-1")
    assert all(0 < redis.ttl(key) <= OPEN_TTL for key in redis.keys("*"))
    assert keys_of(redis, job_id) == {"", ":texts", ":results"}
    assert all(0 < redis.ttl(key) <= 100 for key in redis.keys("raner:job:*"))
    assert all(0 < redis.ttl(key) <= 100 for key in redis.keys("raner:idempotency:*"))
    assert jobs.count_open(MODEL) == 0


@pytest.mark.parametrize("ttl", [NER_TTL, settings().job_ttl])
def test_a_job_is_kept_for_its_own_time(jobs: JobStore, stream: PieceStream, redis: Redis, ttl: int) -> None:
    found, known = made(jobs, "马云", ttl=ttl), made(jobs, "一", cached={0: CACHED}, ttl=ttl)
    work(stream)
    for job_id in (found, known):
        assert keys_of(redis, job_id) == {"", ":texts", ":results"}
        assert all(ttl - 60 < redis.ttl(key) <= ttl for key in redis.keys(f"{JobKeys(job_id).job}*"))


@pytest.mark.parametrize(("end", "kept"), [("fail", {"", ":texts"}), ("cancel", {""})])
def test_what_an_ended_job_no_longer_needs_goes_at_once(
    jobs: JobStore, stream: PieceStream, redis: Redis, end: str, kept: set[str]
) -> None:
    job_id = made(jobs, LONG, "一", cached={1: CACHED})
    work(stream)
    if end == "fail":
        jobs.fail(job_id, MODEL, "why")
    else:
        jobs.cancel(job_id)
    assert keys_of(redis, job_id) == kept
    assert jobs.count_open(MODEL) == 0


def test_a_result_that_is_gone_is_an_error_of_its_text(jobs: JobStore, stream: PieceStream, redis: Redis) -> None:
    job_id = made(jobs, "马云", "杭州")
    (piece,) = take(stream)
    stream.finish([replace(result_of(piece), results={1: FOUND})])
    lost, found = jobs.results(job_id)
    assert found == FOUND
    assert lost.error is not None
    assert "text 0: its result is gone" in lost.error
