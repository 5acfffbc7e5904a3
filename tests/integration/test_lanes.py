"""F2, D4: short texts do not wait behind bulk jobs, and bulk jobs share their lane."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.farm import Farm, running_farm
from tests.support.sentences import sentences

SHORT = "马云在杭州出席会议。"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Farm]:
    """A farm without a cache, whose one worker process has a queue to see."""
    with running_farm(tmp_path_factory.mktemp("farm"), data_dir, RANER_CACHE_TTL="0") as farm:
        yield farm


def bulk_text(characters: int) -> str:
    """A text of so many characters."""
    text = "".join(sentences(200))
    return (text * (characters // len(text) + 1))[:characters]


def progress(farm: Farm, job_id: str) -> float:
    """The share of a job's pieces that are done."""
    counts = farm.get(f"/api/v1/jobs/{job_id}").json()["progress"]
    return float(counts["done"] / counts["total"])


@pytest.mark.parametrize("bulk", ["one long text", "many texts"])
def test_a_short_text_does_not_wait_behind_a_bulk_job(farm: Farm, bulk: str) -> None:
    texts = [bulk_text(200_000)] if bulk == "one long text" else [bulk_text(500)] * 400
    job_id = farm.submit(texts=texts)
    while (before := progress(farm, job_id)) == 0:
        pass  # each look takes some milliseconds; the first piece is soon done
    for _ in range(5):
        assert farm.post("/ner", {"text": SHORT}).status_code == 200
    # First come, first served, the bulk job would have been done before the first of them.
    after = progress(farm, job_id)
    assert after < 0.9
    assert after - before < 0.5
    assert farm.delete(f"/api/v1/jobs/{job_id}").status_code == 200


def test_bulk_jobs_share_their_lane(farm: Farm) -> None:
    first, second = (farm.submit(texts=[bulk_text(500)] * 200) for _ in range(2))
    assert farm.ended(first)["status"] == "succeeded"
    # One after the other, the second would not have begun.
    assert progress(farm, second) > 0.6
    assert farm.ended(second)["status"] == "succeeded"
