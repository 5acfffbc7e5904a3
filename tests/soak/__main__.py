"""``python -m tests.soak``: run the soak, write its history, and have the checker judge it."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from shared.settings import BUNDLED_MODEL, PROJECT_ROOT
from tests.soak.calm import recognise_all
from tests.soak.clients import Client, Plan
from tests.soak.farm import SoakFarm
from tests.soak.faults import RESTARTS_OF_REDIS, WEIGHTS, Injector, Kind, name_of
from tests.soak.history import History
from tests.soak.texts import Pool, make_pool

WORK = PROJECT_ROOT / "var" / "soak"
SMALL = 2_000  # jobs; fewer take a tenth of the texts


def main() -> int:
    """Run it. Returns the checker's exit status."""
    options = _parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    prepared = WORK / "prepared"
    _prepare(prepared)
    history_path = options.out / "history.jsonl"
    with History(history_path) as history:
        history.write("run", options={name: str(value) for name, value in vars(options).items()})
        pool = make_pool(options.seed, small=options.jobs < SMALL)
        _say(f"{len(pool.texts)} texts on a calm farm")
        with _running(options.out / "calm", prepared, history, 1, RANER_CACHE_TTL="0") as calm:
            recognise_all(calm, pool, history)
        variables = {"RANER_CACHE_TTL": str(options.cache_ttl), "RANER_LOG_LEVEL": "INFO"}
        with _running(options.out / "farm", prepared, history, options.nodes, **variables) as farm:
            _soak(farm, pool, history, options)
    command = [sys.executable, "-m", "tests.soak.check", str(history_path)]
    return subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode


def _soak(farm: SoakFarm, pool: Pool, history: History, options: argparse.Namespace) -> None:
    seconds = 60 * options.minutes
    _say(f"{options.jobs} jobs over {options.minutes:g} minutes")
    plan = Plan(pool, options.seed, options.jobs, seconds, 2 * seconds)
    clients = [Client(farm.url, history, pool, plan, seed) for seed in range(options.threads)]
    kinds = _kinds(options.only, options.no_restarts)
    with ThreadPoolExecutor(len(clients)) as threads:
        running = [threads.submit(client.run, options.settle) for client in clients]
        try:
            with Injector(farm, history, kinds, options.every, options.seed):
                while not plan.exhausted and not all(each.done() for each in running):
                    time.sleep(0.2)
        except BaseException:
            plan.stop()  # the threads are waited for
            raise
        _say("no further faults; waiting for the jobs that are open")
        for each in running:
            each.result()
        _say("looking at all jobs again")
        for each in [threads.submit(client.look_at_all_again) for client in clients]:
            each.result()
    keys, left_bytes = farm.left()
    models = farm.ask("/api/v1/farm")["models"]
    history.write("left", keys=keys, bytes=left_bytes, models=models)
    history.write("memory", peak=farm.peak)
    history.write("closed")


@contextmanager
def _running(folder: Path, prepared: Path, history: History, nodes: int, **variables: str) -> Iterator[SoakFarm]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    farm = SoakFarm(folder, prepared, history, nodes, **variables)
    try:
        farm.start()
        yield farm
    finally:
        farm.stop()


def _prepare(folder: Path) -> None:
    command = [sys.executable, "-m", "workers.prepare", str(BUNDLED_MODEL), "--prepared-dir", str(folder)]
    subprocess.run(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, check=True)


def _kinds(only: Sequence[str] | None, no_restarts: bool) -> list[Kind]:
    return [
        kind
        for kind in WEIGHTS
        if (only is None or name_of(kind) in only) and not (no_restarts and kind in RESTARTS_OF_REDIS)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Run a farm under random faults, and judge what became of every job.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--jobs", type=int, default=20_000, help="submissions")
    parser.add_argument("--minutes", type=float, default=12, help="over which they are spread; at most twice as many")
    parser.add_argument("--seed", type=int, default=1, help="of texts, jobs and faults")
    parser.add_argument("--threads", type=int, default=24, help="clients")
    parser.add_argument("--nodes", type=int, default=2, help="worker nodes, of two processes each")
    parser.add_argument("--every", type=float, default=4, metavar="SECONDS", help="mean time between two faults")
    parser.add_argument("--only", nargs="+", choices=[*map(name_of, WEIGHTS)], metavar="KIND", help="kinds of faults")
    parser.add_argument("--no-restarts", action="store_true", help="leave Redis running")
    parser.add_argument("--settle", type=float, default=180, metavar="SECONDS", help="for open jobs to end, afterwards")
    parser.add_argument("--cache-ttl", type=int, default=5, metavar="SECONDS", help="of the result cache; 0: none")
    parser.add_argument("--out", type=Path, default=WORK, metavar="DIR", help="for the history and the logs")
    return parser


def _say(text: str) -> None:
    print(f"soak: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
