"""What was once found wrong with the queue, each with the least input that showed it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from redis import Redis

from shared import cache, keys, registry
from shared.entities import Entity
from shared.formats import decode_entities
from shared.job_store import JobStore
from shared.jobs import JobStatus
from shared.keys import GROUP, SCHEMA, JobKeys, ModelKeys
from shared.piece_stream import CLAIM_AFTER, PieceStream
from shared.registry import WorkerInfo
from tests.support.jobs import (
    FOUND,
    LONG,
    MODEL,
    beat,
    bulk_job,
    claim,
    finish,
    made,
    new_job,
    pending,
    take,
    waiting,
    work,
    worker,
)
from tests.workers.rule import INFO, Death, Rule
from workers import health
from workers.process import WorkerProcess
from workers.turn import MOST_DELIVERIES, Turn

KEYS = ModelKeys(MODEL)


def silent(redis: Redis, consumer: str) -> None:
    """Let the worker process have given no sign of life for so long that its pieces are claimed."""
    ids = [each["message_id"] for each in redis.xpending_range(KEYS.interactive, GROUP, "-", "+", 100, consumer)]
    redis.xclaim(KEYS.interactive, GROUP, consumer, 0, ids, idle=int(CLAIM_AFTER * 1000), justid=True)


# D7: one record that could not be read failed the whole farm.


@pytest.mark.parametrize("record", ["{}", "no JSON"])
def test_d7_one_unreadable_worker_is_skipped(redis: Redis, monkeypatch: pytest.MonkeyPatch, record: str) -> None:
    monkeypatch.setattr(sys, "argv", ["workers.health", "--model", MODEL])
    here = registry.node_name(MODEL)
    for number in range(2):
        beat(worker(redis, f"{here}:{number}"))
    redis.hset("raner:workers", "x", record)
    redis.hset("raner:workers", f"{here}:0", record)
    assert [each.id for each in registry.crews(redis, [MODEL])[MODEL].workers] == [f"{here}:1"]
    assert health.main() == 0


def test_d7_workers_and_models_of_older_and_newer_releases_are_read(redis: Redis) -> None:
    beat(worker(redis, "older"))
    beat(worker(redis, "newer"))
    redis.hset(keys.workers(), "older", json.dumps({"id": "older", "model": MODEL, "version": "v1", "started": 0}))
    newer = WorkerInfo(id="newer", model=MODEL, version="v1", started=0, pieces=3)
    redis.hset(keys.workers(), "newer", json.dumps(newer.model_dump() | {"temperature": [36.6]}))
    redis.hset(keys.models(), MODEL, json.dumps(INFO.model_dump() | {"licence": "none"}))
    redis.hset(keys.models(), "older", json.dumps({"name": "older"}))
    assert {each.id: each.pieces for each in registry.crews(redis, [MODEL])[MODEL].workers} == {"older": 0, "newer": 3}
    assert registry.models(redis) == {MODEL: INFO}


# D9: in a full Redis finished work could not be written, because the cache was written first.


@pytest.mark.parametrize("texts", [["马云"], ["马云"] * 70, [LONG, "马云"]], ids=["one", "many", "cut"])
def test_d9_in_a_full_redis_jobs_end_without_the_cache(
    jobs: JobStore, process: WorkerProcess, redis: Redis, full_redis: Callable[[], object], texts: list[str]
) -> None:
    job_id = made(jobs, *texts)
    full_redis()
    Turn(process).run()
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED
    assert [result.error for result in jobs.results(job_id)] == [None] * len(texts)
    assert redis.keys("raner:cache:*") == []
    assert pending(redis) == set()


def test_d9_in_a_full_redis_pieces_are_kept_claimed_and_handed_back(
    jobs: JobStore, redis: Redis, full_redis: Callable[[], object]
) -> None:
    ids = [made(jobs, "马云") for _ in range(2)]
    one, two = worker(redis, "one"), worker(redis, "two")
    beat(one)
    full_redis()
    pieces = take(one, 2)
    beat(one, pieces)
    assert one.hand_back()[0] == 2
    for _ in ids:
        finish(two, claim(two))
    assert [jobs.read(job_id).status for job_id in ids] == [JobStatus.SUCCEEDED] * 2


# D10: a key that was evicted gave an empty answer, or a job that stayed queued for days.


def test_d10_a_job_whose_texts_are_gone_fails_and_says_so(
    jobs: JobStore, process: WorkerProcess, rule: Rule, redis: Redis
) -> None:
    job_id, other = made(jobs, "马云在杭州"), made(jobs, "马云")
    redis.delete(f"raner:job:{job_id}:texts")
    Turn(process).run()
    job = jobs.read(job_id)
    assert (job.status, jobs.read(other).status) == (JobStatus.FAILED, JobStatus.SUCCEEDED)
    assert job.error == "its texts are gone from Redis: keys were deleted or evicted; submit the texts again"
    assert rule.calls == [["马云"]]
    assert jobs.load(MODEL) == (0, 0)


def test_d10_a_job_whose_pieces_are_gone_fails_and_says_so(
    jobs: JobStore, process: WorkerProcess, redis: Redis
) -> None:
    job_id = jobs.create(bulk_job(9)).job_id
    work(process.stream)
    redis.delete(f"raner:job:{job_id}:pieces")
    Turn(process).run()
    job = jobs.read(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error == "its pieces are gone from Redis: keys were deleted or evicted; submit the texts again"
    assert (jobs.load(MODEL), waiting(redis), pending(redis)) == ((0, 0), 0, set())


@pytest.mark.parametrize("key", ["texts", "parts"])
def test_d10_a_job_that_cannot_be_assembled_fails_and_says_so(
    jobs: JobStore, process: WorkerProcess, redis: Redis, key: str
) -> None:
    job_id = made(jobs, LONG)
    while jobs.read(job_id).done < jobs.read(job_id).total:
        work(process.stream)
    redis.delete(f"raner:job:{job_id}:{key}")
    Turn(process).run()
    job = jobs.read(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error == "its texts or parts are gone from Redis: keys were deleted or evicted; submit the texts again"


# D11: a piece in limbo was never found while anything else waited.


def test_d11_a_piece_of_a_dead_blocking_read_is_found_though_others_always_wait(
    jobs: JobStore, process: WorkerProcess, rule: Rule, redis: Redis
) -> None:
    dead = worker(redis, "dead")
    take(dead, 0)
    lost = made(jobs, "马云")
    assert dead.wait(30)
    silent(redis, "dead")
    more = iter(range(20))
    rule.before = lambda _: [made(jobs, "杭州") for _ in zip(range(2), more, strict=False)]
    made(jobs, "杭州")
    process.pace = 1
    Turn(process).run()
    assert rule.calls[0] == ["马云"]
    assert jobs.read(lost).status is JobStatus.SUCCEEDED


def test_d11_a_handed_over_entry_that_nobody_did_is_found_by_the_next_turn(
    jobs: JobStore, process: WorkerProcess, redis: Redis
) -> None:
    """A node that was stopped in the middle of its turn, with an always full stream beside."""
    ids = [made(jobs, "马云") for _ in range(5)]
    take(worker(redis, "stopped"), 3)
    silent(redis, "stopped")
    Turn(process).run()
    assert [jobs.read(job_id).status for job_id in ids] == [JobStatus.SUCCEEDED] * 5


# D12: the clocks of hosts were compared with one another.


@contextmanager
def clock(ahead: float) -> Iterator[None]:
    """In this context the clock of this host is ahead by so many seconds."""
    real = time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: real() + ahead)
        yield


@pytest.mark.parametrize(("web", "one", "two"), [(100, -100, 100), (-100, 100, -100), (0, 0, 100)])
def test_d12_clocks_that_differ_lose_nothing(jobs: JobStore, redis: Redis, web: float, one: float, two: float) -> None:
    first, second = worker(redis, "one"), worker(redis, "two")
    with clock(one):
        beat(first)
        first.take(most=1, room=1, linger=30)
    with clock(web):
        accepted = jobs.create(new_job("马云"))
        assert not accepted.wake  # a process waits for it
        assert [each.id for each in registry.crews(redis, [MODEL])[MODEL].workers] == ["one"]
    with clock(one):
        pieces = take(first)
    with clock(two):
        assert claim(second) == []  # it is in good hands
        assert beat(second).peers == 2
    with clock(web):
        assert len(registry.crews(redis, [MODEL])[MODEL].workers) == 2
    with clock(one):
        beat(first, pieces)
        finish(first, pieces)
    job = jobs.read(accepted.job_id)
    assert job.started is not None
    assert job.finished is not None
    seconds, micros = redis.time()
    assert seconds + micros / 1e6 - 60 < job.created <= job.started <= job.finished <= seconds + micros / 1e6


# D13: a script wrote, and then failed at a command that its user may not run.


@pytest.fixture
def without_channels(redis: Redis) -> Iterator[Redis]:
    """A user with the rights that the README gives, except those to channels."""
    redis.acl_setuser(
        "farm",
        enabled=True,
        nopass=True,
        keys=["raner:*"],
        reset_channels=True,
        commands=["+@all", "-@dangerous", "+info"],
    )
    client = Redis(port=redis.connection_pool.connection_kwargs["port"], username="farm", password="none")
    yield client
    client.close()
    redis.acl_deluser("farm")


def test_d13_a_user_without_channels_ends_jobs_all_the_same(without_channels: Redis) -> None:
    jobs, stream = JobStore(without_channels), worker(without_channels, "one")
    registry.announce(without_channels, INFO)
    beat(stream)
    ids = [jobs.create(new_job("马云"), watcher="channel").job_id for _ in range(4)]
    one, two, *_ = pieces = take(stream, 4)
    assert finish(stream, [one, two]) == ["succeeded", "succeeded"]
    jobs.cancel(ids[2])
    jobs.fail(ids[3], MODEL, "why")
    assert [str(jobs.read(job_id).status) for job_id in ids] == ["succeeded", "succeeded", "cancelled", "failed"]
    assert finish(stream, pieces[2:]) == ["ended", "ended"]
    assert (jobs.load(MODEL), jobs.count_open(MODEL), pending(without_channels)) == ((0, 0), 0, set())


# D16: an assembly that ended its worker was tried for ever.


def test_d16_an_assembly_has_as_many_tries_as_a_text(
    jobs: JobStore, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Death

    monkeypatch.setattr(Rule, "join", die)
    job_id = made(jobs, LONG)
    deaths = 0
    while not jobs.read(job_id).status.ended:
        try:
            Turn(process).run()
        except Death:
            deaths += 1
            assert deaths < 10
            process.stream.hand_back()
    assert deaths == MOST_DELIVERIES
    assert jobs.read(job_id).status is JobStatus.FAILED
    error = f"its assembly ended {MOST_DELIVERIES} worker processes; the workers' logs say why"
    assert jobs.read(job_id).error == error


# D27: what another release had written was misread, or raised.


def test_d27_an_entity_with_one_more_field_is_read(redis: Redis) -> None:
    newer = json.dumps([[0, 2, "PER", 0.9, "model", None, "a field of a later release"]])
    assert decode_entities(newer) == (Entity(0, 2, "PER", 0.9),)
    redis.set(keys.cached("v1", b"text"), newer)
    assert cache.look_up(redis, "v1", [b"text"]) == {0: (Entity(0, 2, "PER", 0.9),)}


def test_d27_an_entry_of_the_cache_in_a_later_format_counts_as_none(redis: Redis) -> None:
    redis.set(keys.cached("v1", b"text"), '{"format": 9, "entities": "..."}')
    assert cache.look_up(redis, "v1", [b"text"]) == {}


FORMER_JOB = "0f" * 16
FORMER_TEXTS = ["马云在杭州", "张三"]


def former_record(schema: int) -> list[tuple[object, ...]]:
    """How a release with that schema number, which knew only the oldest fields, recorded a job of two texts."""
    job = f"raner:job:{FORMER_JOB}"
    return [
        ("HSET", job, "schema", schema, "status", "queued", "model", MODEL, "offsets", "codepoint"),
        ("HSET", job, "created", "1700000000.000001", "lengths", "[15,6]", "done", 0, "total", 2),
        ("SET", f"{job}:texts", "".join(FORMER_TEXTS).encode()),
        ("HSET", f"{job}:pieces", "0", "[[0,-1,0,15,0,0,5]]", "1", "[[1,-1,15,21,0,0,2]]"),
        ("ZADD", KEYS.open, 1700000000, FORMER_JOB),
        ("HSET", KEYS.load, "pieces", 2, "bytes", 0),
        ("XGROUP", "CREATE", KEYS.bulk, GROUP, "0", "MKSTREAM"),
        ("XADD", KEYS.bulk, "*", "job", FORMER_JOB, "piece", 0),
        ("XADD", KEYS.bulk, "*", "job", FORMER_JOB, "piece", 1),
    ]


def test_d27_a_job_of_the_former_schema_ends_well(jobs: JobStore, process: WorkerProcess, redis: Redis) -> None:
    for command in former_record(SCHEMA - 1):
        redis.execute_command(*command)
    assert jobs.read(FORMER_JOB).status is JobStatus.QUEUED
    Turn(process).run()
    job, results = jobs.read_with_results(FORMER_JOB)
    assert (job.status, job.done, results) == (JobStatus.SUCCEEDED, 2, [FOUND, FOUND])
    assert jobs.texts(FORMER_JOB).sent == FORMER_TEXTS
    assert (jobs.load(MODEL), waiting(redis), pending(redis)) == ((0, 0), 0, set())
    assert all(redis.ttl(key) > 0 for key in redis.keys(f"raner:job:{FORMER_JOB}*"))


@pytest.mark.parametrize("schema", [SCHEMA + 1, SCHEMA - 2])
def test_d27_a_job_of_a_schema_that_is_not_known_fails_and_says_so(
    jobs: JobStore, process: WorkerProcess, rule: Rule, redis: Redis, schema: int
) -> None:
    for command in former_record(schema):
        redis.execute_command(*command)
    other = made(jobs, "马云")
    Turn(process).run()
    job = jobs.read(FORMER_JOB)
    assert (job.status, job.error) == (
        JobStatus.FAILED,
        "it was recorded by another release of the farm; submit its texts again",
    )
    assert jobs.read(other).status is JobStatus.SUCCEEDED
    assert rule.calls == [["马云"]]
    assert (waiting(redis), pending(redis)) == (0, set())


@pytest.mark.parametrize("damage", ["pieces", "parts"])
def test_d27_a_job_of_which_another_release_wrote_a_part_fails_and_says_so(
    jobs: JobStore, process: WorkerProcess, redis: Redis, damage: str
) -> None:
    job_id = made(jobs, LONG)
    if damage == "parts":
        while jobs.read(job_id).done < jobs.read(job_id).total:
            work(process.stream)
        redis.hset(JobKeys(job_id).parts, "0:0", '{"format": 9}')
    else:
        redis.hset(JobKeys(job_id).pieces, "0", '{"format": 9}')
    Turn(process).run()
    job = jobs.read(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.endswith("submit its texts again")


def test_d27_a_result_of_a_later_format_is_an_error_of_its_text(
    jobs: JobStore, stream: PieceStream, redis: Redis
) -> None:
    job_id = made(jobs, "马云", "杭州")
    work(stream)
    redis.hset(JobKeys(job_id).results, "0", '{"format": 9}')
    later, known = jobs.results(job_id)
    assert known == FOUND
    assert later.error == "text 0: another release of the farm wrote its result; submit it again"


def test_d27_a_message_of_a_later_format_about_a_jobs_end_only_names_it(jobs: JobStore) -> None:
    job = new_job("马云").job(1.0)
    for message in (b'{"id": "x", "format": 9}', b'{"started": 1, "finished": 2, "result": "{}"}', b"{"):
        assert jobs.from_end_message(job, message) is None


def test_d27_a_state_of_a_later_release_is_no_error(jobs: JobStore, redis: Redis) -> None:
    job_id = made(jobs, "马云")
    redis.hset(JobKeys(job_id).job, "status", "archived")
    assert jobs.fail(job_id, MODEL, "why")


# F2, D4: one large job made everybody wait.


def test_f2_what_fits_one_piece_does_not_wait_for_a_large_job(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    process.pace = 1
    jobs.create(bulk_job(250))
    steps: list[int] = []
    late: list[str] = []

    def before(texts: Sequence[str]) -> None:
        if len(rule.calls) == 3:
            late.append(made(jobs, "杭州"))
        if texts == ["杭州"]:
            steps.append(len(rule.calls) - 3)
            process.slots.end()

    rule.before = before
    Turn(process).run()
    assert steps == [1]
    assert jobs.read(late[0]).status is JobStatus.SUCCEEDED


def test_f2_two_bulk_jobs_of_one_size_end_at_about_the_same_time(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    process.pace = 1
    one, two = (jobs.create(bulk_job(40, text)).job_id for text in ("马云", "杭州"))
    while not all(jobs.read(job_id).status.ended for job_id in (one, two)):
        Turn(process).run()
    order = [text for call in rule.calls for text in call]
    last_of_one, last_of_two = (len(order) - order[::-1].index(text) for text in ("马云", "杭州"))
    assert last_of_two <= 1.3 * last_of_one
