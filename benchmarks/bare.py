"""The engine with no stack around it: bare processes that each hold a prepared model and recognise texts in a loop.

A process is ``python -m benchmarks.bare FOLDER THREADS``. It is no :mod:`multiprocessing` child, which would import
what its parent's main module does, PyTorch among it. It is told what to do, and answers, in lines of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from shared.settings import PROJECT_ROOT

# Texts that each process recognises before the clock starts, at most.
WARM_UP = 64


@dataclass(frozen=True)
class Run:
    """What came of recognising texts: texts a second, of all processes, and the seconds of each call.

    The calls are those of the first process, then of the second, and so on; each process's in its order.
    """

    rate: float
    call_seconds: list[float]


class Bare:
    """Processes that hold the model and wait for texts. Idle ones use no processor time."""

    def __init__(self, processes: Sequence[subprocess.Popen[str]]) -> None:
        self._processes = processes
        for process in processes:
            _hear(process)  # it is loaded

    @property
    def processes(self) -> list[psutil.Process]:
        """The processes, to look at."""
        return [psutil.Process(process.pid) for process in self._processes]

    def run(self, texts: Sequence[str], together: int = 1) -> Run:
        """Recognise each text once, in calls of ``together`` texts (the last one of each process of fewer).

        The rate is the sum of what each process did in its own time, so that none waits for another at the end.
        """
        shares = [share for share in dealt(texts, len(self._processes)) if share]
        busy = self._processes[: len(shares)]
        for process, share in zip(busy, shares, strict=True):
            _tell(process, {"texts": share, "together": together})
        for process in busy:
            _hear(process)  # it is warm
        for process in busy:
            _tell(process, {})
        seconds = [_hear(process)["seconds"] for process in busy]
        rate = sum(len(share) / sum(calls) for share, calls in zip(shares, seconds, strict=True))
        return Run(rate, [second for calls in seconds for second in calls])


@contextmanager
def bare(prepared: Path, processes: int, threads: int = 1) -> Iterator[Bare]:
    """So many processes, each with so many engine threads, loaded and ready.

    Raises:
        RuntimeError: one of them ended; what it wrote to stderr says why.
    """
    with ExitStack() as stack:
        started = []
        for _ in range(processes):
            command = [sys.executable, "-m", "benchmarks.bare", str(prepared), str(threads)]
            process = subprocess.Popen(
                command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
            )
            # Leaving it closes its input, which ends it.
            started.append(stack.enter_context(process))
        yield Bare(started)


def dealt(texts: Sequence[str], hands: int) -> list[list[str]]:
    """The texts divided so that each part is about as much work; in their order."""
    if hands == 1:
        return [list(texts)]
    by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    # To and fro, so that no part has the longer text of every round.
    rounds = [by_length[start : start + hands] for start in range(0, len(texts), hands)]
    parts: list[list[int]] = [[] for _ in range(hands)]
    for number, group in enumerate(rounds):
        for place, index in enumerate(group):
            parts[place if number % 2 == 0 else hands - 1 - place].append(index)
    return [[texts[index] for index in sorted(part)] for part in parts]


def _tell(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it has ended; whoever hears it next says so


def _hear(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a bare process ended; its output above says why")
    answer: dict[str, Any] = json.loads(line)
    return answer


def main() -> None:
    """Be such a process."""
    prepared, threads = Path(sys.argv[1]), int(sys.argv[2])
    # Whatever a library prints must not get among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from workers.loading import load

    recogniser = load(prepared, threads)
    print("{}", file=answers, flush=True)
    while line := sys.stdin.readline():
        order = json.loads(line)
        texts, together = order["texts"], order["together"]
        calls = [texts[start : start + together] for start in range(0, len(texts), together)]
        recogniser.recognise(texts[:WARM_UP])
        print("{}", file=answers, flush=True)
        sys.stdin.readline()
        times = [time.perf_counter()]
        for call in calls:
            recogniser.recognise(call)
            times.append(time.perf_counter())
        seconds = [end - begin for begin, end in pairwise(times)]
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
