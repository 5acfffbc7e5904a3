"""The result cache."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis
from redis.exceptions import RedisError

from shared import cache
from shared.entities import Entity
from shared.keys import cached

FOUND = (Entity(0, 2, "PER", 0.9),)


def test_what_is_stored_is_found(redis: Redis) -> None:
    cache.store(redis, "v1", [("马云".encode(), FOUND), (b"", ())])
    assert cache.look_up(redis, "v1", ["马化腾".encode(), "马云".encode(), b""]) == {1: FOUND, 2: ()}


def test_another_version_does_not_know_it(redis: Redis) -> None:
    cache.store(redis, "v1", [(b"text", FOUND)])
    assert cache.look_up(redis, "v2", [b"text"]) == {}


def test_an_entry_expires_and_does_not_hold_the_text(redis: Redis, with_settings: Callable[..., None]) -> None:
    with_settings(cache_ttl=60)
    cache.store(redis, "v1", [("马云".encode(), FOUND)])
    (key,) = redis.keys()
    assert 0 < redis.ttl(key) <= 60
    assert "马云".encode() not in key + redis.get(key)


def test_it_can_be_turned_off(redis: Redis, with_settings: Callable[..., None]) -> None:
    cache.store(redis, "v1", [(b"text", FOUND)])
    with_settings(cache_ttl=0)
    cache.store(redis, "v1", [(b"other", FOUND)])
    assert cache.look_up(redis, "v1", [b"text"]) == {}
    assert redis.dbsize() == 1


def test_an_entry_that_cannot_be_read_counts_as_none(redis: Redis) -> None:
    cache.store(redis, "v1", [(b"well", FOUND), (b"damaged", FOUND)])
    redis.set(cached("v1", b"damaged"), "{")
    assert cache.look_up(redis, "v1", [b"damaged", b"well"]) == {1: FOUND}


def test_a_cache_that_takes_nothing_is_done_without(redis: Redis, full_redis: Callable[[], object]) -> None:
    full_redis()
    cache.store(redis, "v1", [(b"text", FOUND)])
    assert cache.look_up(redis, "v1", [b"text"]) == {}


def test_a_cache_on_a_server_of_its_own_may_be_away(with_settings: Callable[..., None]) -> None:
    with Redis(port=1, retry=None) as nowhere:
        cache.store(nowhere, "v1", [(b"text", FOUND)])
        with pytest.raises(RedisError):
            cache.look_up(nowhere, "v1", [b"text"])  # the farm's one server is away
        with_settings(cache_url="redis://localhost:1/0")
        assert cache.look_up(nowhere, "v1", [b"text"]) == {}
