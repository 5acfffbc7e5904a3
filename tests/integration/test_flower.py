"""What the operators see."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import requests

from shared.settings import PROJECT_ROOT
from tests.support.farm import Farm, free_ports


def test_flower_shows_each_task_with_its_name_duration_and_worker(farm: Farm) -> None:
    wait_until_flower_listens(farm)
    job_id = farm.submit(text="马云在杭州看花。")
    farm.ended(job_id)
    task = shown(farm, job_id)
    assert task["name"] == "ner.recognise"
    assert task["state"] == "SUCCESS"
    assert task["runtime"] > 0
    assert task["worker"].startswith("raner-mini-news@")
    assert "pieces=1 characters=8" in task["result"]
    assert "马云" not in str(task)
    page = farm.http.get(f"{farm.flower_url}/task/{task['uuid']}", timeout=30)
    assert page.status_code == 200
    assert "ner.recognise" in page.text


def test_flower_asks_for_its_password(farm: Farm) -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    environment = {**farm.environment, "RANER_FLOWER_PORT": str(port), "RANER_FLOWER_PASSWORD": "open sesame"}
    command = farm.commands["flower"]
    assert "sesame" not in " ".join(command)  # every user of the machine can read it there
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                refused = farm.http.get(f"{url}/workers", timeout=30)
                break
            except requests.ConnectionError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)  # there is no event before a server listens
        assert refused.status_code == 401
        assert farm.http.get(f"{url}/api/tasks", auth=("farm", "guess"), timeout=30).status_code == 401
        assert farm.http.get(f"{url}/workers", auth=("farm", "open sesame"), timeout=30).status_code == 200
    finally:
        process.terminate()
        process.wait(60)


def wait_until_flower_listens(farm: Farm) -> None:
    """Return once Flower has heard of the worker, which sends word every other second.

    Of a task that was received before that, it would never learn the name.
    """
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = farm.http.get(f"{farm.flower_url}/api/workers", params={"status": "1"}, timeout=30)
        except requests.ConnectionError:  # it starts beside the web and may take longer than that
            heard = farm.log("flower")
        else:
            if answer.status_code == 200 and any(answer.json().values()):
                return
            heard = answer.text
        assert time.monotonic() < deadline, heard
        time.sleep(0.1)  # Flower tells nobody what it hears


def shown(farm: Farm, job_id: str) -> dict[str, Any]:
    """The task that a search for a job's id finds, once its events have come to Flower, after the job has ended."""
    deadline = time.monotonic() + 30
    while True:
        answer = farm.http.get(f"{farm.flower_url}/api/tasks", params={"search": job_id}, timeout=30)
        if answer.status_code == 200:
            tasks: list[dict[str, Any]] = list(answer.json().values())
            if tasks:
                (task,) = tasks
                return task
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
