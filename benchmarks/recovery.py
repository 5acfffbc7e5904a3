"""How soon jobs end after the death of a worker node, while another one is there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks import machine
from benchmarks.behind_bulk import percentile
from benchmarks.client import Client
from benchmarks.farm import farm_to_start
from benchmarks.jobs import ended, post
from benchmarks.load import body
from benchmarks.options import Options, parse
from benchmarks.report import Report
from benchmarks.texts import long_text, sentences
from shared.settings import BUNDLED_MODEL
from tests.support.farm import Farm

GOAL = 15.0  # seconds
# So many tries are made, or as many as begin within so many seconds.
TRIES, SECONDS = 20, 900.0
# Seconds after a death until the farm's view has forgotten the dead node.
FORGOTTEN = 20.0
READY_WITHIN = 120.0
PERCENTILES = (50, 99, 100)

METHOD = """Two worker nodes of one process each serve the bundled model, without a cache, everything else as it comes.
A try: {jobs} jobs are posted ({small} of one sentence, {middle} of 64 sentences, {long} of one text of 20,000
characters, mixed); between 0.05 and 0.8 s after the last one was accepted, all processes of one node get SIGKILL. What
counts is the time from the kill to the end of each job that was open then, by the farm's own clock. Then the node is
started again, and the next try kills the other one. {tries} tries, or as many as began within {seconds:.0f} s. For
comparison the same jobs without a kill, from the last one accepted to the end of the last."""


@dataclass(frozen=True)
class Try:
    """Seconds from the kill, or from the last job's acceptance, to the end of each job that was open then."""

    seconds: list[float]

    @property
    def longest(self) -> float:
        """Of the last job; 0 if none was open."""
        return max(self.seconds, default=0.0)


def measure(options: Options) -> Report:
    """Measure with the bundled model."""
    tries, seconds = (2, 60.0) if options.quick else (TRIES, SECONDS)
    bodies = _bodies(options)
    random = Random(0)
    with farm_to_start(options, BUNDLED_MODEL, RANER_WORKERS="1", RANER_CACHE_TTL="0") as ours:
        ours.start("web")
        (worker,) = ours.workers
        nodes = ["node-1", "node-2"]
        for node in nodes:
            ours.start_as(node, ours.commands[worker])
        _wait_for_workers(ours, len(nodes))
        calm = [_try(ours, random.sample(bodies, len(bodies)), None, random) for _ in range(min(tries, 5))]
        deadline = time.monotonic() + seconds
        killed: list[Try] = []
        while len(killed) < tries and time.monotonic() < deadline:
            node = nodes[len(killed) % len(nodes)]
            killed.append(_try(ours, random.sample(bodies, len(bodies)), node, random))
            ours.start_as(node, ours.commands[worker])
            time.sleep(FORGOTTEN)  # until then the number of workers may count the dead one
            _wait_for_workers(ours, len(nodes))
    report = Report(
        "recovery",
        "Recovery after the death of a worker node",
        METHOD.format(jobs=len(bodies), small=SMALL, middle=MIDDLE, long=LONG, tries=tries, seconds=seconds),
        machine.describe(),
    )
    _tell(report, calm, killed)
    return report


SMALL, MIDDLE, LONG = 50, 8, 2


def _bodies(options: Options) -> list[bytes]:
    texts = sentences(options, SMALL + 64 * MIDDLE)
    many = [texts[SMALL + 64 * number : SMALL + 64 * (number + 1)] for number in range(MIDDLE)]
    long = long_text(options, 20_000)
    return [*map(body, texts[:SMALL]), *map(body, many), *[body(long)] * LONG]


def _try(farm: Farm, bodies: Sequence[bytes], node: str | None, random: Random) -> Try:
    """Post the jobs, kill ``node`` if one is given, and wait for the jobs."""
    with Client(farm.url) as client:
        addresses = [post(client, each) for each in bodies]
        since = time.time()
        if node is not None:
            time.sleep(random.uniform(0.05, 0.8))
            since = time.time()
            farm.kill(node)
        finished = [ended(client, address).finished for address in addresses]
    return Try([moment - since for moment in finished if moment > since])


def _wait_for_workers(farm: Farm, number: int) -> None:
    """Return once the farm knows at least so many worker processes."""
    farm.wait_ready()
    deadline = time.monotonic() + READY_WITHIN
    while farm.get("/api/v1/models").json()["models"][0]["workers"] < number:
        assert time.monotonic() < deadline, "a worker node did not start"
        time.sleep(0.2)  # there is no event before a node is registered


def _tell(report: Report, calm: Sequence[Try], killed: Sequence[Try]) -> None:
    open_jobs = [seconds for each in killed for seconds in each.seconds]
    report.ratio(
        f"from the kill to the end of jobs open then, 99 % of {len(open_jobs)} jobs",
        percentile(open_jobs, 99),
        GOAL,
        at_least=False,
        unit="s",
    )
    longest = [each.longest for each in killed]
    report.ratio(f"the same, of the last job, worst of {len(killed)} tries", max(longest), unit="s")
    rows = {
        "each job open at the kill": open_jobs,
        "the last job of each try": longest,
        "the last job without a kill": [each.longest for each in calm],
    }
    report.table(
        "Seconds from the kill, or from the last acceptance, to the end",
        ("", "number", *(f"{q} %" for q in PERCENTILES)),
        [[name, len(found), *(percentile(found, q) for q in PERCENTILES)] for name, found in rows.items()],
    )
    report.data["seconds"] = {"killed": [each.seconds for each in killed], "calm": [each.seconds for each in calm]}


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
