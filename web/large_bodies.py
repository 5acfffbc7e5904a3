"""Large request bodies: few are held and one is worked on at a time, so that small requests stay quick."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.errors import Busy
from shared.settings import MIB

# A body of more bytes is large. The limits below do not concern smaller ones, which never wait.
LARGE = MIB
# Bytes of large bodies that a web process holds at a time. A single larger one is taken if no other is held.
MOST_HELD = 64 * MIB
# Seconds that a large body waits for room, and then for its turn, before it is refused.
PATIENCE = 10.0


class LargeBodies:
    """The large bodies of one web process."""

    def __init__(self, most_held: int = MOST_HELD, patience: float = PATIENCE) -> None:
        self._most_held = most_held
        self._patience = patience
        self._held = 0
        self._changed = threading.Condition()
        self._turn = threading.Semaphore()

    @contextmanager
    def room(self, size: int) -> Iterator[Callable[[int], None]]:
        """Room in memory for a body of up to ``size`` bytes.

        Gives a function that is told how many bytes it has, and gives back the room beyond them.

        Raises:
            Busy: there was none for :data:`PATIENCE` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._fits(size), self._patience):
                raise Busy("many large requests are under way; try again, or send smaller ones")
            self._held += size

        def keep(needed: int) -> None:
            nonlocal size
            with self._changed:
                self._held -= size - needed
                size = needed
                self._changed.notify_all()

        try:
            yield keep
        finally:
            keep(0)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The turn of a body that has arrived: nobody else works on a large body meanwhile.

        Raises:
            Busy: others had theirs for :data:`PATIENCE` seconds.
        """
        if not self._turn.acquire(timeout=self._patience):
            raise Busy("many large requests are under way; try again, or send smaller ones")
        try:
            yield
        finally:
            self._turn.release()

    def _fits(self, size: int) -> bool:
        return self._held == 0 or self._held + size <= self._most_held
