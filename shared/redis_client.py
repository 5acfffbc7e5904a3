"""Connections to the farm's Redis, and to the cache's where that has a server of its own.

A command fails soon when Redis does not answer: a web request should be answered with 503, and a worker does its own
waiting. Only a connection that was refused or reset is tried again, and a Redis that loads its data.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import structlog
from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.connection import ConnectionPool
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    NoPermissionError,
    TimeoutError,
)
from redis.retry import Retry

from shared.errors import SettingsError, StoreUnavailable
from shared.redis_replies import REFUSES_WRITES, BusyScriptError, ReplyParser
from shared.settings import settings

__all__ = [
    "REFUSES_WRITES",
    "UNAVAILABLE",
    "cache_client",
    "cache_url",
    "certificates",
    "redis_client",
    "redis_url",
    "wait_for_redis",
]

log = structlog.get_logger()

# Redis is stalled, restarting, loading its data, busy with a script, or gone for a moment: worth another try.
UNAVAILABLE = (ConnectionError, TimeoutError, BusyLoadingError, BusyScriptError, MasterDownError)

# Streams need it.
OLDEST_REDIS = (6, 2)

# Options of an address with which one of the two clients, or both, would verify less.
UNVERIFIED = frozenset(("ssl_cert_reqs", "ssl_check_hostname"))

# All in seconds.
TIMEOUT = 1.5
PATIENCE = 1.0
CONNECT_TIMEOUT = 1.0
CACHE_TIMEOUT = 0.5
CACHE_REST = 1.0

# A connection that is gone without a word is found out after a minute, where the system can do so.
KEEPALIVE = {
    getattr(socket, option): value
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    if hasattr(socket, option)
}


class RetryWithin(Retry):  # type: ignore[misc]  # see pyproject.toml
    """Tries again until so many seconds after the first try, however many tries that makes.

    Time-outs are not tried again. redis-py copies this for each connection, and nests calls: a command that finds its
    connection closed connects within its own tries.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(
            ExponentialWithJitterBackoff(base=0.05, cap=0.5), retries=-1, supported_errors=(ConnectionError,)
        )
        self._seconds = seconds
        self._until: float | None = None

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:
        """What ``do`` returns. ``fail`` is called after each failure that another try follows."""
        until = self._until or time.monotonic() + self._seconds

        def worth_another(error: Exception) -> bool:
            if isinstance(error, (AuthenticationError, AuthorizationError)) or time.monotonic() > until:
                return False
            return is_retryable is None or is_retryable(error)

        outermost = self._until is None
        self._until = until
        try:
            return super().call_with_retry(do, fail, worth_another, with_failure_count)
        finally:
            if outermost:
                self._until = None


class RestAfterFailure(Retry):  # type: ignore[misc]  # see pyproject.toml
    """Tries nothing again, and after a failure fails at once for a while.

    So a cache that does not answer costs its callers one time-out a second, not one each.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(ExponentialWithJitterBackoff(), retries=0)
        self._seconds = seconds
        self._failed_at = float("-inf")

    def __deepcopy__(self, memo: object) -> RestAfterFailure:
        """Itself: redis-py copies this for each connection, and all connections rest together."""
        return self

    def call_with_retry(self, do: Callable[[], Any], *_: Any, **__: Any) -> Any:
        """What ``do`` returns.

        Raises:
            ConnectionError: the last failure was a moment ago.
        """
        if time.monotonic() < self._failed_at + self._seconds:
            raise ConnectionError("Redis did not answer a moment ago")
        try:
            return do()
        except (ConnectionError, TimeoutError, OSError):
            self._failed_at = time.monotonic()
            raise


def redis_url() -> str:
    """Address of the farm's Redis.

    Raises:
        SettingsError: ``RANER_REDIS_URL`` is unset, or is no address.
    """
    if not settings().redis_url:
        raise SettingsError(
            "RANER_REDIS_URL is unset: give the address of a Redis (redis://localhost:6379/0), "
            "or start the farm with `make run`, which brings its own"
        )
    return _with_password(
        _checked("RANER_REDIS_URL", settings().redis_url.get_secret_value()),
        settings().redis_password.get_secret_value(),
    )


def cache_url() -> str:
    """Address of the result cache's Redis, which is the farm's if it has none of its own.

    Raises:
        SettingsError: ``RANER_CACHE_URL`` is no address, or neither variable is set.
    """
    own = settings().cache_url.get_secret_value()
    return _checked("RANER_CACHE_URL", own) if own else redis_url()


def certificates() -> dict[str, str]:
    """What both clients are told beside the address to verify a Redis that speaks TLS."""
    return {"ssl_ca_certs": settings().redis_ca} if settings().redis_ca else {}


@lru_cache(maxsize=8)
def redis_client(timeout: float = TIMEOUT, patience: float = PATIENCE) -> Redis:
    """The process's connections of this kind to the farm's Redis.

    Args:
        timeout: seconds after which a command fails if Redis does not answer.
        patience: seconds for which a command is tried again if Redis refuses or resets the connection.

    Raises:
        SettingsError: ``RANER_REDIS_URL`` is unset, or is no address.
    """
    return _client(redis_url(), timeout, RetryWithin(patience))


@lru_cache(maxsize=1)
def cache_client() -> Redis:
    """The process's connections to the result cache: those to the farm's Redis if the cache has none of its own.

    Callers catch :class:`RedisError`; if the cache has a Redis of its own, they go on without it.

    Raises:
        SettingsError: ``RANER_CACHE_URL`` is no address.
    """
    if not settings().cache_url:
        return redis_client()
    return _client(cache_url(), CACHE_TIMEOUT, RestAfterFailure(CACHE_REST))


def wait_for_redis(seconds: float = 30.0) -> None:
    """Return once Redis answers. A process that starts beside it calls this first.

    Raises:
        SettingsError: an address cannot be read, or this Redis cannot serve the farm.
        StoreUnavailable: it did not answer within ``seconds``.
    """
    cache_url()
    deadline = time.monotonic() + seconds
    pause = 0.02
    with _client(redis_url(), 2.0, RetryWithin(0)) as client:
        while True:
            try:
                _check_server(client)
            except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
                raise SettingsError(f"RANER_REDIS_URL: Redis does not let the farm in: {error}") from None
            except UNAVAILABLE as error:
                if time.monotonic() + pause > deadline:
                    raise StoreUnavailable(
                        f"RANER_REDIS_URL: no Redis answers at {_where(redis_url())} ({error}); "
                        "start it, or correct the address"
                    ) from None
                # There is no event to wait on before a connection exists.
                time.sleep(pause)
                pause = min(2 * pause, 0.5)
            else:
                return


def _client(url: str, timeout: float, retry: Retry) -> Redis:
    return Redis.from_url(
        url,
        socket_connect_timeout=min(timeout, CONNECT_TIMEOUT),
        socket_timeout=timeout,
        socket_keepalive=True,
        socket_keepalive_options=KEEPALIVE,
        retry=retry,
        parser_class=ReplyParser,
        **(certificates() if url.startswith("rediss:") else {}),
    )


def _check_server(client: Redis) -> None:
    """Look whether this Redis can serve the farm.

    Raises:
        SettingsError: it cannot; the message names what to change.
        RedisError: it did not answer.
    """
    try:
        client.ping()
    except REFUSES_WRITES:
        log.warning("redis takes nothing new just now")  # it is there: web says so to its clients, and workers wait
    server = client.info("server")
    version = re.match(r"(\d+)\.(\d+)", str(server.get("redis_version", "")))
    if version and tuple(map(int, version.groups())) < OLDEST_REDIS:
        oldest = ".".join(map(str, OLDEST_REDIS))
        raise SettingsError(
            f"RANER_REDIS_URL: the farm needs Redis {oldest} or newer, this is {server['redis_version']}"
        )
    policy = client.info("memory").get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise SettingsError(
            "RANER_REDIS_URL: this Redis would evict jobs when its memory is full. Its maxmemory-policy is "
            f"{policy}: set it to noeviction. If the cache may be evicted, give it a Redis of its own: RANER_CACHE_URL"
        )


def _checked(variable: str, url: str) -> str:
    """The address itself.

    Raises:
        SettingsError: it is none. The message does not repeat it, since it may hold a password.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme.endswith("sentinel"):
            raise SettingsError(
                f"{variable}: Sentinel is not supported; give the address of the Redis itself, or of a proxy in front"
            )
        if UNVERIFIED & dict(parse_qsl(parts.query)).keys():
            raise SettingsError(
                f"{variable}: the certificate and the host name of Redis are always verified; leave out "
                f"{' and '.join(sorted(UNVERIFIED))}. RANER_REDIS_CA names the file of an authority of your own"
            )
        is_address = (
            parts.scheme in ("redis", "rediss")
            and parts.hostname is not None
            and parts.port != 0  # which raises if it is no port
            and re.fullmatch(r"(/\d*)?", parts.path) is not None
            and not parts.fragment
        )
        if is_address:
            ConnectionPool.from_url(url).make_connection()  # which reads the options, and connects later
    except (ValueError, TypeError):
        is_address = False
    if not is_address:
        raise SettingsError(
            f"{variable} cannot be read: give redis://user:password@host:port/number, or rediss:// for TLS. User, "
            "password and number may be left out. Write characters such as # / ? @ of a password as %23 %2F %3F %40"
        )
    return url


def _with_password(url: str, password: str) -> str:
    """The address with this password, if it has none of its own."""
    parts = urlsplit(url)
    if not password or parts.password:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username or ''}:{quote(password, safe='')}@{host}").geturl()


def _where(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
