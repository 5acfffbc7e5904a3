"""Jobs that a benchmark posts and follows, and the times that their records tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.client import Client

JOBS = "/api/v1/jobs"


@dataclass(frozen=True)
class Times:
    """When a job was posted, first taken and finished, in seconds since the epoch; and its pieces."""

    created: float
    started: float
    finished: float
    pieces: int

    @classmethod
    def of(cls, job: dict[str, Any]) -> Times:
        """The times of a job that has succeeded, as the API shows it."""
        assert job["status"] == "succeeded", job
        return cls(
            created=_seconds(job["created_at"]),
            started=_seconds(job["started_at"]),
            finished=_seconds(job["finished_at"]),
            pieces=job["progress"]["total"],
        )


def post(client: Client, body: bytes) -> str:
    """Post a job that has to be accepted. Returns its address."""
    answer = client.post(JOBS, body)
    assert answer.status in (200, 202), answer.body
    return f"{JOBS}/{answer.json['id']}"


def share_done(client: Client, address: str) -> float:
    """The share of a job's pieces that are done, 0 to 1."""
    progress = client.get(address).json["progress"]
    return float(progress["done"] / progress["total"])


def ended(client: Client, address: str) -> Times:
    """The times of a job, once it has ended."""
    while True:
        job = client.get(f"{address}?wait=30").json
        if job["status"] not in ("queued", "running"):
            return Times.of(job)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
