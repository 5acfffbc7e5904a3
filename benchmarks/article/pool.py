"""A pool of things that one caller at a time may use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class PoolExhausted(Exception):
    """Every instance of the pool is in use."""


class Pool(Generic[T]):
    """Instances behind a lock. Nobody waits for one: who finds none free is refused."""

    def __init__(self, instances: Iterable[T]) -> None:
        self._lock = threading.Lock()
        self._free = list(instances)

    @contextmanager
    def instance(self) -> Iterator[T]:
        """A free instance, for as long as the block runs.

        Raises:
            PoolExhausted: there is none.
        """
        with self._lock:
            if not self._free:
                raise PoolExhausted("the pool is exhausted: every instance is in use; try again later")
            taken = self._free.pop()
        try:
            yield taken
        finally:
            with self._lock:
                self._free.append(taken)
