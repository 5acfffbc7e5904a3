"""A turn: a worker process takes pieces, recognises them and writes what it found, again and again for a while.

Small pieces of different jobs are recognised together, as many as take a tenth of a second, so that the fixed cost of a
step is shared. A piece that takes longer is recognised alone, and so is one whose worker process ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import structlog
from kombu.exceptions import OperationalError

from shared import cache
from shared.celery_app import wake
from shared.entities import Entity
from shared.errors import JobNotFound, UnreadableRecord
from shared.formats import Core, PartResult, TextResult
from shared.job_texts import JobTexts
from shared.jobs import Lane
from shared.piece_stream import Delivered, Kind, Piece, PieceResult
from shared.pieces import WHOLE
from shared.redis_client import REFUSES_WRITES, UNAVAILABLE
from shared.settings import settings
from shared.text import BYTES_PER_CHARACTER, encode_text
from workers.engine.merge import Part
from workers.process import WorkerProcess

log = structlog.get_logger()

Answer = TypeVar("Answer")

# A turn takes no more pieces after so many seconds, or so many jobs: Flower shows a turn when it has ended, with its
# jobs.
LENGTH = 2.0
MOST_JOBS = 256
# With nothing to do a turn waits for a piece this long before it ends: a piece that comes meanwhile needs no wake-up,
# which costs more than a short text's recognition (seconds).
LINGER = 0.2
# Pieces that take so long together, at the pace of those before, are recognised together (seconds); and their largest
# number. A large model gains most: each step between two of its texts finds the processor's caches full of weights.
TOGETHER = 0.1
MOST_PIECES = 64
# The bulk lane is given at least this share of a process's time while it has pieces.
BULK_SHARE = 0.1
# A text that has ended this many worker processes ends in an error.
MOST_DELIVERIES = 4
# Several texts that are recognised together have this share of the time limit of one, or so many times what they take
# at the pace of those before: the one of them that hangs is found by the next process, which takes each alone.
SHARED_LIMIT = 1 / 6
TIMES_EXPECTED = 20
# Seconds between two looks for a Redis that is away.
REDIS_PAUSE = 0.25


class Turn:
    """One run of the Celery task, in one worker process."""

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process
        self._stream = process.stream
        self._began = time.monotonic()
        self._jobs: dict[str, None] = {}  # ids, in the order of their first pieces
        self._pieces = 0
        self._characters = 0
        self._busy = 0.0

    def run(self) -> bool:
        """Do pieces until none come, or for :data:`LENGTH`. Returns whether a wake-up is wanted for what waits."""
        delivered: list[Delivered] = []
        claim, waited = True, False
        while True:
            over = self._is_over()
            taken = self._stream.take(
                most=0 if over else MOST_PIECES,
                room=self._room,
                takers=self._process.peers,
                first=self._first_lane(),
                delivered=delivered,
                claim=claim and not over,
                linger=0.0 if over or waited else LINGER,
            )
            # A process that ended may have left many pieces: after one that was claimed comes a look for another.
            delivered, claim = [], any(piece.deliveries > 1 for piece in taken.pieces)
            if taken.pieces:
                if taken.wake:
                    wake(self._process.model.name)
                with self._process.hand.holding(taken.pieces):
                    self._do(taken.pieces)
                waited = False
            elif over or waited or taken.wake:
                return taken.wake
            else:
                # If nothing comes, the next step takes the process off the list of those that wait.
                delivered = self._stream.wait(LINGER)
                waited = not delivered

    def summary(self) -> str:
        """What was done, in figures and ids. Flower shows it, and finds a job by its id."""
        return (
            f"pieces={self._pieces} characters={self._characters} busy={self._busy:.2f}s "
            f"jobs={len(self._jobs)}: {' '.join(self._jobs)}"
        )

    def _is_over(self) -> bool:
        return time.monotonic() - self._began > LENGTH or len(self._jobs) >= MOST_JOBS or self._process.slots.ending

    @property
    def _room(self) -> int:
        """Bytes of text that the process recognises together: they take :data:`TOGETHER` seconds at its pace."""
        return int(self._process.pace * TOGETHER * BYTES_PER_CHARACTER)

    def _first_lane(self) -> Lane:
        """The lane to look at first: interactive, unless bulk has not had its share of this process's time."""
        process = self._process
        owed = process.since_bulk * BULK_SHARE >= process.bulk_seconds * (1 - BULK_SHARE)
        return Lane.BULK if owed else Lane.INTERACTIVE

    def _do(self, pieces: Sequence[Piece]) -> None:
        began = time.monotonic()
        self._jobs.update(dict.fromkeys(piece.job_id for piece in pieces))
        self._pieces += len(pieces)
        self._characters += sum(len(text) for piece in pieces for text in piece.slices)
        try:
            together = []
            for piece in pieces:
                if piece.kind is Kind.ASSEMBLE:
                    self._assemble(piece)
                elif piece.kind is Kind.UNREADABLE:
                    self._fail_job(piece, "it was recorded by another release of the farm; submit its texts again")
                elif piece.deliveries > 1:
                    self._do_suspect(piece)
                else:
                    together.append(piece)
            self._do_together(together)
        finally:
            seconds = time.monotonic() - began
            self._busy += seconds
            self._share_out(pieces[0].entry.lane, seconds)

    def _share_out(self, lane: Lane, seconds: float) -> None:
        if lane is Lane.BULK:
            self._process.since_bulk, self._process.bulk_seconds = 0.0, seconds
        else:
            self._process.since_bulk += seconds

    def _do_together(self, pieces: Sequence[Piece]) -> None:
        """Recognise pieces of which none is known to do harm; the last alone if it makes the others wait."""
        small, large = list(pieces), []
        if len(small) > 1 and small[-1].bytes > self._room:
            large = [small.pop()]
        for group in (small, large):
            if not group:
                continue
            try:
                found = self._recognise(group)
            except Exception:
                # Each alone shows which one it is.
                log.exception("recognition failed", pieces=len(group), texts=sum(len(p.items) for p in group))
                for piece in group:
                    self._finish([self._text_by_text(piece)])
            else:
                self._finish(found)

    def _do_suspect(self, piece: Piece) -> None:
        """Do a piece whose worker process ended, perhaps because of it: each of its texts as a piece of its own."""
        with structlog.contextvars.bound_contextvars(job=piece.job_id, piece=piece.number):
            if len(piece.items) > 1:
                count = self._patiently(lambda: self._stream.split(piece))
                log.warning("a piece whose process ended is divided", texts=count, deliveries=piece.deliveries)
            elif piece.deliveries > MOST_DELIVERIES:
                error = f"it ended {piece.deliveries - 1} worker processes; the workers' logs say why"
                log.error("a text is given up", deliveries=piece.deliveries)
                self._finish([self._process.text_error(piece, error)])
            else:
                self._finish([self._text_by_text(piece)])

    def _text_by_text(self, piece: Piece) -> PieceResult:
        """What a piece found, each text recognised by itself; one that raises ends in an error."""
        results: dict[int, TextResult] = {}
        parts: dict[tuple[int, int], PartResult] = {}
        for item, text in zip(piece.items, piece.slices, strict=True):
            one = Piece(piece.entry, piece.deliveries, piece.job_id, piece.kind, piece.number, [item], [text])
            try:
                (found,) = self._recognise([one], alone=len(piece.items) == 1)
            except Exception as error:
                log.exception("a text could not be recognised", job=piece.job_id, text=item.text)
                found = self._process.text_error(
                    one, f"its recognition failed ({type(error).__name__}); the workers' logs say why"
                )
            results |= found.results
            parts |= found.parts
        return PieceResult(piece, results, parts)

    def _recognise(self, pieces: Sequence[Piece], alone: bool = False) -> list[PieceResult]:
        process = self._process
        texts = [text for piece in pieces for text in piece.slices]
        began = time.monotonic()
        with process.hand.recognising(pieces, self._limit(texts, alone), alone):
            whole = [
                text
                for piece in pieces
                for item, text in zip(piece.items, piece.slices, strict=True)
                if item.part == WHOLE
            ]
            found = iter(process.recogniser.recognise(whole))
            done = [self._result(piece, found) for piece in pieces]
        process.count(pieces, time.monotonic() - began)
        return done

    def _limit(self, texts: Sequence[str], alone: bool) -> float:
        limit = settings().piece_timeout
        if alone:
            return limit
        expected = sum(map(len, texts)) / self._process.pace if self._process.pace else 0.0
        return min(limit, max(limit * SHARED_LIMIT, TIMES_EXPECTED * expected))

    def _result(self, piece: Piece, found_in_whole: Iterator[Sequence[Entity]]) -> PieceResult:
        process = self._process
        results: dict[int, TextResult] = {}
        parts: dict[tuple[int, int], PartResult] = {}
        for item, text in zip(piece.items, piece.slices, strict=True):
            if item.part == WHOLE:
                results[item.text] = TextResult(tuple(next(found_in_whole)), process.model_version)
            else:
                found = process.recogniser.recognise_part(text, item.core_start, item.core_end)
                moved = [part.moved(item.start) for part in found]
                cores = tuple(Core(part.core_start, part.core_end, tuple(part.entities)) for part in moved)
                parts[item.text, item.part] = PartResult(cores, process.model_version)
        return PieceResult(piece, results, parts)

    def _finish(self, done: Sequence[PieceResult]) -> None:
        """Write results; then the cache, which nobody depends on."""
        self._patiently(lambda: self._stream.finish(done))
        self._process.hand.finished(each.piece for each in done)
        cacheable = [
            (encode_text(text), each.results[item.text].entities)
            for each in done
            for item, text in zip(each.piece.items, each.piece.slices, strict=True)
            if item.part == WHOLE and each.results[item.text].error is None
        ]
        cache.store(self._process.cache, self._process.model.version, cacheable)

    def _assemble(self, piece: Piece) -> None:
        """Put the parts of the job's cut texts together and end it."""
        process = self._process
        if piece.deliveries > MOST_DELIVERIES:
            self._fail_job(
                piece, f"its assembly ended {piece.deliveries - 1} worker processes; the workers' logs say why"
            )
            return
        try:
            parts = self._patiently(lambda: process.jobs.parts(piece.job_id))
            texts = self._patiently(lambda: process.jobs.texts(piece.job_id)) if parts else JobTexts([])
        except JobNotFound:
            parts = {}
        except UnreadableRecord as error:
            log.warning("parts cannot be read", job=piece.job_id, error=str(error))
            self._fail_job(piece, "another release of the farm did parts of it; submit its texts again")
            return
        if not parts:
            gone = "its texts or parts are gone from Redis: keys were deleted or evicted; submit the texts again"
            self._fail_job(piece, gone)
            return
        results = {index: self._assembled(texts.as_read(index), of_text) for index, of_text in parts.items()}
        self._patiently(
            lambda: process.jobs.succeed(piece.job_id, process.model.name, results, piece.entry.lane, piece.entry.id)
        )
        # While a new version rolls out, the parts of one text may be of two: that stays out of the cache.
        cacheable = [
            (encode_text(texts.as_read(index)), result.entities)
            for index, result in results.items()
            if result.error is None and result.model_version == process.model_version
        ]
        cache.store(process.cache, process.model.version, cacheable)

    def _assembled(self, text: str, parts: Sequence[PartResult]) -> TextResult:
        version = "+".join(sorted({part.model_version for part in parts}))
        for part in parts:
            if part.error is not None:
                return TextResult((), version, error=part.error)
        cores = [Part(core.start, core.end, core.entities) for part in parts for core in part.found]
        return TextResult(tuple(self._process.recogniser.join(text, cores)), version)

    def _fail_job(self, piece: Piece, reason: str) -> None:
        failed = self._patiently(
            lambda: self._process.jobs.fail(
                piece.job_id, self._process.model.name, reason, piece.entry.lane, piece.entry.id
            )
        )
        if failed:  # else it had ended, as a cancelled one has, whose texts and parts are gone
            log.error("job failed", job=piece.job_id, reason=reason)

    def _patiently(self, step: Callable[[], Answer]) -> Answer:
        """What ``step`` returns, once Redis answers and takes writes again. It waits for as long as the node runs.

        Raises:
            RedisError: the node is to end; another process claims what is in hand.
        """
        waiting = False
        while True:
            try:
                answer = step()
            except (*UNAVAILABLE, *REFUSES_WRITES, OperationalError) as error:
                if self._process.slots.ending:
                    raise
                if not waiting:
                    log.warning("a result waits for Redis", error=str(error))
                    waiting = True
                # There is no event before Redis is back.
                time.sleep(REDIS_PAUSE)
            else:
                return answer
