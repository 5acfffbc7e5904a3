"""The pieces of a model's jobs on their way through the workers.

A piece waits in ``raner:queue:{model}`` from the moment its job is recorded; a *turn*, one run of the Celery task,
takes pieces up and finishes them. So a piece is at any time in one of three places: waiting, taken by a turn, or done;
each step from one to the next is one Lua script in ``shared/lua/``, where the keys are described. Turns carry no
pieces: one is sent where pieces wait and nobody is on the way to them. A turn that comes twice, late or in vain does no
harm, and one that is lost is replaced by :meth:`PieceQueue.sweep`.

``raner:turn:{turn}`` and ``raner:queue:{model}:taken`` say what a turn has taken: a turn that is delivered again, since
its worker died, does what it had taken first; what neither comes back nor ends is put back into the queue by the sweep.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

from redis import Redis

from shared.job_keys import LUA, OPEN_TTL, ModelKeys
from shared.jobs import TextResult
from shared.pieces import PieceItem
from shared.queues import queue_name
from shared.settings import settings
from shared.text import decode_text

# Pieces and jobs that one sweep looks at, at most: the script keeps Redis busy meanwhile.
SWEEP_LIMIT = 200


@dataclass(frozen=True)
class Piece:
    """A piece that a turn has taken: its items and the slice of text of each. ``tries`` counts this one.

    There are no items where every piece of the job is done but nobody put the parts of its cut texts together: that is
    what is left to do then.
    """

    job_id: str
    number: int
    tries: int
    items: list[PieceItem]
    slices: list[str]

    @property
    def name(self) -> str:
        """The piece as Redis names it."""
        return f"{self.job_id}:{self.number}"


@dataclass(frozen=True)
class Taken:
    """What a turn was given. ``wake`` says that pieces still wait and no turn is on its way to them: send one."""

    pieces: list[Piece]
    wake: bool


@dataclass(frozen=True)
class PieceResult:
    """What a piece found: ``results`` of whole texts, ``parts`` (JSON) of cut ones by (text, part)."""

    piece: Piece
    results: dict[int, TextResult]
    parts: dict[tuple[int, int], str]


class PieceState(StrEnum):
    """Where a job is when a piece of it is finished."""

    RUNNING = "running"  # other pieces are still to come
    ASSEMBLE = "assemble"  # it was the last: put the parts of cut texts together, end the job, then drop the piece
    SUCCEEDED = "succeeded"  # it was the last, and the job has ended with it
    ENDED = "ended"  # the job had ended or expired: nothing was wanted


class PieceQueue:
    """The pieces of one model, over one Redis client."""

    def __init__(self, redis: Redis, model: str) -> None:
        self._redis = redis
        self._keys = ModelKeys(model)
        self._turns = queue_name(model)
        self._take = redis.register_script((LUA / "take_pieces.lua").read_text())
        self._finish = redis.register_script((LUA / "finish_pieces.lua").read_text())
        self._sweep = redis.register_script((LUA / "sweep.lua").read_text())

    def take(self, turn: str, most_pieces: int, most_bytes: int, linger: float = 0.0, takers: int = 1) -> Taken:
        """Take pieces up, oldest first: one of any size, and more while all are within ``most_bytes`` of text.

        Args:
            takers: how many worker processes do the model's pieces; this one is given no more than its share of those
                that wait, rounded up.
            linger: where there is nothing, this turn is going to :meth:`wait` for so many seconds, so that no other is
                sent for a piece that comes meanwhile.
        """
        return self._taken(turn, most_pieces, most_bytes, held_only=False, linger=linger, takers=takers)

    def take_held(self, turn: str) -> Piece | None:
        """One of the pieces that an earlier delivery of this turn took and did not finish.

        One by one, so that a piece which ends its worker is the only one tried at that time.
        """
        pieces = self._taken(turn, 1, 0, held_only=True, linger=0.0, takers=1).pieces
        return pieces[0] if pieces else None

    def wait(self, turn: str, seconds: float) -> bool:
        """Whether a piece came within so many seconds; it is the turn's then, and the next :meth:`take` gives it."""
        if self._redis.blmove(self._keys.waiting, _turn_key(turn), seconds, "LEFT", "RIGHT") is None:
            return False
        self._redis.expire(_turn_key(turn), OPEN_TTL)
        return True

    def finish(self, turn: str, done: Sequence[PieceResult]) -> list[PieceState]:
        """Write what pieces found. Takes effect once for each, however often it is done. Returns the state of each."""
        args: list[Any] = [time.time(), settings().job_ttl, OPEN_TTL]
        for each in done:
            results = list(chain.from_iterable((text, found.to_json()) for text, found in each.results.items()))
            parts = list(chain.from_iterable((f"{text}:{part}", data) for (text, part), data in each.parts.items()))
            args += [each.piece.name, len(results), *results, len(parts), *parts]
        states = self._finish(keys=[_turn_key(turn), self._keys.taken, self._keys.open], args=args)
        return [PieceState(state.decode()) for state in states]

    def drop(self, turn: str, piece: Piece) -> None:
        """Note that a turn has nothing more to do with a piece: its job has ended."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lrem(_turn_key(turn), 1, piece.name)
            pipe.zrem(self._keys.taken, piece.name)
            pipe.execute()

    def sweep(self, lost_before: float) -> Taken:
        """Put pieces back into the queue that were taken before that time and are not finished.

        Where nothing waits, pieces of jobs older than that which are nowhere are put back too. Returns those pieces,
        without their items, and whether a turn is to be sent.
        """
        wake, *names = self._sweep(
            keys=[self._keys.waiting, self._keys.taken, self._keys.open, self._turns],
            args=[lost_before, SWEEP_LIMIT, OPEN_TTL],
        )
        back = [name.decode().rpartition(":") for name in names]
        return Taken([Piece(job_id, int(number), 0, [], []) for job_id, _, number in back], bool(wake))

    def _taken(
        self, turn: str, most_pieces: int, most_bytes: int, held_only: bool, linger: float, takers: int
    ) -> Taken:
        now = time.time()
        wake, *pieces = self._take(
            keys=[self._keys.waiting, _turn_key(turn), self._keys.taken, self._keys.lingering, self._turns],
            args=[turn, now, most_pieces, most_bytes, int(held_only), now + linger if linger else 0, OPEN_TTL, takers],
        )
        return Taken(
            [
                Piece(
                    job_id=job_id.decode(),
                    number=number,
                    tries=tries,
                    items=[PieceItem(*item) for item in json.loads(items)] if items else [],
                    slices=[decode_text(data) for data in slices],
                )
                for job_id, number, tries, items, *slices in pieces
            ],
            bool(wake),
        )


def _turn_key(turn: str) -> str:
    return f"raner:turn:{turn}"
