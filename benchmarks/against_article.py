"""The farm against the article's own design: throughput, latency and memory, same model, texts, clients and cores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.article.crowd import PAUSE, Crowd, crowd
from benchmarks.article.server import Article, running_article
from benchmarks.base_model import base_model
from benchmarks.farm import farm
from benchmarks.load import Load, body, closed_loop
from benchmarks.options import Options, parse
from benchmarks.report import Cell, Report
from benchmarks.texts import sentences
from benchmarks.usage import family, parts_of, proportional
from shared.settings import BUNDLED_MODEL
from tests.support.farm import Farm

CORES = len(os.sched_getaffinity(0))
CLIENTS = 8
WARM_UP = 4 * CLIENTS
# The pipeline answers 500 to a text of more than 510 tokens; the farm has no such limit.
MOST_CHARS = 500
JOBS = "/api/v1/jobs?wait=30"
NER = "/ner"

METHOD = """Both serve the same model folder and stay up side by side; whoever is not asked is idle. A round is, one
after the other: the article's throughput, the farm's throughput, the article's with more clients than instances, and
the latency of both. For each of {ways} ways to run the article: a warm-up of 2 texts a pipeline and {warm_up} for the
farm, which is not counted, then rounds ({rounds} at BERT-base size, {bundled_rounds} with the bundled model), whose
medians are shown; the headlines take the way that is best for the article. Throughput: each text once, from the first
request to the last answer; only good answers count. The farm has {cores} worker processes of one thread each, its
default backend (INT8; the engine's benchmark says what that gives), no cache, and {clients} clients that post a job
of one text and wait for its end. The article: N pipelines in one process, first with as many clients as pipelines, so
that none is refused, then with {clients} clients that send again {pause:.1f} s after each refusal. PyTorch's threads
are its own default, as the article leaves them, where nothing is said. The pipeline pads each text to 512 tokens, so
the lengths of texts do not matter to it; the farm is given more texts, of which the article's are the first. Texts of
more than {most} characters, which the pipeline cannot read, are left out. Latency: one client, POST /ner on both, the
same texts. Memory: proportional set size of all processes after the rounds, Redis and Flower among the farm's;
compared where there are as many pipelines as worker processes."""


@dataclass(frozen=True)
class Effort:
    """How much is measured with one model: texts of a round for each, texts of a round's latency, rounds."""

    article_texts: int
    farm_texts: int
    latency_texts: int
    rounds: int


@dataclass(frozen=True)
class Way:
    """A way to run the article: pipelines in its pool, PyTorch's threads (None: its default)."""

    instances: int
    threads: int | None

    def __str__(self) -> str:
        pipelines = "1 pipeline" if self.instances == 1 else f"{self.instances} pipelines"
        threads = "default threads" if self.threads is None else f"{self.threads} thread each"
        return f"article, {pipelines}, {threads}"


WAYS = (Way(1, None), Way(CORES, None), Way(CORES, 1))


@dataclass
class Rounds:
    """What the rounds with one way to run the article gave; memory in bytes."""

    way: Way
    started: float
    article: list[Load] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)
    farm: list[Load] = field(default_factory=list)
    article_alone: list[Load] = field(default_factory=list)
    farm_alone: list[Load] = field(default_factory=list)
    article_memory: int = 0
    farm_memory: int = 0

    @property
    def article_rate(self) -> float:
        """Texts a second, with the number of clients that is better for it."""
        return max(_rate(self.article), _rate(self.crowds))

    @property
    def throughput_ratio(self) -> float:
        """The farm's over the article's."""
        return _rate(self.farm) / self.article_rate

    @property
    def latency_ratio(self) -> float:
        """The article's over the farm's."""
        return _middle(self.article_alone) / _middle(self.farm_alone)

    @property
    def article_failed(self) -> int:
        """Requests that the article answered with an error, but for what it refused of the many clients."""
        return sum(load.failed for load in (*self.article, *self.article_alone)) + sum(
            each.failed for each in self.crowds
        )

    @property
    def farm_failed(self) -> int:
        """Requests that the farm answered with an error."""
        return sum(load.failed for load in (*self.farm, *self.farm_alone))


def measure(options: Options) -> Report:
    """Measure with a model of BERT-base size and with the bundled one."""
    base, bundled = (
        (Effort(3, 48, 2, 1), Effort(8, 64, 5, 1))
        if options.quick
        else (Effort(12, 480, 5, 3), Effort(48, 1600, 30, 3))
    )
    report = Report(
        "against_article",
        "The farm against the article's design",
        METHOD.format(
            ways=len(WAYS),
            warm_up=WARM_UP,
            rounds=base.rounds,
            bundled_rounds=bundled.rounds,
            cores=CORES,
            clients=CLIENTS,
            pause=PAUSE,
            most=MOST_CHARS,
        ),
        machine.describe(),
    )
    _compare(report, options, "BERT-base size", base_model(options.work), base, goals=(40, 15))
    _compare(report, options, "bundled model", BUNDLED_MODEL, bundled, goals=(None, None))
    return report


def _compare(
    report: Report, options: Options, name: str, model: Path, effort: Effort, goals: tuple[float | None, float | None]
) -> None:
    texts = [text for text in sentences(options, effort.farm_texts) if len(text) <= MOST_CHARS]
    bodies = [body(text) for text in texts]
    with farm(options, model, RANER_WORKERS=str(CORES), RANER_CACHE_TTL="0") as ours:
        found = [_rounds(ours, options, model, way, bodies, effort) for way in WAYS]

    fastest = min(found, key=lambda each: each.throughput_ratio)
    soonest = min(found, key=lambda each: each.latency_ratio)
    report.ratio(f"throughput, {name}: the farm over the article", fastest.throughput_ratio, goals[0])
    report.ratio(f"latency of a single request, {name}: the article over the farm", soonest.latency_ratio, goals[1])
    # As many recognitions at once: so many pipelines, so many worker processes.
    alike = next(each for each in found if each.way.instances == CORES)
    report.ratio(f"memory, {name}: the article over the farm", alike.article_memory / alike.farm_memory)
    report.table(
        name,
        ("", "clients", "texts/s", "refused requests", "failed", "latency alone, median ms", "memory, MB"),
        [row for each in found for row in _article_rows(each)] + [_farm_row(found)],
    )
    report.bars(
        f"texts a second, {name}",
        {str(each.way): each.article_rate for each in found} | {"farm": _farm_rate(found)},
    )
    report.data[name] = {
        str(each.way): {
            "seconds to start": each.started,
            "texts/s": [load.rate for load in each.article],
            f"texts/s, {CLIENTS} clients": [each.rate for each in each.crowds],
            "farm, texts/s": [load.rate for load in each.farm],
            "seconds alone": [sample.seconds for load in each.article_alone for sample in load.samples],
            "farm, seconds alone": [sample.seconds for load in each.farm_alone for sample in load.samples],
            "bytes": each.article_memory,
            "farm, bytes": each.farm_memory,
        }
        for each in found
    }


def _rounds(ours: Farm, options: Options, model: Path, way: Way, bodies: Sequence[bytes], effort: Effort) -> Rounds:
    with running_article(model, way.instances, way.threads, options.work / "article.log") as article:
        found = Rounds(way, article.started)
        closed_loop(article.url, NER, bodies[: 2 * way.instances], way.instances)
        closed_loop(ours.url, JOBS, bodies[:WARM_UP], CLIENTS)
        for turn in range(effort.rounds):
            few = _part(bodies, turn, effort.article_texts)
            alone = _part(bodies, turn, effort.latency_texts)
            found.article.append(closed_loop(article.url, NER, few, way.instances))
            found.farm.append(closed_loop(ours.url, JOBS, bodies, CLIENTS))
            found.crowds.append(crowd(article.url, few, CLIENTS))
            found.article_alone.append(closed_loop(article.url, NER, alone, 1))
            found.farm_alone.append(closed_loop(ours.url, NER, alone, 1))
        found.article_memory = _memory_of_article(article)
        found.farm_memory = _memory_of_farm(ours)
    return found


def _part(bodies: Sequence[bytes], turn: int, number: int) -> Sequence[bytes]:
    """Each turn's own texts, the same for everyone."""
    return bodies[turn * number : (turn + 1) * number]


def _article_rows(found: Rounds) -> list[list[Cell]]:
    refused = median(each.refused_share for each in found.crowds)
    return [
        [
            str(found.way),
            found.way.instances,
            _rate(found.article),
            "0 %",
            found.article_failed,
            1000 * _middle(found.article_alone),
            found.article_memory / 1e6,
        ],
        [str(found.way), CLIENTS, _rate(found.crowds), f"{100 * refused:.0f} %", "", "", ""],
    ]


def _farm_row(found: Sequence[Rounds]) -> list[Cell]:
    alone = 1000 * _middle([load for each in found for load in each.farm_alone])
    failed = sum(each.farm_failed for each in found)
    memory = median(each.farm_memory for each in found) / 1e6
    return [f"farm, {CORES} worker processes", CLIENTS, _farm_rate(found), "0 %", failed, alone, memory]


def _farm_rate(found: Sequence[Rounds]) -> float:
    return _rate([load for each in found for load in each.farm])


def _rate(loads: Sequence[Load] | Sequence[Crowd]) -> float:
    return median(load.rate for load in loads)


def _middle(loads: Sequence[Load]) -> float:
    """Seconds of the median request."""
    return median(sample.seconds for load in loads for sample in load.samples if sample.good)


def _memory_of_article(article: Article) -> int:
    return proportional(family(article.pid))


def _memory_of_farm(ours: Farm) -> int:
    return proportional([process for processes in parts_of(ours).values() for process in processes])


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
