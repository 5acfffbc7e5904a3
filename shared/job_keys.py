"""The keys of jobs and of their pieces in Redis, for the two modules that run scripts on them."""

from __future__ import annotations

from pathlib import Path

LUA = Path(__file__).parent / "lua"
# An open job's keys expire after so many seconds: longer than any queue takes to drain, so that no key is for ever.
OPEN_TTL = 7 * 86_400


class JobKeys:
    """The keys of one job."""

    def __init__(self, job_id: str) -> None:
        self.job = f"raner:job:{job_id}"
        self.texts = f"{self.job}:texts"
        self.pieces = f"{self.job}:pieces"
        self.results = f"{self.job}:results"
        self.parts = f"{self.job}:parts"


class ModelKeys:
    """The keys of one model's jobs and pieces."""

    def __init__(self, model: str) -> None:
        self.open = f"raner:jobs:open:{model}"
        self.waiting = f"raner:queue:{model}"
        self.taken = f"raner:queue:{model}:taken"
        self.lingering = f"raner:queue:{model}:lingering"
