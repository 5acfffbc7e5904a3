"""A real Redis for the whole run, and settings that point to it before anything of the project reads them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from shared.job_store import JobStore
from shared.piece_stream import PieceStream
from shared.settings import settings
from tests.support.jobs import MODEL
from tests.support.redis_server import RedisServer
from tests.support.tcp_proxy import TcpProxy

# Here and not in a hook: the Celery app wants the address when it is imported, as the conftest files of the folders do,
# which pytest may load before it calls any hook.
_folder = tempfile.TemporaryDirectory(prefix="raner-tests-")
_server = RedisServer(Path(_folder.name) / "redis")
_server.start()
for _variable in [name for name in os.environ if name.startswith("RANER_")]:
    del os.environ[_variable]
os.environ["RANER_REDIS_URL"] = _server.url
os.environ["RANER_DATA_DIR"] = str(Path(_folder.name) / "data")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests in the browser come last: from the first of them on, Playwright's event loop runs in this thread.

    Nothing else could run one in it then.
    """
    items.sort(key=lambda item: "browser" in Path(item.path).parent.parts)


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    _server.stop()
    _folder.cleanup()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """The run's Redis, emptied."""
    with Redis.from_url(os.environ["RANER_REDIS_URL"]) as client:
        client.flushall()
        yield client


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    """Job records on the run's Redis."""
    return JobStore(redis)


@pytest.fixture
def stream(redis: Redis) -> PieceStream:
    """The pieces of :data:`tests.support.jobs.MODEL`, as the worker process ``one`` sees them."""
    return PieceStream(redis, MODEL, "one")


@pytest.fixture
def full_redis(redis: Redis) -> Iterator[Callable[[], None]]:
    """Fills the run's Redis, in that it takes nothing that needs memory until the test ends: ``full_redis()``."""
    yield lambda: redis.config_set("maxmemory", 1)
    redis.config_set("maxmemory", 0)


@pytest.fixture
def tcp_proxy() -> Iterator[Callable[[int], TcpProxy]]:
    """Puts a proxy in front of a port of this machine: ``tcp_proxy(port)``. It is closed when the test ends."""
    with ExitStack() as proxies:
        yield lambda port: proxies.enter_context(TcpProxy(port))


@pytest.fixture
def with_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Gives the process other settings until the test ends: ``with_settings(cache_ttl=0)``."""

    def change(**fields: Any) -> None:
        for field, value in fields.items():
            monkeypatch.setenv(f"RANER_{field.upper()}", str(value))
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the prepared models of all farms are."""
    return tmp_path_factory.mktemp("data")
