"""The web process's view of the farm: its Redis, job records, and which models and workers there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from redis import Redis

from shared import registry
from shared.errors import StoreFull
from shared.job_store import JobStore
from shared.redis_client import redis_client
from shared.registry import ModelInfo, WorkerInfo
from shared.settings import settings
from web.fresh import Fresh
from web.job_ends import JobEnds

# A model's version changes when a worker with another one starts; a second's delay costs a cache hit, no more.
MODELS_FRESH = 1.0
# A request reads these before it creates its job, so their time-out is only a part of what it may take (seconds).
QUICK = 0.5
# Redis is asked this often how much it holds (seconds).
MEMORY_FRESH = 1.0
# What was read last serves for so long while Redis does not answer (seconds).
STALE = 10.0
# The share of Redis's own maxmemory beyond which new jobs are refused. The rest is for results and the broker.
FULL = 0.8
MEGABYTE = 2**20


@dataclass(frozen=True)
class ModelLoad:
    """What a served model has to do just now, and who does it."""

    name: str
    workers: int  # live worker processes that hold it
    queue: int  # pieces that wait
    open_jobs: int  # jobs that have not ended


@dataclass(frozen=True)
class Memory:
    """Bytes that Redis uses, and beyond how many new jobs are refused."""

    used: int
    most: int


class Farm:
    """Redis, job records and the known models, shared by the requests of a web process."""

    def __init__(self, redis: Redis, quick: Redis | None = None) -> None:
        """
        Args:
            quick: connections for what is read now and then and may be a little old, with a shorter time-out.
        """
        self.redis = redis
        self._quick = redis if quick is None else quick
        self.jobs = JobStore(redis)
        self.ends = JobEnds(redis, self.jobs)
        self._models = Fresh(lambda: registry.models(self._quick), MODELS_FRESH, STALE)
        self._memory = Fresh(self._read_memory, MEMORY_FRESH, STALE)

    def model(self, name: str) -> ModelInfo | None:
        """What is known of a model; None until a worker has loaded it once."""
        return self._models.get().get(name)

    def check_room(self) -> None:
        """Look whether Redis has room for another job.

        Raises:
            StoreFull: it holds as much as it may.
        """
        memory = self._memory.get()
        if memory.used > memory.most:
            raise StoreFull(
                f"the farm's Redis holds {memory.used // MEGABYTE} MB, and new jobs are taken up to "
                f"{memory.most // MEGABYTE} MB; try again later"
            )

    def loads(self, workers: list[WorkerInfo]) -> list[ModelLoad]:
        """The load of each served model, where ``workers`` are the live ones."""
        alive = Counter(worker.model for worker in workers)
        return [
            ModelLoad(name, alive[name], self.jobs.count_waiting(name), self.jobs.count_open(name))
            for name in settings().sources
        ]

    def _read_memory(self) -> Memory:
        info = self._quick.info("memory")
        most = settings().max_store_mb * MEGABYTE
        if maxmemory := int(info.get("maxmemory", 0)):
            most = min(most, int(FULL * maxmemory))
        return Memory(used=int(info["used_memory"]), most=most)


@lru_cache(maxsize=1)
def farm() -> Farm:
    """The process's farm."""
    return Farm(redis_client(), quick=redis_client(timeout=QUICK))
