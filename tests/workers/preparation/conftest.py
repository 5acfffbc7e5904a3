from __future__ import annotations

from pathlib import Path

import pytest

from tests.workers.tiny_models import write_tiny_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that reads character by character. Not to be changed: :func:`model` is a copy for that."""
    return write_tiny_model(tmp_path_factory.mktemp("source") / "tiny", positions=96)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A tiny model of the test's own."""
    return write_tiny_model(tmp_path / "own", positions=96)
