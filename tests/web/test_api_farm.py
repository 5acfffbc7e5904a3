"""The farm at work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import NAME, Worker


def farm(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/farm")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def grown(before: dict[str, Any], after: dict[str, Any]) -> list[int]:
    """By how much each count of the answers' seconds is higher."""
    pairs = zip(before["request_seconds"], after["request_seconds"], strict=True)
    return [count - before_count for (_, before_count), (_, count) in pairs]


def test_each_model_has_its_workers_queue_and_jobs(
    client: FlaskClient, worker: Worker, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x,other=y")
    for number in (1, 2):
        worker.beat(number)
    client.post("/api/v1/jobs", json={"texts": ["马云"] * 40})
    assert farm(client)["models"] == [
        {"name": NAME, "workers": 2, "queue": 2, "open_jobs": 1},
        {"name": "other", "workers": 0, "queue": 0, "open_jobs": 0},
    ]


def test_it_is_never_kept(client: FlaskClient) -> None:
    assert client.get("/api/v1/farm").headers["Cache-Control"] == "no-store"


def test_it_says_when_it_was_so(client: FlaskClient) -> None:
    first, second = farm(client), farm(client)
    assert first["time"] < second["time"]
    assert abs(second["time"] - time.time()) < 60


@pytest.mark.usefixtures("at_work")
def test_each_answer_to_a_call_that_recognises_is_counted(client: FlaskClient) -> None:
    before = farm(client)
    for path in ("/ner", "/api/v1/jobs"):
        assert client.post(path, json={"text": "马云"}).status_code in (200, 202)
    assert client.post("/api/v1/jobs", json={"text": 1}).status_code == 422
    after = farm(client)
    assert after["requests"] == before["requests"] + 3
    assert grown(before, after)[-1] == 3


def test_other_calls_are_not(client: FlaskClient) -> None:
    before = farm(client)
    for path in ("/", "/ner", "/api/v1/jobs", "/api/v1/jobs/x", "/api/v1/models", "/api/v1/farm", "/metrics"):
        client.get(path)
    after = farm(client)
    assert after["requests"] == before["requests"]
    assert after["request_seconds"] == before["request_seconds"]


def test_how_long_answers_took_is_told_by_bounds_that_include_the_lower_ones(client: FlaskClient) -> None:
    before = farm(client)
    client.post("/api/v1/jobs?wait=0.3", json={"text": "马云"})
    after = farm(client)
    *bounds, last = (bound for bound, _ in after["request_seconds"])
    assert last is None
    assert bounds == sorted(bounds)
    counts = [count for _, count in after["request_seconds"]]
    assert counts == sorted(counts)
    by_bound = dict(zip(bounds, grown(before, after), strict=False))
    assert {by_bound[bound] for bound in bounds if bound <= 0.25} == {0}
    assert by_bound[30] == 1


def test_before_the_first_request_there_are_all_counts_too(tmp_path: Path) -> None:
    found = in_a_process_of_its_own(tmp_path, "")
    assert (found["requests"], found["cache"]) == (0, {"hits": 0, "misses": 0})
    assert len(found["request_seconds"]) > 10
    assert {count for _, count in found["request_seconds"]} == {0}


def test_what_the_cache_knew_is_counted(client: FlaskClient, worker: Worker) -> None:
    before = farm(client)["cache"]
    worker.do(client.post("/api/v1/jobs", json={"text": "马云"}).get_json()["id"])
    client.post("/api/v1/jobs", json={"texts": ["马云", "马云", "新的"]})
    assert farm(client)["cache"] == {"hits": before["hits"] + 2, "misses": before["misses"] + 2}


def in_a_process_of_its_own(folder: Path, program: str) -> dict[str, Any]:
    """The farm as another process sees it that runs the program, on its ``client``, first.

    Not in this process, since prometheus_client decides when it is imported whether there are others.
    """
    start = "import json; from web.app import create_app; client = create_app().test_client()"
    end = "print(json.dumps(client.get('/api/v1/farm').get_json()))"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join((start, program, end))],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("worker")
def test_each_of_several_processes_answers_for_all(tmp_path: Path) -> None:
    submit = "assert client.post('/api/v1/jobs', json={'text': '马云'}).status_code == 202"
    first, second = (in_a_process_of_its_own(tmp_path, submit) for _ in range(2))
    for number, found in enumerate((first, second), start=1):
        assert found["requests"] == number
        assert found["request_seconds"][-1] == [None, number]
        assert found["cache"] == {"hits": 0, "misses": number}
