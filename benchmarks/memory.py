"""Memory of each further worker process, and the time from exec to ready."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import mean, median

import psutil
from redis import Redis

from benchmarks import machine
from benchmarks.base_model import base_model, prepared
from benchmarks.farm import farm, farm_to_start
from benchmarks.load import body, closed_loop
from benchmarks.options import Options, parse
from benchmarks.report import Cell, Report
from benchmarks.texts import long_text, sentences
from shared import registry
from shared.registry import WorkerInfo
from shared.settings import BUNDLED_MODEL, BackendName
from tests.support.farm import Farm

METHOD = """memory: a farm with so many worker processes, INT8, each of which has taken part in recognising sentences
in their natural mix of lengths, {texts} for each process, and then, "after longest windows", texts of {longest}
characters, as many as the network reads at once. Private bytes (USS) are those that no other process has, PSS counts
shared ones too, divided by how many share them; both as the kernel tells them. Private bytes of a further process are
the mean over {many} processes; its PSS is what the node, parent process and all, grows by from {few} to {many}
processes. Start: from exec of python -m workers until all worker processes are in the registry and the node waits for
messages; the model is prepared and in the page cache; medians of {repetitions} starts after one that is not counted.
MB are 1,000,000 bytes."""

# MB of each process of the article's design, as it says itself.
ARTICLE = 1_200.0
GOAL_PRIVATE = 60.0  # MB
GOAL_START = {"base size": 2.5, "bundled": 1.2}  # seconds

LONGEST = 510
TEXTS = 40
# Seconds after which a node that has not started, or texts that nobody has recognised, are given up.
PATIENCE = 60.0
_MB = 1e6

MIX, WINDOWS = "after natural mix", "after longest windows"


@dataclass(frozen=True)
class Memory:
    """Private (USS) and proportional (PSS) MB of processes."""

    private: float
    proportional: float

    @classmethod
    def of(cls, *processes: psutil.Process) -> Memory:
        """What processes have now, together."""
        found = [process.memory_full_info() for process in processes]
        return cls(sum(memory.uss for memory in found) / _MB, sum(memory.pss for memory in found) / _MB)


@dataclass(frozen=True)
class Node:
    """A worker node: its parent process and its worker processes."""

    parent: Memory
    workers: Sequence[Memory]

    @property
    def private(self) -> float:
        """Private MB of a worker process."""
        return mean(worker.private for worker in self.workers)

    @property
    def whole(self) -> float:
        """Proportional MB of the whole node."""
        return sum(memory.proportional for memory in (self.parent, *self.workers))


@dataclass(frozen=True)
class Start:
    """Seconds from exec until the node asked Redis, one and then all of its processes had loaded, and it was ready."""

    asked: float
    one_loaded: float
    all_loaded: float
    ready: float


def measure(options: Options) -> Report:
    """Measure the model of base size and the bundled one."""
    counts = (1, 2) if options.quick else (1, 2, 3, 4)
    repetitions = 2 if options.quick else 5
    few, many = (1, 2) if options.quick else (2, 4)
    method = METHOD.format(texts=TEXTS, longest=LONGEST, few=few, many=many, repetitions=repetitions)
    report = Report("memory", "Memory of a further worker process, and start", method, machine.describe())
    cores = len(os.sched_getaffinity(0))
    for name, source in {"base size": base_model(options.work), "bundled": BUNDLED_MODEL}.items():
        prepared(source, BackendName.ONNX_INT8, options)
        nodes: dict[str, dict[int, Node]] = {MIX: {}, WINDOWS: {}}
        for count in counts:
            with farm(options, source, RANER_WORKERS=str(count), RANER_CACHE_TTL="0") as running:
                recognised = _Recognised(running, count)
                recognised.more(sentences(options, count * TEXTS))
                nodes[MIX][count] = _node(running)
                # Several for each, since nothing says which process takes which.
                recognised.more([long_text(options, LONGEST)] * 8 * count)
                nodes[WINDOWS][count] = _node(running)
                others = _others(running)
        for work, of_work in nodes.items():
            _add_memory(report, f"{name}, {work}", of_work, few, many, goal=name == "base size" and work == MIX)
        report.plot(
            f"A worker node, {name}",
            "worker processes",
            "MB (PSS)",
            {work: (list(of_work), [node.whole for node in of_work.values()]) for work, of_work in nodes.items()},
        )
        rows = [(process, memory.proportional, memory.private) for process, memory in others.items()]
        report.table(f"The other processes, MB, {name}, after all of that", ("", "PSS", "private"), rows)
        starts = {count: _starts(options, source, count, repetitions) for count in sorted({1, cores})}
        _add_starts(report, name, starts, cores)
    return report


class _Recognised:
    """Has a farm recognise texts, until each of its worker processes has taken its part."""

    def __init__(self, running: Farm, workers: int) -> None:
        self._farm = running
        self._workers = workers
        self._sent = 0

    def more(self, texts: Sequence[str]) -> None:
        """Recognise these.

        Raises:
            TimeoutError: a worker process got none, or they were not recognised.
        """
        with Redis.from_url(self._farm.redis.url) as redis:
            before = self._characters(redis)
            deadline = time.monotonic() + PATIENCE
            while True:
                load = closed_loop(self._farm.url, "/ner", [body(text) for text in texts], 2 * self._workers)
                assert not load.failed, f"{load.failed} requests failed"
                self._sent += sum(map(len, texts))
                # What they have done is known with their next heartbeat.
                while sum((after := self._characters(redis)).values()) < self._sent:
                    _wait(deadline, "the texts are not recognised")
                if len(after) == self._workers and all(after[name] > before.get(name, 0) for name in after):
                    return
                _wait(deadline, "a worker process has got no text")

    @staticmethod
    def _characters(redis: Redis) -> dict[str, int]:
        return {worker.id: worker.characters for worker in _live(redis)}


def _live(redis: Redis) -> list[WorkerInfo]:
    """The live worker processes of all models."""
    return [worker for crew in registry.crews(redis, list(registry.models(redis))).values() for worker in crew.workers]


def _node(running: Farm) -> Node:
    parent, workers = _node_processes(running)
    return Node(Memory.of(parent), [Memory.of(worker) for worker in workers])


def _node_processes(running: Farm) -> tuple[psutil.Process, list[psutil.Process]]:
    """The node's parent process, and those of its children that the registry knows as worker processes."""
    (name,) = running.workers
    with Redis.from_url(running.redis.url) as redis:
        ids = {worker.pid for worker in _live(redis)}
    workers = [child for child in running.children(name) if child.pid in ids]
    assert len(workers) == len(ids), "worker processes that are no children of the node"
    return psutil.Process(running.processes[name].pid), workers


def _others(running: Farm) -> dict[str, Memory]:
    """Each process of the farm's but the worker processes, with its own children."""
    parent, workers = _node_processes(running)
    with Redis.from_url(running.redis.url) as redis:
        found = {"Redis": Memory.of(psutil.Process(int(redis.info("server")["process_id"])))}
    found["worker node's parent process"] = Memory.of(parent)
    helpers = [child for child in parent.children(recursive=True) if child not in workers]
    if helpers:
        found["worker node's other processes"] = Memory.of(*helpers)
    for name in running.processes.keys() - set(running.workers):
        found[name] = Memory.of(psutil.Process(running.processes[name].pid), *running.children(name))
    return found


def _starts(options: Options, source: Path, workers: int, repetitions: int) -> list[Start]:
    with farm_to_start(options, source, RANER_WORKERS=str(workers)) as made:
        return [_start(made, workers) for _ in range(repetitions + 1)][1:]


def _start(made: Farm, workers: int) -> Start:
    """Start the node, see it become ready, and stop it."""
    (name,) = made.workers
    with Redis.from_url(made.redis.url) as redis:
        connections = _connections(redis)
        began = time.monotonic()
        made.start(name)

        def reached(state: Callable[[], bool]) -> float:
            while not state():
                _wait(began + PATIENCE, "the node has not started", pause=0.003)
            return time.monotonic() - began

        start = Start(
            asked=reached(lambda: _connections(redis) > connections),
            one_loaded=reached(lambda: len(_live(redis)) > 0),
            all_loaded=reached(lambda: len(_live(redis)) == workers),
            # Nobody else is here who could wait for a message.
            ready=reached(lambda: redis.info("clients")["blocked_clients"] > 0),
        )
    made.stop(name)
    return start


def _connections(redis: Redis) -> int:
    """How many connections Redis has taken so far."""
    return int(redis.info("stats")["total_connections_received"])


def _wait(deadline: float, otherwise: str, pause: float = 0.1) -> None:
    """Wait a little. Raises TimeoutError once the deadline has passed."""
    if time.monotonic() > deadline:
        raise TimeoutError(f"{otherwise} within {PATIENCE:.0f} s")
    time.sleep(pause)


def _add_memory(report: Report, what: str, nodes: Mapping[int, Node], few: int, many: int, goal: bool) -> None:
    report.ratio(
        f"private bytes of a further worker process, {what}",
        nodes[many].private,
        GOAL_PRIVATE if goal else None,
        at_least=False,
        unit="MB",
    )
    grown = (nodes[many].whole - nodes[few].whole) / (many - few)
    report.ratio(f"PSS of a further worker process, {what}", grown, unit="MB")
    if goal:
        report.ratio(f"the article's 1.2 GB an instance over that, {what}", ARTICLE / grown)
    rows: list[list[Cell]] = []
    for count, node in nodes.items():
        shares = [mean(worker.proportional for worker in node.workers), node.private, node.parent.private, node.whole]
        rows.append([count, *shares])
    header = ("worker processes", "PSS of each", "private of each", "private of the parent", "PSS of the whole node")
    report.table(f"MB, {what}", header, rows)
    report.data[f"memory, {what}"] = {count: asdict(node) for count, node in nodes.items()}


def _add_starts(report: Report, name: str, starts: Mapping[int, Sequence[Start]], cores: int) -> None:
    rows: list[list[Cell]] = []
    for count, of_count in starts.items():
        middle = [median(getattr(start, field.name) for start in of_count) for field in fields(Start)]
        rows.append([count, *middle])
        if count == cores:
            what = f"exec to ready, {name}, {count} worker processes"
            report.ratio(what, middle[-1], GOAL_START[name], at_least=False, unit="s")
    header = ("worker processes", "asks Redis", "first has loaded", "all have loaded", "ready")
    report.table(f"Seconds from exec until the node …, {name}", header, rows)
    report.data[f"start, {name}"] = {count: [asdict(start) for start in of] for count, of in starts.items()}


if __name__ == "__main__":
    _options = parse(__doc__)
    measure(_options).write(_options.out)
