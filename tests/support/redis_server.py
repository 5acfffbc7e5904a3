"""A real Redis for tests, which they may stop, kill and start again."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from redis import Redis
from redis.exceptions import BusyLoadingError, ConnectionError

from deploy.parent_death import dying_with_parent
from deploy.private_redis import find_redis_server

ANSWERS_WITHIN = 30.0  # seconds
ENDED_WITHIN = 30.0


class RedisServer:
    """A Redis on a port of its own that keeps its data in ``folder`` from one start to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        }
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                # A run that is killed cannot end it.
                dying_with_parent((str(find_redis_server()), *(part for option in options.items() for part in option))),
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
            self._process.terminate()
            self._process.wait(ENDED_WITHIN)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(ENDED_WITHIN)
            self._process = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
