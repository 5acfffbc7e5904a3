"""The farm of the soak: Redis behind a proxy, web, worker nodes, and a supervisor that starts again what ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError

from deploy.parent_death import dying_with_parent
from deploy.private_redis import find_redis_server
from shared.settings import BUNDLED_MODEL, PROJECT_ROOT
from tests.soak.history import History
from tests.support.farm import free_ports
from tests.support.tcp_proxy import TcpProxy

MODEL = BUNDLED_MODEL.name
REDIS, WEB = "redis", "web"
READY_WITHIN = 240.0  # seconds
ENDED_WITHIN = 40.0
# Seconds between two looks of the supervisor, before it starts a process again, and between two looks at the memory.
LOOK, PAUSE, MEMORY = 0.1, 0.5, 2.0
# What differs from one job, text or process to the next in the name of a key.
_VARYING = re.compile(r"[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=[:@-])\d+")


@dataclass
class _Kept:
    """A process that the supervisor keeps running. ``meant``: a fault ends it, or has ended it."""

    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    meant: bool = False
    start_at: float = 0.0
    variables: dict[str, str] = field(default_factory=dict)


class SoakFarm:
    """Starts the farm in ``folder``, and keeps all of its processes running until it is stopped.

    The names of its processes are ``redis``, ``web``, ``node-1`` and so on. They reach Redis through ``proxy``.
    """

    def __init__(self, folder: Path, prepared: Path, history: History, nodes: int, **variables: str) -> None:
        """
        Args:
            folder: for the data of Redis and of the nodes, and for the logs.
            prepared: folder of prepared models.
            variables: further ``RANER_`` variables.
        """
        self.folder = folder
        self.peak: dict[str, int] = {}
        self._history = history
        redis_port, web_port = free_ports(2)
        self._redis_port = redis_port
        self.proxy = TcpProxy(redis_port)
        self.proxy.start()
        self.url = f"http://127.0.0.1:{web_port}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RANER_")}
        self._environment = {
            **inherited,
            "RANER_REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}/0",
            "RANER_PORT": str(web_port),
            "RANER_WEB_PROCESSES": "2",
            "RANER_WORKERS": "2",
            "RANER_MODELS": f"{MODEL}={BUNDLED_MODEL}",
            "RANER_DATA_DIR": str(folder / WEB),
            **variables,
        }
        python = sys.executable
        self._kept = {
            REDIS: _Kept(_redis_command(redis_port, folder / REDIS)),
            WEB: _Kept((python, "-m", "gunicorn", "--config", "web/gunicorn.py", "web.app:create_app()")),
        }
        for name in (REDIS, WEB):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, nodes + 1):
            name = f"node-{number}"
            # As on machines of their own, but models are prepared once.
            (folder / name).mkdir(exist_ok=True)
            (folder / name / "prepared").symlink_to(prepared)
            command = (python, "-m", "workers", "--model", MODEL)
            self._kept[name] = _Kept(command, variables={"RANER_DATA_DIR": str(folder / name)})
        self._lock = threading.RLock()
        self._ended = threading.Event()
        # The kernel kills the processes when the thread that started them ends, so one thread does all of that.
        self._supervisor = ThreadPoolExecutor(1, "supervisor")

    @property
    def nodes(self) -> list[str]:
        """Names of the worker nodes."""
        return [name for name in self._kept if name.startswith("node-")]

    def start(self) -> None:
        """Start everything. Returns once the farm is ready and every worker process is known.

        Raises:
            RuntimeError: it is not ready in time; the logs say why.
        """
        self._supervision = self._supervisor.submit(self._supervise)
        deadline = time.monotonic() + READY_WITHIN
        wanted = len(self.nodes) * int(self._environment["RANER_WORKERS"])
        while self._workers() < wanted:
            if self._supervision.done():
                self._supervision.result()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the farm is not ready; the logs are in {self.folder}")
            time.sleep(0.2)  # there is no event before a server listens

    def stop(self) -> None:
        """End everything as an operator would; Redis last."""
        self._ended.set()
        self._supervision.result()
        self._supervisor.shutdown()
        self.proxy.stop()

    def process(self, name: str) -> psutil.Process | None:
        """The process of this name; None while it does not run."""
        with self._lock:
            process = self._kept[name].process
            if process is None or process.poll() is not None:
                return None
            try:
                return psutil.Process(process.pid)
            except psutil.NoSuchProcess:
                return None

    def children(self, name: str) -> list[psutil.Process]:
        """What a process has started; nothing while it does not run."""
        process = self.process(name)
        try:
            return [] if process is None else process.children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def end(self, name: str, signal_number: int, group: bool = False, pause: float = PAUSE) -> None:
        """Have a process end by a signal, which is not counted as ending by itself. It is started again.

        Args:
            group: send the signal to all that it has started, too.
            pause: seconds before it is started again.
        """
        with self._lock:
            kept = self._kept[name]
            if kept.process is None or kept.process.poll() is not None:
                return
            kept.meant = True
            kept.start_at = pause
            if group:
                os.killpg(kept.process.pid, signal_number)
            else:
                kept.process.send_signal(signal_number)

    def ask(self, path: str) -> Any:
        """The farm's answer to a GET of ``path``.

        Raises:
            OSError: it does not answer, or not with 200.
        """
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def left(self) -> tuple[dict[str, int], int]:
        """How many keys Redis holds by the pattern of their name, and its bytes."""
        with Redis(port=self._redis_port) as redis:
            names = [name.decode(errors="replace") for name in redis.scan_iter(count=1000)]
            return dict(Counter(_VARYING.sub("*", name) for name in names)), int(redis.info("memory")["used_memory"])

    def _workers(self) -> int:
        """Worker processes that the farm knows."""
        try:
            return sum(model["workers"] for model in self.ask("/api/v1/models")["models"])
        except OSError:
            return 0

    def _supervise(self) -> None:
        self._start(REDIS)
        while not self._redis_answers() and not self._ended.wait(LOOK):
            pass
        for name in (WEB, *self.nodes):
            self._start(name)
        looked = 0.0
        while not self._ended.wait(LOOK):
            with self._lock:
                for name, kept in self._kept.items():
                    self._look_at(name, kept)
            if time.monotonic() - looked > MEMORY:
                self._look_at_memory()
                looked = time.monotonic()
        for names in ((WEB, *self.nodes), (REDIS,)):
            self._terminate(names)

    def _start(self, name: str) -> None:
        kept = self._kept[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            kept.process = subprocess.Popen(
                dying_with_parent(kept.command),
                cwd=PROJECT_ROOT,
                env=self._environment | kept.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        kept.meant = False
        kept.start_at = 0.0
        self._history.write("started", process=name)

    def _look_at(self, name: str, kept: _Kept) -> None:
        if kept.process is not None and (status := kept.process.poll()) is not None:
            self._history.write("ended", process=name, status=status, meant=kept.meant)
            kept.process = None
            kept.start_at = time.monotonic() + (kept.start_at or PAUSE)
        if kept.process is None and time.monotonic() >= kept.start_at:
            self._start(name)

    def _look_at_memory(self) -> None:
        for name in (REDIS, WEB, *self.nodes):
            process = self.process(name)
            kind = "node" if name in self.nodes else name
            for each, part in [(process, kind), *((child, f"{kind} process") for child in self.children(name))]:
                try:
                    bytes_now = each.memory_info().rss if each is not None else 0
                except psutil.NoSuchProcess:
                    continue
                self.peak[part] = max(self.peak.get(part, 0), bytes_now)

    def _redis_answers(self) -> bool:
        try:
            with Redis(port=self._redis_port, retry=None) as redis:
                return bool(redis.ping())
        except RedisError:
            return False

    def _terminate(self, names: tuple[str, ...]) -> None:
        running = {name: kept.process for name in names if (kept := self._kept[name]).process is not None}
        for process in running.values():
            assert process is not None
            process.terminate()
        for name, process in running.items():
            assert process is not None
            try:
                status = process.wait(ENDED_WITHIN)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                status = process.wait()
            self._history.write("ended", process=name, status=status, meant=True)


def _redis_command(port: int, folder: Path) -> tuple[str, ...]:
    return (
        *(str(find_redis_server()), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"),
    )
