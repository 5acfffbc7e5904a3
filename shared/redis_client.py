"""Connections to the farm's Redis."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import structlog
from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry

from shared.errors import SettingsError, StoreUnavailable
from shared.settings import settings

log = structlog.get_logger()

# Redis is restarting, loading its data, or gone for a moment: worth another try.
UNAVAILABLE = (ConnectionError, TimeoutError, BusyLoadingError)
# Redis answers but takes nothing new: its memory is full, or it is a replica just now.
REFUSES_WRITES = (OutOfMemoryError, ReadOnlyError)

# Tries of a command before it fails, with 0.05 s to 2 s between them: about 1 s in all, or some minutes.
TRIES = 4
PATIENT_TRIES = 150


class ScriptingRedis(Redis):  # type: ignore[misc]  # see pyproject.toml
    """A client that tells why Redis refused a script's write, whichever version it talks to.

    Before Redis 7, an error inside a script comes as an ``ERR`` that quotes it.
    """

    def parse_response(self, *args: Any, **options: Any) -> Any:
        """The answer to a command.

        Raises:
            OutOfMemoryError: Redis is full.
            ReadOnlyError: it is a replica just now.
            RedisError: what else redis-py raises.
        """
        try:
            return super().parse_response(*args, **options)
        except ResponseError as error:
            if ": -OOM " in str(error):
                raise OutOfMemoryError(str(error)) from error
            if ": -READONLY " in str(error):
                raise ReadOnlyError(str(error)) from error
            raise


def redis_url() -> str:
    """Address of the farm's Redis.

    Raises:
        SettingsError: ``RANER_REDIS_URL`` is unset.
    """
    if not settings().redis_url:
        raise SettingsError(
            "RANER_REDIS_URL is unset: give the address of a Redis (redis://localhost:6379/0), "
            "or start the farm with `make run`, which brings its own"
        )
    return settings().redis_url


@lru_cache(maxsize=2)
def redis_client(patient: bool = False) -> Redis:
    """The process's connection pool, whose commands are tried again while Redis does not answer.

    Args:
        patient: for a worker that holds a finished piece: wait some minutes for Redis to come back, or to take writes
            again. Otherwise a command fails after about a second, and at once where Redis refuses it: a web request
            should answer soon.
    """
    return ScriptingRedis.from_url(
        redis_url(),
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=2.0), PATIENT_TRIES if patient else TRIES),
        retry_on_error=[*UNAVAILABLE, *REFUSES_WRITES] if patient else [*UNAVAILABLE],
        socket_connect_timeout=5,
        socket_timeout=35,
        health_check_interval=30,
    )


def wait_for_redis(seconds: float = 30.0) -> None:
    """Return once Redis answers; a process that starts beside it calls this first.

    Raises:
        StoreUnavailable: it did not answer within ``seconds``.
    """
    client = Redis.from_url(redis_url(), socket_connect_timeout=2, socket_timeout=2, retry=None)
    deadline = time.monotonic() + seconds
    pause = 0.02
    while True:
        try:
            client.ping()
        except UNAVAILABLE as error:
            if time.monotonic() + pause > deadline:
                raise StoreUnavailable(
                    f"Redis did not answer within {seconds:.0f} s: {error}; is RANER_REDIS_URL right?"
                ) from error
            # There is no event to wait on before a connection exists.
            time.sleep(pause)
            pause = min(2 * pause, 0.5)
        else:
            client.close()
            return
