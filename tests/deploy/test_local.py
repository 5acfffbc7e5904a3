"""`python -m deploy.local`, the launcher behind `make run`, as a user meets it: the real one, in its own process."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from shared.settings import PROJECT_ROOT
from tests.support.farm import free_ports

READY_WITHIN = 400.0  # seconds; the first start prepares both models, which takes long on a busy machine
ENDED_WITHIN = 60.0


class Launcher:
    """A launcher with its own ports, whose lines can be waited for."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        ports = free_ports(2)
        self.port = ports[0]
        own = {
            "RANER_DATA_DIR": str(data_dir),
            "RANER_PORT": str(ports[0]),
            "RANER_FLOWER_PORT": str(ports[1]),
            "RANER_WORKERS": "1",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RANER_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local"],
            cwd=PROJECT_ROOT,
            env={**inherited, **own, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._coming: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._coming.put(line.rstrip("\n"))
        self._coming.put(None)

    def wait_for(self, pattern: str, within: float = READY_WITHIN) -> str:
        """The first line from here on in which ``pattern`` is found."""
        deadline = time.monotonic() + within
        while True:
            try:
                line = self._coming.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"no line {pattern!r} within {within:.0f} s:\n" + "\n".join(self.lines))
            if line is None:
                pytest.fail(f"the launcher ended before a line {pattern!r}:\n" + "\n".join(self.lines))
            self.lines.append(line)
            if re.search(pattern, line):
                return line

    def ended(self) -> tuple[int, list[str]]:
        """Its exit status and all its lines, once it has ended."""
        status = self.process.wait(ENDED_WITHIN)
        self._reader.join(ENDED_WITHIN)
        while (line := self._coming.get_nowait()) is not None:
            self.lines.append(line)
        return status, self.lines

    def tree(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def clear_away(self) -> None:
        """Kill what a failed test leaves behind."""
        if self.process.poll() is None:
            for process in self.tree():
                process.kill()
            self.process.kill()
        self.process.wait()
        self._reader.join(ENDED_WITHIN)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all farms here, one after another: only the first has to prepare the model."""
    return tmp_path_factory.mktemp("farm")


@pytest.fixture
def farm(data_dir: Path) -> Iterator[Launcher]:
    """A farm that is ready."""
    launcher = Launcher(data_dir)
    try:
        launcher.wait_for(r"\| ready after [\d.]+ s: http://")
        yield launcher
    finally:
        launcher.clear_away()


def assert_refused(data_dir: Path, pattern: str, **settings: str) -> None:
    """The launcher says one line and ends with status 1, and nothing was started."""
    launcher = Launcher(data_dir, **settings)
    try:
        status, lines = launcher.ended()
    finally:
        launcher.clear_away()
    assert status == 1
    assert len(lines) == 1, "\n".join(lines)
    assert re.fullmatch(f"raner-farm: {pattern}", lines[0]), lines[0]


def assert_all_ended(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=ENDED_WITHIN)
    assert not alive


def recognise(port: int, text: str) -> list[dict[str, object]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/ner",
        data=json.dumps({"text": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        entities: list[dict[str, object]] = json.load(answer)["data"]
    return entities


def test_it_starts_a_farm_that_answers_and_ctrl_c_ends_it(farm: Launcher, data_dir: Path) -> None:
    entities = recognise(farm.port, "王小明在北京大学读书。")
    assert {"北京大学"} <= {str(entity["text"]) for entity in entities}
    started = "\n".join(farm.lines)
    for name in ("redis", "web", "flower", "worker-raner-mini-news", "worker-raner-mini-generic"):
        assert re.search(rf"^raner-farm: {name} +\S", started, re.MULTILINE)

    # A second one on the same folder is told off, and the first goes on.
    pid = farm.process.pid
    assert_refused(data_dir, rf"a farm runs on .* already \(process {pid}\); stop it, or give .*RANER_DATA_DIR.*")
    assert recognise(farm.port, "他住在上海。")

    processes = farm.tree()
    os.killpg(farm.process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    status, lines = farm.ended()
    assert status == 0
    assert_all_ended(processes)
    stops = [match[1] for line in lines if (match := re.search(r"system +\| (\S+) stopped \(rc=0\)", line))]
    assert sorted(stops) == ["flower", "redis", "web", "worker-raner-mini-generic", "worker-raner-mini-news"]
    assert stops[-1] == "redis"
    assert not [line for line in lines if "Traceback" in line]


def one(processes: list[psutil.Process], *command: str) -> psutil.Process:
    """The one of a launcher's own processes that has these words in its command."""
    (found,) = [
        each for each in processes if is_leader(each) and all(word in " ".join(each.cmdline()) for word in command)
    ]
    return found


PROCESSES = {
    "flower": ("celery", "flower"),
    "worker-raner-mini-news": ("workers", "raner-mini-news"),
    "web": ("gunicorn",),
    "redis": ("redis-server",),
}


def test_what_dies_is_started_again(farm: Launcher) -> None:
    for number, (name, command) in enumerate(PROCESSES.items()):
        process = one(farm.tree(), *command)
        environment = process.environ()
        children = process.children(recursive=True)
        process.kill()
        farm.wait_for(rf"system +\| {name} ended with signal SIGKILL; starting it again in 0\.5 s", ENDED_WITHIN)
        farm.wait_for(rf"system +\| {name} started", ENDED_WITHIN)
        assert_all_ended(children)
        farm.wait_for(r"system +\| ready again: http://")
        assert one(farm.tree(), *command).environ() == environment  # Redis has the same address and password
        assert {entity["text"] for entity in recognise(farm.port, f"第{number}个人住在杭州。")} >= {"杭州"}
    os.kill(farm.process.pid, signal.SIGTERM)
    status, lines = farm.ended()
    assert status == 0
    assert not [line for line in lines if "starting it again" in line and not any(name in line for name in PROCESSES)]


def test_the_private_redis_keeps_its_data_through_its_death(farm: Launcher, data_dir: Path) -> None:
    url = one(farm.tree(), "workers", "raner-mini-news").environ()["RANER_REDIS_URL"]
    with Redis.from_url(url) as client:
        client.set("kept", "yes")
        deadline = time.monotonic() + 30
        while client.info("persistence")["aof_pending_bio_fsync"] or client.info("persistence")["aof_buffer_length"]:
            assert time.monotonic() < deadline
        one(farm.tree(), "redis-server").kill()
        farm.wait_for(r"system +\| redis started", ENDED_WITHIN)
        farm.wait_for(r"system +\| ready again: http://")
        assert client.get("kept") == b"yes"
        client.delete("kept")


@pytest.mark.parametrize("name", ["redis", "worker-raner-mini-news"])
def test_it_ends_cleanly_while_something_is_being_started_again(farm: Launcher, name: str) -> None:
    for pause in ("0.5", "1"):
        one(farm.tree(), *PROCESSES[name]).kill()
        farm.wait_for(rf"system +\| {name} ended with signal SIGKILL; starting it again in {pause} s", ENDED_WITHIN)
        processes = farm.tree()
        if pause == "0.5":
            farm.wait_for(rf"system +\| {name} started", ENDED_WITHIN)
    os.kill(farm.process.pid, signal.SIGTERM)
    status, lines = farm.ended()
    assert status == 0
    assert_all_ended(processes)
    assert not [line for line in lines if "Traceback" in line]


def test_a_process_that_cannot_be_kept_running_is_quoted_and_ends_the_farm(data_dir: Path, tmp_path: Path) -> None:
    launcher = Launcher(data_dir, RANER_MODELS=f"mine={tmp_path}")
    try:
        launcher.wait_for(r"worker-mine ended with status 1; starting it again in 8 s")
        status, lines = launcher.ended()
    finally:
        launcher.clear_away()
    assert status == 1
    pauses = [
        match[1] for line in lines if (match := re.search(r"worker-mine .* starting it again in ([\d.]+) s", line))
    ]
    assert pauses == ["0.5", "1", "2", "4", "8"]
    why = "ended with status 1, 6 times without being well in between, the others were stopped"
    said = f"its last line: workers: {tmp_path} has no configuration.json"
    assert lines[-1] == f"raner-farm: worker-mine {why}; {said}"


def is_leader(process: psutil.Process) -> bool:
    return bool(os.getpgid(process.pid) == process.pid)


def test_a_launcher_that_is_killed_takes_its_farm_along(farm: Launcher) -> None:
    processes = farm.tree()
    farm.process.kill()
    assert_all_ended(processes)


@pytest.mark.parametrize("variable", ["RANER_PORT", "RANER_FLOWER_PORT"])
def test_a_port_in_use_is_named(tmp_path: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        pattern = rf"{variable}: cannot listen on 127\.0\.0\.1:{port} \(Address already in use\); .*{variable}=\d+.*"
        assert_refused(tmp_path, pattern, **{variable: str(port)})


def test_both_ports_must_differ(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    pattern = rf"RANER_PORT and RANER_FLOWER_PORT are both {port}; give them different ports"
    assert_refused(tmp_path, pattern, RANER_PORT=str(port), RANER_FLOWER_PORT=str(port))


@pytest.mark.parametrize(
    ("variable", "value"), [("RANER_PORT", "many"), ("RANER_WORKERS", "0"), ("RANER_MODELS", "no-source")]
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, variable: str, value: str) -> None:
    assert_refused(tmp_path, f".*{variable}.*", **{variable: value})


def test_a_model_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "no-such-model"
    pattern = rf"RANER_MODELS: the source of mine, {missing}, is no folder and no ModelScope id \(owner/name\)"
    assert_refused(tmp_path, pattern, RANER_MODELS=f"mine={missing}")


def test_a_redis_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    pattern = rf"RANER_REDIS_URL: no Redis answers at 127\.0\.0\.1:{port} (?!.*secret).*"
    assert_refused(tmp_path, pattern, RANER_REDIS_URL=f"redis://:secret@127.0.0.1:{port}/0")


def test_a_redis_address_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert_refused(tmp_path, "RANER_REDIS_URL cannot be read: .*", RANER_REDIS_URL="127.0.0.1:6379")


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    pattern = r"RANER_DATA_DIR: .*/file/folder cannot be written to \(Not a directory\)"
    assert_refused(tmp_path, pattern, RANER_DATA_DIR=str(tmp_path / "file" / "folder"))
