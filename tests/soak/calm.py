"""What the farm finds in each text while nothing disturbs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.soak.caller import Caller
from tests.soak.clients import JOBS, digest
from tests.soak.farm import SoakFarm
from tests.soak.history import History
from tests.soak.texts import Pool

# Of one job.
MOST_TEXTS, MOST_CHARS = 200, 100_000
CALLERS = 4


def recognise_all(farm: SoakFarm, pool: Pool, history: History) -> None:
    """Write every text of the pool, and what is found in it, into the history.

    Raises:
        RuntimeError: a job did not succeed.
    """
    for number, text in enumerate(pool.texts):
        history.write("text", number=number, text=text)
    with ThreadPoolExecutor(CALLERS) as threads:
        for done in [threads.submit(_recognise, farm.url, pool, job, history) for job in _jobs(pool)]:
            done.result()


def _jobs(pool: Pool) -> Iterator[list[int]]:
    """The numbers of the texts of each job."""
    numbers: list[int] = []
    chars = 0
    for number, text in enumerate(pool.texts):
        if numbers and (len(numbers) == MOST_TEXTS or chars + len(text) > MOST_CHARS):
            yield numbers
            numbers, chars = [], 0
        numbers.append(number)
        chars += len(text)
    yield numbers


def _recognise(url: str, pool: Pool, numbers: Sequence[int], history: History) -> None:
    caller = Caller(url, history)
    texts = [pool.texts[number] for number in numbers]
    answer = caller.ask("POST", f"{JOBS}?wait=30", {"texts": texts}, route="calm")
    while answer.status in (200, 202) and answer.json["status"] in ("queued", "running"):
        answer = caller.ask("GET", f"{JOBS}/{answer.json['id']}?wait=30", route="calm")
    caller.close()
    if answer.status != 200 or answer.json["status"] != "succeeded":
        raise RuntimeError(f"a calm farm answers {answer.status}: {answer.content[:500]!r}")
    for number, result in zip(numbers, answer.json["results"], strict=True):
        history.write("calm", text=number, digest=digest(history, number, result))
