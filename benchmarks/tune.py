"""``python -m benchmarks.tune``: how many worker processes, of how many threads, with which backend? For this machine.

Tries them with bare processes, then the best few through a real farm with several texts a job, and says which settings
to take, with the table behind it. A model is prepared where the farm looks for it, so that is not for nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.bare import Bare, bare
from benchmarks.farm import farm
from benchmarks.load import body, closed_loop
from benchmarks.options import Options, add_to, options_of
from benchmarks.report import Cell, Report
from benchmarks.texts import sentences
from benchmarks.usage import proportional
from shared.errors import FarmError, QuantisationRefused
from shared.settings import BUNDLED_MODEL, BackendName, settings
from tests.support.farm import Farm
from workers.preparation.ensure import ensure_prepared

BACKENDS = (BackendName.ONNX_INT8, BackendName.ONNX_FP32)
TEXTS_A_JOB = (1, 8, 64)
# Two that differ by less than this are as good as each other.
ALIKE = 0.05
# Ways that are tried through a farm.
FEW = 2
# Texts that a bare process decodes together.
TOGETHER = 64
# Times that the whole grid is gone through; the better one counts, since what disturbs a measurement makes it slower.
PASSES = 2
# Different ones; each is recognised more than once where the machine is fast.
TEXTS = 2_000
# Texts for each process by which the speed is guessed, and the least that a rate is taken of.
TRIAL = 16
# A job that would take longer is not tried (seconds): its clients wait for its end.
LONGEST = 15.0
# How many jobs the clients of a farm have under way for each of its worker processes.
CLIENTS = 4
MODEL = "tuned"

METHOD = """Each way to run the engine: its processes, loaded and warm, recognise sentences in calls of {together} for
about {seconds:g} s in {passes} passes, of which the better counts; the rate is all texts a second, the time that of one
text in a call of its own, with all processes busy, median; memory is PSS. The best {few} of them then serve a farm with
no cache: jobs of {sizes} texts from {clients} clients for each worker process, who post and wait, for about
{seconds:g} s each after a warm-up. Ways that differ by less than {alike:.0%} count as alike; of those the one with the
least memory is taken, and the job with the fewest texts."""


@dataclass(frozen=True)
class Way:
    """A way to run the engine."""

    processes: int
    threads: int
    backend: BackendName

    def __str__(self) -> str:
        return f"{self.processes} × {self.threads}, {self.backend}"


@dataclass(frozen=True)
class Measured:
    """What a way does: texts a second, seconds of a text alone in a call, bytes of all its processes."""

    way: Way
    rate: float
    seconds: float
    memory: int


@dataclass(frozen=True)
class Served:
    """What a farm does with jobs of so many texts: texts a second, and seconds of a job at the median."""

    way: Way
    texts_a_job: int
    rate: float
    seconds: float


def grid(cores: int) -> list[tuple[int, int]]:
    """(processes, threads) to try: threads in powers of two; one process, or as many as take half the cores or all."""
    threads = [1]
    while 2 * threads[-1] <= cores:
        threads.append(2 * threads[-1])
    return [
        (processes, each) for each in threads for processes in sorted({1, cores // (2 * each), cores // each} - {0})
    ]


def ranked(found: Sequence[Measured]) -> list[Measured]:
    """The best first: those that are alike to the fastest by memory, then the others by rate."""
    fastest = max(each.rate for each in found)
    alike = [each for each in found if each.rate >= (1 - ALIKE) * fastest]
    others = [each for each in found if each not in alike]
    return [*sorted(alike, key=lambda each: each.memory), *sorted(others, key=lambda each: -each.rate)]


def recommended(served: Sequence[Served], order: Sequence[Way]) -> Served:
    """The way with the highest rate, or the first in ``order`` that is alike; with the fewest texts a job that are."""
    best = {way: max(each.rate for each in served if each.way == way) for way in order}
    way = next(way for way in order if best[way] >= (1 - ALIKE) * max(best.values()))
    return min(
        (each for each in served if each.way == way and each.rate >= (1 - ALIKE) * best[way]),
        key=lambda each: each.texts_a_job,
    )


def main() -> int:
    """Try, and recommend. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tune", description="Find the settings that are best on this machine."
    )
    parser.add_argument(
        "--model",
        default=str(BUNDLED_MODEL),
        metavar="SOURCE",
        help="ModelScope id or folder; default: the bundled one",
    )
    parser.add_argument("--seconds", type=float, default=4.0, metavar="N", help="for each try; default: %(default)s")
    parser.add_argument("--all", action="store_true", help="PyTorch too, which is slow to load")
    add_to(parser)
    arguments = parser.parse_args()
    if not arguments.seconds > 0:
        parser.error(f"--seconds {arguments.seconds:g}: give more than 0")
    options = options_of(arguments)
    if options.data is not None and not options.data.is_dir():
        parser.error(f"--data {options.data}: there is no such folder")
    seconds = min(arguments.seconds, 1.0) if options.quick else arguments.seconds
    backends = (*BACKENDS, BackendName.PYTORCH) if arguments.all else BACKENDS
    source = arguments.model
    if Path(source).exists():
        source = str(Path(source).resolve())
    try:
        report = tune(source, seconds, backends, options)
    except (FarmError, RuntimeError) as error:
        print(f"tune: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    report.write(options.out)
    print(report.data["recommendation"])
    return 0


def tune(source: str, seconds: float, backends: Sequence[BackendName], options: Options) -> Report:
    """Try the ways to run this model.

    Raises:
        FarmError: it cannot be prepared.
        RuntimeError: it cannot be loaded, or is too slow to be measured.
    """
    cores = len(os.sched_getaffinity(0))
    texts = sentences(options, TEXTS)
    report = Report(
        "tune",
        f"Settings for {source} on {cores} cores",
        METHOD.format(
            together=TOGETHER,
            seconds=seconds,
            passes=PASSES,
            few=FEW,
            sizes=", ".join(map(str, TEXTS_A_JOB)),
            clients=CLIENTS,
            alike=ALIKE,
        ),
        machine.describe(),
    )
    folders: dict[BackendName, Path] = {}
    for backend in backends:
        try:
            folders[backend] = ensure_prepared(source, backend, settings().data_dir / "prepared", settings().int8_limit)
        except QuantisationRefused as error:
            _say(f"{backend} is left out: {error}")
    found: dict[Way, Measured] = {}
    ways = [Way(processes, threads, backend) for backend in folders for processes, threads in grid(cores)]
    for way in ways * PASSES:
        _say(f"{way} …")
        with bare(folders[way.backend], way.processes, way.threads) as running:
            measured = _measure(way, running, texts, seconds / PASSES)
        found[way] = max(measured, found.get(way, measured), key=lambda each: each.rate)

    order = ranked(list(found.values()))
    served: list[Served] = []
    for each in order[:FEW]:
        _say(f"a farm of {each.way} …")
        served += _serve(source, each.way, each.rate, texts, seconds, options)
    best = recommended(served, [each.way for each in order[:FEW]])
    _report(report, order, served, best)
    report.data["recommendation"] = _advice(best, source)
    return report


def _measure(way: Way, running: Bare, texts: Sequence[str], seconds: float) -> Measured:
    least = TRIAL * way.processes
    guess = running.run(_enough(texts, least), TOGETHER).rate
    rate = running.run(_enough(texts, max(least, guess * seconds)), TOGETHER).rate
    alone = running.run(_enough(texts, max(least, guess * seconds / 4))).call_seconds
    return Measured(way, rate, median(alone), proportional(running.processes))


def _serve(source: str, way: Way, guess: float, texts: Sequence[str], seconds: float, options: Options) -> list[Served]:
    """A farm of that way, likely to do ``guess`` texts a second, with jobs of each size that is not too long."""
    variables = {
        "RANER_MODELS": f"{MODEL}={source}",
        "RANER_DATA_DIR": str(settings().data_dir),
        "RANER_INT8_LIMIT": str(settings().int8_limit),
        "RANER_BACKEND": str(way.backend),
        "RANER_WORKERS": str(way.processes),
        "RANER_THREADS": str(way.threads),
        "RANER_CACHE_TTL": "0",
    }
    clients = CLIENTS * way.processes
    sizes = [size for size in TEXTS_A_JOB if size == 1 or size * clients <= guess * LONGEST]
    with farm(options, Path(source), **variables) as running:
        _load(running, texts, 1, way, TRIAL * way.processes)
        return [_load(running, texts, size, way, max(guess * seconds, size * clients)) for size in sizes]


def _load(running: Farm, texts: Sequence[str], texts_a_job: int, way: Way, number: float) -> Served:
    """About so many texts, in jobs of so many."""
    chosen = _enough(texts, number)
    starts = range(0, len(chosen) - texts_a_job + 1, texts_a_job)
    bodies = [body(chosen[start : start + texts_a_job]) for start in starts]
    load = closed_loop(running.url, "/api/v1/jobs?wait=30", bodies, CLIENTS * way.processes)
    if {sample.status for sample in load.samples} != {200}:
        raise RuntimeError(f"{way}: jobs of {texts_a_job} texts did not all end within 30 s")
    return Served(way, texts_a_job, load.rate * texts_a_job, load.percentile(50))


def _enough(texts: Sequence[str], number: float) -> list[str]:
    """So many texts, from the beginning again where there are not so many."""
    return [texts[index % len(texts)] for index in range(int(number))]


def _report(report: Report, order: Sequence[Measured], served: Sequence[Served], best: Served) -> None:
    single = min(
        (each for each in order if each.way.backend == best.way.backend), key=lambda e: (e.way.processes, e.way.threads)
    )
    report.ratio(f"{best.way}, over one process of one thread", _of(order, best.way).rate / single.rate)
    report.ratio(f"the farm over the bare engine, jobs of {best.texts_a_job}", best.rate / _of(order, best.way).rate)
    rows: list[list[Cell]] = [
        [
            each.way.processes,
            each.way.threads,
            str(each.way.backend),
            each.rate,
            1000 * each.seconds,
            each.memory / 1e6,
        ]
        for each in order
    ]
    header = ("processes", "threads", "backend", "texts/s", "ms of one text", "memory, MB")
    report.table("The engine in bare processes, the best first", header, rows)
    rows = [[str(each.way), each.texts_a_job, each.rate, 1000 * each.seconds] for each in served]
    report.table("Through a farm", ("processes × threads", "texts a job", "texts/s", "ms of a job, median"), rows)
    report.bars("texts a second, bare processes", {str(each.way): each.rate for each in order})
    report.data["engine"] = [asdict(each) for each in order]
    report.data["farm"] = [asdict(each) for each in served]


def _of(found: Sequence[Measured], way: Way) -> Measured:
    return next(each for each in found if each.way == way)


def _advice(best: Served, source: str) -> str:
    way = best.way
    chosen = "" if source == str(BUNDLED_MODEL) else f" RANER_MODELS=NAME={source}"
    processes = _counted(way.processes, "worker process", "es")
    threads = _counted(way.threads, "engine thread", "s")
    texts = _counted(best.texts_a_job, "text", "s")
    return (
        f"Recommended: {processes} of {threads} with {way.backend}, and {texts} a job where a client has many.\n"
        f"    make run{chosen} RANER_WORKERS={way.processes} RANER_THREADS={way.threads} RANER_BACKEND={way.backend}"
    )


def _counted(number: int, noun: str, plural: str) -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _say(what: str) -> None:
    print(f"tune: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
