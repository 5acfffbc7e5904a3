"""A serving worker process is small: ONNX Runtime, tokenizers and NumPy, and nothing of what preparation needs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.farm import Farm

PREPARATION_ONLY = {"torch", "transformers", "modelscope", "onnx", "datasets", "pandas", "scipy", "sympy"}


def test_a_live_worker_process_has_imported_nothing_heavy(
    tmp_path_factory: pytest.TempPathFactory, data_dir: Path
) -> None:
    folder = tmp_path_factory.mktemp("farm")
    modules = folder / "modules.json"
    farm = Farm(folder, data_dir)
    farm.redis.start()
    try:
        farm.start("web")
        farm.start_as("worker", (sys.executable, "-m", "tests.integration.observed_worker", str(modules)))
        farm.wait_ready()
        assert farm.ended(farm.submit(text="马云在杭州。"))["status"] == "succeeded"
        # Stopped, the node has run what follows the task.
        assert farm.stop("worker") == 0
        loaded = {name.partition(".")[0] for name in json.loads(modules.read_text())}
        assert {"onnxruntime", "tokenizers", "numpy"} <= loaded
        assert not loaded & PREPARATION_ONLY
        assert "web" not in loaded
    finally:
        farm.clear_away()
