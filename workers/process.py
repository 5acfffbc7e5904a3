"""What one worker process holds: its model, its record store and its heartbeat."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from redis import Redis

from shared import registry
from shared.job_store import JobStore
from shared.piece_queue import Piece, PieceQueue
from shared.redis_client import redis_client
from shared.registry import ModelInfo, WorkerInfo
from shared.settings import settings
from workers.background import Background
from workers.engine.recogniser import Recogniser
from workers.loading import LoadedModel

# How much a recognition counts in the pace: the last ten or so make it.
PACE_WEIGHT = 0.1


@dataclass
class WorkerProcess:
    """One process of a worker node, with one loaded model."""

    model: ModelInfo
    recogniser: Recogniser
    redis: Redis
    id: str
    started: float = field(default_factory=time.time)
    pieces: int = 0
    characters: int = 0
    busy_seconds: float = 0.0
    pace: float = 0.0  # bytes of text that it recognises in a second, of late
    peers: int = 1  # live processes with this model, itself among them

    def __post_init__(self) -> None:
        self.jobs = JobStore(self.redis)
        self.queue = PieceQueue(self.redis, self.model.name)
        # A late beat is worth nothing, so these do not wait for Redis as results do.
        self._impatient = redis_client()
        self._heartbeat = Background("heartbeat", registry.HEARTBEAT, lambda: self._beat(self._impatient))

    @classmethod
    def start(cls, node: str, model: LoadedModel) -> WorkerProcess:
        """Make the process known, and begin to beat."""
        redis = redis_client(timeout=5.0, patience=300.0)
        process = cls(model=model.info, recogniser=model.recogniser, redis=redis, id=f"{node}:{os.getpid()}")
        process._beat(redis)
        process._heartbeat.start()
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
            started=self.started,
            seen=time.time(),
            pieces=self.pieces,
            characters=self.characters,
            busy_seconds=round(self.busy_seconds, 3),
        )

    def count(self, pieces: Sequence[Piece], seconds: float) -> None:
        """Add recognised pieces to what the process has done."""
        self.pieces += len(pieces)
        self.characters += sum(len(text) for piece in pieces for text in piece.slices)
        self.busy_seconds += seconds
        size = sum(item.byte_end - item.byte_start for piece in pieces for item in piece.items)
        pace = size / max(seconds, 1e-6)
        self.pace = pace if not self.pace else (1 - PACE_WEIGHT) * self.pace + PACE_WEIGHT * pace

    def stop(self) -> None:
        """Take the process off the list of live ones."""
        self._heartbeat.stop()
        registry.leave(self._impatient, self.id)

    def _beat(self, redis: Redis) -> None:
        registry.announce(redis, self.model)
        registry.beat(redis, self.info())
        # Those of its own node may be about to come.
        alive = sum(worker.model == self.model.name for worker in registry.workers(redis))
        self.peers = max(alive, settings().workers)
