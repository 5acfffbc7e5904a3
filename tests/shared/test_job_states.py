"""A job under any order of events: turns, repetitions, deaths, cancelling, sweeps."""

from __future__ import annotations

import os
import time

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from redis import Redis

from shared.errors import JobEnded
from shared.job_keys import ModelKeys
from shared.job_store import JobStore
from shared.jobs import JobStatus
from shared.piece_queue import Piece, PieceQueue, PieceState
from tests.support.jobs import FOUND, LONG, MODEL, finish, new_job, take

TURNS = st.sampled_from(["one", "two", "three"])


class JobLife(RuleBasedStateMachine):
    """What a client may see of one job, however often its pieces are taken and whatever dies on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.redis = Redis.from_url(os.environ["RANER_REDIS_URL"])
        self.redis.flushall()
        self.jobs = JobStore(self.redis)
        self.queue = PieceQueue(self.redis, MODEL)
        self.begun: list[tuple[str, Piece]] = []  # with the turn that took it
        self.finished: set[int] = set()
        self.ended: JobStatus | None = None

    @initialize(texts=st.sampled_from([["马云"], ["马云"] * 80, [LONG], [LONG, "马云", LONG]]))
    def create(self, texts: list[str]) -> None:
        self.cut = LONG in texts
        new = new_job(*texts)
        self.id = new.id
        self.total = len(new.pieces)
        assert self.jobs.create(new).wake

    @rule(turn=TURNS, most=st.integers(1, 3))
    def take(self, turn: str, most: int) -> None:
        """A turn takes pieces up, perhaps some that it took before."""
        for piece in take(self.queue, turn, most):
            self.check(turn, piece)

    @rule(turn=TURNS)
    def take_held(self, turn: str) -> None:
        """A turn is delivered again."""
        if (piece := self.queue.take_held(turn)) is not None:
            self.check(turn, piece)

    @rule(turn=TURNS)
    def wait(self, turn: str) -> None:
        """A turn is given a piece, if one waits, and may die before it takes it up."""
        if self.jobs.count_waiting(MODEL):
            self.queue.wait(turn, 0.01)

    def check(self, turn: str, piece: Piece) -> None:
        assert piece.job_id == self.id
        assert self.ended is None
        if piece.items:
            assert piece.number not in self.finished
            self.begun.append((turn, piece))
        else:
            assert self.cut
            assert len(self.finished) == self.total

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), dies=st.booleans())
    def finish(self, data: st.DataObject, dies: bool) -> None:
        """A turn ends a piece that it has begun: it writes the result, or dies."""
        turn, piece = self.begun.pop(data.draw(st.integers(0, len(self.begun) - 1)))
        if dies:
            return
        (state,) = finish(self.queue, [piece], turn)
        if self.ended:
            assert state is PieceState.ENDED
            return
        self.finished.add(piece.number)
        if len(self.finished) < self.total:
            assert state is PieceState.RUNNING
        elif self.cut:
            assert state is PieceState.ASSEMBLE
        else:
            assert state is PieceState.SUCCEEDED
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

    @rule(loses_queue=st.booleans())
    def sweep(self, loses_queue: bool) -> None:
        """Much later: every turn under way is lost, and perhaps the queue."""
        if loses_queue:
            self.redis.delete(ModelKeys(MODEL).waiting)
        self.queue.sweep(lost_before=time.time() + 1)
        if self.ended is None:
            # Whatever was lost before, one turn now finds every piece that is not done, or that all are.
            left = set(range(self.total)) - self.finished
            found = take(self.queue, "much later", most=100)
            if any(piece.items for piece in found):
                assert {piece.number for piece in found} <= left
            for piece in found:
                self.check("much later", piece)
            held_elsewhere = {
                int(name.decode().rpartition(":")[2])
                for turn in ("one", "two", "three")
                for name in self.redis.lrange(f"raner:turn:{turn}", 0, -1)
            }
            assert {piece.number for piece in found} | held_elsewhere >= left
            assert found or held_elsewhere

    @invariant()
    def the_record_agrees(self) -> None:
        job = self.jobs.read(self.id)
        assert job.done == len(self.finished)
        if self.ended:
            assert job.status is self.ended
            assert job.finished is not None
        else:
            assert job.status in (JobStatus.QUEUED, JobStatus.RUNNING)
        assert self.jobs.has_ended(self.id) == (self.ended is not None)
        assert self.jobs.count_open(MODEL) == (self.ended is None)

    @invariant()
    def nothing_is_for_ever(self) -> None:
        assert all(self.redis.ttl(key) > 0 for key in self.redis.keys("*"))

    def teardown(self) -> None:
        self.redis.close()


JobLife.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJobLife = JobLife.TestCase
