"""One long text as one job: time, memory, and what a second worker process gives."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.bare import bare
from benchmarks.base_model import prepared
from benchmarks.client import Client
from benchmarks.farm import farm
from benchmarks.load import body
from benchmarks.options import Options, parse
from benchmarks.report import Cell, Report
from benchmarks.texts import long_text, sentences
from benchmarks.usage import Peak, parts_of, watched
from shared.settings import BUNDLED_MODEL, BackendName
from tests.support.farm import Farm

SIZES = (10_000, 100_000, 300_000, 1_000_000)
WORKERS = (1, 2)
JOBS = "/api/v1/jobs"
WAIT = "?wait=30"

METHOD = """Bundled model, INT8, no cache; sentences joined to one text of so many characters, sent as one job. Two
farms are up side by side, one with 1 worker process and one with 2; whoever is not measured is idle. The text goes to
each once as a warm-up, during which the memory is looked at five times a second, from the smallest text to the largest;
then {rounds} rounds of the one farm and the other. Time is from sending the request until the client has the answer
with all entities, medians of the rounds. It is divided by the job's own times: accepted (request sent to record
written), waiting (to the first piece taken), recognition (to the end of the job), answer (to the client having it).
Memory is PSS: the pages of libraries, which both farms have, count in parts, so what a text adds to the memory at rest
is what says most. The engine's line is sentences in 1 and 2 bare processes, without any stack: what a second process
gives on this processor."""


@dataclass(frozen=True)
class Timed:
    """Seconds of one job from the request to the answer, and of its four stretches in order."""

    whole: float
    stretches: tuple[float, float, float, float]
    entities: int


@dataclass
class Found:
    """What one size gave, by worker processes."""

    chars: int
    times: dict[int, list[Timed]] = field(default_factory=lambda: {workers: [] for workers in WORKERS})
    peaks: dict[int, Peak] = field(default_factory=dict)

    def seconds(self, workers: int) -> float:
        """The median job's."""
        return median(timed.whole for timed in self.times[workers])

    def stretches(self, workers: int) -> list[float]:
        """Seconds of each stretch, medians."""
        return [median(column) for column in zip(*(timed.stretches for timed in self.times[workers]), strict=True)]

    @property
    def speed_up(self) -> float:
        """From one worker process to two."""
        return self.seconds(1) / self.seconds(2)


def measure(options: Options) -> Report:
    """Measure texts of each size."""
    sizes, rounds = (SIZES[:2], 1) if options.quick else (SIZES, 3)
    report = Report("long_text", "One long text", METHOD.format(rounds=rounds), machine.describe())
    with ExitStack() as stack:
        farms = {
            workers: stack.enter_context(farm(options, BUNDLED_MODEL, RANER_WORKERS=str(workers), RANER_CACHE_TTL="0"))
            for workers in WORKERS
        }
        at_rest = {workers: _at_rest(running) for workers, running in farms.items()}
        found = [_size(farms, Found(chars), body(long_text(options, chars)), rounds) for chars in sizes]
    _report(report, found, at_rest)
    report.ratio("the bare engine, 2 processes over 1, for comparison", _engine_speed_up(options, rounds))
    return report


def _size(farms: dict[int, Farm], found: Found, request: bytes, rounds: int) -> Found:
    for workers, running in farms.items():
        with watched(parts_of(running)) as found.peaks[workers]:
            _time(running, request)
    for _ in range(rounds):
        for workers, running in farms.items():
            found.times[workers].append(_time(running, request))
    entities = {timed.entities for times in found.times.values() for timed in times}
    assert len(entities) == 1, f"the same text gave {entities} entities"
    return found


def _time(running: Farm, request: bytes) -> Timed:
    with Client(running.url) as client:
        began = time.time()
        answer = client.post(JOBS + WAIT, request)
        while answer.status == 202 or (answer.status == 200 and answer.json["status"] in ("queued", "running")):
            answer = client.get(f"{JOBS}/{answer.json['id']}{WAIT}")
        ended = time.time()
    job = answer.json
    if job.get("status") != "succeeded":
        raise RuntimeError(f"the job did not succeed: {answer.status} {answer.body[:300]!r}")
    marks = [began, *(_seconds(job, name) for name in ("created_at", "started_at", "finished_at")), ended]
    accepted, waiting, recognition, answered = (end - begin for begin, end in pairwise(marks))
    return Timed(ended - began, (accepted, waiting, recognition, answered), len(job["results"][0]["entities"]))


def _seconds(job: dict[str, Any], name: str) -> float:
    return datetime.fromisoformat(job[name]).timestamp()


def _at_rest(running: Farm) -> Peak:
    """Before the first text: its web processes and workers have not had any."""
    peak = Peak()
    peak.look(parts_of(running))
    return peak


def _engine_speed_up(options: Options, rounds: int) -> float:
    folder = prepared(BUNDLED_MODEL, BackendName.ONNX_INT8, options)
    texts = sentences(options, 300 if options.quick else 3_000)
    rates: dict[int, list[float]] = {1: [], 2: []}
    with bare(folder, 1) as one, bare(folder, 2) as two:
        for _ in range(rounds):
            rates[1].append(one.run(texts, together=64).rate)
            rates[2].append(two.run(texts, together=64).rate)
    return median(rates[2]) / median(rates[1])


def _report(report: Report, found: list[Found], at_rest: dict[int, Peak]) -> None:
    for each in found:
        goal = 1.85 if each.chars == max(SIZES) else None
        report.ratio(f"{each.chars:,} characters, 2 worker processes over 1", each.speed_up, goal)
    rows: list[list[Cell]] = [
        [each.chars, workers, each.seconds(workers), each.chars / each.seconds(workers), *each.stretches(workers)]
        for each in found
        for workers in WORKERS
    ]
    header = ("characters", "workers", "seconds", "characters/s", "accepted", "waiting", "recognition", "answer")
    report.table("Time, seconds", header, rows)
    report.table(
        "Memory at its peak, MB (PSS)",
        ("characters", "workers", "largest worker process", "all workers", "largest web process", "all web", "Redis"),
        [
            [name, workers, *_memory(peak)]
            for name, peaks in [("at rest", at_rest), *((f"{each.chars:,}", each.peaks) for each in found)]
            for workers, peak in peaks.items()
        ],
    )
    sizes = [each.chars for each in found]
    report.plot(
        "one text",
        "characters",
        "seconds",
        {_label(workers): (sizes, [each.seconds(workers) for each in found]) for workers in WORKERS},
        log_x=True,
        log_y=True,
    )
    report.plot(
        "the workers' memory (PSS)",
        "characters",
        "MB",
        {
            _label(workers): (sizes, [each.peaks[workers].whole["workers"] / 1e6 for each in found])
            for workers in WORKERS
        },
        log_x=True,
    )
    report.data["seconds"] = {
        each.chars: {workers: [timed.whole for timed in times] for workers, times in each.times.items()}
        for each in found
    }


def _memory(peak: Peak) -> list[Cell]:
    figures = (
        peak.largest["workers"],
        peak.whole["workers"],
        peak.largest["web"],
        peak.whole["web"],
        peak.whole["redis"],
    )
    return [figure / 1e6 for figure in figures]


def _label(workers: int) -> str:
    return "1 worker process" if workers == 1 else f"{workers} worker processes"


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
