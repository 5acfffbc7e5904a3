"""A real Redis for the whole run, and settings that point to it before anything of the project is imported."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from redis import Redis

_run = pytest.StashKey[tuple[tempfile.TemporaryDirectory[str], RedisServer]]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's Redis. The settings are read once and the Celery app when it is imported, so: here."""
    for variable in [name for name in os.environ if name.startswith("RANER_")]:
        del os.environ[variable]
    folder = tempfile.TemporaryDirectory(prefix="raner-tests-")
    server = RedisServer(Path(folder.name) / "redis")
    server.start()
    os.environ["RANER_REDIS_URL"] = server.url
    os.environ["RANER_DATA_DIR"] = str(Path(folder.name) / "data")
    config.stash[_run] = folder, server


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    if _run in config.stash:
        folder, server = config.stash[_run]
        server.stop()
        folder.cleanup()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """The run's Redis, emptied."""
    from redis import Redis

    with Redis.from_url(os.environ["RANER_REDIS_URL"]) as client:
        client.flushall()
        yield client


@pytest.fixture
def with_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Gives the process other settings until the test ends: ``with_settings(cache_ttl=0)``."""
    from shared.settings import settings

    def change(**fields: Any) -> None:
        for field, value in fields.items():
            monkeypatch.setenv(f"RANER_{field.upper()}", str(value))
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()
