"""Texts that hang, kill, raise or eat memory: each ends in its own error, and its neighbours do not wait for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.farm import Farm

MODEL = "raner-mini-news"
WORKER = f"worker-{MODEL}"
LIMIT = 6.0  # seconds; RANER_PIECE_TIMEOUT
GOOD = "马云在杭州。"
HANGS, KILLS, RAISES, EATS = "挂起", "崩溃", "出错", "内存"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm of two worker processes whose model has bad moments."""
    farm = Farm(
        tmp_path_factory.mktemp("farm"),
        data_dir,
        RANER_WORKERS="2",
        RANER_CACHE_TTL="0",
        RANER_PIECE_TIMEOUT=str(LIMIT),
        RANER_WORKER_MEMORY_MB="512",
    )
    farm.redis.start()
    try:
        farm.start("web")
        farm.start_as(WORKER, (sys.executable, "-m", "tests.integration.poisoned_worker", "--model", MODEL))
        farm.wait_ready()
        yield farm
    finally:
        farm.clear_away()


def seconds(job: dict[str, Any]) -> float:
    """How long a job took, by Redis's clock."""
    return (datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["created_at"])).total_seconds()


def test_a_text_that_hangs_ends_within_twice_its_limit_and_its_neighbours_do_not_wait(farm: Farm) -> None:
    neighbours = [farm.submit(text=GOOD) for _ in range(10)]
    hanging = farm.submit(text=HANGS)
    neighbours += [farm.submit(text=GOOD) for _ in range(10)]
    for job_id in neighbours:
        job = farm.ended(job_id)
        assert job["status"] == "succeeded"
        assert seconds(job) < LIMIT
    job = farm.ended(hanging)
    assert job["status"] == "failed"
    assert "text 0" in job["error"]
    assert f"{LIMIT:g} s" in job["error"]
    # One process start, and time for a loaded machine, come on top.
    assert seconds(job) < 2 * LIMIT + 8


@pytest.mark.parametrize("poison", [HANGS, KILLS, RAISES, EATS])
def test_one_bad_text_of_many_fails_alone(farm: Farm, poison: str) -> None:
    job = farm.ended(farm.submit(texts=[GOOD] * 40 + [poison] + [GOOD] * 40))
    assert job["status"] == "succeeded"
    errors = {index: result["error"] for index, result in enumerate(job["results"]) if result.get("error")}
    assert list(errors) == [40]
    assert errors[40].startswith("text 40: ")
    assert all(len(result["entities"]) == 2 for index, result in enumerate(job["results"]) if index != 40)


def test_a_long_text_with_a_bad_part_ends_in_an_error_and_the_others_are_kept(farm: Farm) -> None:
    long = GOOD * 2000 + RAISES + "。" + GOOD * 2000
    job = farm.ended(farm.submit(texts=[GOOD, long, GOOD]))
    assert job["status"] == "succeeded"
    assert [bool(result.get("error")) for result in job["results"]] == [False, True, False]


def test_the_blocking_call_says_that_its_text_failed(farm: Farm) -> None:
    answer = farm.post("/ner", {"text": KILLS})
    assert answer.status_code == 500
    assert "ended 4 worker processes" in answer.json()["detail"]


def test_other_work_goes_on_beside_a_text_that_eats_memory(farm: Farm) -> None:
    eating = farm.submit(text=EATS)
    began = time.monotonic()
    assert farm.post("/ner", {"text": GOOD}).status_code == 200
    assert time.monotonic() - began < 20
    assert "MemoryError" in farm.ended(eating)["error"]
