"""Waiting for jobs to end, without polling: a web process has one channel on which it is told."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared.job_store import JobStore
from shared.jobs import Job
from shared.redis_client import UNAVAILABLE
from web.waiting import ending

log = structlog.get_logger()

# A waiting request reads the record at least this often, in case its end was told while Redis was away (seconds).
RECHECK = 5.0
# How long the first request that waits gives the subscription, and how long the listener gives Redis to come back.
PAUSE = 1.0


class End:
    """The end of a job that somebody waits for. ``message``: what was told of it, for :meth:`JobStore.told`."""

    def __init__(self, job_id: str) -> None:
        self._id = job_id.encode()
        self._event = threading.Event()
        self.message = self._id

    def tell(self, message: bytes | None = None) -> None:
        """Wake who waits. None: the end may have been missed."""
        self.message = message or self._id
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Sleep until it was told, or for so many seconds."""
        self._event.wait(seconds)
        self._event.clear()


class JobEnds:
    """Tells the requests of a web process when the jobs that they wait for have ended."""

    def __init__(self, redis: Redis, jobs: JobStore) -> None:
        self._redis = redis
        self._jobs = jobs
        self._channel = f"raner:web:{uuid.uuid4().hex}"
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
        with self.expecting(job_id) as ended:
            job = self._jobs.watch(job_id, self.channel())
            while not job.status.ended and self.told(ended, deadline):
                job = self._jobs.read(job_id)
        return job

    def channel(self) -> str:
        """The channel to name as a job's watcher. From the first time it is asked for, somebody listens to it."""
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="job-ends", daemon=True)
                self._listener.start()
        self._subscribed.wait(PAUSE)
        return self._channel

    @contextmanager
    def expecting(self, job_id: str) -> Iterator[End]:
        """The job's end, which is told for as long as the context lasts."""
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

    def told(self, end: End, deadline: float) -> bool:
        """Sleep until it is worth reading the record: the end was told, or might have been missed.

        False where the time is up (``deadline`` as :func:`time.monotonic` counts).
        """
        left = deadline - time.monotonic()
        if left <= 0 or ending.is_set():
            return False
        end.wait(min(left, RECHECK))
        return True

    def close(self) -> None:
        """Stop to listen. A process that ends need not."""
        self._closed.set()
        if self._listener is not None:
            try:
                self._redis.publish(self._channel, b"")  # which wakes the listener
            except UNAVAILABLE:
                log.debug("nothing to wake, the listener has no connection")
            self._listener.join()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with self._redis.pubsub() as messages:
                    messages.subscribe(self._channel)
                    while not self._closed.is_set():
                        self._heard(messages.get_message(timeout=RECHECK))
            except Exception as error:
                # Whatever it was: without this thread every request that waits would look every few seconds only.
                log.warning(
                    "ends of jobs are not heard just now", error=str(error), exc_info=not isinstance(error, RedisError)
                )
                self._wake_all()
                # redis-py has tried for as long already; there is no event before Redis is back.
                self._closed.wait(PAUSE)

    def _heard(self, message: dict[str, object] | None) -> None:
        if message is None:
            return
        if message["type"] == "subscribe":
            # Anew, perhaps: what was told in between is lost.
            self._subscribed.set()
            self._wake_all()
            return
        told = message["data"]
        assert isinstance(told, bytes)  # noqa: S101 - what the scripts publish
        with self._lock:
            for end in self._waiting.get(told.split(b" ", 1)[0].decode(), ()):
                end.tell(told)

    def _wake_all(self) -> None:
        """Let all who wait look for themselves."""
        with self._lock:
            for ends in self._waiting.values():
                for end in ends:
                    end.tell()
