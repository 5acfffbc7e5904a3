"""A value that is read from Redis now and then, by one request for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """The value of ``read``, read anew when it is older than ``seconds``.

    One request reads, outside of any lock. Meanwhile the others take the former value. If there is none, or if it is
    older than ``stale`` seconds, they wait and share what comes of that one reading: the value or the error. After a
    failed reading, the former value serves until it is ``stale`` seconds old, and the next reading is ``seconds`` away.
    """

    def __init__(self, read: Callable[[], T], seconds: float, stale: float) -> None:
        self._read = read
        self._seconds = seconds
        self._stale = stale
        self._lock = threading.Lock()  # held for an instant, never while Redis is asked
        self._value: T | None = None
        self._read_at = self._tried_at = float("-inf")
        self._reading: Future[T] | None = None

    def get(self) -> T:
        """The value.

        Raises:
            Exception: what ``read`` raised, if there is no former value that will do.
        """
        while True:
            with self._lock:
                now = time.monotonic()
                will_do = now < self._read_at + self._stale
                former = self._value
                if will_do and now < self._tried_at + self._seconds:
                    return former  # type: ignore[return-value]  # it has been read
                reading, is_reader = self._reading, self._reading is None
                if reading is None:
                    reading = self._reading = Future()
            if is_reader:
                self._read_into(reading)
            elif will_do:
                return former  # type: ignore[return-value]  # it has been read
            try:
                return reading.result()
            except CancelledError:
                continue  # the request that read was ended
            except Exception:
                if will_do:
                    return former  # type: ignore[return-value]  # it has been read
                raise

    def _read_into(self, reading: Future[T]) -> None:
        """Read the value, and tell all who wait for it."""
        try:
            value = self._read()
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            self._end_reading()
            reading.set_exception(error)
        except BaseException:
            self._end_reading()
            reading.cancel()
            raise
        else:
            self._end_reading(value)
            reading.set_result(value)

    def _end_reading(self, *value: T) -> None:
        with self._lock:
            self._reading = None
            self._tried_at = time.monotonic()
            if value:
                (self._value,) = value
                self._read_at = self._tried_at
