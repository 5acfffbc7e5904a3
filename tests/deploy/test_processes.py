"""What `make run` starts."""

from __future__ import annotations

import pytest

from deploy.processes import FarmProcess, farm_processes
from shared.settings import Settings


def flower(**fields: str) -> FarmProcess:
    (found,) = (each for each in farm_processes(Settings.model_validate(fields)) if each.name == "flower")
    return found


@pytest.mark.parametrize("address", ["/raner/flower", "/raner/flower/", "https://example.org/raner/flower"])
def test_flower_is_served_under_the_path_of_its_address(address: str) -> None:
    process = flower(flower_url=address)
    assert process.health.url == "http://127.0.0.1:5555/raner/flower/healthcheck"
    assert process.address == "http://127.0.0.1:5555/raner/flower"


@pytest.mark.parametrize("address", ["", "https://flower.example.org", "https://flower.example.org/"])
def test_flower_of_an_address_without_a_path_is_at_the_root(address: str) -> None:
    process = flower(flower_url=address)
    assert process.health.url == "http://127.0.0.1:5555/healthcheck"
