"""Cache hits: their latency and their number a second, beside a bare Flask view that does one Redis GET."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from redis import Redis

from benchmarks import bare_view, machine
from benchmarks.farm import farm
from benchmarks.load import Load, body, closed_loop
from benchmarks.options import Options, parse
from benchmarks.report import Report
from benchmarks.texts import sentences
from shared.settings import BUNDLED_MODEL
from tests.support.farm import Farm, free_ports

TEXTS = 200
CLIENTS = 8
GOAL = 1.6
LISTENS_WITHIN = 30.0  # seconds

METHOD = """The bundled model's farm, with {texts} texts that were recognised before, so that the cache answers each;
its counters confirm that none was missed. Beside it, over the same Redis and under the farm's own gunicorn
configuration (worker class, processes, places), a Flask application whose one view does one Redis GET of as many
bytes as POST /ner answers to a text of middling size, and sends them as they are. Both are asked by the same load
generator over kept connections. After {requests} requests over {clients} connections to each, which are not counted,
{rounds} rounds: {requests} requests to each from one client, one after the other, then {requests} from {clients}
clients. Latency ratios are the median of the rounds' ratios of medians; rates are medians of the rounds. The load
generator runs on the same cores."""


@dataclass
class View:
    """What is asked, and what came of each round: with one client, and with many."""

    label: str
    url: str
    path: str
    bodies: Sequence[bytes]
    alone: list[Load] = field(default_factory=list)
    crowd: list[Load] = field(default_factory=list)

    def load(self, requests: int, clients: int) -> Load:
        """Send so many requests over so many connections."""
        turns = -(-requests // len(self.bodies))
        load = closed_loop(self.url, self.path, [*self.bodies] * turns, clients)
        assert not load.failed, f"{self.label}: {load.failed} requests failed"
        return load

    def latency(self, q: float) -> float:
        """Milliseconds of a client that is alone: the median of the rounds' percentiles."""
        return 1000 * median(load.percentile(q) for load in self.alone)


def measure(options: Options) -> Report:
    """Measure with texts that the cache knows."""
    rounds, requests = (2, TEXTS) if options.quick else (7, 5 * TEXTS)
    texts = sentences(options, TEXTS)
    with farm(options, BUNDLED_MODEL) as ours, _bare(ours) as bare_url:
        assert ours.ended(ours.submit(texts=texts))["status"] == "succeeded"
        bodies = [body(text) for text in texts]
        ner = View("POST /ner", ours.url, "/ner", bodies)
        job = View("POST /api/v1/jobs", ours.url, "/api/v1/jobs", bodies)
        bare = View("bare view", bare_url, "/value", [b""])
        _give_bare_view_an_answer(ours, ner)

        misses = _misses(ours)
        views = (bare, ner, job)
        for view in views:
            view.load(requests, CLIENTS)
        for _ in range(rounds):
            for view in views:
                view.alone.append(view.load(requests, 1))
            for view in views:
                view.crowd.append(view.load(requests, CLIENTS))
        assert _misses(ours) == misses, "there were texts that the cache did not know"
    return _report(bare, ner, job, rounds, requests)


def _report(bare: View, ner: View, job: View, rounds: int, requests: int) -> Report:
    views = (bare, ner, job)
    report = Report(
        "cache",
        "Cache hits against a bare Flask view with one Redis GET",
        METHOD.format(rounds=rounds, requests=requests, clients=CLIENTS, texts=TEXTS),
        machine.describe(),
    )
    report.ratio("latency of a hit, POST /ner over the bare view", _latency_ratio(ner, bare), GOAL, at_least=False)
    report.ratio("latency of a hit, POST /api/v1/jobs over the bare view", _latency_ratio(job, bare))
    report.ratio(f"hits a second, {CLIENTS} clients, POST /ner over the bare view", _rate(ner) / _rate(bare))
    report.ratio(f"hits a second, {CLIENTS} clients, POST /api/v1/jobs over the bare view", _rate(job) / _rate(bare))
    report.table(
        "Hits",
        (
            "",
            "median ms, 1 client",
            "99 % ms, 1 client",
            f"a second, {CLIENTS} clients",
            f"median ms, {CLIENTS} clients",
        ),
        [
            [
                view.label,
                view.latency(50),
                view.latency(99),
                _rate(view),
                1000 * median(load.percentile(50) for load in view.crowd),
            ]
            for view in views
        ],
    )
    report.bars("median latency, ms, 1 client", {view.label: view.latency(50) for view in views})
    report.bars(f"answers a second, {CLIENTS} clients", {view.label: _rate(view) for view in views})
    report.data["rounds"] = {
        view.label: {
            "median seconds, 1 client": [load.percentile(50) for load in view.alone],
            f"a second, {CLIENTS} clients": [load.rate for load in view.crowd],
        }
        for view in views
    }
    return report


def _latency_ratio(view: View, bare: View) -> float:
    """The median of the rounds' ratios: what is compared was measured within seconds."""
    pairs = zip(view.alone, bare.alone, strict=True)
    return median(of_view.percentile(50) / of_bare.percentile(50) for of_view, of_bare in pairs)


def _rate(view: View) -> float:
    return median(load.rate for load in view.crowd)


@contextmanager
def _bare(ours: Farm) -> Iterator[str]:
    """The bare view beside the farm, in the farm's own gunicorn configuration. Gives its address."""
    (port,) = free_ports(1)
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "web/gunicorn.py", "--bind", f"127.0.0.1:{port}")
    ours.start_as("bare", (*gunicorn, "benchmarks.bare_view:create_app()"))
    deadline = time.monotonic() + LISTENS_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, ours.log("bare")
            time.sleep(0.05)  # there is no event before it listens
        else:
            break
    yield f"http://127.0.0.1:{port}"
    ours.stop("bare")


def _give_bare_view_an_answer(ours: Farm, ner: View) -> None:
    """Let it answer what ``POST /ner`` answers to the text whose answer is of middling size."""
    answers = sorted(closed_loop(ner.url, ner.path, ner.bodies, 1, keep=True).bodies, key=len)
    with Redis.from_url(ours.redis.url) as redis:
        redis.set(bare_view.KEY, answers[len(answers) // 2])


def _misses(ours: Farm) -> int:
    """Texts that the farm looked up in vain since it started."""
    return int(ours.get("/api/v1/farm").json()["cache"]["misses"])


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
