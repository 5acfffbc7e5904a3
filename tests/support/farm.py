"""A farm of real processes, started as `make run` and the compose file start them, for tests to use and to break."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from deploy.processes import farm_processes
from shared.settings import BUNDLED_MODEL, PROJECT_ROOT, Settings
from tests.support.redis_server import RedisServer

# The first start of a model on a data folder prepares it.
READY_WITHIN = 240.0  # seconds
ENDED_WITHIN = 60.0


class Farm:
    """Redis, web, Flower and a worker node for each model; each can be stopped, killed and started again."""

    def __init__(self, folder: Path, data_dir: Path, **variables: str) -> None:
        """
        Args:
            folder: for the Redis data and the logs.
            data_dir: ``RANER_DATA_DIR``; farms that share one prepare each model once.
            variables: further ``RANER_`` variables.
        """
        self.folder = folder
        self.redis = RedisServer(folder / "redis")
        port, flower_port = free_ports(2)
        self._own = {
            "RANER_PORT": str(port),
            "RANER_FLOWER_PORT": str(flower_port),
            "RANER_DATA_DIR": str(data_dir),
            "RANER_WORKERS": "1",
            # One model is enough for most tests.
            "RANER_MODELS": f"{BUNDLED_MODEL.name}={BUNDLED_MODEL}",
            **variables,
        }
        self.url = f"http://127.0.0.1:{port}"
        self.flower_url = f"http://127.0.0.1:{flower_port}"
        self.http = requests.Session()
        self.http.trust_env = False
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What its processes see."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RANER_")}
        # Flower's API is for whoever may see its page; the tests ask it rather than read the page.
        return {**inherited, **self._own, "RANER_REDIS_URL": self.redis.url, "FLOWER_UNAUTHENTICATED_API": "1"}

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        """The command of each process by its name."""
        fields = {name.removeprefix("RANER_").lower(): value for name, value in self.environment.items()}
        settings = Settings.model_validate({name: fields[name] for name in Settings.model_fields if name in fields})
        return {process.name: process.command for process in farm_processes(settings)}

    @property
    def workers(self) -> list[str]:
        """Names of the worker nodes."""
        return [name for name in self.commands if name.startswith("worker-")]

    def start(self, *names: str) -> None:
        """Start the processes of these names; all where none is given."""
        for name in names or self.commands:
            self.start_as(name, self.commands[name])

    def start_as(self, name: str, command: tuple[str, ...]) -> None:
        """Start a process of a test's own by the side of the farm's."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, name: str) -> int:
        """End a process as an operator would. Returns its exit status."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(ENDED_WITHIN)

    def kill(self, name: str) -> None:
        """End a process and its children at once, as a power cut would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(ENDED_WITHIN)

    def children(self, name: str) -> list[psutil.Process]:
        """The processes that a process has started."""
        return list(psutil.Process(self.processes[name].pid).children(recursive=True))

    def log(self, name: str) -> str:
        """What a process has written."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait_ready(self, path: str = "/readyz") -> None:
        """Return once ``path`` answers 200 and finds nothing amiss, or say what the processes wrote."""
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                answer = self.http.get(self.url + path, timeout=10)
                # Ready is ready with one model; the tests want every one.
                if answer.status_code == 200 and all(
                    check == "ok" for check in answer.json().get("checks", {}).values()
                ):
                    return
            except requests.ConnectionError:
                pass  # not listening yet
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = "\n".join(f"--- {name}\n{self.log(name)[-3000:]}" for name in self.processes)
                raise AssertionError(f"the farm is not ready; ended: {dead}\n{logs}")
            time.sleep(0.1)  # there is no event before a server listens

    def post(self, path: str, json: Any, **options: Any) -> requests.Response:
        """A POST request."""
        return self.http.post(self.url + path, json=json, timeout=60, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """A GET request."""
        return self.http.get(self.url + path, timeout=60, **options)

    def delete(self, path: str) -> requests.Response:
        """A DELETE request."""
        return self.http.delete(self.url + path, timeout=60)

    def ended(self, job_id: str, within: float = 120) -> dict[str, Any]:
        """The job once it has ended."""
        deadline = time.monotonic() + within
        while True:
            answer = self.get(f"/api/v1/jobs/{job_id}", params={"wait": 10})
            if answer.status_code == 503 and time.monotonic() < deadline:
                continue  # Redis is away for a moment
            answer.raise_for_status()
            job: dict[str, Any] = answer.json()
            if job["status"] not in ("queued", "running"):
                return job
            if time.monotonic() > deadline:
                raise AssertionError(f"job {job_id} is {job['status']} still: {job['progress']}")

    def submit(self, **body: Any) -> str:
        """Post a job that has to be accepted. Returns its id."""
        answer = self.post("/api/v1/jobs", body)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["id"])

    def clear_away(self) -> None:
        """End everything; Redis last."""
        for process in self.processes.values():
            process.terminate()
        for name in list(self.processes):
            try:
                self.processes[name].wait(ENDED_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill(name)
        self.http.close()
        self.redis.stop()


@contextmanager
def running_farm(folder: Path, data_dir: Path, **variables: str) -> Iterator[Farm]:
    """A farm that is ready."""
    farm = Farm(folder, data_dir, **variables)
    farm.redis.start()
    try:
        farm.start()
        farm.wait_ready()
        yield farm
    finally:
        farm.clear_away()


def free_ports(number: int) -> list[int]:
    """Ports on which nothing listens, different from each other."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
