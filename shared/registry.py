"""Which worker processes are alive, and what each model is. Redis's clock decides who is alive.

``{prefix}:workers``  hash, worker process -> JSON :class:`WorkerInfo`; written by each process every :data:`HEARTBEAT`
    seconds, in ``beat.lua``, with its time in ``{prefix}:model:{model}:workers`` (zset); a process that has been silent
    for :data:`ALIVE` seconds counts as dead. Read by web for readiness, ``/api/v1/models``, metrics, and the size of
    pieces. Both expire :data:`REMEMBERED` seconds after the last heartbeat.
``{prefix}:models``  hash, model -> JSON :class:`ModelInfo`; written by each worker process when it has loaded the
    model; read by web, which needs the version to look into the cache even while no worker is up. Each heartbeat
    writes it again if it is gone. Expires 30 days after the last one.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from redis import Redis

from shared import keys
from shared.keys import ModelKeys
from shared.scripts import Script

log = structlog.get_logger()

Record = TypeVar("Record", bound=BaseModel)

HEARTBEAT = 2.0
ALIVE = 10.0
REMEMBERED = keys.MODELS_TTL


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
    pid: int = 0
    started: float
    pieces: int = 0
    characters: int = 0
    busy_seconds: float = 0.0
    characters_per_second: float = 0.0  # of late; 0 before the first piece


@dataclass(frozen=True)
class Crew:
    """The live worker processes of a model. ``silent_for``: seconds since the last sign of life; None if unknown."""

    workers: tuple[WorkerInfo, ...] = ()
    silent_for: float | None = None

    @property
    def characters_per_second(self) -> float | None:
        """The pace of one process, on average; None before the first piece."""
        paces = [worker.characters_per_second for worker in self.workers if worker.characters_per_second > 0]
        return sum(paces) / len(paces) if paces else None


def node_name(model: str, number: int = 1) -> str:
    """Name of this host's worker node for a model; ``number`` tells apart those of one host."""
    return f"{model}{f'.{number}' if number > 1 else ''}@{socket.gethostname()}"


def announce(redis: Redis, model: ModelInfo) -> None:
    """Say what the model is that this worker process has loaded."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hset(keys.models(), model.name, model.model_dump_json())
        pipe.expire(keys.models(), keys.MODELS_TTL)
        pipe.execute()


def keep_announced(redis: Redis, model: ModelInfo) -> None:
    """Say it again if nothing is known of the model. What a process of another version said stays."""
    if redis.hexists(keys.models(), model.name):
        redis.expire(keys.models(), keys.MODELS_TTL)
    else:
        announce(redis, model)


def leave(redis: Redis, model: str, worker_id: str) -> None:
    """Say that the worker process stops. It is silent from now on; how long the model has had none stays known."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hdel(keys.workers(), worker_id)
        pipe.zadd(ModelKeys(model).workers, {worker_id: -ALIVE}, xx=True, incr=True)
        pipe.execute()


def crews(redis: Redis, names: Sequence[str]) -> dict[str, Crew]:
    """The live worker processes of each of these models. A record that cannot be read is skipped and logged."""
    found = Script(redis, "list_workers")([keys.workers(), *(ModelKeys(name).workers for name in names)], alive=ALIVE)
    return {
        name: Crew(
            workers=tuple(worker for data in records if (worker := _read(WorkerInfo, data)) is not None),
            silent_for=float(silent_for) if silent_for else None,
        )
        for name, (silent_for, *records) in zip(names, found, strict=True)
    }


def models(redis: Redis) -> dict[str, ModelInfo]:
    """Every model that a worker has loaded, by name. A record that cannot be read is skipped and logged."""
    found = (_read(ModelInfo, data) for data in redis.hgetall(keys.models()).values())
    return {model.name: model for model in found if model is not None}


def _read(kind: type[Record], data: bytes) -> Record | None:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        log.warning("a record of another release is skipped", kind=kind.__name__, errors=error.error_count())
        return None
