"""A client that keeps sending bulk jobs beside another load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle

from benchmarks.client import Client
from benchmarks.load import body

# Texts of a job, in turn.
SIZES = (200, 1000, 500)


class BulkClient:
    """Sends a job, waits for its end, sends the next. ``texts`` counts those of the jobs that have ended."""

    def __init__(self, url: str, texts: Sequence[str]) -> None:
        """
        Args:
            texts: at least as many as the largest job has.
        """
        self.texts = 0
        self._url = url
        self._jobs = [(size, body(texts[:size])) for size in SIZES]
        self._stopped = False

    def run(self) -> None:
        """Go on until :meth:`stop`, and until the job then under way has ended."""
        with Client(self._url) as client:
            for size, job in cycle(self._jobs):
                if self._stopped:
                    return
                answer = client.post("/api/v1/jobs?wait=30", job)
                while answer.json["status"] in ("queued", "running"):
                    answer = client.get(f"/api/v1/jobs/{answer.json['id']}?wait=30")
                assert answer.json["status"] == "succeeded", answer.json
                self.texts += size

    def stop(self) -> None:
        """Send no further job."""
        self._stopped = True


@contextmanager
def bulk_jobs(url: str, texts: Sequence[str]) -> Iterator[BulkClient]:
    """Bulk jobs for as long as the block runs."""
    client = BulkClient(url, texts)
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(client.run)
        try:
            yield client
        finally:
            client.stop()
        running.result()
