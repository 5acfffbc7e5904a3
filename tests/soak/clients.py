"""Clients that submit jobs of all kinds and follow each one until it has ended."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.soak.caller import Answer, Caller
from tests.soak.history import History
from tests.soak.texts import Pool

JOBS = "/api/v1/jobs"
TERMINAL = ("succeeded", "failed", "cancelled")
ENTITY = ("start", "end", "type", "text", "score")
# Jobs that a client has open at most.
MOST_OPEN = 12

# How often each kind comes, in a thousand.
KINDS = {
    "one": 380,  # one short text
    "few": 140,  # 2 to 8 short texts
    "many": 40,  # 20 to 60 short and middle texts
    "long": 10,  # one text of more than one piece
    "longest": 2,  # one of many pieces
    "mixed": 10,  # a long text among short ones
    "odd": 60,  # empty, emoji, rare characters
    "keyed": 150,  # one or a few short texts with an Idempotency-Key, some sent again
    "ner": 78,  # POST /ner
    "waiting": 80,  # POST ?wait=
    "cancelled": 50,  # of any size, cancelled soon
}


@dataclass(frozen=True)
class Submission:
    """What is to be submitted: the numbers of its texts."""

    number: int
    kind: str
    texts: list[int]
    key: str | None = None


def submission(number: int, pool: Pool, seed: int) -> Submission:
    """The submission of a number; the same for the same seed."""
    random = Random(f"{seed}/{number}")
    (kind,) = random.choices(list(KINDS), list(KINDS.values()))
    key = str(uuid.UUID(int=random.getrandbits(128))) if kind == "keyed" else None
    return Submission(number, kind, _texts(kind, pool, random), key)


def _texts(kind: str, pool: Pool, random: Random) -> list[int]:
    if kind == "cancelled":
        (kind,) = random.choices(("one", "many", "long", "longest"), (3, 3, 3, 1))
    if kind == "long":
        return [random.choice(pool.long)]
    if kind == "longest":
        return [random.choice(pool.longest)]
    if kind == "odd":
        return random.choices(pool.odd, k=random.randint(1, 6))
    if kind == "many":
        return random.choices([*pool.short, *pool.middle], k=random.randint(20, 60))
    if kind == "mixed":
        texts = random.choices(pool.short, k=random.randint(4, 20))
        texts.insert(random.randint(0, len(texts)), random.choice(pool.long))
        return texts
    number = random.randint(2, 8) if kind == "few" or (kind == "keyed" and random.random() < 0.3) else 1
    return random.choices(pool.short, k=number)


class Plan:
    """Hands out the submissions to all clients, each when it is due."""

    def __init__(self, pool: Pool, seed: int, jobs: int, seconds: float, most_seconds: float) -> None:
        """
        Args:
            jobs: submissions in all.
            seconds: over which they are spread.
            most_seconds: after which no further one is handed out, if the clients fall behind.
        """
        self._pool = pool
        self._seed = seed
        self._jobs = jobs
        self._interval = seconds / jobs
        self._began = time.monotonic()
        self._ends = self._began + most_seconds
        self._next = 0
        self._lock = threading.Lock()
        self.stopped = False

    @property
    def over(self) -> bool:
        """Whether the time is over, so that what was refused is not to be sent again."""
        return self.stopped or time.monotonic() > self._ends

    @property
    def exhausted(self) -> bool:
        """Whether no further submission will be handed out."""
        return self._next >= self._jobs or self.over

    def stop(self) -> None:
        """Have all clients end soon, whatever is open."""
        self.stopped = True

    def next(self) -> Submission | None:
        """A submission that is due; None if none is at the moment."""
        with self._lock:
            if self.exhausted or time.monotonic() < self._began + self._next * self._interval:
                return None
            number = self._next
            self._next += 1
        return submission(number, self._pool, self._seed)


class Client:
    """Submits jobs and follows them. For one thread."""

    def __init__(self, url: str, history: History, pool: Pool, plan: Plan, seed: int) -> None:
        self._caller = Caller(url, history)
        self._history = history
        self._pool = pool
        self._plan = plan
        # Of what depends on the farm's answers, too: pauses, polling, what is sent again.
        self._random = Random(seed)
        self._open: deque[tuple[str, Submission]] = deque()
        self._ended: dict[str, Submission] = {}

    def run(self, settle: float) -> None:
        """Submit until the plan is exhausted, then follow what is open for at most ``settle`` seconds more."""
        while not self._plan.exhausted:
            due = self._plan.next() if len(self._open) < MOST_OPEN else None
            if due is not None:
                self._submit(due)
            if self._open:
                self._follow(wait=0 if due else self._random.choice((0.2, 1, 2)))
            elif due is None:
                time.sleep(0.05)  # until the next one is due
            if self._ended and self._random.random() < 0.05:
                self._look_again(self._random.choice(list(self._ended)))
        deadline = time.monotonic() + settle
        while self._open and time.monotonic() < deadline and not self._plan.stopped:
            self._follow(wait=5)

    def look_at_all_again(self) -> None:
        """Ask once more for each job that has ended, and for each that has not."""
        for job_id in [*self._ended, *(job_id for job_id, _ in self._open)]:
            for _ in range(20):
                if self._look_again(job_id).status in (200, 404):
                    break
                self._pause()
        self._caller.close()

    def _submit(self, due: Submission) -> None:
        if due.kind == "ner":
            self._ner(due)
            return
        job_id = self._post(due)
        if job_id is None:
            return
        if due.kind == "cancelled":
            time.sleep(self._random.choice((0, 0, 0.02, 0.2)))
            self._cancel(job_id, due)
        elif due.key is not None and self._random.random() < 0.4:
            self._post(due)

    def _post(self, due: Submission) -> str | None:
        """Post a job until it is accepted, or the plan's time is over. Returns its id.

        One without a key whose answer did not come may have been accepted unseen; a client without a key cannot know.
        """
        body = self._body(due.texts)
        headers = {"Idempotency-Key": due.key} if due.key else {}
        wait = f"?wait={self._random.choice((1, 5, 20))}" if due.kind == "waiting" else ""
        while True:
            answer = self._caller.ask("POST", JOBS + wait, body, headers, route="POST jobs")
            if answer.status in (200, 202):
                job = answer.json
                self._accepted(job["id"], due)
                if not self._seen(job, due):
                    self._open.append((job["id"], due))
                return str(job["id"])
            if self._plan.over:
                return None
            self._pause()

    def _ner(self, due: Submission) -> None:
        (text,) = due.texts
        while not self._plan.over:
            answer = self._caller.ask("POST", "/ner", {"text": self._pool.texts[text]}, route="POST ner")
            if answer.status == 200:
                entities = [
                    [found[field] for field in ("start_offset", "end_offset", "type", "text", "score")]
                    for found in answer.json["data"]
                ]
                self._history.write("ner", text=text, digest=self._history.found(text, entities))
                return
            if answer.status == 504 and (address := answer.json.get("job")):
                job_id = address.rpartition("/")[2]
                self._accepted(job_id, due)
                self._open.append((job_id, due))
                return
            self._pause()

    def _accepted(self, job_id: str, due: Submission) -> None:
        self._history.write("accepted", id=job_id, submission=due.number, kind=due.kind, key=due.key, texts=due.texts)

    def _cancel(self, job_id: str, due: Submission) -> None:
        answer = self._caller.ask("DELETE", f"{JOBS}/{job_id}", route="DELETE job")
        if answer.status == 200:
            self._seen(answer.json, due)

    def _follow(self, wait: float) -> None:
        """Look at the oldest open job, or now and then at another one."""
        if self._random.random() < 0.1:
            self._open.rotate(self._random.randrange(len(self._open)))
        job_id, due = self._open.popleft()
        if job_id in self._ended:  # a second answer to its key, or its cancellation, has told so
            return
        answer = self._caller.ask("GET", f"{JOBS}/{job_id}?wait={wait}", route="GET job")
        if answer.status == 404:
            self._history.write("gone", id=job_id)
        elif answer.status != 200 or not self._seen(answer.json, due):
            self._open.append((job_id, due))
            if answer.status != 200:
                self._pause()

    def _look_again(self, job_id: str) -> Answer:
        answer = self._caller.ask("GET", f"{JOBS}/{job_id}", route="GET job")
        if answer.status == 404:
            self._history.write("gone", id=job_id)
        elif answer.status == 200:
            due = self._ended.get(job_id) or dict(self._open)[job_id]
            self._seen(answer.json, due)
        return answer

    def _seen(self, job: Any, due: Submission) -> bool:
        """Write a job's terminal state, or any state of a job that had ended. Returns whether the job has ended."""
        if job["status"] not in TERMINAL and job["id"] not in self._ended:
            return False
        self._history.write(
            "seen",
            id=job["id"],
            state=job["status"],
            digests=self._digests(due.texts, job.get("results")),
            error=job.get("error"),
            created=job["created_at"],
            finished=job.get("finished_at"),
        )
        self._ended[job["id"]] = due
        return True

    def _digests(self, texts: Sequence[int], results: Any) -> list[str | None] | None:
        """The digest of each result, None for an error. The checker sees if there are too many or too few."""
        if results is None:
            return None
        numbers = [*texts, *[-1] * (len(results) - len(texts))]
        return [digest(self._history, number, result) for number, result in zip(numbers, results, strict=False)]

    def _body(self, texts: Sequence[int]) -> Any:
        """One text is given as ``text`` or as ``texts``; both are right."""
        contents = [self._pool.texts[number] for number in texts]
        if len(contents) == 1 and texts[0] % 2:
            return {"text": contents[0]}
        return {"texts": contents}

    def _pause(self) -> None:
        """As a client does that met an error."""
        time.sleep(self._random.uniform(0.1, 1))


def digest(history: History, text: int, result: Any) -> str | None:
    """What the history calls a result that the API gave for a text; None if the result is an error."""
    if result.get("error"):
        return None
    return history.found(text, [[found[field] for field in ENTITY] for found in result["entities"]])
