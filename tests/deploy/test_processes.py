"""What `make run` starts."""

from __future__ import annotations

import runpy
from collections.abc import Callable

import pytest

from deploy.processes import FarmProcess, farm_processes
from shared.settings import PROJECT_ROOT, Settings


def flower(**fields: str) -> FarmProcess:
    (found,) = (each for each in farm_processes(Settings.model_validate(fields)) if each.name == "flower")
    return found


def options_of_flower() -> dict[str, object]:
    """What Flower takes from its configuration."""
    return runpy.run_path(str(PROJECT_ROOT / "shared" / "flower.py"))


@pytest.mark.parametrize("address", ["/raner/flower", "/raner/flower/", "https://example.org/raner/flower"])
def test_flower_is_served_under_the_path_of_its_address(address: str, with_settings: Callable[..., None]) -> None:
    with_settings(flower_url=address)
    assert options_of_flower()["url_prefix"] == "raner/flower"
    process = flower(flower_url=address)
    assert process.health.url == "http://127.0.0.1:5555/raner/flower/healthcheck"
    assert process.address == "http://127.0.0.1:5555/raner/flower"


@pytest.mark.parametrize("address", ["", "https://flower.example.org", "https://flower.example.org/"])
def test_flower_of_an_address_without_a_path_is_at_the_root(address: str, with_settings: Callable[..., None]) -> None:
    with_settings(flower_url=address)
    assert options_of_flower()["url_prefix"] == ""
    process = flower(flower_url=address)
    assert process.health.url == "http://127.0.0.1:5555/healthcheck"
