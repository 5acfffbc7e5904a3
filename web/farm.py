"""The web process's view of the farm: its Redis, job records, and which models and workers there are."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from redis import Redis

from shared import registry
from shared.job_store import JobStore
from shared.redis_client import redis_client
from shared.registry import ModelInfo, WorkerInfo
from shared.settings import settings
from web.job_ends import JobEnds

# A model's version changes when a worker with another one starts; a second's delay costs a cache hit, no more.
MODELS_FRESH = 1.0


@dataclass(frozen=True)
class ModelLoad:
    """What a served model has to do just now, and who does it."""

    name: str
    workers: int  # live worker processes that hold it
    queue: int  # pieces that wait
    open_jobs: int  # jobs that have not ended


class Farm:
    """Redis, job records and the known models, shared by the requests of a web process."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.jobs = JobStore(redis)
        self.ends = JobEnds(redis, self.jobs)
        self._lock = threading.Lock()
        self._models: dict[str, ModelInfo] = {}
        self._read_at = float("-inf")

    def model(self, name: str) -> ModelInfo | None:
        """What is known of a model; None until a worker has loaded it once."""
        with self._lock:
            if time.monotonic() - self._read_at > MODELS_FRESH:
                self._models = registry.models(self.redis)
                self._read_at = time.monotonic()
            return self._models.get(name)

    def loads(self, workers: list[WorkerInfo]) -> list[ModelLoad]:
        """The load of each served model, where ``workers`` are the live ones."""
        alive = Counter(worker.model for worker in workers)
        return [
            ModelLoad(name, alive[name], self.jobs.count_waiting(name), self.jobs.count_open(name))
            for name in settings().sources
        ]


@lru_cache(maxsize=1)
def farm() -> Farm:
    """The process's farm."""
    return Farm(redis_client())
