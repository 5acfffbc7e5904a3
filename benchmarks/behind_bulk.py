"""How long one short text waits behind bulk work, and how bulk jobs share the farm."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks import machine
from benchmarks.client import Client
from benchmarks.farm import farm
from benchmarks.jobs import ended, post, share_done
from benchmarks.load import body
from benchmarks.options import Options, parse
from benchmarks.report import Cell, Report
from benchmarks.texts import long_text, sentences
from shared.settings import BUNDLED_MODEL

CORES = len(os.sched_getaffinity(0))
CHARS = 10
# Seconds that a short text may take beyond the time of one piece.
BEYOND_A_PIECE = 0.1
# Longest pause before the next short text, in seconds.
PAUSE = 0.2
# A bulk job of which this share is done is cancelled, and another one posted: behind its last pieces nobody waits.
MOSTLY_DONE = 0.8
# The later of two bulk jobs of one size may take so many times as long as the earlier.
SHARE_GOAL = 1.3
PERCENTILES = (50, 95, 100)

METHOD = """The bundled model's farm with {cores} worker processes, no cache, and POST /ner that waits 300 s. Unloaded:
{tries} POST /ner of {chars} characters, one after the other, after 20 that are not counted. Behind bulk: a bulk job is
posted, then POST /ner of {chars} characters, the first one at once, the others after random pauses of up to {pause} s,
each while less than {mostly:.0f} % of the bulk job is done; then it is cancelled and another posted. {tries} tries, or
as many as fit into {seconds} s. The time of one piece is that of the bulk job alone, from its start to its end, times
the worker processes, over its pieces. Two bulk jobs: {pair_texts} texts of 500 characters each, the second posted as
soon as the first is accepted; {pairs} times; each one's time counts from its own creation to its end."""


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    long_chars: int
    bulk_texts: int
    tries: int
    seconds: float
    pair_texts: int
    pairs: int


@dataclass
class Behind:
    """What came of the tries behind one kind of bulk job."""

    name: str
    piece_seconds: float = math.nan
    pieces: int = 0
    seconds: list[float] = field(default_factory=list)
    not_good: int = 0


def measure(options: Options) -> Report:
    """Measure with the bundled model."""
    effort = Effort(100_000, 100, 10, 30, 60, 1) if options.quick else Effort(1_000_000, 1_000, 200, 300, 400, 5)
    small = [body(text[:CHARS]) for text in sentences(options, 1_000) if len(text) >= CHARS][: effort.tries]
    texts = _of_500(options, effort.bulk_texts)
    bulks = {
        f"one text of {effort.long_chars:,} characters": body(long_text(options, effort.long_chars)),
        f"{effort.bulk_texts:,} texts of 500": body(texts),
    }
    variables = {"RANER_WORKERS": str(CORES), "RANER_CACHE_TTL": "0", "RANER_NER_TIMEOUT": "300"}
    with farm(options, BUNDLED_MODEL, **variables) as ours, Client(ours.url) as client:
        _unloaded(client, small[:20])
        unloaded = _unloaded(client, small)
        behind = [_behind(client, name, bulk, small, effort) for name, bulk in bulks.items()]
        half = body(texts[: effort.pair_texts])
        pairs = [_pair(client, half) for _ in range(effort.pairs)]
    report = Report(
        "behind_bulk",
        "Short texts behind bulk jobs, and bulk jobs beside each other",
        METHOD.format(
            cores=CORES,
            tries=effort.tries,
            chars=CHARS,
            pause=PAUSE,
            mostly=100 * MOSTLY_DONE,
            seconds=effort.seconds,
            pair_texts=effort.pair_texts,
            pairs=effort.pairs,
        ),
        machine.describe(),
    )
    _tell_behind(report, unloaded, behind)
    _tell_pairs(report, pairs)
    return report


def _of_500(options: Options, number: int) -> list[str]:
    text = long_text(options, 500 * number)
    return [text[start : start + 500] for start in range(0, len(text), 500)]


def _unloaded(client: Client, small: Sequence[bytes]) -> list[float]:
    seconds = []
    for each in small:
        began = time.perf_counter()
        answer = client.post("/ner", each)
        seconds.append(time.perf_counter() - began)
        assert answer.status == 200, answer.body
    return seconds


def _behind(client: Client, name: str, bulk: bytes, small: Sequence[bytes], effort: Effort) -> Behind:
    found = Behind(name)
    alone = ended(client, post(client, bulk))
    found.pieces = alone.pieces
    found.piece_seconds = (alone.finished - alone.started) * min(CORES, alone.pieces) / alone.pieces
    random = Random(0)
    deadline = time.monotonic() + effort.seconds
    address = ""
    for each in small:
        if time.monotonic() > deadline:
            break
        if address:
            time.sleep(random.uniform(0, PAUSE))
        if address and share_done(client, address) >= MOSTLY_DONE:
            client.delete(address)
            address = ""
        if not address:
            address = post(client, bulk)
        began = time.perf_counter()
        answer = client.post("/ner", each)
        found.seconds.append(time.perf_counter() - began)
        found.not_good += answer.status != 200
    client.delete(address)
    return found


def _pair(client: Client, bulk: bytes) -> tuple[float, float]:
    """Seconds of two jobs, the first and the second posted."""
    addresses = [post(client, bulk), post(client, bulk)]
    first, second = (ended(client, address) for address in addresses)
    return first.finished - first.created, second.finished - second.created


def _tell_behind(report: Report, unloaded: Sequence[float], behind: Sequence[Behind]) -> None:
    for each in behind:
        allowed = BEYOND_A_PIECE + each.piece_seconds
        what = f"95 % of /ner behind {each.name}, over {1000 * BEYOND_A_PIECE:.0f} ms and the time of one piece"
        report.ratio(what, percentile(each.seconds, 95) / allowed, 1.0, at_least=False)
    rows: list[list[Cell]] = [["unloaded", len(unloaded), 0, *_milliseconds(unloaded), "", ""]]
    rows += [
        [
            f"behind {each.name}",
            len(each.seconds),
            each.not_good,
            *_milliseconds(each.seconds),
            f"{1000 * each.piece_seconds:.0f}",
            str(each.pieces),
        ]
        for each in behind
    ]
    report.table(
        f"POST /ner of {CHARS} characters, ms",
        ("", "tries", "not 200", *(f"{q} %" for q in PERCENTILES), "one piece", "pieces of the bulk job"),
        rows,
    )
    report.data["seconds of /ner"] = {"unloaded": list(unloaded)} | {each.name: each.seconds for each in behind}


def _tell_pairs(report: Report, pairs: Sequence[tuple[float, float]]) -> None:
    ratios = [max(pair) / min(pair) for pair in pairs]
    what = f"two bulk jobs of one size, the longer over the shorter time, worst of {len(pairs)}"
    report.ratio(what, max(ratios), SHARE_GOAL, at_least=False)
    report.table(
        "Two bulk jobs, seconds from creation to end",
        ("first", "second", "longer over shorter"),
        [[first, second, ratio] for (first, second), ratio in zip(pairs, ratios, strict=True)],
    )


def _milliseconds(seconds: Sequence[float]) -> list[float]:
    return [1000 * percentile(seconds, q) for q in PERCENTILES]


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least ``q`` percent of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(q / 100 * len(values)) - 1)]


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
