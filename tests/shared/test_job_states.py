"""Jobs under any order of events: taken, finished, claimed, handed back, divided, cancelled, lost."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from redis import Redis

from shared.errors import JobEnded
from shared.formats import TextResult
from shared.job_store import JobStore
from shared.jobs import JobStatus, Lane, NewJob
from shared.keys import GROUP
from shared.piece_stream import CLAIM_AFTER, JobState, Kind, Piece, PieceResult, PieceStream
from tests.support.jobs import FOUND, LONG, MODEL, VERSION, beat, bulk_job, lanes, new_job, result_of, take, worker

WORKERS = st.sampled_from(["one", "two", "three"])
LANES = st.sampled_from(list(Lane))
FAILED = TextResult((), VERSION, error="it could not be recognised")
MOST_STEPS = 1_000


@dataclass
class Life:
    """What is known of a job."""

    new: NewJob
    open_pieces: set[int]  # numbers
    texts_left: int  # that did not fail
    numbered: int  # the number of the next piece
    done: int = 0
    ended: JobStatus | None = None

    @property
    def is_cut(self) -> bool:
        return any(item.part >= 0 for piece in self.new.pieces for item in piece)


class Jobs(RuleBasedStateMachine):
    """What clients see of jobs, however often their pieces are taken and whatever dies on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.redis = Redis.from_url(os.environ["RANER_REDIS_URL"])
        self.redis.flushall()
        self.jobs = JobStore(self.redis)
        self.workers: dict[str, PieceStream] = {name: worker(self.redis, name) for name in ("one", "two", "three")}
        self.hands: dict[str, list[Piece]] = {name: [] for name in self.workers}
        self.lives: dict[str, Life] = {}
        self.lost_a_stream = False

    @initialize()
    def begin(self) -> None:
        for stream in self.workers.values():
            beat(stream)

    # What clients do

    @precondition(lambda self: len(self.lives) < 4)
    @rule(
        new=st.sampled_from(
            [
                lambda: new_job("马云"),
                lambda: new_job("马云", "杭州", "马云"),
                lambda: bulk_job(7, window=2),
                lambda: new_job(*["马云"] * 80, window=1),
                lambda: new_job(LONG, window=2),
                lambda: new_job(LONG, "马云", LONG, window=3),
            ]
        )
    )
    def create(self, new: object) -> None:
        made: NewJob = new()  # type: ignore[operator]
        self.jobs.create(made)
        count = len(made.pieces)
        self.lives[made.id] = Life(made, set(range(count)), len(made.texts.lengths), count)

    @precondition(lambda self: self.lives)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        life = self.some_life(data)
        try:
            self.jobs.cancel(life.new.id)
        except JobEnded:
            assert life.ended is not None
        else:
            assert life.ended is None
            life.ended = JobStatus.CANCELLED

    # What workers do

    @rule(name=WORKERS, most=st.integers(1, 4), first=LANES)
    def take(self, name: str, most: int, first: Lane) -> None:
        for piece in take(self.workers[name], most, first=first):
            self.take_up(name, piece)

    @rule(name=WORKERS, dies=st.booleans())
    def wait(self, name: str, dies: bool) -> None:
        """A blocking read brings pieces; the process takes them up, or dies before it can."""
        delivered = self.workers[name].wait(0.001)
        if not dies:
            for piece in take(self.workers[name], 0, delivered=delivered):
                self.take_up(name, piece)

    @rule(name=WORKERS, first=LANES)
    def claim(self, name: str, first: Lane) -> None:
        for piece in take(self.workers[name], 0, claim=True, first=first):
            assert piece.deliveries > 1
            self.take_up(name, piece)

    @rule(name=WORKERS)
    def be_silent(self, name: str) -> None:
        """Time goes on without a heartbeat."""
        for _, stream in lanes():
            pending = self.redis.xpending_range(stream, GROUP, "-", "+", 100, consumername=name)
            if ids := [each["message_id"] for each in pending]:
                self.redis.xclaim(stream, GROUP, name, 0, ids, idle=int(CLAIM_AFTER * 1000), justid=True)

    @rule(name=WORKERS)
    def beat(self, name: str) -> None:
        beat(self.workers[name], self.hands[name])

    @rule(name=WORKERS)
    def die(self, name: str) -> None:
        """The process ends; its successor hands back what it had."""
        self.hands[name] = []
        self.workers[name].hand_back()

    @precondition(lambda self: self.in_hand())
    @rule(data=st.data(), fails=st.booleans())
    def finish(self, data: st.DataObject, fails: bool) -> None:
        """A process writes what it found, perhaps of a piece that another has done meanwhile."""
        name, piece = self.some_in_hand(data)
        self.hands[name].remove(piece)
        self.do(name, piece, fails)

    @precondition(lambda self: self.in_hand())
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        name, piece = self.some_in_hand(data)
        life = self.lives[piece.job_id]
        self.hands[name].remove(piece)
        if piece.kind is not Kind.DO:
            return
        count = self.workers[name].split(piece)
        if life.ended is None and piece.number in life.open_pieces:
            assert count == len(piece.items)
            life.open_pieces.remove(piece.number)
            life.open_pieces |= set(range(life.numbered, life.numbered + count))
            life.numbered += count
        else:
            assert count == 0

    # What goes wrong

    @rule(lane=LANES)
    def lose_a_stream(self, lane: Lane) -> None:
        """Somebody deletes it; the next heartbeat of any process puts its jobs back."""
        self.lost_a_stream = True
        self.redis.delete(dict(lanes())[lane])
        beat(self.workers["one"], self.hands["one"])

    @precondition(lambda self: self.lives)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        life = self.some_life(data)
        assert self.jobs.fail(life.new.id, MODEL, "why") == (life.ended is None)
        life.ended = life.ended or JobStatus.FAILED

    # What always holds

    @invariant()
    def records_agree(self) -> None:
        for job_id, life in self.lives.items():
            job = self.jobs.read(job_id)
            assert job.done == life.done
            if life.ended:
                assert job.status is life.ended
                assert job.finished is not None
            else:
                assert job.status in (JobStatus.QUEUED, JobStatus.RUNNING)
                assert job.total - job.done == len(life.open_pieces)

    @invariant()
    def the_load_is_what_open_jobs_have_left(self) -> None:
        still_open = [life for life in self.lives.values() if life.ended is None]
        assert self.jobs.count_open(MODEL) == len(still_open)
        assert self.jobs.load(MODEL) == (
            sum(len(life.open_pieces) for life in still_open),
            sum(len(life.new.texts.joined) for life in still_open),
        )

    @invariant()
    def an_open_job_has_entries_in_its_stream(self) -> None:
        for life in self.lives.values():
            if life.ended is None:
                entries = [
                    fields
                    for _, fields in self.redis.xrange(dict(lanes())[life.new.lane])
                    if fields[b"job"] == life.new.id.encode()
                ]
                assert entries
                planned = [int(each[b"piece"]) for each in entries if b"piece" in each]
                if not self.lost_a_stream:
                    window = [number for number in planned if number < len(life.new.pieces)]
                    assert len(window) <= max(life.new.window, 1)

    @invariant()
    def nothing_is_for_ever(self) -> None:
        assert [key for key in self.redis.keys("*") if self.redis.ttl(key) < 0] == []

    def teardown(self) -> None:
        """Whatever happened, a process that goes on ends every job."""
        for _ in range(MOST_STEPS):
            if all(life.ended for life in self.lives.values()):
                break
            self.hands = {name: [] for name in self.workers}
            for name in self.workers:
                self.be_silent(name)
            for piece in take(self.workers["three"], 1, claim=True):
                self.take_up("three", piece)
                self.do("three", piece, fails=False)
        self.records_agree()
        assert all(life.ended for life in self.lives.values())
        assert self.jobs.load(MODEL) == (0, 0)
        for name in self.workers:
            self.be_silent(name)
        assert take(self.workers["three"], 100, claim=True) == take(self.workers["three"], 100, first=Lane.BULK) == []
        assert [self.redis.xlen(stream) for _, stream in lanes()] == [0, 0]
        self.redis.close()

    # What the rules share

    def take_up(self, name: str, piece: Piece) -> None:
        life = self.lives[piece.job_id]
        assert life.ended is None
        assert piece.entry.lane is life.new.lane
        if piece.kind is Kind.ASSEMBLE:
            assert life.is_cut
            assert not life.open_pieces
        else:
            assert piece.kind is Kind.DO
            assert piece.number in life.open_pieces
            assert len(piece.slices) == len(piece.items)
        self.hands[name].append(piece)

    def do(self, name: str, piece: Piece, fails: bool) -> None:
        life = self.lives[piece.job_id]
        if piece.kind is Kind.ASSEMBLE:
            results = dict.fromkeys(self.jobs.parts(piece.job_id), FOUND)
            self.jobs.succeed(piece.job_id, MODEL, results, piece.entry.lane, piece.entry.id)
            life.ended = life.ended or JobStatus.SUCCEEDED
            return
        found = result_of(piece)
        if fails:
            found = PieceResult(piece, dict.fromkeys(found.results, FAILED), found.parts)
        (state,) = self.workers[name].finish([found])
        if life.ended:
            assert state is JobState.ENDED
        elif piece.number not in life.open_pieces:
            assert state is JobState.RUNNING  # it was done, or divided, before
        else:
            life.open_pieces.remove(piece.number)
            life.done += 1
            life.texts_left -= len(found.results) if fails else 0
            if life.open_pieces:
                assert state is JobState.RUNNING
            elif life.is_cut:
                assert state is JobState.ASSEMBLING
            else:
                life.ended = JobStatus.SUCCEEDED if life.texts_left else JobStatus.FAILED
                assert str(state) == str(life.ended)

    def in_hand(self) -> list[tuple[str, Piece]]:
        return [(name, piece) for name, hand in self.hands.items() for piece in hand]

    def some_in_hand(self, data: st.DataObject) -> tuple[str, Piece]:
        in_hand = self.in_hand()
        return in_hand[data.draw(st.integers(0, len(in_hand) - 1))]

    def some_life(self, data: st.DataObject) -> Life:
        lives = list(self.lives.values())
        return lives[data.draw(st.integers(0, len(lives) - 1))]


Jobs.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestJobs = Jobs.TestCase
