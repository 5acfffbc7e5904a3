"""`docker-compose.yml` is valid, names real settings, and starts what `make run` starts."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.processes import farm_processes
from shared.settings import PROJECT_ROOT, Settings

INTERPOLATION = re.compile(r"\$\{(\w+):-([^}]*)\}")


@pytest.fixture(scope="module")
def text() -> str:
    return (PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose(text: str) -> dict[str, Any]:
    """The file as compose reads it with an empty environment."""
    loaded: dict[str, Any] = yaml.safe_load(INTERPOLATION.sub(r"\2", text))
    return loaded


def test_it_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    schema_file = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(compose)


def test_every_setting_reaches_the_containers(compose: dict[str, Any]) -> None:
    settings = {f"RANER_{field.upper()}" for field in Settings.model_fields}
    for name in ("web", "worker", "worker-generic", "flower"):
        assert set(compose["services"][name]["environment"]) == settings


def test_its_environment_is_accepted_as_settings(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in compose["services"]["worker"]["environment"].items():
        monkeypatch.setenv(variable, "" if value is None else str(value))
    settings = Settings()
    assert (settings.host, settings.workers, settings.data_dir) == ("0.0.0.0", 1, Path("/data"))
    assert settings.sources == Settings.model_construct().sources


def test_every_variable_has_the_settings_default(text: str) -> None:
    own = {"RANER_REDIS_URL", "RANER_WORKERS", "RANER_PUBLISHED_HOST"}  # different inside containers
    for variable, default in INTERPOLATION.findall(text):
        if variable.startswith("RANER_") and variable not in own and default:
            assert default == str(Settings.model_fields[variable.removeprefix("RANER_").lower()].default)
    assert "$" not in INTERPOLATION.sub("", text)


def test_web_and_flower_start_as_they_do_without_containers(compose: dict[str, Any]) -> None:
    settings = Settings(host="0.0.0.0", models="mine=models/mine")
    commands = {process.name: list(process.command[2:]) for process in farm_processes(settings)}  # less `python -m`
    for name in ("web", "flower"):
        assert compose["services"][name]["command"] == commands[name]


def test_each_bundled_model_has_its_workers(compose: dict[str, Any]) -> None:
    default, *others = Settings.model_construct().sources
    workers = {name: service for name, service in compose["services"].items() if name.startswith("worker")}
    assert sorted(service["command"][2:] for service in workers.values()) == [
        ["workers"],
        *(["workers", "--model", model] for model in others),
    ]
    assert default not in str(workers)
    for service in workers.values():
        asked = [argument for argument in service["command"] if argument not in ("python", "-m", "workers")]
        assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "workers.health", *asked]


@pytest.mark.parametrize("name", ["worker", "worker-generic"])
def test_workers_can_be_scaled(compose: dict[str, Any], name: str) -> None:
    worker = compose["services"][name]
    assert not {"container_name", "ports", "hostname"} & set(worker)
    # One folder for all, so that the preparation's lock holds between containers.
    assert worker["volumes"] == ["data:/data"]


def test_what_must_not_be_lost_is_on_a_volume(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"]
    options = redis["command"]
    assert options[options.index("--appendonly") + 1] == "yes"
    assert options[options.index("--maxmemory-policy") + 1] == "noeviction"
    assert redis["volumes"] == ["redis:/data"]
    assert set(compose["volumes"]) == {"redis", "data"}
    assert "ports" not in redis


def test_everything_waits_for_redis_and_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert "healthcheck" in service, name
        if name != "redis":
            assert service["depends_on"] == {"redis": {"condition": "service_healthy"}}
