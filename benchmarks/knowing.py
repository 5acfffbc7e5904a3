"""How long after the end of its recognition a client knows that its job has ended, for each way of asking."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from redis import Redis

from benchmarks.client import Client
from benchmarks.load import body
from shared.job_store import JobStore
from tests.support.farm import Farm

JOBS = "/api/v1/jobs"
WAITING = f"{JOBS}?wait=30"
MANY = 100
# Seconds between two looks: a client in a hurry, and one that does as Retry-After says.
EAGER, AS_TOLD = 0.1, 1.0

# Sends a job and asks until it has ended. Returns its id and when it knew, in seconds since the epoch.
Asking = Callable[[Client, bytes], tuple[str, float]]


@dataclass(frozen=True)
class Knowing:
    """Seconds from the end of recognition until the client knew, of jobs sent one after the other."""

    way: str
    seconds: list[float]

    def percentile(self, q: float) -> float:
        """Seconds within which ``q`` percent of the clients knew."""
        return sorted(self.seconds)[max(0, math.ceil(q / 100 * len(self.seconds)) - 1)]


def knowing(farm: Farm, short_texts: Sequence[str], texts: Sequence[str], repetitions: int) -> list[Knowing]:
    """Measure every way with a farm that has nothing else to do; waiting on one short text comes first.

    Args:
        short_texts: one a job.
        texts: :data:`MANY` a job.
        repetitions: jobs of each way that waits; those that poll take longer and get fewer.
    """
    single = [body(text) for text in short_texts]
    many = [body(texts[start : start + MANY]) for start in range(0, len(texts) - MANY + 1, MANY)]
    ways: list[tuple[str, Asking, list[bytes], int]] = [
        ("POST ?wait=30, one short text", _waiting_post, single, repetitions),
        (f"POST ?wait=30, {MANY} texts", _waiting_post, many, repetitions // 4),
        (f"GET ?wait=30, {MANY} texts", _waiting_get, many, repetitions // 4),
        (f"GET every {EAGER:g} s, one short text", _polling(EAGER), single, repetitions // 4),
        (f"GET every {AS_TOLD:g} s, as Retry-After says, one short text", _polling(AS_TOLD), single, repetitions // 10),
    ]
    with Client(farm.url) as client, Redis.from_url(farm.redis.url) as redis:
        store = JobStore(redis)
        found = []
        for way, ask, bodies, number in ways:
            ask(client, bodies[-1])  # not counted
            knew = [ask(client, bodies[index % len(bodies)]) for index in range(number)]
            found.append(Knowing(way, [seconds - _ended(store, job_id) for job_id, seconds in knew]))
    return found


def _ended(store: JobStore, job_id: str) -> float:
    finished = store.read(job_id).finished
    assert finished is not None, f"job {job_id} has not ended"
    return finished


def _waiting_post(client: Client, request: bytes) -> tuple[str, float]:
    answer = client.post(WAITING, request)
    knew = time.time()
    return answer.json["id"], knew


def _waiting_get(client: Client, request: bytes) -> tuple[str, float]:
    job_id = client.post(JOBS, request).json["id"]
    client.get(f"{JOBS}/{job_id}?wait=30")
    return job_id, time.time()


def _polling(interval: float) -> Asking:
    random = Random(0)

    def ask(client: Client, request: bytes) -> tuple[str, float]:
        job_id = client.post(JOBS, request).json["id"]
        # Jobs that take any time end anywhere between two looks; these are all short, so the first look is moved.
        time.sleep(random.uniform(0, interval))
        while client.get(f"{JOBS}/{job_id}").json["status"] in ("queued", "running"):
            time.sleep(interval)
        return job_id, time.time()

    return ask
