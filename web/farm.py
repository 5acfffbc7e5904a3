"""The web process's view of the farm: its Redis, job records, and which models and workers there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from redis import Redis

from shared import registry
from shared.errors import StoreFull
from shared.job_store import JobStore
from shared.redis_client import cache_client, redis_client
from shared.registry import Crew, ModelInfo
from shared.settings import MIB, settings
from web.fresh import Fresh
from web.job_ends import JobEnds
from web.recent_jobs import RecentJobs

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


@dataclass(frozen=True)
class ModelLoad:
    """What a served model has to do just now, and who does it."""

    name: str
    workers: int  # live worker processes that hold it
    queue: int  # pieces of open jobs that are not done
    open_jobs: int  # jobs that have not ended


@dataclass(frozen=True)
class Memory:
    """Bytes that Redis uses, and beyond how many new jobs are refused."""

    used: int
    most: int


class Farm:
    """Redis, job records and the known models, shared by the requests of a web process."""

    def __init__(self, redis: Redis, quick: Redis, cache: Redis) -> None:
        """
        Args:
            quick: connections for what is read now and then and may be a little old, with a shorter time-out.
            cache: those to the result cache.
        """
        self.redis = redis
        self.cache = cache
        self._quick = quick
        self.jobs = JobStore(redis)
        self.recent = RecentJobs(self.jobs)
        self.ends = JobEnds(redis, self.jobs, when_connected=self.recent.restore)
        self._models = Fresh(lambda: registry.models(self._quick), MODELS_FRESH, STALE)
        self._crews = Fresh(lambda: registry.crews(self._quick, list(settings().sources)), MODELS_FRESH, STALE)
        self._memory = Fresh(self._read_memory, MEMORY_FRESH, STALE)

    def model(self, name: str) -> ModelInfo | None:
        """What is known of a model; None until a worker has loaded it once."""
        return self._models.get().get(name)

    def crew(self, name: str) -> Crew:
        """The live worker processes of a served model, as they were a moment ago."""
        return self._crews.get()[name]

    def check_room(self) -> None:
        """Look whether Redis has room for another job.

        Raises:
            StoreFull: it holds as much as it may.
        """
        memory = self._memory.get()
        if memory.used > memory.most:
            raise StoreFull(
                f"the farm's Redis holds {memory.used // MIB} MB, and new jobs are taken up to "
                f"{memory.most // MIB} MB; try again later"
            )

    def crews(self) -> dict[str, Crew]:
        """The live worker processes of each served model, as they are now."""
        return registry.crews(self.redis, list(settings().sources))

    def loads(self, crews: Mapping[str, Crew]) -> list[ModelLoad]:
        """The load of each served model, of which ``crews`` are the workers."""
        return [
            ModelLoad(name, len(crew.workers), self.jobs.load(name)[0], self.jobs.count_open(name))
            for name, crew in crews.items()
        ]

    def _read_memory(self) -> Memory:
        info = self._quick.info("memory")
        most = settings().max_store_mb * MIB
        if maxmemory := int(info.get("maxmemory", 0)):
            most = min(most, int(FULL * maxmemory))
        return Memory(used=int(info["used_memory"]), most=most)


@lru_cache(maxsize=1)
def farm() -> Farm:
    """The process's farm."""
    return Farm(redis_client(), quick=redis_client(timeout=QUICK), cache=cache_client())
