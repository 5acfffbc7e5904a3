"""What the registry is told of a loaded model."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import BackendName
from tests.workers.tiny_models import write_tiny_model
from workers import loading
from workers.loading import LoadedModel, load
from workers.preparation.manifest import read_manifest
from workers.prepare import prepare


@pytest.mark.parametrize(
    ("backend", "kind", "suffix"),
    [
        (BackendName.ONNX_INT8, "", ""),
        (BackendName.ONNX_INT8, "avx2", "-avx2"),
        (BackendName.ONNX_FP32, "avx2", ""),
    ],
)
def test_the_version_of_an_int8_model_tells_processors_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: BackendName, kind: str, suffix: str
) -> None:
    """D30: results that differ between processors shared one cache."""
    monkeypatch.setattr(loading, "int8_kind", lambda: kind)
    source = write_tiny_model(tmp_path / "model", positions=96)
    prepared = prepare(str(source), backend, tmp_path / "prepared", 1.0, refresh=True)
    model = LoadedModel.of("tiny", prepared, load(prepared, threads=1))
    assert model.info.version == read_manifest(prepared).version + suffix
