"""The README's examples, run as they stand there against a farm."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from shared.settings import PROJECT_ROOT
from tests.support.farm import Farm

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_the_commands_answer_what_it_says(farm: Farm) -> None:
    commands = [block.replace("localhost:8000", farm.url.removeprefix("http://")) for block in blocks("sh")]
    ner, jobs = [command for command in commands if command.startswith("curl")]
    found, shown = (json.loads(text)["data"] for text in (run(["bash", "-ec", ner]), blocks("json")[0]))
    # Processors differ in the last digits of a score.
    assert [entity | {"score": pytest.approx(entity["score"], abs=0.01)} for entity in shown] == found
    answer = run(["bash", "-ec", jobs])
    assert re.match(r"HTTP/1\.1 20[02] ", answer)
    assert re.search(r"^Location: /api/v1/jobs/\w+", answer, re.MULTILINE)
    assert '"status":"succeeded"' in answer


def test_the_python_program_runs(farm: Farm) -> None:
    (program,) = blocks("python")
    answer = run([sys.executable, "-c", program.replace("http://localhost:8000", farm.url)])
    assert re.search(r"^LOC 杭州 0\.\d+$", answer, re.MULTILINE)
