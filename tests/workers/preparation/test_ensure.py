"""How workers come by a prepared folder."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from shared.errors import ModelError, QuantisationRefused, SourceIncomplete, SourceUnreachable, UnsupportedModel
from shared.settings import BackendName
from tests.workers.preparation.fake_hub import fake_hub
from tests.workers.tiny_models import write_tiny_model
from workers.preparation.ensure import ensure_prepared
from workers.preparation.manifest import FORMAT, read_manifest

INT8 = BackendName.ONNX_INT8
# In a process of its own, like a worker's.
ENSURE = """
import sys
from pathlib import Path
from shared.settings import BackendName
from workers.preparation.ensure import ensure_prepared
print(ensure_prepared(sys.argv[1], BackendName.ONNX_INT8, Path(sys.argv[2]), 1.0))
"""


def worker(source: str | Path, prepared_dir: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ENSURE, str(source), str(prepared_dir)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def prepared_dir(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where four workers that started together have prepared the tiny model."""
    prepared_dir = tmp_path_factory.mktemp("prepared")
    workers = [worker(tiny, prepared_dir) for _ in range(4)]
    answers = [process.communicate(timeout=120) for process in workers]
    assert [process.returncode for process in workers] == [0] * 4, answers
    assert len({output for output, _ in answers}) == 1
    assert sum("prepare: load" in errors for _, errors in answers) == 1
    assert sum("already prepared" in errors for _, errors in answers) == 3
    return prepared_dir


def test_workers_that_start_together_prepare_once(tiny: Path, prepared_dir: Path) -> None:
    (folder,) = (path for path in prepared_dir.iterdir() if path.is_dir())
    assert folder.name == f"tiny@local-{read_manifest(folder).version}"
    assert ensure_prepared(str(tiny), INT8, prepared_dir, 1.0) == folder


def test_what_is_prepared_is_found_without_reading_the_model(
    tiny: Path, prepared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("it hashes the model or starts a preparation")

    monkeypatch.setattr("workers.preparation.index.version_of", unwanted)
    monkeypatch.setattr("workers.preparation.ensure.subprocess.Popen", unwanted)
    ensure_prepared(str(tiny), INT8, prepared_dir, 1.0)


def test_serving_imports_nothing_that_preparation_needs(tiny: Path, prepared_dir: Path) -> None:
    script = ENSURE + (
        "from workers.loading import load\n"
        "import os\n"
        "(folder,) = (entry.path for entry in os.scandir(sys.argv[2]) if entry.is_dir())\n"
        "load(Path(folder), 1).recognise(['王明在北京工作。'])\n"
        "print(sorted({'torch', 'transformers', 'modelscope', 'modelscope_hub', 'onnx'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script, str(tiny), str(prepared_dir)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[]"


def test_a_changed_folder_is_prepared_again(model: Path, tmp_path: Path) -> None:
    first = ensure_prepared(str(model), INT8, tmp_path / "prepared", 1.0)
    other = write_tiny_model(tmp_path / "other", positions=96, seed=1)
    (other / "pytorch_model.bin").replace(model / "pytorch_model.bin")
    second = ensure_prepared(str(model), INT8, tmp_path / "prepared", 1.0)
    assert second != first
    assert read_manifest(second).version != read_manifest(first).version
    assert first.is_dir()


def test_a_limit_lowered_later_counts(tiny: Path, prepared_dir: Path) -> None:
    with pytest.raises(QuantisationRefused, match="RANER_INT8_LIMIT"):
        ensure_prepared(str(tiny), INT8, prepared_dir, 0.0)


def test_another_format_is_refused(tiny: Path, prepared_dir: Path, tmp_path: Path) -> None:
    folder = ensure_prepared(str(tiny), INT8, prepared_dir, 1.0)
    text = (folder / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace(f'"format": {FORMAT}', '"format": 999'))
    with pytest.raises(SourceIncomplete, match="format 999"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(text.replace('"labels"', '"tags"'))
    with pytest.raises(SourceIncomplete, match="prepare the model anew"):
        read_manifest(tmp_path)
    with pytest.raises(SourceIncomplete, match="cannot be read"):
        read_manifest(tmp_path / "nothing")


def test_errors_of_the_preparation_come_back_as_they_are(model: Path, tmp_path: Path) -> None:
    with pytest.raises(QuantisationRefused, match="RANER_BACKEND=onnx-fp32"):
        ensure_prepared(str(model), INT8, tmp_path / "prepared", 0.0)
    (model / "config.json").unlink()
    with pytest.raises(SourceIncomplete, match="has no config"):
        ensure_prepared(str(model), INT8, tmp_path / "prepared", 1.0)
    (model / "configuration.json").write_text('{"task": "text-classification"}')
    with pytest.raises(UnsupportedModel, match="'text-classification'"):
        ensure_prepared(str(model), INT8, tmp_path / "prepared", 1.0)
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="Not a directory"):
        ensure_prepared(str(model), INT8, tmp_path / "file" / "prepared", 1.0)


def test_a_preparation_ends_with_the_worker_that_wanted_it(tiny: Path, tmp_path: Path) -> None:
    process = worker(tiny, tmp_path)
    (child,) = _wait_for_children(process)
    process.kill()
    process.communicate()
    child.wait(timeout=10)


def _wait_for_children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if children := psutil.Process(process.pid).children():
            return children
        time.sleep(0.01)
    raise TimeoutError("no preparation was started")


class TestHub:
    @pytest.fixture(autouse=True)
    def _own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))

    @pytest.fixture
    def unreachable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")

    def test_a_model_is_fetched_once(self, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        prepared_dir = tmp_path / "prepared"
        with fake_hub({"damo/tiny-news": tiny}) as address:
            monkeypatch.setenv("MODELSCOPE_ENDPOINT", address)
            folder = ensure_prepared("damo/tiny-news", INT8, prepared_dir, 1.0)
            with pytest.raises(SourceUnreachable, match=r"does not give damo/other at revision v2: .*not found"):
                ensure_prepared("damo/other@v2", INT8, prepared_dir, 1.0)
        manifest = read_manifest(folder)
        assert (manifest.source, manifest.revision) == ("damo/tiny-news", "master")
        assert folder.name == f"tiny-news@master-{manifest.version}"
        # The hub has gone.
        assert ensure_prepared("damo/tiny-news@master", INT8, prepared_dir, 1.0) == folder
        # Another folder of prepared models, but the same ModelScope cache.
        again = ensure_prepared("damo/tiny-news", INT8, tmp_path / "again", 1.0)
        assert read_manifest(again).version == manifest.version

    def test_a_hub_that_does_not_answer_is_told_within_seconds(self, tmp_path: Path, unreachable: None) -> None:
        began = time.monotonic()
        with pytest.raises(SourceUnreachable) as error:
            ensure_prepared("damo/nlp_raner_named-entity-recognition_chinese-base-news@v1.0", INT8, tmp_path, 1.0)
        assert time.monotonic() - began < 10
        for part in ("chinese-base-news at revision v1.0", "http://127.0.0.1:9 does not answer", "Connection refused"):
            assert part in str(error.value)
