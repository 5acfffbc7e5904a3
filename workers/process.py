"""What one worker process holds: its model, its record store and its heartbeat.

Celery's parent process decides nothing here; each child loads the model after it was forked, since ONNX Runtime's
threads do not survive a fork.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from redis import Redis

from shared import registry
from shared.job_store import JobStore
from shared.redis_client import redis_client
from shared.registry import ModelInfo, WorkerInfo
from workers.background import Background
from workers.engine.recogniser import Recogniser
from workers.loading import load
from workers.preparation.manifest import read_manifest

log = structlog.get_logger()


@dataclass
class WorkerProcess:
    """One process of a worker node, with one loaded model."""

    model: ModelInfo
    recogniser: Recogniser
    redis: Redis
    jobs: JobStore
    id: str
    started: float = field(default_factory=time.time)
    pieces: int = 0
    characters: int = 0
    busy_seconds: float = 0.0

    def __post_init__(self) -> None:
        # A late beat is worth nothing, so these do not wait for Redis as results do.
        self._impatient = redis_client()
        self._heartbeat = Background("heartbeat", registry.HEARTBEAT, lambda: self._beat(self._impatient))

    @classmethod
    def start(cls, node: str, name: str, prepared: Path, threads: int) -> WorkerProcess:
        """Load the model, make it known, and begin to beat."""
        began = time.monotonic()
        manifest = read_manifest(prepared)
        recogniser = load(prepared, threads)
        redis = redis_client(patient=True)
        process = cls(
            model=ModelInfo(name=name, version=manifest.version, types=recogniser.types, backend=str(manifest.backend)),
            recogniser=recogniser,
            redis=redis,
            jobs=JobStore(redis),
            id=f"{node}:{os.getpid()}",
        )
        process._beat(redis)
        process._heartbeat.start()
        log.info(
            "model loaded",
            model=name,
            version=manifest.version,
            backend=str(manifest.backend),
            seconds=round(time.monotonic() - began, 2),
        )
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

    def count(self, characters: int, seconds: float) -> None:
        """Add a recognised piece to what the process has done."""
        self.pieces += 1
        self.characters += characters
        self.busy_seconds += seconds

    def stop(self) -> None:
        """Take the process off the list of live ones."""
        self._heartbeat.stop()
        registry.leave(self._impatient, self.id)

    def _beat(self, redis: Redis) -> None:
        registry.announce(redis, self.model)
        registry.beat(redis, self.info())
