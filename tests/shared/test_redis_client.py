"""Connections to Redis: how soon they fail, what they try again, and which Redis they take."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError, OutOfMemoryError, ReadOnlyError, RedisError, TimeoutError

from shared.errors import SettingsError, StoreUnavailable
from shared.redis_client import (
    REFUSES_WRITES,
    UNAVAILABLE,
    cache_client,
    cache_url,
    redis_client,
    redis_url,
    wait_for_redis,
)
from shared.redis_replies import BusyScriptError, PersistenceError, TooFewReplicasError
from shared.settings import PROJECT_ROOT
from tests.support.farm import free_ports
from tests.support.redis_server import RedisServer, programs
from tests.support.tcp_proxy import TcpProxy

WRITE = "return redis.call('SET', KEYS[1], ARGV[1])"


@pytest.fixture(autouse=True)
def own_clients() -> Iterator[None]:
    """Clients of this test alone."""
    for client in (redis_client, cache_client):
        client.cache_clear()
    yield
    for client in (redis_client, cache_client):
        client.cache_clear()


@pytest.fixture(params=programs(), ids=str)
def server(request: pytest.FixtureRequest, with_settings: Callable[..., None], tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, of each version that is here. The settings name it."""
    with RedisServer(tmp_path / "redis", request.param) as server:
        with_settings(redis_url=server.url)
        yield server


@pytest.fixture
def proxy(with_settings: Callable[..., None], redis: Redis, tcp_proxy: Callable[[int], TcpProxy]) -> TcpProxy:
    """A proxy in front of the run's Redis. The settings name it."""
    proxy = tcp_proxy(redis.get_connection_kwargs()["port"])
    with_settings(redis_url=f"redis://127.0.0.1:{proxy.port}/0")
    return proxy


def seconds_until(error: type[Exception], call: Callable[[], object]) -> float:
    """How long ``call`` takes to fail with ``error``."""
    began = time.monotonic()
    with pytest.raises(error):
        call()
    return time.monotonic() - began


def nobody() -> str:
    """An address at which nothing listens."""
    return f"redis://127.0.0.1:{free_ports(1)[0]}/0"


# How soon a command fails.


def test_a_stalled_redis_fails_a_command_once_and_soon(server: RedisServer) -> None:
    client = redis_client()
    assert client.ping()
    server.suspend()
    assert seconds_until(TimeoutError, client.ping) < 3.0  # on a connection that was there
    assert seconds_until(TimeoutError, client.ping) < 3.0  # on a new one
    with client.pipeline(transaction=True) as pipe:
        pipe.set("a", 1)
        assert seconds_until(TimeoutError, pipe.execute) < 3.0
    server.resume()
    assert client.ping()


def test_the_time_out_is_the_callers(proxy: TcpProxy) -> None:
    quick, slow = redis_client(timeout=0.2), redis_client(timeout=3.0)
    assert quick.ping()
    assert slow.ping()
    proxy.stall()
    assert seconds_until(TimeoutError, quick.ping) < 1.5 < 2.5 < seconds_until(TimeoutError, slow.ping)


def test_a_redis_that_drips_its_answer_is_as_one_that_stalls(proxy: TcpProxy, redis: Redis) -> None:
    redis.set("long", "x" * 1000)
    client = redis_client()
    assert client.ping()
    proxy.drip(pause=0.1)
    assert seconds_until(TimeoutError, lambda: client.get("long")) < 4.0
    proxy.go_on()
    assert client.get("long") == b"x" * 1000


def test_a_large_answer_may_take_longer_than_the_time_out(proxy: TcpProxy, redis: Redis) -> None:
    redis.set("large", b"x" * 2_000_000)
    client = redis_client(timeout=0.5)
    assert client.ping()
    proxy.slow(bytes_per_second=1_300_000)
    began = time.monotonic()
    assert client.get("large") == b"x" * 2_000_000
    assert time.monotonic() - began > 1.0


def test_a_command_is_tried_again_for_about_a_second_when_nobody_listens(with_settings: Callable[..., None]) -> None:
    with_settings(redis_url=nobody())
    client = redis_client()
    assert 0.9 < seconds_until(ConnectionError, client.ping) < 4.0
    assert seconds_until(ConnectionError, redis_client(patience=0).ping) < 0.9


def test_a_command_outlives_a_cut_connection(proxy: TcpProxy) -> None:
    client = redis_client()
    client.set("kept", "yes")
    proxy.cut()
    back = threading.Timer(0.3, proxy.go_on)
    back.start()
    assert client.get("kept") == b"yes"
    back.join()


def test_a_cut_connection_fails_a_command_within_about_a_second(proxy: TcpProxy) -> None:
    client = redis_client()
    assert client.ping()
    proxy.cut()
    assert seconds_until(ConnectionError, client.ping) < 4.0


def test_a_command_outlives_a_restart(server: RedisServer) -> None:
    client = redis_client(patience=30.0)
    client.set("kept", "yes")
    server.stop()
    with ThreadPoolExecutor(1) as pool:
        kept = pool.submit(client.get, "kept")
        server.start()  # not from another thread: with the end of that, it would be killed
        assert kept.result() == b"yes"


def test_a_redis_that_is_busy_with_a_script_is_not_available(server: RedisServer) -> None:
    client = redis_client(timeout=10.0)
    client.config_set("lua-time-limit", 1)
    endless = threading.Thread(target=_swallow, args=(lambda: redis_client(timeout=0.5).eval("while 1 do end", 0),))
    endless.start()
    endless.join()  # the client has given up; the script runs on
    with pytest.raises(BusyScriptError) as caught:
        client.ping()
    assert isinstance(caught.value, UNAVAILABLE)
    client.script_kill()


def _swallow(call: Callable[[], object]) -> None:
    with pytest.raises(RedisError):
        call()


# Why it takes nothing new.


def refusal(client: Redis) -> type[Exception]:
    """How a write fails; the same alone, in a transaction and in a script."""

    def fill() -> None:
        for number in range(1000):  # the first writes may find a disk that nobody knows to be full
            client.set("key", number)
            time.sleep(0.01)

    def write_in_transaction() -> None:
        with client.pipeline(transaction=True) as pipe:
            pipe.set("key", "no")
            pipe.execute()

    kinds = set()
    for write in (fill, write_in_transaction, lambda: client.eval(WRITE, 1, "key", "no")):
        with pytest.raises(REFUSES_WRITES) as caught:
            write()
        kinds.add(caught.type)
    (kind,) = kinds
    return kind


def test_a_full_memory(server: RedisServer) -> None:
    client = redis_client()
    client.config_set("maxmemory", 1)
    assert refusal(client) is OutOfMemoryError
    client.config_set("maxmemory", 0)
    assert client.eval(WRITE, 1, "key", "yes")


def test_a_full_disk(server: RedisServer) -> None:
    client = redis_client()
    assert client.set("before", "kept")
    server.fill_disk()
    assert refusal(client) is PersistenceError
    assert client.get("before") == b"kept"
    server.free_disk()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert client.eval(WRITE, 1, "key", "yes")
        except PersistenceError:
            assert time.monotonic() < deadline
            time.sleep(0.05)  # Redis looks at its disk once a second
        else:
            return


def test_a_read_only_replica(server: RedisServer) -> None:
    client = redis_client()
    client.replicaof("127.0.0.1", free_ports(1)[0])
    assert refusal(client) is ReadOnlyError


def test_too_few_replicas(server: RedisServer) -> None:
    client = redis_client()
    client.config_set("min-replicas-to-write", 1)
    with pytest.raises(TooFewReplicasError):
        client.set("key", "no")
    assert issubclass(TooFewReplicasError, REFUSES_WRITES)


# The cache's Redis.


def test_the_cache_has_a_redis_of_its_own_if_it_is_given_one(with_settings: Callable[..., None]) -> None:
    with_settings(redis_url="redis://a:1/0")
    assert cache_url() == "redis://a:1/0"
    with_settings(cache_url="redis://b:2/0")
    assert (cache_url(), redis_url()) == ("redis://b:2/0", "redis://a:1/0")
    assert cache_client().get_connection_kwargs()["port"] == 2


def test_a_cache_that_does_not_answer_costs_one_time_out_a_second_and_not_one_a_call(
    proxy: TcpProxy, with_settings: Callable[..., None]
) -> None:
    with_settings(cache_url=f"redis://127.0.0.1:{proxy.port}/0")
    client = cache_client()
    assert client.set("known", "yes")
    proxy.stall()
    assert seconds_until(TimeoutError, lambda: client.get("known")) < 2.0

    def look_up_a_hundred_times() -> None:
        for _ in range(100):
            with pytest.raises(RedisError):
                client.get("known")
        raise ConnectionError

    assert seconds_until(ConnectionError, look_up_a_hundred_times) < 10.0  # rather than fifty seconds
    proxy.go_on()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert client.get("known") == b"yes"
        except RedisError:
            assert time.monotonic() < deadline
            time.sleep(0.05)  # it rests
        else:
            return


# Waiting for it, and which one it is.


def test_without_an_address_it_says_what_to_set(with_settings: Callable[..., None]) -> None:
    with_settings(redis_url="")
    with pytest.raises(SettingsError, match="RANER_REDIS_URL is unset: give the address"):
        redis_url()


def test_waiting_for_one_that_does_not_come_ends_with_a_clear_error(with_settings: Callable[..., None]) -> None:
    url = nobody().replace("://", "://user:secret@")
    with_settings(redis_url=url)
    with pytest.raises(StoreUnavailable, match=r"RANER_REDIS_URL: no Redis answers at 127\.0\.0\.1:\d+ ") as caught:
        wait_for_redis(0.2)
    assert "secret" not in str(caught.value)


def test_it_waits_for_one_that_comes(with_settings: Callable[..., None], tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with_settings(redis_url=server.url)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(wait_for_redis)
        server.start()
        waits.result()
    server.stop()


def test_each_version_that_is_here_will_do(server: RedisServer) -> None:
    wait_for_redis()


@pytest.mark.parametrize("fill", ["disk", "memory"])
def test_one_that_takes_nothing_new_is_there(server: RedisServer, fill: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    if fill == "disk":
        server.fill_disk()
        refusal(redis_client())
    else:
        redis_client().config_set("maxmemory", 1)
    wait_for_redis()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl"])
def test_one_that_evicts_is_refused_but_for_the_cache(
    redis: Redis, server: RedisServer, with_settings: Callable[..., None], policy: str
) -> None:
    redis_client().config_set("maxmemory-policy", policy)
    with pytest.raises(SettingsError, match=rf"maxmemory-policy is {policy}: set it to noeviction.*RANER_CACHE_URL"):
        wait_for_redis()
    main = f"redis://127.0.0.1:{redis.get_connection_kwargs()['port']}/0"
    with_settings(redis_url=main, cache_url=server.url)
    wait_for_redis()


def test_one_that_is_too_old_is_refused(proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.redis_client.OLDEST_REDIS", (99, 1))
    with pytest.raises(SettingsError, match=r"the farm needs Redis 99\.1 or newer, this is \d+\.\d+\.\d+"):
        wait_for_redis()


def test_a_wrong_password_is_named_at_once(server: RedisServer, with_settings: Callable[..., None]) -> None:
    redis_client().config_set("requirepass", "right")
    for url in (server.url, server.url.replace("://", "://:wrong@")):
        with_settings(redis_url=url)
        began = time.monotonic()
        with pytest.raises(SettingsError, match="Redis does not let the farm in"):
            wait_for_redis()
        assert time.monotonic() - began < 20


WRONG_ADDRESSES = [
    "localhost:6379",
    "garbage",
    "http://localhost:6379/0",
    "redis://",
    "redis://localhost:sixthousand/0",
    "redis://localhost:99999/0",
    "redis://:secret#word@localhost:6379/0",
    "redis://:secret/word@localhost:6379/0",
    "redis://:secret?word@localhost:6379/0",
    "redis://localhost:6379/first",
    "redis://localhost:6379/0?socket_timeout=soon",
    "redis://localhost:6379/0?colour=secret",
    "redis://[::1",
    "unix:///var/run/redis.sock",
]


@pytest.mark.parametrize("variable", ["redis_url", "cache_url"])
@pytest.mark.parametrize("url", WRONG_ADDRESSES)
def test_an_address_that_cannot_be_read_is_named_and_not_repeated(
    with_settings: Callable[..., None], variable: str, url: str
) -> None:
    with_settings(**{variable: url})
    says = f"RANER_{variable.upper()} cannot be read: give redis://"
    with pytest.raises(SettingsError, match=says) as caught:
        wait_for_redis(0)
    for word in ("secret", "garbage", "sixthousand"):
        assert word not in str(caught.value)


@pytest.mark.parametrize("option", ["ssl_cert_reqs=none", "ssl_cert_reqs=optional", "ssl_check_hostname=false"])
@pytest.mark.parametrize("variable", ["redis_url", "cache_url"])
def test_an_address_cannot_switch_verification_off(
    with_settings: Callable[..., None], variable: str, option: str
) -> None:
    with_settings(**{variable: f"rediss://:secret@localhost:6380/0?{option}"})
    with pytest.raises(SettingsError, match=f"RANER_{variable.upper()}: .*always verified; leave out") as caught:
        wait_for_redis(0)
    assert "secret" not in str(caught.value)


def test_the_password_may_stand_beside_the_address(with_settings: Callable[..., None]) -> None:
    with_settings(redis_url="redis://farm@localhost:6379/0", redis_password="p#/?@:")
    assert redis_url() == "redis://farm:p%23%2F%3F%40%3A@localhost:6379/0"
    assert redis_client().get_connection_kwargs()["password"] == "p#/?@:"
    with_settings(redis_url="redis://localhost:6379/0")
    assert redis_url() == "redis://:p%23%2F%3F%40%3A@localhost:6379/0"
    with_settings(redis_url="redis://:own@localhost:6379/0")
    assert redis_url() == "redis://:own@localhost:6379/0"


@pytest.mark.parametrize("url", ["redis+sentinel://:secret@a:26379/main", "sentinel://:secret@a:26379"])
def test_sentinel_is_not_supported_and_it_says_so(with_settings: Callable[..., None], url: str) -> None:
    with_settings(redis_url=url)
    with pytest.raises(SettingsError, match="RANER_REDIS_URL: Sentinel is not supported") as caught:
        wait_for_redis(0)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost/",
        "redis://localhost:6379/3",
        "rediss://user:p%23%2F%3F%40@redis.example:6380/0",
        "redis://[::1]:6379/0",
    ],
)
def test_an_address_that_can_be_read(with_settings: Callable[..., None], url: str) -> None:
    with_settings(redis_url=url)
    assert redis_url() == url


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "workers"),
        ("-m", "gunicorn", "--config", "web/gunicorn.py", "web.app:create_app()"),
        ("-m", "deploy.local"),
        ("-m", "workers.health"),
    ],
    ids=lambda command: command[1],
)
@pytest.mark.parametrize("url", ["redis+sentinel://:secret@a:26379/main", "localhost:6379", "redis://:secret#@a:1/0"])
def test_every_process_says_it_in_a_sentence(command: tuple[str, ...], url: str, tmp_path: Path) -> None:
    ports = free_ports(2)
    environment = {
        **os.environ,
        "RANER_REDIS_URL": url,
        "RANER_DATA_DIR": str(tmp_path),
        "RANER_PORT": str(ports[0]),
        "RANER_FLOWER_PORT": str(ports[1]),
    }
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT_ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "RANER_REDIS_URL" in ended.stderr
    assert "Traceback" not in said
    assert "secret" not in said
