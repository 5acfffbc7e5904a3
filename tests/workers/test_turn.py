"""A turn on a real Redis: what it does together, what it does when something fails, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from redis import Redis

from shared.entities import Entity
from shared.job_store import JobStore
from shared.jobs import JobStatus
from shared.piece_queue import PieceQueue
from shared.registry import ModelInfo
from tests.support.jobs import LONG, MODEL, new_job
from workers.engine.recogniser import Recogniser
from workers.engine.tagger import Stop
from workers.process import WorkerProcess
from workers.turn import MAX_TRIES, PieceFailed, Turn


class Rule:
    """In place of a model: marks the first two characters of each text, and may be told to fail."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.fails: Callable[[Sequence[str]], bool] = lambda _: False

    def recognise(self, texts: Sequence[str], stop: Stop) -> list[list[Entity]]:
        self.calls.append(list(texts))
        if self.fails(texts):
            raise ValueError("cannot")
        return [[Entity(0, 2, "PER", 0.9)] if len(text) > 1 else [] for text in texts]


@pytest.fixture
def rule() -> Rule:
    return Rule()


@pytest.fixture
def process(redis: Redis, rule: Rule) -> WorkerProcess:
    """A worker process whose pace is known, so that short pieces are done together."""
    info = ModelInfo(name=MODEL, version="v1", types=("PER",), backend="onnx-int8")
    return WorkerProcess(model=info, recogniser=cast(Recogniser, rule), redis=redis, id="node:1", pace=1e6)


def made(jobs: JobStore, *texts: str, **fields: Any) -> str:
    return jobs.create(new_job(*texts, **fields)).job_id


def statuses(jobs: JobStore, ids: Sequence[str]) -> list[str]:
    return [str(jobs.read(job_id).status) for job_id in ids]


def test_short_pieces_of_many_jobs_are_recognised_together(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    ids = [made(jobs, f"马云{number}") for number in range(5)]
    turn = Turn(process, "turn")
    assert not turn.run()
    assert statuses(jobs, ids) == ["succeeded"] * 5
    assert rule.calls == [[f"马云{number}" for number in range(5)]]
    for job_id in ids:
        ((entities, version, cached),) = jobs.results(job_id)
        assert (entities, version, cached) == ([Entity(0, 2, "PER", 0.9)], f"{MODEL}@v1", False)
    summary = turn.summary()
    assert (summary["pieces"], summary["jobs"], summary["first_jobs"]) == (5, 5, ids)


def test_at_a_slow_pace_each_is_done_alone(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    process.pace = 1
    made(jobs, "马云")
    made(jobs, "杭州")
    Turn(process, "turn").run()
    assert rule.calls[0] == ["马云"]


def test_what_comes_while_it_waits_is_done_in_the_same_turn(
    jobs: JobStore, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[str] = []
    wait = PieceQueue.wait

    def one_comes(queue: PieceQueue, turn: str, seconds: float) -> bool:
        if not late:
            accepted = jobs.create(new_job("马云"))
            assert not accepted.wake  # this turn is there for it
            late.append(accepted.job_id)
        return wait(queue, turn, seconds)

    monkeypatch.setattr(PieceQueue, "wait", one_comes)
    assert not Turn(process, "turn").run()
    assert statuses(jobs, late) == ["succeeded"]
    # From now on nobody is.
    assert jobs.create(new_job("马云")).wake


def test_a_turn_whose_time_is_up_asks_for_another(
    jobs: JobStore, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(jobs, "马云")
    monkeypatch.setattr("workers.turn.LENGTH", -1.0)
    assert Turn(process, "turn").run()
    assert jobs.count_waiting(MODEL) == 1


def test_one_that_fails_among_others_fails_alone(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    ids = [made(jobs, text) for text in ("马云", "bad", "杭州")]
    rule.fails = lambda texts: "bad" in texts
    for tries in range(1, MAX_TRIES):
        with pytest.raises(PieceFailed, match="ValueError") as failed:
            Turn(process, "turn").run()
        assert failed.value.pause == 2 ** (tries - 1)
        assert statuses(jobs, ids) == ["succeeded", "running", "succeeded"]
    Turn(process, "turn").run()
    job = jobs.read(ids[1])
    assert (job.status, job.error) == (JobStatus.FAILED, f"piece 0 failed {MAX_TRIES} times: ValueError")


def test_a_piece_that_ends_its_worker_is_given_up_and_the_others_are_done(
    jobs: JobStore, process: WorkerProcess, rule: Rule
) -> None:
    class Death(BaseException):
        """The process is gone: nothing after it runs."""

    def dies(texts: Sequence[str]) -> bool:
        if "bad" in texts:
            raise Death
        return False

    ids = [made(jobs, text) for text in ("马云", "bad", "杭州")]
    rule.fails = dies
    for _ in range(MAX_TRIES):
        with pytest.raises(Death):
            Turn(process, "turn").run()
    Turn(process, "turn").run()
    assert statuses(jobs, ids) == ["succeeded", "failed", "succeeded"]
    assert jobs.read(ids[1]).error == f"piece 0 ended {MAX_TRIES} worker processes; the workers' logs say why"


def test_the_parts_of_a_cut_text_are_put_together(jobs: JobStore, process: WorkerProcess) -> None:
    job_id = made(jobs, LONG)
    Turn(process, "turn").run()
    job = jobs.read(job_id)
    assert (job.status, job.done) == (JobStatus.SUCCEEDED, job.total)
    ((entities, _, _),) = jobs.results(job_id)
    assert entities[0] == Entity(0, 2, "PER", 0.9)


def test_the_parts_are_put_together_by_the_turn_that_comes_again(
    jobs: JobStore, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = made(jobs, LONG)
    with monkeypatch.context() as dying:
        dying.setattr(JobStore, "succeed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Turn(process, "turn").run()
    assert jobs.read(job_id).status is JobStatus.RUNNING
    Turn(process, "turn").run()
    assert jobs.read(job_id).status is JobStatus.SUCCEEDED


def test_a_cancelled_job_is_left(jobs: JobStore, process: WorkerProcess, rule: Rule) -> None:
    job_id = made(jobs, "马云")
    jobs.cancel(job_id)
    Turn(process, "turn").run()
    assert rule.calls == []


def test_results_go_into_the_cache(jobs: JobStore, process: WorkerProcess, redis: Redis) -> None:
    made(jobs, "马云")
    Turn(process, "turn").run()
    assert len(redis.keys("raner:cache:v1:*")) == 1
