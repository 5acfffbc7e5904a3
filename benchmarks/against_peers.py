"""The farm against other ways to serve the same engine: short texts a second, and latency without load.

It needs what benchmarks/peers-requirements.txt names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.base_model import prepared
from benchmarks.farm import farm
from benchmarks.load import Load, body, closed_loop
from benchmarks.options import Options, parse
from benchmarks.peers.server import PEERS, PROCESSES, running_peer
from benchmarks.report import Report
from benchmarks.texts import short
from shared.settings import BUNDLED_MODEL, BackendName

CLIENTS = 32
FARM = f"the farm, {PROCESSES} worker processes"
GOAL = 1.0
NER = "/ner"

METHOD = """The farm with {processes} worker processes and no cache, and the peers, each with {processes} processes that
load the same prepared folder of the bundled model, are up side by side; whoever is not asked is idle. Every one has the
engine with one thread a process, everything else is as it comes: 2 web processes for the farm, plain uvicorn with the
engine in the event loop for FastAPI, mosec with one request at a time and with batches. A round is each of them in
turn: {clients} clients that each POST one text of at most 35 characters to /ner and send the next as soon as the answer
came, {texts} texts; then one client, {alone} texts. Figures are medians of {rounds} rounds after one that is not
counted. The clients run on the same cores."""


def measure(options: Options) -> Report:
    """Measure with the bundled model."""
    texts, alone, rounds = (300, 20, 1) if options.quick else (3_000, 200, 5)
    bodies = [body(text) for text in short(options, texts)]
    together: dict[str, list[Load]] = {}
    single: dict[str, list[Load]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="raner-peers-")))
        model = prepared(BUNDLED_MODEL, BackendName.ONNX_INT8, options)
        ours = stack.enter_context(farm(options, BUNDLED_MODEL, RANER_WORKERS=str(PROCESSES), RANER_CACHE_TTL="0"))
        urls = {FARM: ours.url}
        for peer in PEERS:
            urls[peer.name] = stack.enter_context(running_peer(peer, model, folder / "peers.log"))
        for counted in range(rounds + 1):
            for name, url in urls.items():
                loads = closed_loop(url, NER, bodies, CLIENTS), closed_loop(url, NER, bodies[:alone], 1)
                assert not any(load.failed for load in loads), f"{name} answered with errors"
                if counted:
                    together.setdefault(name, []).append(loads[0])
                    single.setdefault(name, []).append(loads[1])
    report = Report(
        "against_peers",
        "The farm against other ways to serve the engine",
        METHOD.format(processes=PROCESSES, clients=CLIENTS, texts=texts, alone=alone, rounds=rounds),
        machine.describe(),
    )
    _tell(report, together, single)
    return report


def _tell(report: Report, together: dict[str, list[Load]], single: dict[str, list[Load]]) -> None:
    rates = {name: _rate(loads) for name, loads in together.items()}
    for name, rate in rates.items():
        if name != FARM:
            goal = GOAL if name == PEERS[1].name else None
            report.ratio(f"short texts a second, the farm over {name}", rates[FARM] / rate, goal)
    report.table(
        f"POST /ner, one text of at most 35 characters, {CLIENTS} clients, then one",
        ("", "answers/s", "least", "most", "50 %, ms", "99 %, ms", "one client: 50 %, ms"),
        [
            [
                name,
                rates[name],
                min(load.rate for load in loads),
                max(load.rate for load in loads),
                *(1000 * median(load.percentile(q) for load in loads) for q in (50, 99)),
                1000 * median(load.percentile(50) for load in single[name]),
            ]
            for name, loads in together.items()
        ],
    )
    report.bars(f"answers a second, {CLIENTS} clients", rates)
    report.data["answers a second"] = {name: [load.rate for load in loads] for name, loads in together.items()}


def _rate(loads: Sequence[Load]) -> float:
    return median(load.rate for load in loads)


if __name__ == "__main__":
    OPTIONS = parse(__doc__)
    measure(OPTIONS).write(OPTIONS.out)
