"""A run of the tests finds its browser by itself; one that finds none says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.settings import PROJECT_ROOT
from tests.support import browser
from tests.support.browser import ADVICE, PACKAGES, find_chromium

WORKS = "#!/bin/sh\necho Chromium 1.2.3\n"
# As Ubuntu's chromium-browser where the snap is not there.
NAMES_A_SNAP = "#!/bin/sh\necho install the snap >&2\nexit 1\n"
# Writes down what it was asked, and installs what it was asked to install.
APT_GET = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in *" install "*) printf '{chromium}' > "{bin}/chromium"; /bin/chmod +x "{bin}/chromium" ;; esac
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a program: its path below the temporary folder, its text."""

    def write_program(name: str, text: str) -> Path:
        program = tmp_path / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        return program

    return write_program


def test_the_paths_own_comes_first(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    write("a/google-chrome", WORKS)
    wanted = write("b/chromium", WORKS)
    download = write("c/chrome", WORKS)
    assert find_chromium(f"{tmp_path}/a:{tmp_path}/b", lambda: download) == wanted


def test_one_that_does_not_work_is_passed_by(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    write("a/chromium", NAMES_A_SNAP)
    write("a/chromium-browser", "no program at all")
    wanted = write("a/google-chrome", WORKS)
    assert find_chromium(f"{tmp_path}/a", lambda: None) == wanted


def test_playwrights_download_comes_next(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    write("a/chromium", NAMES_A_SNAP)
    download = write("c/chrome", WORKS)
    assert find_chromium(f"{tmp_path}/a", lambda: download) == download
    assert find_chromium(f"{tmp_path}/a", lambda: tmp_path / "c" / "not there") is None
    assert find_chromium("", lambda: None) is None


def test_debians_package_comes_last(
    tmp_path: Path,
    write: Callable[[str, str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    log, programs = tmp_path / "log", tmp_path / "bin"
    chromium = WORKS.replace("\n", "\\n")
    write("bin/apt-get", APT_GET.format(log=log, bin=programs, chromium=chromium))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    browser.main()
    assert capfd.readouterr().err == f"tests: {ADVICE}\n"
    assert not log.exists()

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    browser.main()
    assert capfd.readouterr().err == f"tests: the browser is {programs / 'chromium'}\n"
    update, install = log.read_text(encoding="utf-8").splitlines()
    assert update.split()[-1] == "update"
    assert install.split()[-len(PACKAGES) :] == list(PACKAGES)
    # Once it is there, nothing is installed.
    browser.main()
    assert len(log.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(("variables", "status", "outcome"), [({}, 0, "1 skipped"), ({"CI": "true"}, 1, "1 error")])
def test_a_run_without_a_browser(tmp_path: Path, variables: dict[str, str], status: int, outcome: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    lacking = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    test = "tests/browser/test_weight.py::test_it_works_where_there_is_no_other_host"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--output", tmp_path / "output", test],
        cwd=PROJECT_ROOT,
        env={**kept, **lacking, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == status, done.stdout
    assert outcome in done.stdout.splitlines()[-1]
    summary = done.stdout.partition("the browser tests did not run")[2]
    assert ADVICE in summary
