"""A load test of a farm with Locust: clients that wait, clients that poll, bulk jobs, and texts that come again.

::

    locust -f benchmarks/locustfile.py --host http://localhost:8000
    locust -f benchmarks/locustfile.py --host http://localhost:8000 --headless -u 50 -r 10 -t 1m Waiting Bulk

``--api-key`` (or ``RANER_API_KEY``) is sent with each request, ``--texts`` (or ``RANER_TEXTS``) is a file with a text
on each line; without it there are sentences of the project's own. Beside the requests Locust shows, as ``JOB``, the
time from the first request for a job until its client knows the end. A refusal (503) counts as a failed request; the
client sends it again once ``Retry-After`` is over, as a real one should. It needs nothing of this project but the file.
"""

from __future__ import annotations

import random
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from locust import FastHttpUser, between, constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import ResponseContextManager
from locust.env import Environment
from locust.exception import StopUser

JOBS = "/api/v1/jobs"
ONE_JOB = f"{JOBS}/[id]"
# Seconds that the server holds an answer for.
WAIT = 20
# Where an answer does not say when to come again (seconds).
PAUSE = 1.0
SHORT_CHARS = 35
BULK = 64
# So many texts come again and again; the cache has them.
REPEATED = 20
OWN_TEXTS = Path(__file__).parent.parent / "workers" / "preparation" / "check_sentences.txt"


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_arguments(parser: LocustArgumentParser) -> None:
    """What is asked of this file in particular."""
    parser.add_argument("--api-key", env_var="RANER_API_KEY", default="", is_secret=True, help="sent as X-API-Key")
    parser.add_argument("--texts", env_var="RANER_TEXTS", default="", help="file with a text on each line, UTF-8")


class Texts:
    """What is recognised."""

    def __init__(self, lines: list[str]) -> None:
        self._all = lines
        self._short = [text for text in lines if len(text) <= SHORT_CHARS] or lines

    @classmethod
    def of(cls, options: Namespace) -> Texts:
        """Those of ``--texts``, else our own.

        Raises:
            SystemExit: the file cannot be read, or has no text.
        """
        file = Path(options.texts or OWN_TEXTS)
        try:
            lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise SystemExit(f"locustfile: --texts {file} cannot be read: {error}") from error
        if not any(lines):
            raise SystemExit(f"locustfile: --texts {file} has no text")
        return cls([line for line in lines if line])

    def short(self) -> str:
        """A short text that the cache most likely does not know."""
        return _new(random.choice(self._short))

    def bulk(self) -> list[str]:
        """Texts of all lengths that the cache most likely does not know."""
        return [_new(random.choice(self._all)) for _ in range(BULK)]

    def repeated(self) -> str:
        """One of a few."""
        return random.choice(self._all[:REPEATED])


def _new(text: str) -> str:
    """The text with a number behind it: there are few sentences, and the cache would soon know all."""
    return f"{text}{random.randrange(10**9)}"


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def read_texts(environment: Environment, **_: Any) -> None:
    """Once for all users of this process."""
    assert environment.parsed_options is not None
    FarmUser.texts = Texts.of(environment.parsed_options)


class FarmUser(FastHttpUser):
    """What the users have in common: they follow a job to its end."""

    abstract = True
    texts: Texts

    def on_start(self) -> None:
        """See Locust."""
        assert self.environment.parsed_options is not None
        key = self.environment.parsed_options.api_key
        self.headers = {"X-API-Key": key} if key else {}

    def job(self, body: dict[str, Any], wait: int) -> None:
        """Submit a job and ask for it until it has ended; the server holds each answer for ``wait`` seconds at most."""
        began = time.perf_counter()
        query = f"?wait={wait}" if wait else ""
        job, pause = self._ask("POST", f"{JOBS}{query}", name=f"{JOBS}{query}", json=body)
        while job["status"] in ("queued", "running"):
            if not wait:
                time.sleep(pause)
            job, pause = self._ask("GET", f"{JOBS}/{job['id']}{query}", name=f"{ONE_JOB}{query}")
        error = None if job["status"] == "succeeded" else RuntimeError(f"the job has {job['status']}")
        self.environment.events.request.fire(
            request_type="JOB",
            name=type(self).__name__,
            response_time=1000 * (time.perf_counter() - began),
            response_length=0,
            exception=error,
            context=self.context(),
        )

    def _ask(self, method: str, path: str, name: str, **content: Any) -> tuple[dict[str, Any], float]:
        """The job that the answer shows, and the seconds after which to look again. A refusal is tried again.

        Raises:
            StopUser: asking again would not help.
        """
        while True:
            with self.client.request(
                method, path, name=name, headers=self.headers, catch_response=True, **content
            ) as answer:
                pause = _retry_after(answer)
                if answer.status_code in (200, 202):
                    return answer.json(), pause
                answer.failure(_failure(answer))
                if answer.status_code not in (0, 503):
                    raise StopUser
            # Locust has made it a pause of this user, not of the process.
            time.sleep(pause)


def _retry_after(answer: ResponseContextManager) -> float:
    # There are no headers where there is no answer.
    return float(str(answer.headers.get("Retry-After") or PAUSE)) if answer.headers else PAUSE


def _failure(answer: ResponseContextManager) -> str:
    if answer.status_code == 0:
        return "no answer: the farm is away"
    if answer.status_code == 401:
        return "401: the farm wants another API key, see --api-key"
    if answer.status_code == 503:
        return f"503: the farm takes nothing just now, again in {_retry_after(answer):g} s"
    return f"{answer.status_code}: {str(answer.text)[:200]}"


class Waiting(FarmUser):
    """Somebody who submits a short text and waits for what is in it."""

    weight = 6
    wait_time = between(0.1, 1)

    @task
    def submit(self) -> None:
        """See the class."""
        self.job({"text": self.texts.short()}, wait=WAIT)


class Polling(FarmUser):
    """A client that submits a short text, goes away and looks again every second."""

    weight = 2
    wait_time = between(0.1, 1)

    @task
    def submit(self) -> None:
        """See the class."""
        self.job({"text": self.texts.short()}, wait=0)


class Repeating(FarmUser):
    """Somebody whose texts were asked for before."""

    weight = 2
    wait_time = between(0.1, 1)

    @task
    def submit(self) -> None:
        """See the class."""
        self.job({"text": self.texts.repeated()}, wait=WAIT)


class Bulk(FarmUser):
    """A program that has many texts recognised, one job after the other."""

    weight = 1
    wait_time = constant(0)

    @task
    def submit(self) -> None:
        """See the class."""
        self.job({"texts": self.texts.bulk()}, wait=WAIT)
