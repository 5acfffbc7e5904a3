"""A turn on a real Redis: what it does together, what it does when something fails, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest
from redis import Redis
from redis.exceptions import RedisError

from shared import cache
from shared.entities import Entity
from shared.formats import PartResult
from shared.job_store import JobStore
from shared.jobs import JobStatus
from shared.keys import ModelKeys
from shared.piece_stream import PieceResult, PieceStream
from shared.settings import settings
from tests.support.jobs import (
    FOUND,
    LONG,
    MODEL,
    VERSION,
    bulk_job,
    finish,
    made,
    new_job,
    pending,
    result_of,
    take,
    waiting,
    worker,
)
from tests.workers.rule import Death, Rule, dies_of, fails_with
from workers.hand import Recognition
from workers.process import WorkerProcess
from workers.turn import MOST_DELIVERIES, REDIS_PAUSE, Turn

pytestmark = pytest.mark.usefixtures("soon")

KEYS = ModelKeys(MODEL)


def statuses(jobs: JobStore, ids: Sequence[str]) -> list[str]:
    return [str(jobs.read(job_id).status) for job_id in ids]


def live_and_die(process: WorkerProcess) -> int:
    """Let the process do its pieces, and its successor after each death. Returns the number of deaths."""
    for deaths in range(20):
        try:
            Turn(process).run()
        except Death:
            process.stream.hand_back()
        else:
            return deaths
    raise AssertionError("it dies again and again")


# Together or alone


def test_short_pieces_of_many_jobs_are_recognised_together(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    ids = [made(jobs, f"马云{number}") for number in range(5)]
    turn = Turn(process)
    assert not turn.run()
    assert statuses(jobs, ids) == ["succeeded"] * 5
    assert rule.calls == [[f"马云{number}" for number in range(5)]]
    for job_id in ids:
        assert jobs.results(job_id) == [FOUND]
    assert turn.summary().startswith("pieces=5 characters=15 busy=")
    assert turn.summary().endswith(f"jobs=5: {' '.join(ids)}")


def test_at_a_slow_pace_each_is_done_alone(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    process.pace = 1
    for text in ("马云", "杭州"):
        made(jobs, text)
    Turn(process).run()
    assert rule.calls == [["马云"], ["杭州"]]


def test_a_large_piece_does_not_keep_small_ones_before_it_waiting(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    process.pace = 1_000  # a hundred characters take a tenth of a second
    for text in ("马云", "杭州", "马云在杭州" * 40):
        made(jobs, text)
    Turn(process).run()
    assert list(map(len, rule.calls)) == [2, 1]


def test_processes_share_what_waits(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    for _ in range(8):
        made(jobs, "马云")
    process.peers = 2
    Turn(process).run()
    assert list(map(len, rule.calls)) == [4, 2, 1, 1]


def test_what_is_recognised_is_in_hand_until_it_is_finished(
    jobs: JobStore, process: WorkerProcess, rule: Rule, redis: Redis
) -> None:
    for _ in range(3):
        made(jobs, "马云")
    held = []
    rule.before = lambda _: held.append((set(process.hand.entries), pending(redis)))
    Turn(process).run()
    ((in_hand, in_redis),) = held
    assert len(in_hand) == 3
    assert in_hand == in_redis
    assert process.hand.entries == ()


# When a turn ends


def test_what_comes_while_it_waits_is_done_in_the_same_turn(
    jobs: JobStore, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.turn.LINGER", 30.0)
    late: list[str] = []
    wait = PieceStream.wait

    def one_comes(stream: PieceStream, seconds: float) -> object:
        if not late:
            accepted = jobs.create(new_job("马云"))
            assert not accepted.wake  # this turn is there for it
            late.append(accepted.job_id)
            return wait(stream, seconds)
        return wait(stream, 0.01)

    monkeypatch.setattr(PieceStream, "wait", one_comes)
    assert not Turn(process).run()
    assert statuses(jobs, late) == ["succeeded"]
    # From now on nobody is.
    assert jobs.create(new_job("马云")).wake


@pytest.mark.parametrize("limit", ["LENGTH", "MOST_JOBS"])
def test_a_turn_that_is_over_asks_for_another(
    jobs: JobStore, process: WorkerProcess, redis: Redis, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    made(jobs, "马云")
    monkeypatch.setattr(f"workers.turn.{limit}", -1)
    assert Turn(process).run()
    assert waiting(redis) == 1


def test_a_node_that_is_to_end_takes_nothing_more(
    jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule
) -> None:
    process.pace = 1
    for _ in range(3):
        made(jobs, "马云")
    rule.before = lambda _: process.slots.end()
    Turn(process).run()
    assert (len(rule.calls), waiting(redis), pending(redis)) == (1, 2, set())
    assert redis.llen(KEYS.wakeups) == 1


def test_a_process_that_leaves_pieces_wakes_another_before_it_begins(
    jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule
) -> None:
    process.pace = 1
    for _ in range(2):
        made(jobs, "马云")
    woken: list[int] = []
    rule.before = lambda _: woken.append(redis.llen(KEYS.wakeups))
    Turn(process).run()
    assert woken == [1, 1]


# Lanes


def test_interactive_pieces_come_before_bulk_ones(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    process.pace = 1
    jobs.create(bulk_job(6, "杭州"))
    late = iter(["马云"])
    rule.before = lambda _: [made(jobs, text) for text in late]
    Turn(process).run()
    assert rule.calls.index(["马云"]) == 1


class Clock(SimpleNamespace):
    """Stands for the module ``time`` in a turn: only what is recognised takes time."""

    def __init__(self) -> None:
        super().__init__(now=1_000.0)

    def monotonic(self) -> float:
        return float(self.now)


@pytest.mark.parametrize("seconds_of_bulk", [0.1, 0.4])
def test_the_bulk_lane_has_a_tenth_of_the_time_however_much_is_interactive(
    jobs: JobStore, process: WorkerProcess, rule: Rule, monkeypatch: pytest.MonkeyPatch, seconds_of_bulk: float
) -> None:
    clock = Clock()
    monkeypatch.setattr("workers.turn.time", clock)
    process.pace = 1
    done: list[str] = []

    def before(texts: Sequence[str]) -> None:
        made(jobs, "马云")  # interactive pieces always wait
        done.extend(texts)
        clock.now += 0.1 if texts == ["马云"] else seconds_of_bulk

    rule.before = before
    made(jobs, "马云")
    bulk = jobs.create(bulk_job(6, "杭州")).job_id
    while not jobs.read(bulk).status.ended:
        Turn(process).run()
    from_first_to_last = done[done.index("杭州") : -done[::-1].index("杭州") - 1]
    bulk_seconds = from_first_to_last.count("杭州") * seconds_of_bulk
    share = bulk_seconds / (bulk_seconds + from_first_to_last.count("马云") * 0.1)
    assert 0.09 < share < 0.2


# Texts that cannot be recognised


def test_a_text_that_raises_fails_alone_and_the_others_have_their_results(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    """F9: one bad text failed its whole job of 1,000."""
    rule.before = fails_with("坏")
    texts = ["马云"] * 1_000
    texts[500] = "坏"
    many, alone, other = made(jobs, *texts), made(jobs, "坏"), made(jobs, "马云")
    Turn(process).run()
    assert statuses(jobs, [many, alone, other]) == ["succeeded", "failed", "succeeded"]
    results = jobs.results(many)
    assert [index for index, result in enumerate(results) if result.error is not None] == [500]
    assert results[500].error == "text 500: its recognition failed (ValueError); the workers' logs say why"
    assert [result for result in results if result.error is None] == [FOUND] * 999
    assert jobs.read(alone).error == "text 0: its recognition failed (ValueError); the workers' logs say why"


def test_a_text_that_ends_its_process_fails_and_its_neighbours_are_done(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    rule.before = dies_of("坏")
    ids = [made(jobs, text) for text in ("马云", "坏", "杭州")]
    assert live_and_die(process) == MOST_DELIVERIES
    assert statuses(jobs, ids) == ["succeeded", "failed", "succeeded"]
    error = f"text 0: it ended {MOST_DELIVERIES} worker processes; the workers' logs say why"
    assert jobs.read(ids[1]).error == error


def test_a_text_that_ends_its_process_fails_alone_among_the_texts_of_its_job(
    jobs: JobStore, process: WorkerProcess, rule: Rule, redis: Redis
) -> None:
    rule.before = dies_of("坏")
    job_id = made(jobs, "马云", "坏", "杭州")
    assert live_and_die(process) <= MOST_DELIVERIES + 2
    first, bad, last = jobs.results(job_id)
    assert (first, last) == (FOUND, FOUND)
    assert bad.error == f"text 1: it ended {MOST_DELIVERIES} worker processes; the workers' logs say why"
    assert (jobs.load(MODEL), pending(redis), waiting(redis)) == ((0, 0), set(), 0)


def test_a_part_that_cannot_be_recognised_is_an_error_of_its_text(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    second = new_job(LONG).pieces[1][0]

    def before(texts: Sequence[str]) -> None:
        if texts == [LONG[second.start : second.start + second.core_end]]:
            raise ValueError("cannot")

    rule.before = before
    job_id = made(jobs, LONG, "马云")
    Turn(process).run()
    failed, found = jobs.results(job_id)
    assert found == FOUND
    assert failed.error == "text 0: its recognition failed (ValueError); the workers' logs say why"


# A worker process that is gone


def test_all_that_a_dead_node_had_is_done_in_one_turn(
    jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule
) -> None:
    ids = [made(jobs, "马云") for _ in range(20)]
    dead = worker(redis, "dead")
    take(dead, 20)
    dead.hand_back()
    Turn(process).run()
    assert statuses(jobs, ids) == ["succeeded"] * 20
    assert rule.calls == [["马云"]] * 20  # each alone: it may have ended its process


def test_what_waits_is_done_beside_what_is_claimed(jobs: JobStore, process: WorkerProcess, redis: Redis) -> None:
    dead = worker(redis, "dead")
    ids = [made(jobs, "马云") for _ in range(2)]
    take(dead, 1)
    dead.hand_back()
    Turn(process).run()
    assert statuses(jobs, ids) == ["succeeded"] * 2


def test_a_piece_of_several_texts_whose_process_ended_is_done_text_by_text(
    jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule
) -> None:
    job_id = made(jobs, "马云", "杭州", "马化腾")
    dead = worker(redis, "dead")
    take(dead)
    dead.hand_back()
    Turn(process).run()
    assert jobs.read(job_id).total == 3
    assert statuses(jobs, [job_id]) == ["succeeded"]
    assert sorted(text for call in rule.calls for text in call) == sorted(["马云", "杭州", "马化腾"])


# The time limit


def recognitions(jobs: JobStore, process: WorkerProcess, rule: Rule) -> list[tuple[Recognition, float]]:
    """Each recognition of a turn, with the seconds that it may take."""
    seen: list[tuple[Recognition, float]] = []

    def before(_: Sequence[str]) -> None:
        assert process.hand.recognition is not None
        seen.append((process.hand.recognition, process.hand.recognition.deadline - time.monotonic()))

    rule.before = before
    Turn(process).run()
    assert process.hand.recognition is None
    return seen


def test_pieces_together_have_a_share_of_the_limit(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    for _ in range(3):
        made(jobs, "马云")
    ((recognition, seconds),) = recognitions(jobs, process, rule)
    assert recognition.alone is None
    assert 0 < seconds <= settings().piece_timeout / 6


def test_at_a_slow_pace_they_have_more(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    process.pace = 100
    made(jobs, "马云" * 50)
    ((recognition, seconds),) = recognitions(jobs, process, rule)
    assert recognition.alone is None
    assert settings().piece_timeout / 2 < seconds <= settings().piece_timeout


def test_a_text_whose_process_ended_has_the_whole_limit_for_itself(
    jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule
) -> None:
    job_id = made(jobs, "马云")
    dead = worker(redis, "dead")
    take(dead)
    dead.hand_back()
    ((recognition, seconds),) = recognitions(jobs, process, rule)
    assert recognition.alone is not None
    assert recognition.alone.job_id == job_id
    assert settings().piece_timeout / 2 < seconds <= settings().piece_timeout


# Assembly


def test_the_parts_of_a_cut_text_are_put_together(jobs: JobStore, process: WorkerProcess) -> None:
    job_id = made(jobs, LONG)
    Turn(process).run()
    job = jobs.read(job_id)
    assert (job.status, job.done) == (JobStatus.SUCCEEDED, job.total)
    (result,) = jobs.results(job_id)
    assert result.entities[0] == Entity(0, 2, "PER", 0.9)
    assert result.model_version == VERSION


def test_an_assembly_whose_process_ended_is_done_by_the_next(
    jobs: JobStore, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = made(jobs, LONG)
    with monkeypatch.context() as dying:
        dying.setattr(JobStore, "succeed", lambda *_: (_ for _ in ()).throw(Death))
        with pytest.raises(Death):
            Turn(process).run()
    assert jobs.read(job_id).status is JobStatus.RUNNING
    process.stream.hand_back()
    Turn(process).run()
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED


def test_a_job_that_is_cancelled_while_it_is_assembled_does_no_harm_to_others(
    jobs: JobStore, process: WorkerProcess, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelling deletes its texts."""
    cancelled = made(jobs, LONG)
    parts = JobStore.parts

    def cancel_then_read(store: JobStore, job_id: str) -> object:
        found = parts(store, job_id)
        jobs.cancel(job_id)
        return found

    monkeypatch.setattr(JobStore, "parts", cancel_then_read)
    Turn(process).run()
    other = made(jobs, "马云")
    Turn(process).run()
    assert statuses(jobs, [cancelled, other]) == ["cancelled", "succeeded"]
    assert (pending(redis), waiting(redis), jobs.load(MODEL)) == (set(), 0, (0, 0))


def test_a_cancelled_job_is_left(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    job_id = made(jobs, "马云")
    jobs.cancel(job_id)
    Turn(process).run()
    assert rule.calls == []


def test_a_job_that_is_cancelled_while_it_is_done_takes_one_more_step_at_most(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    """A piece takes 0.4 s, so nobody asks within one whether it is still wanted."""
    process.pace = 1
    job_id = jobs.create(bulk_job(10)).job_id
    rule.before = lambda _: jobs.cancel(job_id)
    Turn(process).run()
    assert len(rule.calls) == 1
    assert statuses(jobs, [job_id]) == ["cancelled"]


# The cache


def cached(redis: Redis, *texts: str, version: str = "v1") -> list[str]:
    """Those of the texts that the cache knows."""
    return [texts[index] for index in cache.look_up(redis, version, [text.encode() for text in texts])]


def test_results_go_into_the_cache(jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule) -> None:
    rule.before = fails_with("坏")
    made(jobs, "马云", "坏")
    made(jobs, LONG)
    Turn(process).run()
    assert cached(redis, "马云", "坏", LONG, "杭州") == ["马云", LONG]
    found = cache.look_up(redis, "v1", ["马云".encode()])
    assert found == {0: FOUND.entities}


@pytest.mark.parametrize(("version", "known"), [(VERSION, [LONG]), (f"{MODEL}@v0", [])])
def test_parts_of_two_model_versions_do_not_go_into_the_cache(
    jobs: JobStore, process: WorkerProcess, stream: PieceStream, redis: Redis, version: str, known: list[str]
) -> None:
    job_id = made(jobs, LONG)
    (piece,) = take(stream)
    done = result_of(piece)
    parts = {key: replace(part, model_version=version) for key, part in done.parts.items()}
    stream.finish([PieceResult(piece, {}, parts)])
    Turn(process).run()
    (result,) = jobs.results(job_id)
    assert result.model_version == "+".join(sorted({version, VERSION}))
    assert cached(redis, LONG) == cached(redis, LONG, version="v0") + known == known


def test_a_text_that_was_done_by_another_version_alone_does_not_go_into_the_cache_of_this_one(
    jobs: JobStore, process: WorkerProcess, stream: PieceStream, redis: Redis
) -> None:
    job_id = made(jobs, LONG)
    while jobs.read(job_id).done < jobs.read(job_id).total:
        (piece,) = take(stream)
        parts = {key: PartResult(part.found, f"{MODEL}@v0") for key, part in result_of(piece).parts.items()}
        stream.finish([PieceResult(piece, {}, parts)])
    Turn(process).run()
    assert jobs.results(job_id)[0].model_version == f"{MODEL}@v0"
    assert cached(redis, LONG) == cached(redis, LONG, version="v0") == []


# Redis is away, or takes nothing


def test_a_result_waits_for_a_redis_that_takes_no_writes(
    jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = made(jobs, "马云")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        redis.replicaof("NO", "ONE")

    monkeypatch.setattr("workers.turn.time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    rule.before = lambda _: redis.replicaof("127.0.0.1", 1)
    try:
        assert not Turn(process).run()
    finally:
        redis.replicaof("NO", "ONE")
    assert slept == [REDIS_PAUSE]
    assert statuses(jobs, [job_id]) == ["succeeded"]
    assert len(rule.calls) == 1


def test_a_node_that_is_to_end_does_not_wait_for_redis(
    jobs: JobStore, process: WorkerProcess, redis: Redis, rule: Rule
) -> None:
    job_id = made(jobs, "马云")

    def before(_: Sequence[str]) -> None:
        process.slots.end()
        redis.replicaof("127.0.0.1", 1)

    rule.before = before
    try:
        with pytest.raises(RedisError):
            Turn(process).run()
    finally:
        redis.replicaof("NO", "ONE")
    # Another process claims it.
    assert len(pending(redis)) == 1
    two = worker(redis, "two")
    process.stream.hand_back()
    (piece,) = take(two, 0, claim=True)
    finish(two, [piece])
    assert statuses(jobs, [job_id]) == ["succeeded"]
