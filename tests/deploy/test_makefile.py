"""The Makefile explains itself, and says what to install where Python does not do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import PROJECT_ROOT

TOO_OLD = "#!/bin/sh\nexit 1\n"  # whatever it is asked
WITHOUT_VENV = f'#!/bin/sh\ncase "$2" in *"import ensurepip"*) exit 1 ;; esac\nexec {sys.executable} "$@"\n'


def make(folder: Path, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=folder, env={"PATH": path}, capture_output=True, text=True, timeout=60
    )


def test_help_is_what_make_says_and_lists_every_target() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    answer = make(PROJECT_ROOT)
    assert answer.returncode == 0
    assert re.findall(r"^  make ([\w-]+) +\S", answer.stdout, re.MULTILINE) == phony[1].split()


@pytest.mark.parametrize(
    ("python", "advice"),
    [
        (TOO_OLD, "make: Python 3.11 or newer is needed; install python3.11 and python3.11-venv"),
        (WITHOUT_VENV, "make: install python{}.{}-venv, which Python needs here".format(*sys.version_info[:2])),
    ],
)
def test_it_names_the_package_to_install(tmp_path: Path, python: str, advice: str) -> None:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "constraints.txt"):
        shutil.copy(PROJECT_ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("python3", "python3.11"):
        command = tmp_path / "bin" / name
        command.write_text(python, encoding="utf-8")
        command.chmod(0o755)
    answer = make(tmp_path, "run", path=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[0] == advice
    assert not (tmp_path / ".venv").exists()
