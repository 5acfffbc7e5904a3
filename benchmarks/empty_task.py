"""Empty Celery tasks a second: sent by one process, done by two, over a Redis as the farm has it."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from celery import Celery

from shared.settings import PROJECT_ROOT
from tests.support.redis_server import RedisServer

_PREFORK = "prefork, one task a message"

# As in benchmarks.empty_app, which only a node can import.
_ONE, _LIST, _COUNTERS = "empty.one", "empty.list", 16
# A node's counters: more than it has processes.
_OF_NODE = 8
_LEAN = ("--without-gossip", "--without-mingle", "--without-heartbeat")
_READY_WITHIN = 60.0  # seconds
# Tasks that are done before the clock starts.
_WARM_UP = 200


@dataclass(frozen=True)
class Way:
    """A way to run Celery: how the nodes are started, and how their messages are taken.

    ``kind``: what its pool does. ``nodes`` of ``arguments`` have two worker processes together. ``prefetch``: messages
    that a worker process may hold, 0 for any number; ``together``: those that are handed over as one list, 0 for none.
    """

    kind: str
    name: str
    arguments: tuple[str, ...]
    nodes: int = 1
    prefetch: int = 1
    late: bool = False
    together: int = 0


_TWO, _FAIR, _SOLO = ("--concurrency=2",), ("--concurrency=2", "-O", "fair", *_LEAN), ("--pool=solo", *_LEAN)
WAYS = (
    Way(_PREFORK, "Celery's defaults, no events", _TWO, prefetch=4),
    Way(_PREFORK, "as the farm has it: fair, prefetch 1, late acknowledgement", _FAIR, late=True),
    Way(_PREFORK, "fair, prefetch 1", _FAIR),
    Way(_PREFORK, "fair, prefetch 64", _FAIR, prefetch=64),
    Way(_PREFORK, "not fair, prefetch without limit", (*_TWO, *_LEAN), prefetch=0),
    Way("prefork, lists of messages", "lists of 20", _FAIR, prefetch=100, together=20),
    Way("prefork, lists of messages", "lists of 100", _FAIR, prefetch=500, together=100),
    Way("no pool", "2 nodes without a pool, prefetch 1", _SOLO, nodes=2),
    Way("no pool", "2 nodes without a pool, prefetch 64", _SOLO, nodes=2, prefetch=64),
)


@dataclass(frozen=True)
class Done:
    """Empty tasks a second, from the first one sent to the last one done; and how many a second were sent meanwhile."""

    rate: float
    sent: float


class EmptyTasks:
    """A Redis of its own, and Celery nodes for as long as a way is tried."""

    def __init__(self, redis: RedisServer, folder: Path) -> None:
        self._redis = redis
        self._folder = folder
        self._file = folder / "counts"
        self._file.write_bytes(bytes(8 * _COUNTERS))
        with self._file.open("r+b") as file:
            self._counts = memoryview(mmap.mmap(file.fileno(), 8 * _COUNTERS)).cast("Q")
        self._client = Celery("empty-client", broker=redis.url)

    def run(self, way: Way, tasks: int) -> Done:
        """Send so many tasks, as fast as it goes, to nodes that do them meanwhile.

        Raises:
            RuntimeError: the nodes did not get ready, or lost tasks.
        """
        for counter in range(_COUNTERS):
            self._counts[counter] = 0
        with ExitStack() as stack:
            for number in range(way.nodes):
                stack.enter_context(self._node(way, number))
            connection = stack.enter_context(self._client.connection_for_write())
            producer = stack.enter_context(self._client.amqp.Producer(connection))
            task = _LIST if way.together else _ONE

            def send(number: int) -> None:
                for _ in range(number):
                    self._client.send_task(task, producer=producer, ignore_result=True, retry=False)

            send(_WARM_UP)
            self._wait_for(_WARM_UP)
            began = time.perf_counter()
            send(tasks)
            sent = time.perf_counter()
            self._wait_for(_WARM_UP + tasks)
            return Done(tasks / (time.perf_counter() - began), tasks / (sent - began))

    def _wait_for(self, tasks: int) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while sum(self._counts) < tasks:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{sum(self._counts)} empty tasks of {tasks} were done within {_READY_WITHIN:.0f} s")
            time.sleep(0.002)

    @contextmanager
    def _node(self, way: Way, number: int) -> Iterator[None]:
        environment = {
            **os.environ,
            "EMPTY_BROKER": self._redis.url,
            "EMPTY_COUNTS": str(self._file),
            "EMPTY_FIRST": str(number * _OF_NODE),
            "EMPTY_PREFETCH": str(way.prefetch),
            "EMPTY_LATE": str(int(way.late)),
            "EMPTY_TOGETHER": str(way.together),
        }
        command = (sys.executable, "-m", "celery", "--app=benchmarks.empty_app", "worker", "--loglevel=ERROR")
        with (self._folder / "nodes.log").open("ab") as log:
            process = subprocess.Popen(
                (*command, f"--hostname=empty{number}@benchmark", *way.arguments),
                cwd=PROJECT_ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def empty_tasks() -> Iterator[EmptyTasks]:
    """What runs empty tasks, with a Redis that keeps its log as the farm's does."""
    with tempfile.TemporaryDirectory(prefix="raner-empty-") as folder:
        redis = RedisServer(Path(folder) / "redis")
        redis.start()
        try:
            yield EmptyTasks(redis, Path(folder))
        finally:
            redis.stop()
