"""Latency of short texts under load, with and without bulk jobs beside them, and how soon a client knows the end."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import machine
from benchmarks.bulk import SIZES, BulkClient, bulk_jobs
from benchmarks.farm import farm
from benchmarks.knowing import WAITING, Knowing, knowing
from benchmarks.load import Load, body, closed_loop, open_loop
from benchmarks.options import Options, parse
from benchmarks.report import Report
from benchmarks.texts import sentences, short
from shared.settings import BUNDLED_MODEL

CORES = len(os.sched_getaffinity(0))
PERCENTILES = (50, 95, 99)
# Offered load, as shares of what the farm answers at most.
SHARES = (0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1)
LIGHT, MIDDLE = SHARES[0], 0.5
# A series ends with the step in which less than this share of what was offered was answered in its time.
KEEPS_UP = 0.75
# Enough to keep web and workers busy.
CLIENTS = 32
# Open at a time, at most; many systems allow 1,024 where nobody asks for more.
CONNECTIONS = 16_384
KNOWN_WITHIN = 15.0  # milliseconds, the goal

METHOD = """The bundled model's farm with {cores} worker processes and no cache. Load: one text of at most 35
characters a job, POST /api/v1/jobs?wait=30, as a Poisson process for {seconds:g} s a step (open loop: a request waits
for no other, and its latency counts from when it was meant to arrive), after 200 jobs that are not counted. 100 % is
what {clients} clients got out of the farm who sent {requests} jobs, each the next as soon as its last one ended. Then
the same steps while one further client keeps sending bulk jobs of {sizes} texts in turn. A series ends after the
first step in which the farm fell behind: answered less than {keeps_up:.0f} % of what was offered a second.
Percentiles are of the good answers; "not done" counts errors and jobs that had not ended after 30 s. Knowing: jobs
one after the other on a farm that has nothing else to do, from the time that the worker wrote into the job's record
when it had finished until the client has read the answer; {repetitions} jobs for waiting on one text, fewer for the
others. A client that polls first looks at a random time within its interval. Server-sent events are not measured: the
farm has none yet. The load generator runs on the same cores."""


@dataclass(frozen=True)
class Step:
    """What came of one offered load: ``rate`` requests a second, and the bulk jobs' texts a second beside them."""

    share: float
    rate: float
    load: Load
    bulk_rate: float

    @property
    def keeps_up(self) -> bool:
        """Whether the farm answered about as fast as it was asked."""
        return self.load.rate >= KEEPS_UP * self.rate

    @property
    def not_done(self) -> int:
        """Requests that were answered with an error, or before their job had ended (202)."""
        return sum(sample.status != 200 for sample in self.load.samples)


def measure(options: Options) -> Report:
    """Measure with the bundled model."""
    seconds, requests, repetitions = (1.5, 500, 20) if options.quick else (15.0, 4000, 200)
    _allow_connections()
    short_texts, texts = short(options, 1000), sentences(options, max(SIZES))
    bodies = [body(text) for text in short_texts]
    with farm(options, BUNDLED_MODEL, RANER_WORKERS=str(CORES), RANER_CACHE_TTL="0") as ours:
        closed_loop(ours.url, WAITING, bodies[:200], CLIENTS)
        known = knowing(ours, short_texts, texts, repetitions)
        load = closed_loop(ours.url, WAITING, [bodies[turn % len(bodies)] for turn in range(requests)], CLIENTS)
        quiet = _steps(ours.url, bodies, load.rate, seconds)
        with bulk_jobs(ours.url, texts) as bulk:
            busy = _steps(ours.url, bodies, load.rate, seconds, bulk)
    report = Report(
        "latency",
        "Latency under load",
        METHOD.format(
            cores=CORES,
            clients=CLIENTS,
            requests=requests,
            seconds=seconds,
            sizes=", ".join(map(str, SIZES)),
            repetitions=repetitions,
            keeps_up=100 * KEEPS_UP,
        ),
        machine.describe(),
    )
    _tell_knowing(report, known)
    _tell_steps(report, load.rate, {"short texts only": quiet, "bulk jobs beside them": busy})
    return report


def _allow_connections() -> None:
    """Let this process and the farm hold one for each request that waits when the farm falls behind."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS if most == resource.RLIM_INFINITY else min(CONNECTIONS, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _steps(
    url: str, bodies: Sequence[bytes], most: float, seconds: float, bulk: BulkClient | None = None
) -> list[Step]:
    steps = []
    for seed, share in enumerate(SHARES):
        before = bulk.texts if bulk else 0
        load = open_loop(url, WAITING, bodies, share * most, seconds, seed)
        after = bulk.texts if bulk else 0
        steps.append(Step(share, share * most, load, (after - before) / load.seconds))
        if not steps[-1].keeps_up:
            break
    return steps


def _tell_knowing(report: Report, known: Sequence[Knowing]) -> None:
    waiting = 1000 * known[0].percentile(50)
    report.ratio(
        "knowing after the end of recognition, POST ?wait=, median", waiting, KNOWN_WITHIN, at_least=False, unit="ms"
    )
    report.table(
        "From the end of recognition to the client knowing, ms",
        ("asked by", "jobs", *(f"{q} %" for q in PERCENTILES)),
        [[each.way, len(each.seconds), *(1000 * each.percentile(q) for q in PERCENTILES)] for each in known],
    )
    report.data["seconds until the client knew"] = {each.way: each.seconds for each in known}


def _tell_steps(report: Report, most: float, series: dict[str, list[Step]]) -> None:
    quiet, busy = series.values()
    for step in quiet:
        if step.share in (LIGHT, MIDDLE):
            what = f"99 % of short texts alone at {100 * step.share:.0f} % load"
            report.ratio(what, 1000 * step.load.percentile(99), unit="ms")
    report.ratio(
        f"99 % of short texts at {100 * LIGHT:.0f} % load, with bulk jobs beside them over without",
        busy[0].load.percentile(99) / quiet[0].load.percentile(99),
    )
    report.data["answers a second at most"] = most
    for name, steps in series.items():
        report.table(
            f"Latency of one short text a job, {name}; at most {most:.0f} a second were answered",
            (
                "offered load",
                "offered a second",
                "answered a second",
                *(f"{q} %, ms" for q in PERCENTILES),
                "not done",
                "bulk texts a second",
            ),
            [
                [
                    f"{100 * step.share:.0f} %",
                    step.rate,
                    step.load.rate,
                    *(1000 * step.load.percentile(q) for q in PERCENTILES),
                    step.not_done,
                    step.bulk_rate,
                ]
                for step in steps
            ],
        )
        report.plot(
            f"latency, ms, {name}",
            "offered, requests a second",
            "ms",
            {
                f"{q} %": ([step.rate for step in steps], [1000 * step.load.percentile(q) for step in steps])
                for q in PERCENTILES
            },
            log_y=True,
        )
        report.data[name] = [
            {
                "share": step.share,
                "offered": step.rate,
                "answered": step.load.rate,
                "seconds": {q: step.load.percentile(q) for q in (*PERCENTILES, 100)},
                "not done": step.not_done,
                "bulk": step.bulk_rate,
            }
            for step in steps
        ]


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
