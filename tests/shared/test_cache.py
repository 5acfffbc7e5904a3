"""The result cache."""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis

from shared import cache
from shared.entities import Entity

FOUND = cache.encode_entities([Entity(0, 2, "PER", 0.98765)])


def test_entities_come_back_with_four_decimals() -> None:
    assert cache.decode_entities(FOUND) == [Entity(0, 2, "PER", 0.9877)]


def test_what_is_stored_is_found(redis: Redis) -> None:
    cache.store(redis, "v1", [("马云".encode(), FOUND)])
    assert cache.look_up(redis, "v1", ["马云".encode(), "马化腾".encode()]) == [FOUND.encode(), None]


def test_another_version_does_not_know_it(redis: Redis) -> None:
    cache.store(redis, "v1", [(b"text", FOUND)])
    assert cache.look_up(redis, "v2", [b"text"]) == [None]


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
    assert cache.look_up(redis, "v1", [b"text"]) == [None]
    assert redis.dbsize() == 1
