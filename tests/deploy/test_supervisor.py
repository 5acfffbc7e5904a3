"""The supervisor with small processes of the test's own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from io import StringIO
from pathlib import Path

import pytest

from deploy.health import HealthCheck
from deploy.printer import Printer
from deploy.processes import FarmProcess
from deploy.supervisor import Failure, Supervisor

WITHIN = 60.0

# Well as soon as it listens. Ends with status 0 on TERM, and says so.
SERVER = """
import signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listens", flush=True)
signal.sigwait({signal.SIGTERM})
print("ends", flush=True)
"""


class Output(StringIO):
    """What is printed."""

    def lines(self) -> list[str]:
        """The lines without their times."""
        return [" ".join(line.split()[1:]) for line in self.getvalue().splitlines()]


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def process(name: str, code: str, *arguments: str, health: str | None = None) -> FarmProcess:
    return FarmProcess(
        name, (sys.executable, "-c", code, *arguments), "", HealthCheck(health or f"tcp://127.0.0.1:{port()}")
    )


def server(name: str) -> FarmProcess:
    where = port()
    return process(name, SERVER, str(where), health=f"tcp://127.0.0.1:{where}")


def supervised(output: Output, *processes: FarmProcess, when_ready: object = None) -> Failure | None:
    def ready() -> str:
        if callable(when_ready):
            when_ready()
        else:
            os.kill(os.getpid(), signal.SIGTERM)
        return "ready"

    printer = Printer(output, [each.name for each in processes])
    supervisor = Supervisor(processes, "base", dict(os.environ), Path.cwd(), printer)
    return asyncio.run(asyncio.wait_for(supervisor.run(ready), WITHIN))


def test_the_foundation_ends_last() -> None:
    output = Output()
    assert supervised(output, server("base"), server("one"), server("two")) is None
    stops = [line.split()[2] for line in output.lines() if "stopped (rc=0)" in line]
    assert sorted(stops) == ["base", "one", "two"]
    assert stops[-1] == "base"
    assert output.lines().index("base | ends") > max(output.lines().index(f"{name} | ends") for name in ("one", "two"))


def test_the_foundation_ends_well_though_another_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.supervisor.GRACE", 1.0)
    output, where = Output(), port()
    deaf = SERVER.replace("signal.sigwait({signal.SIGTERM})", "while True: signal.pause()")
    stuck = process("stuck", deaf, str(where), health=f"tcp://127.0.0.1:{where}")
    assert supervised(output, server("base"), stuck) is None
    assert "system | stuck stopped (rc=-9)" in output.lines()
    assert "system | base stopped (rc=0)" in output.lines()


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.restarts.FIRST_PAUSE", 0.01)


@pytest.mark.usefixtures("short_pauses")
def test_what_is_written_last_and_without_a_newline_is_printed() -> None:
    output = Output()
    failure = supervised(output, process("broken", "import sys; sys.stdout.write('first\\nno newline'); sys.exit(3)"))
    assert failure == Failure("broken", "ended with status 3, 6 times without being well in between", "no newline")
    assert output.lines().count("broken | first") == output.lines().count("broken | no newline") == 6


@pytest.mark.usefixtures("short_pauses")
def test_a_command_that_is_not_there_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.supervisor.dying_with_parent", lambda command: command)
    missing = FarmProcess("missing", ("/no/such/program",), "", HealthCheck("tcp://127.0.0.1:1"))
    failure = supervised(Output(), missing)
    assert failure is not None
    assert failure.how.startswith("could not be started (No such file or directory), 6 times")


def test_children_of_a_process_that_is_killed_do_not_outlive_it() -> None:
    where = port()
    parent = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SERVER!r}, "{where}"])
time.sleep(3600)
"""
    output = Output()
    rounds = 0

    def kill_the_parent() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            pid = [line for line in output.lines() if "parent started" in line][-1].partition("pid=")[2].rstrip(")")
            os.kill(int(pid), signal.SIGKILL)
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    # The next one could not listen if the child of the one before did so still.
    assert (
        supervised(output, process("parent", parent, health=f"tcp://127.0.0.1:{where}"), when_ready=kill_the_parent)
        is None
    )
    assert output.lines().count("parent | listens") == 3


def test_while_the_others_end_a_dead_foundation_is_started_again() -> None:
    base = server("base")
    # It ends once it has seen the foundation die and come back.
    where = port()
    code = f"""
import signal, socket, sys, time
def end(*_):
    print("waits", flush=True)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", {base.command[-1]})):
                if gone:
                    sys.exit(0)
        except ConnectionRefusedError:
            gone.append(True)
        time.sleep(0.005)
gone = []
signal.signal(signal.SIGTERM, end)
listener = socket.create_server(("127.0.0.1", {where}))
while True:
    listener.accept()
"""

    class KillsBase(Output):
        def write(self, text: str) -> int:
            if "other | waits" in " ".join(text.split()):
                pid = next(line for line in self.lines() if "base started" in line).partition("pid=")[2].rstrip(")")
                os.kill(int(pid), signal.SIGKILL)
            return super().write(text)

    killing = KillsBase()
    assert supervised(killing, base, process("other", code, health=f"tcp://127.0.0.1:{where}")) is None
    assert [line.split()[2] for line in killing.lines() if "stopped (rc=" in line] == ["base", "other", "base"]


def test_when_nobody_reads_the_output_all_is_ended() -> None:
    class Closed(Output):
        def write(self, text: str) -> int:
            if "listens" in text:
                raise BrokenPipeError
            return super().write(text)

    assert supervised(Closed(), server("base"), server("one"), when_ready=lambda: None) is None


def test_lines_are_in_their_process_colour_on_a_terminal() -> None:
    class Terminal(Output):
        def isatty(self) -> bool:
            return True

    plain, coloured = Output(), Terminal()
    for output in (plain, coloured):
        printer = Printer(output, ["web", "flower"])
        printer.line("web", "hello")
        printer.line("flower", "hello")
    assert "\033" not in plain.getvalue()
    web, flower = coloured.getvalue().splitlines()
    assert web.startswith("\033[36m")
    assert flower.startswith("\033[33m")
    assert web.endswith(" web    | \033[0mhello")
