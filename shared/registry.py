"""Which worker processes are alive, and what each model is.

``raner:workers``  hash, ``{node}:{pid}`` -> JSON :class:`WorkerInfo`; each process writes its field every
    :data:`HEARTBEAT` seconds and takes it away when it stops; a field older than :data:`ALIVE` counts as dead.
    Read by web for readiness, ``/api/v1/models`` and metrics. Expires with the last heartbeat.
``raner:models``  hash, name -> JSON :class:`ModelInfo`; written by each worker that loads the model; read by web, which
    needs the version to look into the cache even while no worker is up. Expires 30 days after the last load.
"""

from __future__ import annotations

import socket
import time

from pydantic import BaseModel, ConfigDict
from redis import Redis

HEARTBEAT = 5.0
ALIVE = 16.0

_WORKERS = "raner:workers"
_MODELS = "raner:models"
_MODELS_TTL = 30 * 86_400


class ModelInfo(BaseModel):
    """A model as a worker loaded it."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    types: tuple[str, ...]
    backend: str


class WorkerInfo(BaseModel):
    """A live worker process: the model it holds and what it has done since it started."""

    model_config = ConfigDict(frozen=True)

    id: str
    model: str
    version: str
    started: float
    seen: float
    pieces: int = 0
    characters: int = 0
    busy_seconds: float = 0.0


def node_name(model: str) -> str:
    """Name of this host's worker node for a model; worker processes are ``{node}:{pid}``."""
    return f"{model}@{socket.gethostname()}"


def announce(redis: Redis, model: ModelInfo) -> None:
    """Say what the model is that this worker process has loaded."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hset(_MODELS, model.name, model.model_dump_json())
        pipe.expire(_MODELS, _MODELS_TTL)
        pipe.execute()


def beat(redis: Redis, worker: WorkerInfo) -> None:
    """Say that the worker process is alive."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hset(_WORKERS, worker.id, worker.model_dump_json())
        pipe.expire(_WORKERS, int(ALIVE) + 1)
        pipe.execute()


def leave(redis: Redis, worker_id: str) -> None:
    """Say that the worker process stops."""
    redis.hdel(_WORKERS, worker_id)


def workers(redis: Redis) -> list[WorkerInfo]:
    """The live worker processes. Dead ones are taken off the list on the way."""
    found = [WorkerInfo.model_validate_json(data) for data in redis.hvals(_WORKERS)]
    oldest = time.time() - ALIVE
    dead = [worker.id for worker in found if worker.seen < oldest]
    if dead:
        redis.hdel(_WORKERS, *dead)
    return [worker for worker in found if worker.seen >= oldest]


def models(redis: Redis) -> dict[str, ModelInfo]:
    """Every model that a worker has loaded, by name."""
    return {name.decode(): ModelInfo.model_validate_json(data) for name, data in redis.hgetall(_MODELS).items()}
