"""More clients than instances: what clients of the baseline have to do, and how often it refuses them."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.client import Client

# Seconds that a refused client waits before it sends its text again. A recognition takes 0.1 to 1 s: shorter pauses
# would mostly take the processor from it, longer ones leave instances idle.
PAUSE = 0.1


@dataclass(frozen=True)
class Crowd:
    """What became of a number of texts: requests that were ``answered``, ``refused`` or ``failed``, in ``seconds``."""

    answered: int
    refused: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Texts answered a second."""
        return self.answered / self.seconds

    @property
    def refused_share(self) -> float:
        """Share of all requests that were told that the pool is exhausted."""
        return self.refused / (self.answered + self.refused + self.failed)


def crowd(url: str, bodies: Sequence[bytes], clients: int) -> Crowd:
    """Send each body once to ``POST /ner``, over so many clients, each of which tries again until it is not refused."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for body in bodies:
        waiting.put(body)
    statuses: list[int] = []  # appending is atomic

    def send_all() -> None:
        with Client(url) as client:
            while True:
                try:
                    body = waiting.get_nowait()
                except queue.Empty:
                    return
                statuses.append(status := client.post("/ner", body).status)
                while status == 503:
                    time.sleep(PAUSE)
                    statuses.append(status := client.post("/ner", body).status)

    began = time.monotonic()
    with ThreadPoolExecutor(clients) as threads:
        for running in [threads.submit(send_all) for _ in range(clients)]:
            running.result()
    answered, refused = statuses.count(200), statuses.count(503)
    return Crowd(answered, refused, len(statuses) - answered - refused, time.monotonic() - began)
