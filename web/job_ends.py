"""Waiting for jobs to end, without polling: a web process has one channel on which it is told."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared import keys
from shared.formats import TextResult
from shared.job_store import JobStore
from shared.jobs import Job, JobStatus
from web.waiting import ending

log = structlog.get_logger()

# A waiting request reads the record at least this often, in case its end was published while Redis was away (seconds).
RECHECK = 5.0
# How long the first request that waits gives the subscription, and how long the listener gives Redis to come back.
PAUSE = 1.0


class End:
    """The end of a job that a request waits for. ``message``: what was published of it."""

    def __init__(self, job_id: str) -> None:
        self._id = job_id.encode()
        self._event = threading.Event()
        self.message = self._id

    def announce(self, message: bytes | None = None) -> None:
        """Wake the request that waits. None: the end may have been missed."""
        self.message = message or self._id
        self._event.set()

    def sleep(self, deadline: float) -> bool:
        """Sleep until it is worth reading the record: the end was announced, or might have been missed.

        False if the time is up (``deadline`` as :func:`time.monotonic` counts), or if the web process is to end.
        """
        left = deadline - time.monotonic()
        if left <= 0 or ending.is_set():
            return False
        self._event.wait(min(left, RECHECK))
        self._event.clear()
        return True


class JobEnds:
    """Tells the requests of a web process when the jobs that they wait for have ended."""

    def __init__(self, redis: Redis, jobs: JobStore, when_connected: Callable[[], object] = lambda: None) -> None:
        """``when_connected`` is called whenever the process has connected to Redis, for the first time or again."""
        self._redis = redis
        self._jobs = jobs
        self._when_connected = when_connected
        self._channel = f"{keys.web_channels()}{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._listener: threading.Thread | None = None
        self._subscribed = threading.Event()
        self._closed = threading.Event()
        self._waiting: dict[str, set[End]] = {}

    def wait(self, job_id: str, seconds: float) -> Job:
        """The job once it has ended, or as it is after ``seconds``.

        Raises:
            JobNotFound: there is none, or it expired meanwhile.
        """
        if seconds <= 0:
            return self._jobs.read(job_id)
        deadline = time.monotonic() + seconds
        with self.expecting(job_id) as end:
            job = self._jobs.watch(job_id, self.channel())
            while not job.status.ended and end.sleep(deadline):
                job = self._jobs.read(job_id)
        return job

    def wait_with_results(self, job_id: str, seconds: float) -> tuple[Job, list[TextResult]]:
        """The same, and the job's results if it has succeeded.

        Raises:
            JobNotFound: there is none, or it expired meanwhile.
        """
        job = self.wait(job_id, seconds)
        return self._jobs.read_with_results(job_id) if job.status is JobStatus.SUCCEEDED else (job, [])

    def wait_for(self, end: End, job: Job, deadline: float) -> tuple[Job, list[TextResult]]:
        """The job, which was just made with this process as watcher, as it is at its end or at the deadline.

        Raises:
            JobNotFound: it expired meanwhile.
        """
        results: list[TextResult] = []
        while not job.status.ended and end.sleep(deadline):
            known = self._jobs.from_end_message(job, end.message)
            job, results = known or self._jobs.read_with_results(job.id)
        return job, results

    def channel(self) -> str:
        """The channel to name as a job's watcher."""
        self.listen()
        self._subscribed.wait(PAUSE)
        return self._channel

    def listen(self) -> None:
        """Have a thread listen to the channel from now on."""
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="job-ends", daemon=True)
                self._listener.start()

    @contextmanager
    def expecting(self, job_id: str) -> Iterator[End]:
        """The job's end, which is announced for as long as the context lasts."""
        end = End(job_id)
        with self._lock:
            self._waiting.setdefault(job_id, set()).add(end)
        try:
            yield end
        finally:
            with self._lock:
                ends = self._waiting[job_id]
                ends.discard(end)
                if not ends:
                    del self._waiting[job_id]

    def close(self) -> None:
        """Stop to listen. A process that ends need not."""
        self._closed.set()
        if self._listener is not None:
            try:
                self._redis.publish(self._channel, b"")  # which wakes the listener
            except RedisError:
                log.debug("nothing to wake, the listener has no connection")
            self._listener.join()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with self._redis.pubsub() as messages:
                    messages.subscribe(self._channel)
                    while not self._closed.is_set():
                        self._hear(messages.get_message(timeout=RECHECK))
            except Exception as error:
                # Whatever it was: without this thread every request that waits would look every few seconds only.
                log.warning(
                    "ends of jobs are not heard just now", error=str(error), exc_info=not isinstance(error, RedisError)
                )
                self.wake_all()
                # There is no event before Redis is back.
                self._closed.wait(PAUSE)

    def _hear(self, message: dict[str, object] | None) -> None:
        if message is None:
            return
        if message["type"] == "subscribe":
            # Perhaps not for the first time: what was published in between is lost.
            self._subscribed.set()
            self.wake_all()
            self._when_connected()
            return
        published = message["data"]
        assert isinstance(published, bytes)  # noqa: S101 - what the scripts publish
        try:
            job_id = str(json.loads(published)["id"]) if published.startswith(b"{") else published.decode()
        except (ValueError, KeyError) as error:
            log.warning("a message about the end of a job cannot be read", error=str(error))
            self.wake_all()
            return
        with self._lock:
            for end in self._waiting.get(job_id, ()):
                end.announce(published)

    def wake_all(self) -> None:
        """Let every request that waits look for itself."""
        with self._lock:
            for ends in self._waiting.values():
                for end in ends:
                    end.announce()
