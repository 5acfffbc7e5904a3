"""Faults at random times: processes are killed and stopped, connections cut and stalled.

A kind is a function that does one fault on the farm and returns what it was done to, and how it is mended after how
many seconds. It returns None if there is nothing to do it to at that moment.
"""

from __future__ import annotations

import heapq
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from types import TracebackType

import psutil

from tests.soak.farm import REDIS, WEB, SoakFarm
from tests.soak.history import History

Mend = Callable[[], None]


@dataclass(frozen=True)
class Done:
    """A fault that was done to ``target``. ``mend`` has to be called after ``seconds``; None: nothing is to be done."""

    target: str
    seconds: float = 0.0
    mend: Mend | None = None


Kind = Callable[[SoakFarm, Random], Done | None]


def worker_killed(farm: SoakFarm, random: Random) -> Done | None:
    """SIGKILL of a process that a worker node has started."""
    return _kill_child(farm, random.choice(farm.nodes), random)


def worker_stopped(farm: SoakFarm, random: Random) -> Done | None:
    """SIGSTOP of a process that a worker node has started."""
    name = random.choice(farm.nodes)
    children = farm.children(name)
    return _stop([random.choice(children)], name, random.uniform(1, 15)) if children else None


def node_parent_killed(farm: SoakFarm, random: Random) -> Done | None:
    """SIGKILL of a node's first process; its children have to notice."""
    return _end(farm, random.choice(farm.nodes), signal.SIGKILL)


def node_killed(farm: SoakFarm, random: Random) -> Done | None:
    """SIGKILL of all processes of a node, as when its machine dies."""
    return _end(farm, random.choice(farm.nodes), signal.SIGKILL, group=True)


def node_ended(farm: SoakFarm, random: Random) -> Done | None:
    """SIGTERM of a node, as an operator ends it."""
    return _end(farm, random.choice(farm.nodes), signal.SIGTERM)


def node_stopped(farm: SoakFarm, random: Random) -> Done | None:
    """SIGSTOP of all processes of a node, as when its machine hangs."""
    name = random.choice(farm.nodes)
    process = farm.process(name)
    return _stop([process, *farm.children(name)], name, random.uniform(2, 20)) if process else None


def web_process_killed(farm: SoakFarm, random: Random) -> Done | None:
    """SIGKILL of one of gunicorn's children."""
    return _kill_child(farm, WEB, random)


def web_killed(farm: SoakFarm, random: Random) -> Done | None:
    """SIGKILL of gunicorn's first process."""
    return _end(farm, WEB, signal.SIGKILL)


def redis_killed(farm: SoakFarm, random: Random) -> Done | None:
    """SIGKILL of Redis, which is started again on its data."""
    return _end(farm, REDIS, signal.SIGKILL, pause=random.uniform(0.1, 3))


def redis_ended(farm: SoakFarm, random: Random) -> Done | None:
    """SIGTERM of Redis, which is started again on its data."""
    return _end(farm, REDIS, signal.SIGTERM, pause=random.uniform(0.1, 3))


def redis_stopped(farm: SoakFarm, random: Random) -> Done | None:
    """SIGSTOP of Redis."""
    process = farm.process(REDIS)
    return _stop([process], REDIS, random.uniform(0.5, 8)) if process else None


def connections_cut(farm: SoakFarm, random: Random) -> Done | None:
    """All connections to Redis are reset, or some of them."""
    share = random.choice((0.2, 0.5, 1.0))
    farm.proxy.reset(share, random)
    return Done(f"{share:.0%}")


def connections_stalled(farm: SoakFarm, random: Random) -> Done | None:
    """No byte reaches Redis or comes from it, while all connections stay open."""
    farm.proxy.stall()
    return Done("all", random.uniform(0.5, 8), farm.proxy.go_on)


# How often each comes, in proportion.
WEIGHTS: dict[Kind, int] = {
    worker_killed: 30,
    worker_stopped: 8,
    node_parent_killed: 5,
    node_killed: 5,
    node_ended: 4,
    node_stopped: 4,
    web_process_killed: 8,
    web_killed: 3,
    redis_killed: 4,
    redis_ended: 3,
    redis_stopped: 4,
    connections_cut: 6,
    connections_stalled: 5,
}
RESTARTS_OF_REDIS = (redis_killed, redis_ended)


def name_of(kind: Kind) -> str:
    """As the history and the command line have it."""
    return kind.__name__.replace("_", "-")


@dataclass
class Injector:
    """Does faults of ``kinds`` on a farm, on average one in ``every`` seconds, for as long as the context lasts."""

    farm: SoakFarm
    history: History
    kinds: Sequence[Kind]
    every: float
    seed: int
    _to_mend: list[tuple[float, int, str, Done]] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Injector:
        self._thread = ThreadPoolExecutor(1, "faults")
        self._running = self._thread.submit(self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do no further faults, and mend those that last."""
        self._stopped.set()
        self._thread.shutdown()
        self._running.result()

    def _run(self) -> None:
        random = Random(self.seed)
        weights = [WEIGHTS[kind] for kind in self.kinds]
        at = time.monotonic() + random.expovariate(1 / self.every)
        while not self._stopped.wait(max(0.0, min([at, *(due for due, *_ in self._to_mend)]) - time.monotonic())):
            self._mend_due(time.monotonic())
            if time.monotonic() >= at:
                (kind,) = random.choices(self.kinds, weights)
                self._do(kind, Random(random.random()))
                at += max(0.2, random.expovariate(1 / self.every))
        self._mend_due(float("inf"))

    def _do(self, kind: Kind, random: Random) -> None:
        began = time.time()
        try:
            done = kind(self.farm, random)
        except (psutil.NoSuchProcess, BrokenPipeError, ProcessLookupError):
            return  # it has ended in the meantime
        if done is None:
            return
        self.history.write("fault", kind=name_of(kind), target=done.target, began=round(began, 4))
        if done.mend is not None:
            entry = (time.monotonic() + done.seconds, id(done), name_of(kind), done)
            heapq.heappush(self._to_mend, entry)

    def _mend_due(self, now: float) -> None:
        while self._to_mend and self._to_mend[0][0] <= now:
            *_, kind, done = heapq.heappop(self._to_mend)
            assert done.mend is not None
            done.mend()
            self.history.write("mended", kind=kind, target=done.target)


def _kill_child(farm: SoakFarm, name: str, random: Random) -> Done | None:
    children = farm.children(name)
    if not children:
        return None
    random.choice(children).kill()
    return Done(name)


def _end(farm: SoakFarm, name: str, number: int, group: bool = False, pause: float = 0.5) -> Done | None:
    if farm.process(name) is None:
        return None
    farm.end(name, number, group, pause)
    return Done(name)


def _stop(processes: Sequence[psutil.Process], target: str, seconds: float) -> Done:
    for process in processes:
        process.suspend()

    def go_on() -> None:
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # it was killed meanwhile
                process.resume()

    return Done(target, seconds, go_on)
