"""What one worker process holds: its model, its connections, the pieces in its hand, and its heartbeat."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared import registry
from shared.celery_app import wake
from shared.formats import PartResult, TextResult
from shared.job_store import JobStore
from shared.piece_stream import Piece, PieceResult, PieceStream
from shared.pieces import WHOLE
from shared.redis_client import cache_client, redis_client
from shared.registry import ModelInfo, WorkerInfo
from shared.settings import settings
from workers.engine.recogniser import Recogniser
from workers.hand import Hand, Recognition
from workers.loading import LoadedModel
from workers.slots import LOOK_EVERY, Slots

log = structlog.get_logger()

# How much a recognition counts in the pace: the last ten or so make it.
PACE_WEIGHT = 0.1
# Seconds that a worker gives Redis for an answer; a heartbeat that comes late is worth nothing, so it gives less.
WORKER_TIMEOUT = 5.0
HEARTBEAT_TIMEOUT = 2.0


@dataclass
class WorkerProcess:
    """One process of a worker node, with one loaded model.

    Args:
        id: its name as a consumer, which stays that of its slot in the node.
        pace: characters that it recognises in a second, of late.
        peers: live processes with this model, itself among them.
    """

    model: ModelInfo
    recogniser: Recogniser
    redis: Redis
    cache: Redis
    id: str
    slot: int
    slots: Slots
    pace: float = 0.0
    started: float = field(default_factory=time.time)
    pieces: int = 0
    characters: int = 0
    busy_seconds: float = 0.0
    peers: int = 1
    # Seconds of interactive work since the last piece of the bulk lane, and the seconds that that piece took.
    since_bulk: float = 0.0
    bulk_seconds: float = 0.5

    def __post_init__(self) -> None:
        self.jobs = JobStore(self.redis)
        self.stream = PieceStream(self.redis, self.model.name, self.id)
        self.hand = Hand()
        self._own_stream = PieceStream(redis_client(HEARTBEAT_TIMEOUT), self.model.name, self.id)
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)

    @classmethod
    def start(cls, node: str, slot: int, slots: Slots, model: LoadedModel) -> WorkerProcess:
        """Make the process known, hand back what its predecessor in the slot had in hand, and begin to beat."""
        process = cls(
            model=model.info,
            recogniser=model.recogniser,
            redis=redis_client(WORKER_TIMEOUT),
            cache=cache_client(),
            id=f"{node}:{slot}",
            slot=slot,
            slots=slots,
            pace=model.characters_per_second,
        )
        slots.stamp(slot)
        process._begin()
        process._heart.start()
        return process

    @property
    def model_version(self) -> str:
        """The model as results name it: ``name@version``."""
        return f"{self.model.name}@{self.model.version}"

    def info(self) -> WorkerInfo:
        """What the process says of itself in the registry."""
        return WorkerInfo(
            id=self.id,
            model=self.model.name,
            version=self.model.version,
            pid=os.getpid(),
            started=self.started,
            pieces=self.pieces,
            characters=self.characters,
            busy_seconds=round(self.busy_seconds, 3),
            characters_per_second=round(self.pace, 1),
        )

    def count(self, pieces: Sequence[Piece], seconds: float) -> None:
        """Add recognised pieces to what the process has done."""
        characters = sum(len(text) for piece in pieces for text in piece.slices)
        self.pieces += len(pieces)
        self.characters += characters
        self.busy_seconds += seconds
        if characters:
            pace = characters / max(seconds, 1e-6)
            self.pace = pace if not self.pace else (1 - PACE_WEIGHT) * self.pace + PACE_WEIGHT * pace

    def stop(self) -> None:
        """Take the process off the list of live ones."""
        self._over.set()
        self._heart.join()
        self.slots.leave(self.slot)
        try:
            registry.leave(redis_client(HEARTBEAT_TIMEOUT), self.model.name, self.id)
        except RedisError as error:
            log.warning("the registry could not be told of the end", worker=self.id, error=str(error))

    def text_error(self, piece: Piece, error: str) -> PieceResult:
        """The result of a piece of a single text, or part of one, that could not be recognised."""
        (item,) = piece.items
        sentence = f"text {item.text}: {error}"
        if item.part == WHOLE:
            return PieceResult(piece, {item.text: TextResult((), self.model_version, error=sentence)}, {})
        part = PartResult((), self.model_version, error=sentence)
        return PieceResult(piece, {}, {(item.text, item.part): part})

    def _begin(self) -> None:
        """Tell Redis of the process. It starts all the same while Redis is away: the next heartbeat does it then."""
        try:
            registry.announce(self.redis, self.model)
            handed_back, waiting = self.stream.hand_back()
            if handed_back:
                log.warning("pieces of a process that ended are handed back", worker=self.id, pieces=handed_back)
            if waiting:
                wake(self.model.name)
            self._beat()
        except RedisError as error:
            log.warning("Redis could not be told of the start", worker=self.id, error=str(error))

    def _beat_on(self) -> None:
        next_beat = time.monotonic() + registry.HEARTBEAT
        while not self._over.wait(LOOK_EVERY):
            self.slots.stamp(self.slot)
            recognition = self.hand.recognition
            if recognition is not None and recognition.is_overdue:
                self._end_overdue(recognition)
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + registry.HEARTBEAT
                try:
                    self._beat()
                except RedisError as error:
                    log.warning("no heartbeat, Redis does not take it", worker=self.id, error=str(error))
                except Exception:
                    # Without this thread the process would seem dead, and its parent would kill it.
                    log.exception("the heartbeat failed", worker=self.id)

    def _beat(self) -> None:
        pulse = self._own_stream.beat(self.info(), self.hand.entries)
        registry.keep_announced(redis_client(HEARTBEAT_TIMEOUT), self.model)
        # Those of its own node may be about to come.
        self.peers = max(pulse.peers, settings().workers)
        if pulse.put_back:
            log.warning("a stream was lost; its open jobs were put back", model=self.model.name, jobs=pulse.put_back)
        if pulse.wake:
            wake(self.model.name)

    def _end_overdue(self, recognition: Recognition) -> None:
        """End this process, whose recognition takes too long: nothing else stops it.

        A single text ends in an error. Of several nobody knows which one it is: others take each of them alone.
        """
        try:
            if recognition.alone is not None:
                seconds = settings().piece_timeout
                error = (
                    f"its recognition took longer than {seconds:g} s (RANER_PIECE_TIMEOUT); send it in smaller parts"
                )
                self._own_stream.finish([self.text_error(recognition.alone, error)])
            elif self._own_stream.hand_back(self.hand.entries)[1]:
                wake(self.model.name)
        except RedisError as error:
            log.warning("what was in hand is left for others to claim", worker=self.id, error=str(error))
        log.error("a recognition took too long; its process ends", worker=self.id, alone=recognition.alone is not None)
        os.kill(os.getpid(), signal.SIGKILL)
