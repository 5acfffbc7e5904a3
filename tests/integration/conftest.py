"""A farm that the tests here share; those that break one start their own on the same prepared models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.farm import Farm, running_farm


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm that is ready and stays as it is."""
    with running_farm(tmp_path_factory.mktemp("farm"), data_dir, RANER_WORKERS="2") as farm:
        yield farm
