"""The Dockerfile's steps: what it copies exists and is enough to run, and what it starts is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from shared.settings import PROJECT_ROOT

INSTRUCTIONS = {"FROM", "ENV", "RUN", "WORKDIR", "ARG", "COPY", "USER", "VOLUME", "EXPOSE", "CMD"}


class Step(NamedTuple):
    instruction: str
    rest: str


def steps() -> list[Step]:
    text = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [Step(*line.split(maxsplit=1)) for line in lines if line.strip()]


def copied() -> list[tuple[str, str]]:
    """Source and destination of everything that is copied into the image."""
    pairs = []
    for step in steps():
        if step.instruction == "COPY":
            *sources, destination = step.rest.split()
            pairs += [(source, destination) for source in sources]
    return pairs


def sent_to_build(path: Path) -> bool:
    """Whether .dockerignore lets ``path``, relative to the repository root, through: its last line that fits says."""
    sent = True
    for line in (PROJECT_ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        anywhere = pattern.startswith("**/")
        for part in (path, *path.parents[:-1]):
            if (part.name if anywhere else str(part)) == pattern.removeprefix("**/") or (pattern == "*" and part.name):
                sent = line.startswith("!")
                break
    return sent


@pytest.fixture(scope="module")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image has in its working folder."""
    target = tmp_path_factory.mktemp("app")
    for source, destination in copied():
        start = PROJECT_ROOT / source
        for file in [start] if start.is_file() else sorted(start.rglob("*")):
            relative = file.relative_to(PROJECT_ROOT)
            if file.is_file() and sent_to_build(relative):
                inside = relative.name if start.is_file() else file.relative_to(start)
                (target / destination / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target / destination / inside)
    return target


def test_every_step_is_one_that_docker_knows() -> None:
    assert {step.instruction for step in steps()} <= INSTRUCTIONS
    assert steps()[0] == ("FROM", "python:3.11-slim")


@pytest.mark.parametrize("source", [source for source, _ in copied()])
def test_what_is_copied_exists_and_is_sent_to_the_build(source: str) -> None:
    assert (PROJECT_ROOT / source).exists()
    assert sent_to_build(Path(source))


@pytest.mark.parametrize(
    "path", [".git", ".venv/bin/python", "var/redis", "tests", "shared/__pycache__/errors.pyc", "web/styles/x"]
)
def test_what_does_not_belong_into_the_image_stays_out(path: str) -> None:
    assert not sent_to_build(Path(path))


def test_requirements_come_before_the_code() -> None:
    order = [step.instruction + " " + step.rest for step in steps()]
    install = next(number for number, line in enumerate(order) if "pip install" in line)
    assert [line for line in order[:install] if line.startswith("COPY")] == ["COPY requirements.txt constraints.txt ./"]


def test_it_does_not_run_as_root() -> None:
    users = [step.rest for step in steps() if step.instruction == "USER"]
    assert users == ["raner"]


def test_its_commands_are_installed() -> None:
    compose = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    commands = [json.loads(step.rest) for step in steps() if step.instruction == "CMD"]
    commands += [compose["services"][name]["command"] for name in ("web", "worker", "flower")]
    for command in commands:
        assert (Path(sys.executable).parent / command[0]).exists(), command


def test_its_files_are_enough_to_import_both_sides(app_folder: Path, tmp_path: Path) -> None:
    program = "import shared.celery_app, web.app, workers.__main__; print(web.__file__, workers.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=app_folder,
        env={
            "RANER_REDIS_URL": "redis://127.0.0.1:1/0",
            "RANER_DATA_DIR": str(tmp_path),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(app_folder / side / "__init__.py") for side in ("web", "workers")]


def test_it_has_the_page_and_its_files(app_folder: Path) -> None:
    program = "from web.app import create_app; print(create_app().test_client().get('/').text)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=app_folder,
        env={"RANER_REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = re.findall(r'"\./(assets/[^"]+)"', done.stdout)
    assert "assets/js/main.js" in loaded
    for path in loaded:
        assert (app_folder / "web" / "page" / path).is_file(), path


def test_its_bundled_models_are_there(app_folder: Path) -> None:
    program = "from shared.settings import settings; print(*settings().sources.values())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=app_folder, env={}, capture_output=True, text=True, timeout=60, check=True
    )
    sources = [Path(line) for line in done.stdout.split()]
    assert len(sources) == 2
    for source in sources:
        assert source.is_relative_to(app_folder)
        assert (source / "configuration.json").is_file()
