"""Who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import PROJECT_ROOT

PREPARATION_ONLY = {"torch", "transformers", "modelscope", "onnx"}
ENGINE = {"onnxruntime", "tokenizers", "numpy", *PREPARATION_ONLY}
# Package or module -> what must be nowhere in it, not even inside a function.
FORBIDDEN = {
    "shared": {"web", "workers", "deploy", "training", "benchmarks", "tests", "flask", "gevent", *ENGINE},
    "web": {"workers", "deploy", "training", "benchmarks", "tests", *ENGINE},
    "workers": {"web", "deploy", "training", "benchmarks", "tests", "flask", "gevent"},
    "workers/engine": {"celery", "redis", "workers.preparation", "workers.node", "workers.tasks", *PREPARATION_ONLY},
    "workers/backends/onnx.py": PREPARATION_ONLY,
    "training": {"web", "deploy", "benchmarks", "tests", "flask", "celery", "redis"},
    "deploy": {"benchmarks", "tests", "training", "web", "workers", *ENGINE},
}


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, and of what it takes from them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: absolute imports only"
            assert node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("where", FORBIDDEN)
def test_nobody_imports_what_it_may_not(where: str) -> None:
    start = PROJECT_ROOT / where
    files = [start] if start.is_file() else sorted(start.rglob("*.py"))
    assert files
    for path in files:
        for name in imported(path):
            wrong = [module for module in FORBIDDEN[where] if name == module or name.startswith(f"{module}.")]
            assert not wrong, f"{path.relative_to(PROJECT_ROOT)} imports {name}"


def loaded_by(program: str) -> set[str]:
    """Top-level packages that a fresh process has after running ``program``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_a_web_process_holds_nothing_of_the_engine() -> None:
    assert not loaded_by("from web.app import create_app; create_app()") & {"workers", *ENGINE}


def test_a_worker_process_holds_nothing_of_preparation() -> None:
    loaded = loaded_by("import workers.tasks, workers.node, workers.loading, workers.preparation.ensure")
    assert not loaded & {"web", "flask", *PREPARATION_ONLY}
