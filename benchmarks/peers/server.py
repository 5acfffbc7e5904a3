"""Runs a peer as processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import Client
from benchmarks.load import body
from benchmarks.peers.engine import FOLDER
from shared.settings import PROJECT_ROOT
from tests.support.farm import free_ports

PROCESSES = 2
READY_WITHIN = 120.0  # seconds
ENDED_WITHIN = 30.0


@dataclass(frozen=True)
class Peer:
    """A way to serve: its name and its command, to which ``--port`` is added."""

    name: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


_QUIET = ("--log-level=warning", "--no-access-log")
_MOSEC = (sys.executable, "-m", "benchmarks.peers.mosec_app", "--log-level", "warning")
PEERS = (
    Peer(
        f"FastAPI, {PROCESSES} uvicorn processes",
        (sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_app:app", f"--workers={PROCESSES}", *_QUIET),
    ),
    Peer(f"mosec, {PROCESSES} workers", _MOSEC),
    Peer(f"mosec, {PROCESSES} workers, batches of up to 16", _MOSEC, {"PEER_BATCH": "16"}),
)


@contextmanager
def running_peer(peer: Peer, prepared: Path, log: Path) -> Iterator[str]:
    """The address of a peer that serves the prepared folder and has answered once.

    Raises:
        RuntimeError: it did not; the log says why.
    """
    (port,) = free_ports(1)
    with log.open("ab") as output:
        process = subprocess.Popen(
            (*peer.command, "--port", str(port)),
            cwd=PROJECT_ROOT,
            env={**os.environ, FOLDER: str(prepared), **peer.variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, url, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            with Client(url) as client:
                if client.post("/ner", body("马云在杭州。")).status == 200:
                    return
        except OSError:
            pass  # not listening yet
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"a peer did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)  # there is no event before it answers
