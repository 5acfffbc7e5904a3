"""Keeps the processes of a farm running on one machine, and ends them in order.

A process that ended is started again after a pause (`deploy.restarts`). If one ends again and again without ever being
well, all are ended. Redis ends after all others: a Celery worker that has lost its Redis cannot hand its pieces back.
While the others end, Redis is still started again if it dies.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.parent_death import dying_with_parent
from deploy.printer import LAUNCHER, Printer
from deploy.processes import FarmProcess
from deploy.restarts import MOST_FAILURES, Restarts

GRACE = 30.0  # seconds from TERM to KILL
POLL = 0.25  # seconds between two looks at processes that are not well yet
LONGEST_LINE = 65_536  # bytes


class Failure(NamedTuple):
    """A process that could not be kept running, and why."""

    name: str
    how: str
    last_line: str


class Kept:
    """One process, through all its starts."""

    def __init__(self, process: FarmProcess, say: Callable[[str, str], None]) -> None:
        self.process = process
        self.restarts = Restarts()
        self.last_line = ""
        self.well = False
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._say = say
        self._popen: subprocess.Popen[bytes] | None = None
        self._unfinished = b""

    @property
    def name(self) -> str:
        """Its name."""
        return self.process.name

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._popen is not None

    def start(self, environment: dict[str, str], folder: Path) -> None:
        """Start it, in a process group of its own.

        The kernel ends it with the thread that starts it, so that has to be the launcher's main one.
        """
        self.well = False
        self.ended = asyncio.get_running_loop().create_future()
        self._popen = subprocess.Popen(
            dying_with_parent(self.process.command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.set_blocking(self._output, False)
        asyncio.get_running_loop().add_reader(self._output, self._read)
        self._say(LAUNCHER, f"{self.name} started (pid={self._popen.pid})")

    def ask_to_end(self) -> None:
        """Send TERM to the process; it tells its children itself."""
        if self._popen is not None:
            self._popen.terminate()

    def kill(self) -> None:
        """End the process and its children at once."""
        if self._popen is not None:
            _kill_group(self._popen.pid)

    def look(self) -> None:
        """Notice if it has ended."""
        if self._popen is None or (status := self._popen.poll()) is None:
            return
        # Children of a process that was killed may still hold its port.
        _kill_group(self._popen.pid)
        while self._read():
            pass
        if self._unfinished:
            self._print(self._unfinished)
            self._unfinished = b""
        asyncio.get_running_loop().remove_reader(self._output)
        assert self._popen.stdout is not None  # noqa: S101 - a pipe
        self._popen.stdout.close()
        self._popen = None
        self._say(LAUNCHER, f"{self.name} stopped (rc={status})")
        self.ended.set_result(status)

    @property
    def _output(self) -> int:
        assert self._popen is not None  # noqa: S101 - only asked of a process that has been started
        assert self._popen.stdout is not None  # noqa: S101 - a pipe
        return self._popen.stdout.fileno()

    def _read(self) -> bool:
        """Print what it has written. Returns whether there was anything."""
        try:
            data = os.read(self._output, LONGEST_LINE)
        except BlockingIOError:
            return False
        if not data:  # it has closed its output
            asyncio.get_running_loop().remove_reader(self._output)
            return False
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        if len(self._unfinished) >= LONGEST_LINE:
            lines.append(self._unfinished)
            self._unfinished = b""
        for line in lines:
            self._print(line)
        return True

    def _print(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        self.last_line = text.strip() or self.last_line
        self._say(self.name, text)


class Supervisor:
    """Runs processes until a signal comes, or until one of them cannot be kept running."""

    def __init__(
        self,
        processes: Sequence[FarmProcess],
        foundation: str,
        environment: dict[str, str],
        folder: Path,
        printer: Printer,
    ) -> None:
        """
        Args:
            foundation: name of the process that ends after all others; it need not be there.
        """
        self._processes = processes
        self._foundation = foundation
        self._environment = environment
        self._folder = folder
        self._printer = printer
        self._kept: list[Kept] = []
        self._failure: Failure | None = None
        self._heard = True  # whether somebody reads the output

    async def run(self, when_ready: Callable[[], str]) -> Failure | None:
        """Start all processes, and return when all have ended: asked to by INT, TERM or HUP, or after a failure.

        Args:
            when_ready: called whenever all processes have become well, for the line to print.
        """
        loop = asyncio.get_running_loop()
        self._ending, self._alone, self._started = asyncio.Event(), asyncio.Event(), asyncio.Event()
        loop.add_signal_handler(signal.SIGCHLD, self._look)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                loop.add_signal_handler(number, self._end)
        self._kept = [Kept(process, self._print) for process in self._processes]
        others = [kept for kept in self._kept if kept.name != self._foundation]
        foundation = [kept for kept in self._kept if kept.name == self._foundation]
        helpers = [
            loop.create_task(self._tell_when_ready(when_ready)),
            loop.create_task(_kill_after_grace(self._ending, others)),
            loop.create_task(_kill_after_grace(self._alone, foundation)),
        ]
        try:
            keeping = [loop.create_task(self._keep(kept, self._alone)) for kept in foundation]
            await asyncio.gather(*(self._keep(kept, self._ending) for kept in others))
            self._alone.set()
            for kept in foundation:
                kept.ask_to_end()
            await asyncio.gather(*keeping)
        finally:
            for helper in helpers:
                helper.cancel()
            for kept in self._kept:
                kept.kill()  # nothing is left, unless the supervisor itself failed
        return self._failure

    async def _keep(self, kept: Kept, over: asyncio.Event) -> None:
        """Run a process again and again until ``over``."""
        while not over.is_set():
            began = time.monotonic()
            try:
                kept.start(self._environment, self._folder)
            except OSError as error:
                how = f"could not be started ({error.strerror})"
            else:
                self._started.set()
                how = f"ended with {_explain(await kept.ended)}"
            if over.is_set():
                return
            pause = kept.restarts.pause_after(time.monotonic() - began)
            if pause is None:
                self._give_up(kept, how)
                return
            self._print(LAUNCHER, f"{kept.name} {how}; starting it again in {pause:g} s")
            await self._ends_within(pause)

    def _give_up(self, kept: Kept, how: str) -> None:
        if self._failure is None:
            self._failure = Failure(
                kept.name, f"{how}, {MOST_FAILURES} times without being well in between", kept.last_line
            )
        self._end()

    def _end(self) -> None:
        """Begin the end: ask all but the foundation."""
        if self._ending.is_set():
            return
        self._ending.set()
        for kept in self._kept:
            if kept.name != self._foundation:
                kept.ask_to_end()

    async def _tell_when_ready(self, when_ready: Callable[[], str]) -> None:
        """Say so whenever all processes have become well."""
        while True:
            await self._started.wait()
            self._started.clear()
            while not all([await self._is_well(kept) for kept in self._kept]):
                await asyncio.sleep(POLL)
            self._print(LAUNCHER, when_ready())

    async def _is_well(self, kept: Kept) -> bool:
        ended = kept.ended
        if kept.runs and not kept.well and await kept.process.health.passes() and kept.ended is ended and kept.runs:
            kept.well = True
            kept.restarts.well()
        return kept.runs and kept.well

    async def _ends_within(self, seconds: float) -> None:
        """Sleep, but not once the end has begun."""
        try:
            await asyncio.wait_for(self._ending.wait(), seconds)
        except TimeoutError:
            return

    def _look(self) -> None:
        for kept in self._kept:
            kept.look()

    def _print(self, name: str, text: str) -> None:
        if not self._heard:
            return
        try:
            self._printer.line(name, text)
        except OSError:
            self._heard = False
            self._end()


async def _kill_after_grace(asked_to_end: asyncio.Event, processes: Sequence[Kept]) -> None:
    await asked_to_end.wait()
    await asyncio.sleep(GRACE)
    for kept in processes:
        kept.kill()


def _explain(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # all have ended
