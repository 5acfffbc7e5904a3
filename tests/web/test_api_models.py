"""What can be asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask.testing import FlaskClient

from shared import registry
from shared.registry import WorkerInfo
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
        info = WorkerInfo(id=f"a:{number}", model=NAME, version=VERSION, started=0, seen=time.time())
        registry.beat(worker.redis, info)
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
