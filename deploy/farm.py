"""honcho's process manager, with an order at the end.

honcho ends all processes at once, each with its children, and kills what is left five seconds later. But a Celery
worker that has lost its Redis cannot hand its pieces back, its children must not be stopped over its head, and a piece
may need longer. So here each process is asked by itself, Redis last, and all have as long as a piece may take.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from honcho.manager import Manager
from honcho.printer import Message, Printer

from deploy.parent_death import dying_with_parent

GRACE = 30.0  # seconds from the first TERM to KILL


class Death(NamedTuple):
    """A process that ended unasked: its exit status, negative for a signal, and the last line that it wrote."""

    name: str
    status: int
    last_line: str


class Farm(Manager):  # type: ignore[misc]  # honcho has no types
    """Starts processes, prints their lines, and ends them all, in order, when one dies or a signal comes."""

    def __init__(self, printer: Printer, foundation: str, when_started: Callable[[], None]) -> None:
        """
        Args:
            foundation: name of the process that ends after all others; it need not be there.
            when_started: called once, from `loop`, when all processes have been started.
        """
        super().__init__(printer)
        self.events: Any = _Watched(self.events, self._observe)
        self.died: Death | None = None
        self._foundation = foundation
        self._when_started = when_started
        self._to_start: set[str] = set()
        self._last_lines: dict[str, str] = {}  # by name
        self._running: dict[str, int] = {}  # process id, which is its group's too, by name
        self._asked: set[str] = set()  # to end
        self._ending_since: float | None = None

    def add(self, name: str, command: tuple[str, ...], env: dict[str, str], cwd: str) -> None:
        """Add a process; `loop` starts it."""
        self._to_start.add(name)
        self.add_process(name, f"exec {shlex.join(dying_with_parent(command))}", env=env, cwd=cwd)

    def terminate(self) -> None:
        """Begin the end. honcho calls this from its signal handlers, and when a process has stopped."""
        if self._ending_since is None:
            self._ending_since = time.monotonic()
            self._ask_next()

    def kill(self) -> None:
        """honcho calls this again and again once its own, shorter, patience is over."""
        if self._ending_since is not None and time.monotonic() > self._ending_since + GRACE:
            self.kill_now()

    def kill_now(self) -> None:
        """Kill whatever still runs, with its children."""
        for group in list(self._running.values()):
            _signal(os.killpg, group, signal.SIGKILL)

    def announce(self, line: str) -> None:
        """Print a line of the launcher's own among those of the processes; any thread may."""
        self.events.put(Message("line", line, self._clock.now(), "system", None))

    def _observe(self, event: Message) -> None:
        """See each event before honcho does."""
        if event.type == "start":
            self._running[event.name] = event.data["pid"]
            self._to_start.discard(event.name)
            if not self._to_start:
                self._when_started()
        elif event.type == "line" and event.name is not None:
            if line := _text(event.data).strip():
                self._last_lines[event.name] = line
        elif event.type == "stop":
            del self._running[event.name]
            if self._ending_since is None and self.died is None:
                self.died = Death(event.name, event.data["returncode"], self._last_lines.get(event.name, ""))
        if self._ending_since is not None:
            self._ask_next()

    def _ask_next(self) -> None:
        """Ask all but the foundation to end, and the foundation once it is alone."""
        others = self._running.keys() - {self._foundation}
        for name in others or (self._running.keys() if not self._to_start else ()):
            if name not in self._asked:
                self._asked.add(name)
                _signal(os.kill, self._running[name], signal.SIGTERM)


class _Watched:
    """The manager's queue of events, where each is shown to ``observe`` on its way out."""

    def __init__(self, events: Any, observe: Callable[[Message], None]) -> None:
        self._events = events
        self._observe = observe
        self.put = events.put

    def get(self, timeout: float) -> Message:
        event = self._events.get(timeout=timeout)
        self._observe(event)
        return event


def _text(line: str | bytes) -> str:
    return line if isinstance(line, str) else line.decode("utf-8", "replace")


def _signal(send: Callable[[int, int], None], target: int, number: signal.Signals) -> None:
    try:
        send(target, number)
    except ProcessLookupError:
        return  # it has ended; honcho's word of it is on the way
