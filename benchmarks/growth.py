"""How cost grows: with worker processes, with the depth of the queue, and in Redis with each job."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from redis import Redis

from benchmarks import machine
from benchmarks.bare import bare
from benchmarks.base_model import base_model, prepared
from benchmarks.client import Client
from benchmarks.farm import farm
from benchmarks.load import Load, body, closed_loop
from benchmarks.options import Options, parse
from benchmarks.report import Report
from benchmarks.simulated_node import ServiceTime
from benchmarks.texts import sentences
from shared.formats import TextResult
from shared.job_store import JobStore
from shared.piece_stream import PieceResult, PieceStream
from shared.settings import BUNDLED_MODEL, BackendName
from tests.support.farm import Farm

REAL_WORKERS = (1, 2)
SIMULATED_WORKERS = (1, 2, 4, 8)
JOBS = "/api/v1/jobs"
# Of a text whose job is weighed in Redis.
CHARS = (10, 35)
# Connections that fill the queue.
FILLERS = 8
NO_TIME = ServiceTime([0], [0.0])
# Between two looks at how many jobs are open.
LOOK = 0.25

# Clients for each worker process: one whose job runs, the others' wait.
CLIENTS = 4

METHOD = """Workers: BERT-base size, INT8, no cache, one sentence a job, {clients} clients for each worker process that
post and wait; texts a second, medians of {rounds} rounds after a warm-up. Really: two farms side by side, of 1 and of 2
worker processes, in turn. By simulation: the real node, Celery and Redis, but the engine sleeps for as long as it took
a bare process, alone on the machine, for a text of that length; the stack has this machine's cores for itself then, as
where the worker nodes are on others. Depth: the bundled model, jobs of one text of {chars} characters posted by
{fillers} clients while no node runs, up to each depth; there, {repeats} times, one more is posted by a client alone,
the oldest piece is taken from the queue as a worker process would, and finished with no entities; medians. Then a node
of 2 worker processes whose engine takes no time does all that waits. Memory: Redis's used_memory, but for the buffers
of its connections, with all those jobs waiting, and again when all are done, less what it was before, for each job; a
waiting job is its record, its text, its piece and its place in the queue, a finished one its record, its text and its
result of one entity. RANER_JOB_TTL is its default, so none expires meanwhile."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: seconds and rounds of each number of workers; depths, repeats at each; jobs weighed."""

    seconds: float
    rounds: int
    depths: tuple[int, ...]
    repeats: int
    weighed: int


@dataclass(frozen=True)
class Depth:
    """What it costs at a depth, in seconds; and jobs a second that were posted to fill the queue up to it."""

    pieces: int
    submit: float
    take: float
    finish: float
    filled: float


class Drained:
    """How many jobs were still open, and when (seconds by the monotonic clock), while a queue was emptied."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}  # by jobs open, ever fewer: when they were so many for the last time

    def look(self, when: float, still_open: int) -> None:
        """Note that so many were open."""
        self._last[still_open] = when

    @property
    def rates(self) -> list[tuple[float, float]]:
        """(jobs open in the middle of a stretch, jobs a second in it), from one look to the next."""
        return [
            ((more + fewer) / 2, (more - fewer) / (later - sooner))
            for (more, sooner), (fewer, later) in pairwise(self._last.items())
        ]

    def rate(self, most: int, least: int) -> float:
        """Jobs a second from ``most`` open ones to ``least``."""
        ascending = sorted(self._last.items())
        seconds = np.interp([least, most], [still for still, _ in ascending], [when for _, when in ascending])
        return (most - least) / float(seconds[0] - seconds[1])


@dataclass(frozen=True)
class Weight:
    """Bytes of Redis for each job, and what was found on the way."""

    waiting: float
    finished: float
    depths: list[Depth]
    drained: Drained


def measure(options: Options) -> Report:
    """Measure workers, depths and memory."""
    effort = (
        Effort(2.0, 1, (0, 100, 1_000), 10, 500)
        if options.quick
        else Effort(8.0, 3, (0, 1_000, 10_000, 100_000), 50, 10_000)
    )
    report = Report(
        "growth",
        "How cost grows",
        METHOD.format(clients=CLIENTS, rounds=effort.rounds, chars=max(CHARS), fillers=FILLERS, repeats=effort.repeats),
        machine.describe(),
    )
    _workers(report, options, effort)
    _queue(report, options, effort)
    return report


def _workers(report: Report, options: Options, effort: Effort) -> None:
    model = base_model(options.work)
    texts = sentences(options, 60 if options.quick else 400)
    with bare(prepared(model, BackendName.ONNX_INT8, options), 1) as alone:
        times = ServiceTime.recorded(texts, alone.run(texts).call_seconds)
    a_second = len(texts) / sum(map(times.of, texts))

    real: dict[int, float] = {}
    with ExitStack() as stack:
        farms = {
            workers: stack.enter_context(farm(options, model, RANER_WORKERS=str(workers), RANER_CACHE_TTL="0"))
            for workers in REAL_WORKERS
        }
        rates: dict[int, list[float]] = {workers: [] for workers in farms}
        for number in range(effort.rounds + 1):
            for workers, running in farms.items():
                load = _load(running, texts, workers, a_second, effort.seconds)
                if number:  # the first is the warm-up
                    rates[workers].append(load.rate)
        real = {workers: median(found) for workers, found in rates.items()}

    simulated: dict[int, float] = {}
    for workers in SIMULATED_WORKERS:
        with _simulated(options, model, times, workers) as running:
            _load(running, texts, workers, a_second, effort.seconds / 4)
            found = [_load(running, texts, workers, a_second, effort.seconds).rate for _ in range(effort.rounds)]
            simulated[workers] = median(found)

    most = max(SIMULATED_WORKERS)
    report.ratio("2 worker processes over 1, BERT-base size", real[2] / real[1])
    report.ratio("1 simulated worker process over a real one", simulated[1] / real[1])
    report.ratio(f"{most} simulated worker processes over 1", simulated[most] / simulated[1])
    report.ratio(f"{most} simulated worker processes over {most} bare engines", simulated[most] / (most * a_second))
    report.table(
        f"Texts a second by worker processes; a bare engine alone does {a_second:,.1f}",
        ("", "workers", "texts/s", "over 1", "over as many bare engines"),
        [
            [name, workers, rate, rate / found[1], rate / (workers * a_second)]
            for name, found in (("real", real), ("simulated", simulated))
            for workers, rate in found.items()
        ],
    )
    report.plot(
        "worker processes, BERT-base size, one text a job",
        "worker processes",
        "texts a second",
        {
            "real": (list(real), list(real.values())),
            "simulated": (list(simulated), list(simulated.values())),
            "as many bare engines": (SIMULATED_WORKERS, [workers * a_second for workers in SIMULATED_WORKERS]),
        },
    )
    report.data["texts/s"] = {"bare": a_second, "real": real, "simulated": simulated}
    report.data["service time"] = {"characters": list(times.lengths), "seconds": list(times.seconds)}


def _load(running: Farm, texts: Sequence[str], workers: int, a_second: float, seconds: float) -> Load:
    """As many jobs as so many workers are expected to do in so many seconds."""
    number = max(CLIENTS * workers, int(workers * a_second * seconds))
    load = closed_loop(
        running.url,
        f"{JOBS}?wait=30",
        [body(texts[index % len(texts)]) for index in range(number)],
        CLIENTS * workers,
    )
    statuses = {sample.status for sample in load.samples}
    if statuses != {200}:
        raise RuntimeError(f"jobs were answered with {sorted(statuses)}, where each should have ended (200)")
    return load


@contextmanager
def _simulated(options: Options, model: Path, times: ServiceTime, workers: int) -> Iterator[Farm]:
    """A farm whose worker node is a simulated one."""
    with farm(options, model, RANER_WORKERS=str(workers), RANER_CACHE_TTL="0") as running:
        _stop_workers(running)
        _start_simulated(running, model, times)
        running.wait_ready()
        yield running


def _stop_workers(running: Farm) -> None:
    for name in running.workers:
        running.stop(name)


def _start_simulated(running: Farm, model: Path, times: ServiceTime) -> None:
    """Start a simulated node in the place of the farm's own."""
    (name,) = running.workers
    file = running.folder / "times.json"
    times.write(file)
    command = (sys.executable, "-m", "benchmarks.simulated_node", "--model", model.name, "--times", str(file))
    running.start_as(name, command)


def _queue(report: Report, options: Options, effort: Effort) -> None:
    texts = [text for text in sentences(options, 2_000) if len(text) >= max(CHARS)]
    weights = {}
    for chars in CHARS:
        depths = effort.depths if chars == max(CHARS) else (effort.weighed,)
        weights[chars] = _fill_and_drain(options, [text[:chars] for text in texts], depths, effort.repeats)
    found = weights[max(CHARS)]

    deepest, empty = found.depths[-1], found.depths[0]
    for what in ("submit", "take", "finish"):
        report.ratio(
            f"to {what} one job at depth {deepest.pieces:,} over depth {empty.pieces:,}",
            getattr(deepest, what) / getattr(empty, what),
        )
    for chars, weight in weights.items():
        report.ratio(f"Redis memory, a waiting job of {chars} characters", weight.waiting, unit="bytes")
        report.ratio(f"Redis memory, a finished job of {chars} characters", weight.finished, unit="bytes")
    report.table(
        "By depth of the queue, milliseconds of one job",
        ("pieces waiting", "submit (HTTP)", "take", "finish", "jobs/s posted up to it"),
        [
            [depth.pieces, 1000 * depth.submit, 1000 * depth.take, 1000 * depth.finish, depth.filled]
            for depth in found.depths
        ],
    )
    rates = found.drained.rates
    report.table(
        "Jobs a second that a node of 2 worker processes does, the engine taking no time",
        ("jobs waiting", "jobs/s"),
        [
            [f"{most:,} to {least:,}", found.drained.rate(most, least)]
            for least, most in reversed(list(pairwise(effort.depths)))
        ],
    )
    where = [depth.pieces + 1 for depth in found.depths]
    report.plot(
        "one job, by depth of the queue",
        "pieces waiting + 1",
        "milliseconds",
        {
            name: (where, [1000 * getattr(depth, name) for depth in found.depths])
            for name in ("submit", "take", "finish")
        },
        log_x=True,
    )
    report.plot(
        "a queue is emptied",
        "jobs waiting",
        "jobs a second",
        {"2 worker processes": ([waiting for waiting, _ in rates], [rate for _, rate in rates])},
    )
    report.data["depths"] = [vars(depth) for depth in found.depths]
    report.data["jobs a second by open jobs"] = rates
    report.data["bytes of a job"] = {
        chars: {"waiting": weight.waiting, "finished": weight.finished} for chars, weight in weights.items()
    }


def _fill_and_drain(options: Options, texts: Sequence[str], depths: Sequence[int], repeats: int) -> Weight:
    """Fill a queue that nobody works at, measure at each depth, then have it emptied."""
    model = BUNDLED_MODEL
    with (
        farm(options, model, RANER_WORKERS="2", RANER_CACHE_TTL="0") as running,
        Redis.from_url(running.redis.url) as redis,
    ):
        closed_loop(running.url, f"{JOBS}?wait=30", [body(text) for text in texts[:200]], FILLERS)
        _stop_workers(running)
        jobs, queue = JobStore(redis), PieceStream(redis, model.name, "benchmark")
        bodies = [body(text) for text in texts]
        before, filled, found = _memory(redis), 0, []
        for depth in depths:
            missing = depth - jobs.load(model.name)[0]
            rate = 0.0
            if missing > 0:
                requests = [bodies[(filled + number) % len(bodies)] for number in range(missing)]
                rate = _accepted(closed_loop(running.url, JOBS, requests, FILLERS))
                filled += missing
            found.append(_at_depth(running, queue, bodies, depth, rate, repeats))
        waiting = (_memory(redis) - before) / depths[-1]

        _start_simulated(running, model, NO_TIME)
        drained = Drained()
        while (still := jobs.count_open(model.name)) > 0:
            drained.look(time.monotonic(), still)
            time.sleep(LOOK)
        drained.look(time.monotonic(), 0)
        # Those that were finished one by one at the depths are among them.
        finished = (_memory(redis) - before) / (filled + len(depths) * repeats)
    return Weight(waiting, finished, found, drained)


def _at_depth(
    running: Farm, queue: PieceStream, bodies: Sequence[bytes], depth: int, filled: float, repeats: int
) -> Depth:
    """Submit, take and finish one job after the other, so that the depth stays."""
    submit, take, finish = [], [], []
    with Client(running.url) as client:
        for number in range(repeats):
            began = time.perf_counter()
            answer = client.post(JOBS, bodies[number % len(bodies)])
            submitted = time.perf_counter()
            assert answer.status == 202, answer.body
            (piece,) = queue.take(most=1, room=0).pieces
            taken = time.perf_counter()
            result = TextResult((), "benchmark")
            queue.finish([PieceResult(piece, {0: result}, {})])
            finish.append(time.perf_counter() - taken)
            submit.append(submitted - began)
            take.append(taken - submitted)
    return Depth(depth, median(submit), median(take), median(finish), filled)


def _accepted(load: Load) -> float:
    """Jobs a second, all of which have to be accepted."""
    statuses = {sample.status for sample in load.samples}
    if statuses != {202}:
        raise RuntimeError(f"jobs were answered with {sorted(statuses)}, where each should wait (202)")
    return load.rate


def _memory(redis: Redis) -> int:
    """Bytes that Redis uses, but for its connections' buffers, once it is not rewriting its append-only file."""
    while redis.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(LOOK)
    memory = redis.info("memory")
    return int(memory["used_memory"] - memory["mem_clients_normal"] - memory["mem_aof_buffer"])


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
