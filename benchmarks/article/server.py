"""Runs the baseline as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.settings import PROJECT_ROOT
from tests.support.farm import free_ports

# ModelScope imports for seconds, and loads a base-sized model for up to 20 s an instance.
READY_WITHIN = 300.0  # seconds
ENDED_WITHIN = 30.0


@dataclass(frozen=True)
class Article:
    """A running baseline. ``started`` is the seconds from its start until it listened."""

    url: str
    pid: int
    started: float


@contextmanager
def running_article(model: Path, instances: int, threads: int | None, log: Path) -> Iterator[Article]:
    """The baseline over a model folder, ready.

    Args:
        model: a ModelScope folder.
        instances: pipelines in its pool.
        threads: PyTorch's threads for one recognition; None: as many as PyTorch takes by itself.
        log: file for what it writes.
    """
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "benchmarks.article", f"--model={model}", f"--instances={instances}"]
    command += [f"--port={port}"] + ([] if threads is None else [f"--threads={threads}"])
    began = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env={**os.environ, "MODELSCOPE_LOG_LEVEL": "40"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield Article(f"http://127.0.0.1:{port}", process.pid, time.monotonic() - began)
    finally:
        process.terminate()
        try:
            process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the baseline did not start:\n{log.read_text(errors='replace')[-3000:]}") from None
            time.sleep(0.05)  # there is no event before it listens
        else:
            return
