"""What can be asked for."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from shared import registry
from tests.web.conftest import NAME, VERSION, Worker


def test_a_model_that_no_worker_has_loaded_yet(client: FlaskClient) -> None:
    assert client.get("/api/v1/models").get_json()["models"] == [
        {
            "name": NAME,
            "version": None,
            "types": None,
            "backend": None,
            "state": "unavailable",
            "workers": 0,
            "default": True,
        }
    ]


def test_a_model_with_its_workers(client: FlaskClient, worker: Worker, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"other=x,{NAME}=y")
    for number in (1, 2):
        worker.beat(number)
    other, model = client.get("/api/v1/models").get_json()["models"]
    assert (other["name"], other["state"], other["default"]) == ("other", "unavailable", True)
    assert model == {
        "name": NAME,
        "version": VERSION,
        "types": ["LOC", "ORG", "PER"],
        "backend": "onnx-int8",
        "state": "ready",
        "workers": 2,
        "default": False,
    }


def test_what_is_known_of_a_model_outlives_its_workers(client: FlaskClient, worker: Worker) -> None:
    worker.beat()
    registry.leave(worker.redis, NAME, "a:1")
    (model,) = client.get("/api/v1/models").get_json()["models"]
    assert (model["version"], model["state"], model["workers"]) == (VERSION, "unavailable", 0)


def test_the_default_is_the_one_that_was_set(client: FlaskClient, with_settings: Callable[..., None]) -> None:
    with_settings(models=f"{NAME}=x,other=y", default_model="other")
    models = client.get("/api/v1/models").get_json()["models"]
    assert [(model["name"], model["default"]) for model in models] == [(NAME, False), ("other", True)]


def test_a_model_that_is_not_served_any_more_is_not_listed(
    client: FlaskClient, worker: Worker, with_settings: Callable[..., None]
) -> None:
    with_settings(models="other=y")
    assert [model["name"] for model in client.get("/api/v1/models").get_json()["models"]] == ["other"]
