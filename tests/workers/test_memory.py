"""The limit on a worker process's memory, in real processes."""

from __future__ import annotations

import resource
import sys

import pytest

from shared.settings import MIB
from tests.support.child import run_in_child
from workers.memory import limit_memory, replaced_beyond

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")

TOO_MUCH, WENT_WELL = 3, 0


def allocate(megabytes: int) -> int:
    try:
        memory = bytearray(megabytes * MIB)
    except MemoryError:
        return TOO_MUCH
    memory[-1] = 1
    return WENT_WELL


def in_child(limit: int, *wanted: int) -> int:
    """Exit status of a process with that limit which takes these amounts, one after the other."""

    def take() -> None:
        limit_memory(limit)
        for megabytes in wanted[:-1]:
            allocate(megabytes)
        sys.exit(allocate(wanted[-1]))

    return run_in_child(take)


def test_a_process_that_takes_more_than_its_limit_has_a_memory_error() -> None:
    assert in_child(64, 256) == TOO_MUCH


def test_less_is_no_error_whatever_the_process_had_before() -> None:
    ballast = bytearray(128 * MIB)
    ballast[::4096] = b"x" * len(ballast[::4096])
    assert in_child(256, 64) == WENT_WELL


def test_the_process_goes_on_after_a_memory_error() -> None:
    assert in_child(64, 256, 16) == WENT_WELL


def test_a_limit_that_was_set_from_outside_stays() -> None:
    def take() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (2**40, 2**40))
        limit_memory(2**30)
        sys.exit(resource.getrlimit(resource.RLIMIT_DATA) != (2**40, 2**40))

    assert run_in_child(take) == 0


def test_a_process_is_replaced_before_it_meets_its_limit() -> None:
    now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert now + 512 * 1024 < replaced_beyond(1024) < now + 1024 * 1024
