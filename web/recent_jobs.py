"""Jobs that this web process accepted a moment ago, in case Redis forgets them.

Redis writes its append-only file with each command, but while it waits for the disk it puts that off for up to two
seconds. What it accepted then is gone if it is killed. The web process still has it: when it is connected to Redis
again, it records the jobs anew that Redis does not know.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import NamedTuple

import structlog

from shared.celery_app import wake
from shared.errors import FarmError
from shared.job_store import JobStore
from shared.jobs import NewJob
from shared.settings import MIB

log = structlog.get_logger()

# A job is remembered for so many seconds, and as long as all that are remembered have no more bytes of text.
REMEMBERED = 30.0
MOST_BYTES = 32 * MIB
MOST_JOBS = 20_000


class _Recent(NamedTuple):
    job: NewJob
    accepted: float  # as time.monotonic counts


class RecentJobs:
    """The jobs that this web process accepted of late, oldest first."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, _Recent] = OrderedDict()
        self._bytes = 0

    def add(self, new: NewJob) -> None:
        """Remember a job that Redis has just accepted."""
        with self._lock:
            self._recent[new.id] = _Recent(new, time.monotonic())
            self._bytes += len(new.texts.joined)
            while self._recent and (self._bytes > MOST_BYTES or len(self._recent) > MOST_JOBS or self._oldest_is_old()):
                self._drop(next(iter(self._recent)))

    def forget(self, job_id: str) -> None:
        """Forget a job, because its client does not want it any more."""
        with self._lock:
            if job_id in self._recent:
                self._drop(job_id)

    def restore(self) -> int:
        """Record the jobs anew that Redis does not know. Returns how many; call it when Redis is there again."""
        with self._lock:
            recent = [each for each in self._recent.values() if self._lives(each)]
        known = self._jobs.known([each.job.id for each in recent])
        lost = [each.job for each in recent if each.job.id not in known]
        for new in lost:
            try:
                if self._jobs.create(new).wake:
                    wake(new.model)
            except FarmError:
                log.exception("a job that Redis forgot is lost", job=new.id)
        if lost:
            log.warning("Redis had forgotten jobs; they are recorded anew", jobs=len(lost))
        return len(lost)

    def _lives(self, recent: _Recent) -> bool:
        """Whether Redis should still have the job, even if it ended at once."""
        return time.monotonic() - recent.accepted < min(REMEMBERED, recent.job.ttl)

    def _oldest_is_old(self) -> bool:
        return time.monotonic() - next(iter(self._recent.values())).accepted > REMEMBERED

    def _drop(self, job_id: str) -> None:
        self._bytes -= len(self._recent.pop(job_id).job.texts.joined)
