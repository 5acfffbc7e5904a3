"""Connections to Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import SettingsError, StoreUnavailable
from shared.redis_client import REFUSES_WRITES, UNAVAILABLE, redis_client, redis_url, wait_for_redis
from tests.support.farm import free_ports
from tests.support.redis_server import RedisServer


def test_without_an_address_it_says_what_to_set(with_settings: Callable[..., None]) -> None:
    with_settings(redis_url="")
    with pytest.raises(SettingsError, match="RANER_REDIS_URL is unset: give the address"):
        redis_url()


def test_waiting_for_one_that_does_not_come_ends_with_a_clear_error(with_settings: Callable[..., None]) -> None:
    with_settings(redis_url=f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    with pytest.raises(StoreUnavailable, match=r"did not answer within 0 s.*RANER_REDIS_URL"):
        wait_for_redis(0.2)


def test_a_command_outlives_a_restart(with_settings: Callable[..., None], tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        with_settings(redis_url=server.url)
        client = redis_client.__wrapped__(patient=True)
        client.set("kept", "yes")
        server.stop()
        server.start()
        assert client.get("kept") == b"yes"
        client.close()


def test_a_command_gives_up_soon_when_nobody_answers(with_settings: Callable[..., None]) -> None:
    with_settings(redis_url=f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    client = redis_client.__wrapped__()
    began = time.monotonic()
    with pytest.raises(UNAVAILABLE):
        client.ping()
    assert time.monotonic() - began < 10


def test_only_the_patient_wait_for_a_full_redis(with_settings: Callable[..., None], tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        with_settings(redis_url=server.url)
        impatient, patient = redis_client.__wrapped__(), redis_client.__wrapped__(patient=True)
        impatient.config_set("maxmemory", 1)
        with pytest.raises(REFUSES_WRITES):
            impatient.set("kept", "no")
        relief = threading.Timer(0.5, impatient.config_set, ("maxmemory", 0))
        relief.start()
        patient.set("kept", "yes")
        relief.join()
        assert patient.get("kept") == b"yes"
        impatient.close()
        patient.close()
