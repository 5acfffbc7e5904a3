"""Cancelling queued and running jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.farm import Farm, running_farm
from tests.support.sentences import sentences


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm of one worker process, so that one job keeps it busy. The cache would make it quick."""
    with running_farm(tmp_path_factory.mktemp("farm"), data_dir, RANER_CACHE_TTL="0") as farm:
        yield farm


@pytest.fixture
def busy_job(farm: Farm) -> str:
    """A job that runs, and would for half a minute."""
    job_id = farm.submit(text="".join(sentences(200)) * 60)
    deadline = 100
    while farm.get(f"/api/v1/jobs/{job_id}", params={"wait": 0.1}).json()["status"] != "running":
        deadline -= 1
        assert deadline
    return job_id


def test_a_running_job_is_cancelled_and_its_worker_is_free_at_once(farm: Farm, busy_job: str) -> None:
    answer = farm.delete(f"/api/v1/jobs/{busy_job}")
    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"
    assert farm.ended(farm.submit(text="马云在杭州。"), within=20)["status"] == "succeeded"
    after = farm.get(f"/api/v1/jobs/{busy_job}").json()
    assert after["status"] == "cancelled"
    assert after["progress"]["done"] < after["progress"]["total"]
    assert "results" not in after


def test_a_queued_job_is_cancelled_and_never_runs(farm: Farm, busy_job: str) -> None:
    waiting = farm.submit(text="马云在杭州等候。")
    assert farm.get(f"/api/v1/jobs/{waiting}").json()["status"] == "queued"
    assert farm.delete(f"/api/v1/jobs/{waiting}").json()["status"] == "cancelled"
    farm.delete(f"/api/v1/jobs/{busy_job}")
    # The queue is first in, first out: once this one is done, the cancelled one has had its turn.
    assert farm.ended(farm.submit(text="最后一个。"))["status"] == "succeeded"
    job = farm.get(f"/api/v1/jobs/{waiting}").json()
    assert (job["status"], job["started_at"]) == ("cancelled", None)


def test_a_job_that_has_ended_cannot_be_cancelled(farm: Farm) -> None:
    job_id = farm.submit(text="马云在北京。")
    farm.ended(job_id)
    answer = farm.delete(f"/api/v1/jobs/{job_id}")
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert farm.get(f"/api/v1/jobs/{job_id}").json()["status"] == "succeeded"


def test_whoever_waits_for_a_cancelled_job_is_told_at_once(farm: Farm, busy_job: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(farm.get, f"/api/v1/jobs/{busy_job}", params={"wait": 30})
        farm.delete(f"/api/v1/jobs/{busy_job}")
        assert waiting.result(timeout=10).json()["status"] == "cancelled"
