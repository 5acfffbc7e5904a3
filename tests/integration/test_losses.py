"""Workers die, Redis restarts, messages get lost: every accepted job ends well."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from shared.job_keys import ModelKeys
from shared.job_store import JobStore
from shared.queues import queue_name
from tests.support.farm import Farm, running_farm
from tests.support.jobs import new_job
from tests.support.sentences import sentences

MODEL = "raner-mini-news"
WORKER = f"worker-{MODEL}"
# Some seconds of work for one worker process, in some twenty pieces.
LONG_TEXT = "".join(sentences(200)) * 10


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm to break; a lost piece is delivered again within seconds."""
    with running_farm(
        tmp_path_factory.mktemp("farm"), data_dir, RANER_CACHE_TTL="0", RANER_VISIBILITY_TIMEOUT="10"
    ) as farm:
        yield farm


@pytest.fixture(scope="module")
def undisturbed(farm: Farm) -> list[dict[str, Any]]:
    """What the long text gives where nothing happens."""
    return entities_of(farm, farm.submit(text=LONG_TEXT))


def running(farm: Farm) -> str:
    """A job of the long text of which some pieces are done and some are not."""
    job_id = farm.submit(text=LONG_TEXT)
    for _ in range(600):
        job = farm.get(f"/api/v1/jobs/{job_id}", params={"wait": 0.05}).json()
        if job["progress"]["done"] >= 2:
            assert job["status"] == "running"
            return job_id
    raise AssertionError(f"the job does not get on: {job}")


def entities_of(farm: Farm, job_id: str) -> list[dict[str, Any]]:
    """What a job of one text found; it has to end well."""
    job = farm.ended(job_id)
    assert job["status"] == "succeeded", job
    assert job["progress"]["done"] == job["progress"]["total"]
    (result,) = job["results"]
    entities: list[dict[str, Any]] = result["entities"]
    return entities


def test_a_worker_process_killed_in_mid_job(farm: Farm, undisturbed: list[dict[str, Any]]) -> None:
    job_id = running(farm)
    for child in farm.children(WORKER):
        child.kill()
    assert entities_of(farm, job_id) == undisturbed


def test_a_worker_process_that_hangs_in_mid_job(farm: Farm, undisturbed: list[dict[str, Any]]) -> None:
    job_id = running(farm)
    (child,) = farm.children(WORKER)
    child.send_signal(signal.SIGSTOP)
    assert entities_of(farm, job_id) == undisturbed
    assert not child.is_running()


def test_a_worker_node_killed_in_mid_job_and_started_again(farm: Farm, undisturbed: list[dict[str, Any]]) -> None:
    job_id = running(farm)
    farm.kill(WORKER)
    farm.start(WORKER)
    assert entities_of(farm, job_id) == undisturbed


def test_a_worker_node_stopped_in_mid_job_and_started_again(farm: Farm, undisturbed: list[dict[str, Any]]) -> None:
    job_id = running(farm)
    farm.stop(WORKER)
    farm.start(WORKER)
    assert entities_of(farm, job_id) == undisturbed


def test_redis_restarted_in_mid_job(farm: Farm, undisturbed: list[dict[str, Any]]) -> None:
    job_id = running(farm)
    farm.redis.stop()
    farm.redis.start()
    assert entities_of(farm, job_id) == undisturbed
    # And the farm takes work as before.
    assert farm.ended(farm.submit(text="马云在杭州。"))["status"] == "succeeded"


def test_redis_killed_in_mid_job(farm: Farm, undisturbed: list[dict[str, Any]]) -> None:
    job_id = running(farm)
    farm.redis.kill()
    farm.redis.start()
    assert entities_of(farm, job_id) == undisturbed


def test_web_restarted_in_mid_job(farm: Farm, undisturbed: list[dict[str, Any]]) -> None:
    job_id = running(farm)
    farm.kill("web")
    farm.start("web")
    farm.wait_ready()
    assert entities_of(farm, job_id) == undisturbed


def test_a_job_whose_web_process_died_before_it_sent_a_turn(farm: Farm) -> None:
    with Redis.from_url(farm.redis.url) as redis:
        new = new_job("马云在杭州。", model=MODEL)
        while redis.zcard(ModelKeys(MODEL).lingering):
            time.sleep(0.01)  # a turn of the test before would take it
        assert JobStore(redis).create(new).wake
    assert farm.ended(new.id)["status"] == "succeeded"


@pytest.mark.parametrize("lost", ["turns", "turns and pieces"])
def test_what_waited_was_lost(farm: Farm, undisturbed: list[dict[str, Any]], lost: str) -> None:
    job_ids = [running(farm), *(farm.submit(text=f"马云在杭州{number}。") for number in range(5))]
    with Redis.from_url(farm.redis.url) as redis:
        redis.delete(queue_name(MODEL))
        if lost == "turns and pieces":
            redis.delete(ModelKeys(MODEL).waiting)
    assert entities_of(farm, job_ids[0]) == undisturbed
    assert {farm.ended(job_id)["status"] for job_id in job_ids[1:]} == {"succeeded"}
