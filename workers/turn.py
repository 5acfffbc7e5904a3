"""A turn: a worker process takes pieces up, does them and writes what it found, again and again for a while.

Small pieces of different jobs are done together, as many as take a tenth of a second, so that the fixed cost
of a step is shared; a piece that takes longer is done alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from itertools import islice

import structlog

from shared import cache
from shared.celery_app import send_turn
from shared.entities import Entity
from shared.jobs import TextResult
from shared.piece_queue import Piece, PieceResult, PieceState
from shared.pieces import WHOLE
from shared.text import encode_text
from workers.engine.merge import Part, merge
from workers.engine.tagger import Stop, Stopped
from workers.process import WorkerProcess

log = structlog.get_logger()

# A turn takes no more pieces after so many seconds: Celery's time limit and its events are of the turn as a whole.
LENGTH = 1.0
# With nothing to do it waits for a piece this long before it ends: a piece that comes meanwhile needs no turn of its
# own, which costs more than a short text's recognition (seconds).
LINGER = 0.03
# Pieces that take so long together, at the pace of those before, are done together (seconds); and their largest number.
# A large model gains most: each step between two of its texts finds the processor's caches full of weights.
TOGETHER = 0.1
MOST_PIECES = 64
# A piece that has ended this many worker processes, or failed this often, is given up and its job fails.
MAX_TRIES = 4
# While a piece runs, its job is looked at this often, in case it was cancelled (seconds).
CANCEL_CHECK = 0.25
# Jobs that a turn's summary names, at most.
NAMED_JOBS = 5


class PieceFailed(Exception):
    """A piece raised and is to be tried again after ``pause`` seconds; its turn holds it."""

    def __init__(self, piece: Piece, error: Exception) -> None:
        super().__init__(f"piece {piece.number} of job {piece.job_id}: {type(error).__name__}")
        self.pause = 2 ** (piece.tries - 1)


class Turn:
    """One run of the Celery task, in one worker process. ``id`` stays the same when it is delivered again."""

    def __init__(self, process: WorkerProcess, turn_id: str) -> None:
        self.id = turn_id
        self._process = process
        self._queue = process.queue
        self._began = time.monotonic()
        self._jobs: dict[str, None] = {}  # ids, in the order of their first pieces
        self._pieces = 0
        self._busy = 0.0

    def run(self) -> bool:
        """Do pieces until none come, or for :data:`LENGTH`. Returns whether another turn is wanted for what waits.

        Raises:
            PieceFailed: a piece raised, and was not given up yet.
        """
        while (held := self._queue.take_held(self.id)) is not None:
            self._do([held])
        waited = False
        while True:
            over = time.monotonic() - self._began > LENGTH
            taken = self._queue.take(
                self.id,
                most_pieces=0 if over else MOST_PIECES,
                most_bytes=int(self._process.pace * TOGETHER),
                linger=0.0 if over or waited else LINGER,
                takers=self._process.peers,
            )
            if taken.pieces:
                if taken.wake:
                    send_turn(self._process.model.name)
                self._do(taken.pieces)
                waited = False
            elif over or waited or taken.wake:
                return taken.wake
            else:
                # Whether or not a piece came, the turn takes itself off the list of those that wait.
                waited = not self._queue.wait(self.id, LINGER)

    def summary(self) -> dict[str, object]:
        """What was done, in ids and figures."""
        return {
            "pieces": self._pieces,
            "jobs": len(self._jobs),
            "first_jobs": list(islice(self._jobs, NAMED_JOBS)),
            "busy_seconds": round(self._busy, 4),
            "waited_seconds": round(time.monotonic() - self._began - self._busy, 4),
        }

    def _do(self, pieces: Sequence[Piece]) -> None:
        """Do pieces, together if that goes well, and finish them."""
        began = time.monotonic()
        self._jobs.update(dict.fromkeys(piece.job_id for piece in pieces))
        self._pieces += len(pieces)
        try:
            wanted = [piece for piece in pieces if self._is_wanted(piece)]
            if len(wanted) > 1:
                try:
                    found = self._recognise(wanted)
                except Exception:
                    # One of them, then; alone each shows whether it is the one.
                    log.exception("pieces failed together", pieces=len(wanted))
                else:
                    self._finish(found)
                    return
            failed: PieceFailed | None = None
            for piece in wanted:
                try:
                    self._do_alone(piece)
                except PieceFailed as error:
                    failed = error
            if failed is not None:
                raise failed
        finally:
            self._busy += time.monotonic() - began

    def _is_wanted(self, piece: Piece) -> bool:
        if piece.tries > MAX_TRIES:
            self._give_up(piece, f"piece {piece.number} ended {MAX_TRIES} worker processes; the workers' logs say why")
            return False
        if not piece.items:
            self._assemble(piece)
            return False
        return True

    def _do_alone(self, piece: Piece) -> None:
        with structlog.contextvars.bound_contextvars(job=piece.job_id, piece=piece.number):
            try:
                self._finish(self._recognise([piece], _CancelCheck(self._process, piece.job_id)))
            except Stopped:
                log.info("piece stopped, its job has ended")
                self._queue.drop(self.id, piece)
            except Exception as error:
                log.exception("piece failed", tries=piece.tries)
                if piece.tries < MAX_TRIES:
                    raise PieceFailed(piece, error) from error
                self._give_up(piece, f"piece {piece.number} failed {MAX_TRIES} times: {type(error).__name__}")

    def _recognise(self, pieces: Sequence[Piece], stop: Stop = lambda: False) -> list[PieceResult]:
        began = time.monotonic()
        texts = [text for piece in pieces for text in piece.slices]
        found = iter(self._process.recogniser.recognise(texts, stop=stop))
        done = [self._result(piece, [next(found) for _ in piece.slices]) for piece in pieces]
        self._process.count(pieces, time.monotonic() - began)
        return done

    def _result(self, piece: Piece, found: Sequence[Sequence[Entity]]) -> PieceResult:
        results: dict[int, TextResult] = {}
        parts: dict[tuple[int, int], str] = {}
        for item, entities in zip(piece.items, found, strict=True):
            if item.part == WHOLE:
                results[item.text] = TextResult(
                    cache.encode_entities(entities), self._process.model_version, cached=False
                )
            else:
                parts[item.text, item.part] = json.dumps(
                    {
                        "model": self._process.model_version,
                        "start": item.start + item.core_start,
                        "end": item.start + item.core_end,
                        "entities": [e._replace(start=e.start + item.start, end=e.end + item.start) for e in entities],
                    }
                )
        return PieceResult(piece, results, parts)

    def _finish(self, done: Sequence[PieceResult]) -> None:
        cacheable = [
            (encode_text(text), each.results[item.text].entities)
            for each in done
            for item, text in zip(each.piece.items, each.piece.slices, strict=True)
            if item.part == WHOLE
        ]
        cache.store(self._process.redis, self._process.model.version, cacheable)
        for each, state in zip(done, self._queue.finish(self.id, done), strict=True):
            if state is PieceState.ASSEMBLE:
                self._assemble(each.piece)

    def _assemble(self, piece: Piece) -> None:
        """Put the parts of the job's cut texts together and end it."""
        process = self._process
        texts = process.jobs.texts(piece.job_id)
        results: dict[int, TextResult] = {}
        for index, stored in process.jobs.parts(piece.job_id).items():
            parts = [json.loads(data) for data in stored]
            entities = merge(
                [Part(part["start"], part["end"], [Entity(*fields) for fields in part["entities"]]) for part in parts]
            )
            encoded = cache.encode_entities(entities)
            versions = {part["model"] for part in parts}
            # While a new version rolls out, the parts of one text may be of two: say so, and keep it out of the cache.
            results[index] = TextResult(encoded, "+".join(sorted(versions)), cached=False)
            if versions == {process.model_version}:
                cache.store(process.redis, process.model.version, [(encode_text(texts[index]), encoded)])
        process.jobs.succeed(piece.job_id, process.model.name, results)
        self._queue.drop(self.id, piece)

    def _give_up(self, piece: Piece, reason: str) -> None:
        log.error("job failed", job=piece.job_id, reason=reason)
        self._process.jobs.fail(piece.job_id, self._process.model.name, reason)
        self._queue.drop(self.id, piece)


class _CancelCheck:
    """Asked by the engine between windows; asks Redis at most every :data:`CANCEL_CHECK` seconds."""

    def __init__(self, process: WorkerProcess, job_id: str) -> None:
        self._process = process
        self._job_id = job_id
        self._asked = time.monotonic()

    def __call__(self) -> bool:
        if time.monotonic() - self._asked < CANCEL_CHECK:
            return False
        self._asked = time.monotonic()
        return self._process.jobs.has_ended(self._job_id)
