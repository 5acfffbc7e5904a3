"""A job under any order of events: deliveries, repetitions, deaths, cancelling."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from redis import Redis

from shared.errors import JobEnded
from shared.job_store import JobStore, PieceState, PieceWork
from shared.jobs import JobStatus
from tests.shared.test_job_store import FOUND, LONG, MODEL, finish, new_job


class JobLife(RuleBasedStateMachine):
    """What a client may see of one job, however often its pieces are delivered and whatever dies on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.redis = Redis.from_url(os.environ["RANER_REDIS_URL"])
        self.redis.flushall()
        self.jobs = JobStore(self.redis)
        self.begun: list[tuple[int, PieceWork]] = []
        self.finished: set[int] = set()
        self.ended: JobStatus | None = None

    @initialize(texts=st.sampled_from([["马云"], ["马云"] * 80, [LONG], [LONG, "马云", LONG]]))
    def create(self, texts: list[str]) -> None:
        self.cut = LONG in texts
        self.id = self.jobs.create(new_job(*texts))
        self.total = self.jobs.read(self.id).total

    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        piece = data.draw(st.integers(0, self.total - 1))
        answer = self.jobs.start_piece(self.id, MODEL, piece)
        if isinstance(answer, PieceWork):
            assert piece not in self.finished
            assert self.ended is None
            self.begun.append((piece, answer))
        else:
            self.check(answer, piece)

    def check(self, state: str, piece: int) -> None:
        if self.ended:
            assert state == PieceState.ENDED
        elif len(self.finished) == self.total:
            assert state == PieceState.ASSEMBLE
        else:
            assert state == PieceState.DONE
            assert piece in self.finished

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), dies=st.booleans())
    def finish(self, data: st.DataObject, dies: bool) -> None:
        """A worker ends a delivery it has begun: it writes the result, or dies, or does both in that order."""
        index = data.draw(st.integers(0, len(self.begun) - 1))
        piece, work = self.begun[index]
        if dies:
            del self.begun[index]
            return
        state = finish(self.jobs, self.id, piece, work)
        if self.ended:
            assert state == PieceState.ENDED
            return
        self.finished.add(piece)
        if len(self.finished) < self.total:
            assert state == PieceState.RUNNING
        elif self.cut:
            assert state == PieceState.ASSEMBLE
        else:
            assert state == PieceState.SUCCEEDED
            self.ended = JobStatus.SUCCEEDED

    @precondition(lambda self: self.cut and len(self.finished) == self.total)
    @rule()
    def assemble(self) -> None:
        texts = dict.fromkeys(self.jobs.parts(self.id), FOUND)
        assert self.jobs.succeed(self.id, MODEL, texts) == (self.ended is None)
        self.ended = self.ended or JobStatus.SUCCEEDED

    @rule()
    def fail(self) -> None:
        assert self.jobs.fail(self.id, MODEL, "why") == (self.ended is None)
        self.ended = self.ended or JobStatus.FAILED

    @rule()
    def cancel(self) -> None:
        try:
            self.jobs.cancel(self.id)
        except JobEnded:
            assert self.ended is not None
        else:
            assert self.ended is None
            self.ended = JobStatus.CANCELLED

    @invariant()
    def the_record_agrees(self) -> None:
        job = self.jobs.read(self.id)
        assert job.done == len(self.finished)
        if self.ended:
            assert job.status is self.ended
            assert job.finished is not None
        else:
            assert job.status in (JobStatus.QUEUED, JobStatus.RUNNING)
            assert set(self.jobs.pieces_to_do(self.id)) == (set(range(self.total)) - self.finished or {0})
        assert self.jobs.has_ended(self.id) == (self.ended is not None)
        assert self.jobs.count_open(MODEL) == (self.ended is None)

    @invariant()
    def nothing_is_for_ever(self) -> None:
        assert all(self.redis.ttl(key) > 0 for key in self.redis.keys("*"))

    def teardown(self) -> None:
        self.redis.close()


JobLife.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJobLife = JobLife.TestCase
