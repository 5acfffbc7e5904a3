"""What the stack costs: texts a second through HTTP, Redis and Celery, over the same engine with nothing around it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from benchmarks import machine
from benchmarks.bare import Bare, bare
from benchmarks.base_model import base_model, prepared
from benchmarks.empty_task import WAYS, Done, EmptyTasks, Way, empty_tasks
from benchmarks.farm import farm
from benchmarks.load import Load, body, closed_loop
from benchmarks.options import Options, parse
from benchmarks.report import Cell, Report
from benchmarks.texts import sentences, short
from benchmarks.usage import cpu_seconds, parts_of
from shared.settings import BUNDLED_MODEL, BackendName
from tests.support.farm import Farm

PROCESSES = 2
JOBS = "/api/v1/jobs?wait=30"
# Texts of a call of the bare engine: as the article calls it, and as many as it decodes together.
TOGETHER = (1, 64)
SHORT_CHARS = 35
CLIENT = "client"

METHOD = """The farm ({processes} worker processes of one thread, INT8, no cache, everything else as it comes) and
{processes} bare processes, which load the same prepared folder and recognise the same texts in a loop, are up side by
side, and whoever is not measured is idle. A round is the bare processes (in calls of 1 and of 64 texts), then the farm
with each number of clients; figures are medians of {rounds} rounds. The farm's clients each post a job to {path} and
send the next as soon as the answer with the results came; a rate counts all texts from the first request to the last
answer, after a warm-up. The clients, Redis and Flower run on the same cores. A ratio takes the best number of clients
and the bare processes' faster way. Empty tasks: a Celery app of its own over a Redis with the same append-only log,
sent by one process over one connection while two worker processes do them, counted from the first one sent to the last
one done; each way is tried in each round beside the farm. The tasks have no HTTP, no record and no result, and the
jobs have the engine, whose own share the last ratio shows."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: texts at base size, at the bundled size, jobs of one short text, empty tasks; rounds."""

    base_texts: int
    texts: int
    short_jobs: int
    empty_tasks: int
    rounds: int


@dataclass(frozen=True)
class Case:
    """A load: texts, how many of them a job has, with how many clients it is tried; and the efficiency to reach."""

    name: str
    texts: Sequence[str]
    texts_a_job: int
    clients: tuple[int, ...]
    goal: float | None = None

    @property
    def bodies(self) -> list[bytes]:
        """A request for each job."""
        if self.texts_a_job == 1:
            return [body(text) for text in self.texts]
        starts = range(0, len(self.texts), self.texts_a_job)
        return [body(self.texts[start : start + self.texts_a_job]) for start in starts]


@dataclass
class Found:
    """What the rounds of a case gave: texts a second of the bare engine by texts of a call, of the farm by clients.

    ``cpu``: processor seconds of the farm's parts and the clients, over all rounds, for ``texts`` texts.
    """

    case: Case
    bare: dict[int, list[float]] = field(default_factory=dict)
    farm: dict[int, list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    texts: int = 0

    @property
    def bare_rate(self) -> float:
        """Of the faster way to call it."""
        return max(map(median, self.bare.values()))

    @property
    def farm_rate(self) -> float:
        """With the best number of clients."""
        return max(map(median, self.farm.values()))

    @property
    def efficiency(self) -> float:
        """The farm's rate over the bare engine's."""
        return self.farm_rate / self.bare_rate


def measure(options: Options) -> Report:
    """Measure at BERT-base size, then with the bundled model."""
    effort = Effort(100, 640, 300, 300, 1) if options.quick else Effort(400, 6_400, 2_500, 2_500, 5)
    report = Report(
        "stack",
        "The stack beside the engine",
        METHOD.format(processes=PROCESSES, rounds=effort.rounds, path=JOBS),
        machine.describe(),
    )
    cases = [Case("BERT-base size, one text a job", sentences(options, effort.base_texts), 1, (8, 16, 32), goal=0.92)]
    found = _with_model(base_model(options.work), cases, effort, options)

    texts = sentences(options, effort.texts)
    one = short(options, effort.short_jobs, SHORT_CHARS)
    cases = [
        Case("bundled model, 64 texts a job", texts, 64, (8, 16), goal=0.80),
        Case("bundled model, one text a job", texts[: effort.short_jobs], 1, (8, 16, 32)),
        Case(f"bundled model, one text of at most {SHORT_CHARS} characters a job", one, 1, (8, 16, 32)),
    ]
    with empty_tasks() as empty:
        tries = _EmptyTries(empty, effort.empty_tasks)
        found += _with_model(BUNDLED_MODEL, cases, effort, options, beside_last=tries)

    for each in found:
        report.ratio(f"stack efficiency, {each.case.name}", each.efficiency, each.case.goal)
    _report_jobs(report, found[-1], tries)
    _report_cases(report, found)
    return report


class _EmptyTries:
    """Empty tasks, each way in each round."""

    def __init__(self, empty: EmptyTasks, tasks: int) -> None:
        self._empty = empty
        self._tasks = tasks
        self.found: dict[Way, list[Done]] = {way: [] for way in WAYS}

    def round(self) -> None:
        for way, done in self.found.items():
            done.append(self._empty.run(way, self._tasks))

    def rate(self, way: Way) -> float:
        return median(done.rate for done in self.found[way])

    @property
    def best(self) -> Way:
        """The way with the most tasks a second."""
        return max(WAYS, key=self.rate)

    def best_of(self, kind: str) -> Way:
        """The same among those of a kind."""
        return max((way for way in WAYS if way.kind == kind), key=self.rate)


def _with_model(
    model: Path, cases: Sequence[Case], effort: Effort, options: Options, beside_last: _EmptyTries | None = None
) -> list[Found]:
    """The rounds of each case, with one farm and the same bare processes."""
    folder = prepared(model, BackendName.ONNX_INT8, options)
    found = [Found(case) for case in cases]
    with ExitStack() as stack:
        running = stack.enter_context(farm(options, model, RANER_WORKERS=str(PROCESSES), RANER_CACHE_TTL="0"))
        alone = stack.enter_context(bare(folder, PROCESSES))
        for each in found:
            bodies = each.case.bodies
            closed_loop(running.url, JOBS, bodies[: max(32, len(bodies) // 10)], max(each.case.clients))
            for _ in range(effort.rounds):
                _round(each, bodies, running, alone)
                if each is found[-1] and beside_last is not None:
                    beside_last.round()
    return found


def _round(found: Found, bodies: Sequence[bytes], running: Farm, alone: Bare) -> None:
    for together in TOGETHER:
        found.bare.setdefault(together, []).append(alone.run(found.case.texts, together).rate)
    parts = {**parts_of(running), CLIENT: [psutil.Process()]}
    for clients in found.case.clients:
        before = cpu_seconds(parts)
        load = closed_loop(running.url, JOBS, bodies, clients)
        _all_good(load)
        for part, seconds in cpu_seconds(parts).items():
            found.cpu[part] = found.cpu.get(part, 0.0) + seconds - before[part]
        found.texts += len(found.case.texts)
        found.farm.setdefault(clients, []).append(load.rate * len(found.case.texts) / len(bodies))


def _all_good(load: Load) -> None:
    """A job that is still running (202) has no results yet, so it would not have been done."""
    statuses = {sample.status for sample in load.samples}
    if statuses != {200}:
        raise RuntimeError(f"jobs were answered with {sorted(statuses)}, where each should have ended (200)")


def _report_jobs(report: Report, jobs: Found, tries: _EmptyTries) -> None:
    report.ratio(
        f"jobs a second, {jobs.case.name}, over empty Celery tasks, the best of all ways ({tries.best.name})",
        jobs.farm_rate / tries.rate(tries.best),
        0.8,
    )
    for kind in dict.fromkeys(way.kind for way in WAYS):
        best = tries.best_of(kind)
        report.ratio(f"the same over the best way of: {kind} ({best.name})", jobs.farm_rate / tries.rate(best))
    report.ratio("the bare engine over the best of all ways, for comparison", jobs.bare_rate / tries.rate(tries.best))
    rows: list[list[Cell]] = [
        [way.kind, way.name, tries.rate(way), median(one.sent for one in done), jobs.farm_rate / tries.rate(way)]
        for way, done in tries.found.items()
    ]
    report.table(
        f"Empty Celery tasks; the farm does {jobs.farm_rate:,.0f} jobs a second",
        ("pool", "way", "tasks/s", "sent/s meanwhile", "jobs over tasks"),
        rows,
    )
    report.bars(
        "a second: jobs of one short text, empty Celery tasks",
        {"the farm's jobs": jobs.farm_rate} | {way.name: tries.rate(way) for way in WAYS},
    )
    report.data["empty tasks"] = {
        f"{way.kind}: {way.name}": [done.rate for done in found] for way, found in tries.found.items()
    }


def _report_cases(report: Report, found: Sequence[Found]) -> None:
    for each in found:
        ways: dict[str, list[float]] = {f"bare, {together} a call": rates for together, rates in each.bare.items()}
        ways |= {f"farm, {clients} clients": rates for clients, rates in each.farm.items()}
        report.table(
            each.case.name,
            ("", "texts/s", "least", "most", "over bare"),
            [
                [name, median(rates), min(rates), max(rates), median(rates) / each.bare_rate]
                for name, rates in ways.items()
            ],
        )
        report.bars(f"texts a second, {each.case.name}", {name: median(rates) for name, rates in ways.items()})
        report.data[each.case.name] = ways
    parts = list(found[0].cpu)
    report.table(
        "Processor milliseconds a text",
        ("", *parts, "the bare engine"),
        [
            [
                each.case.name,
                *(1000 * each.cpu[part] / each.texts for part in parts),
                1000 * PROCESSES / each.bare_rate,
            ]
            for each in found
        ],
    )


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
