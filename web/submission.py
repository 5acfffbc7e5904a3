"""From an accepted request to a job: limits, cache, record, wake-up."""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
from dataclasses import dataclass

from gevent import sleep

from shared import cache
from shared.celery_app import wake
from shared.entities import Entity
from shared.errors import InvalidRequest, JobTooLarge, ModelUnserved, QueueFull, TextTooLong
from shared.formats import TextResult
from shared.job_texts import EncodedTexts, JobTexts, encode_texts
from shared.jobs import Job, NewJob, OffsetUnit
from shared.markup.read import Markup, read
from shared.pieces import PieceItem, piece_chars, plan
from shared.settings import MIB, settings
from shared.text import BYTES_PER_CHARACTER
from web.body import end_turn
from web.echo import MOST_NAMED, cut
from web.farm import Farm
from web.metrics import CACHE_HITS, CACHE_MISSES

# Pieces of a bulk job in the stream for each worker process: one that is recognised, and one that waits for its turn.
WINDOW_PER_WORKER = 2
# A model of which no worker has given a sign of life for so many seconds takes no jobs.
UNSERVED_AFTER = 600.0
# Bounds of Retry-After, in seconds, before a fifth more or less.
SOONEST, LATEST = 1.0, 300.0


@dataclass(frozen=True)
class Submission:
    """Texts that may be recognised, and what the cache knows of them by index."""

    texts: JobTexts
    encoded: EncodedTexts
    model: str
    version: str  # what the cache was asked for; empty if no worker has told it yet
    types: tuple[str, ...] | None
    offsets: OffsetUnit
    cached: dict[int, tuple[Entity, ...]]

    @property
    def answered(self) -> bool:
        """Whether the cache knows every text."""
        return len(self.cached) == len(self.texts.sent)

    def results(self) -> list[TextResult]:
        """The result of each text that the cache knows, in order."""
        return list(self._cached_results().values())

    def enqueue(
        self, farm: Farm, idempotency_key: str | None = None, wait: float = 0.0, ttl: int | None = None
    ) -> tuple[Job, list[TextResult]]:
        """Make a job of the texts. Those that the cache knows are not recognised again.

        Args:
            wait: seconds to wait for the job to end.
            ttl: seconds that the job is kept after its end; ``RANER_JOB_TTL`` by default.

        Returns:
            The job as it is then and, if it has succeeded, its results. It is another job than this would be if the
            idempotency key made that before.

        Raises:
            IdempotencyConflict: the key came with another request before.
            JobTooLarge: the job has more pieces or bytes than the queue takes in all.
            ModelUnserved: no worker has held the model for some time.
            QueueFull: too many pieces, or bytes of text, wait.
            StoreFull: Redis holds as much as it may.
        """
        deadline = time.monotonic() + wait
        new = self._new_job(farm, idempotency_key, ttl or settings().job_ttl)
        # What was taken before is told again, also by a farm that takes nothing new.
        if idempotency_key is None or not farm.jobs.knows_key(idempotency_key):
            self._check_room(farm, new)
        with farm.ends.expecting(new.id) as end:
            try:
                accepted = farm.jobs.create(new, watcher=farm.ends.channel() if wait and new.pieces else None)
            except QueueFull as full:
                full.retry_after = self._drained_in(farm)
                raise
            if accepted.wake:
                wake(self.model)
            farm.ends.listen()
            end_turn()
            if accepted.created is None:
                return farm.ends.wait_with_results(accepted.job_id, wait)
            farm.recent.add(new)
            job = new.job(accepted.created)
            if job.status.ended:
                return job, self.results()
            return farm.ends.wait_for(end, job, deadline)

    def _new_job(self, farm: Farm, idempotency_key: str | None, ttl: int) -> NewJob:
        as_read = [self.texts.as_read(index) for index in range(len(self.texts.sent))]
        missing = [index for index in range(len(as_read)) if index not in self.cached]
        crew = farm.crew(self.model)
        pieces: list[list[PieceItem]] = []
        for piece in plan(as_read, self.encoded.read_ranges, missing, piece_chars(crew.characters_per_second)):
            if pieces:
                # Cutting a long text takes a while: other requests of this process go on meanwhile.
                sleep(0)
            pieces.append(piece)
        return NewJob(
            id=uuid.uuid4().hex,
            model=self.model,
            types=self.types,
            offsets=self.offsets,
            texts=self.encoded,
            pieces=pieces,
            cached=self._cached_results(),
            window=WINDOW_PER_WORKER * max(len(crew.workers), settings().workers),
            ttl=ttl,
            idempotency_key=idempotency_key,
            fingerprint=self._fingerprint() if idempotency_key is not None else "",
        )

    def _check_room(self, farm: Farm, new: NewJob) -> None:
        """Refuse a job that cannot be taken, before Redis is sent its texts."""
        if not new.pieces:
            return
        if len(new.pieces) > settings().max_queue or len(new.texts.joined) > settings().max_queue_mb * MIB:
            raise JobTooLarge(
                f"the job has {len(new.pieces)} pieces and {len(new.texts.joined) / MIB:.1f} MiB of text; this farm's "
                f"queue takes {settings().max_queue} and {settings().max_queue_mb} in all; send several jobs"
            )
        farm.check_room()
        silent_for = farm.crew(self.model).silent_for
        if silent_for is not None and silent_for > UNSERVED_AFTER:
            raise ModelUnserved(
                f"no worker has held model {self.model!r} for {silent_for / 60:.0f} minutes; start one "
                f"(python -m workers --model {self.model}), or ask for another model",
                retry_after=60.0,
            )

    def _drained_in(self, farm: Farm) -> float:
        """Seconds after which the queue is half drained at the workers' measured pace, a fifth more or less."""
        crew = farm.crew(self.model)
        _, size = farm.jobs.load(self.model)
        pace = (crew.characters_per_second or 1000.0) * BYTES_PER_CHARACTER * max(1, len(crew.workers))
        seconds = min(max(size / pace / 2, SOONEST), LATEST)
        # Not all who were refused come back at once.
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - it need not be hard to guess

    def _cached_results(self) -> dict[int, TextResult]:
        version = f"{self.model}@{self.version}"
        return {index: TextResult(found, version, cached=True) for index, found in sorted(self.cached.items())}

    def _fingerprint(self) -> str:
        encoded = self.encoded
        of_texts = encoded.lengths, encoded.read_lengths
        digest = hashlib.sha256(json.dumps([self.model, self.types, self.offsets, *of_texts]).encode())
        digest.update(encoded.joined)
        return digest.hexdigest()


def submission(
    farm: Farm,
    texts: list[str],
    model: str | None,
    types: list[str] | None,
    offsets: OffsetUnit,
    markup: Markup = Markup.AUTO,
) -> Submission:
    """The texts of a request, checked and looked up in the cache.

    Raises:
        TextTooLong: a text is over its limit. Their number was checked before, see :class:`web.schemas.JobRequest`.
        InvalidRequest: the model does not know one of the types.
    """
    _check_sizes(texts)
    name = model or settings().default
    known = farm.model(name)
    if known is not None and types is not None and (unknown := sorted(set(types) - set(known.types))):
        raise InvalidRequest(
            f"types: model {name!r} does not know {', '.join(map(cut, unknown[:MOST_NAMED]))}; "
            f"it knows {', '.join(known.types)}"
        )
    found = ((index, read(text, markup, pause=lambda: sleep(0))) for index, text in enumerate(texts))
    of_job = JobTexts(texts, {index: shown for index, shown in found if shown is not None})
    encoded = encode_texts(of_job)
    cached: dict[int, tuple[Entity, ...]] = {}
    if known is not None:
        cached = cache.look_up(farm.cache, known.version, [encoded.as_read(index) for index in range(len(texts))])
        if cached:
            CACHE_HITS.inc(len(cached))
        if len(cached) < len(texts):
            CACHE_MISSES.inc(len(texts) - len(cached))
    return Submission(
        texts=of_job,
        encoded=encoded,
        model=name,
        version=known.version if known is not None else "",
        types=tuple(types) if types is not None else None,
        offsets=offsets,
        cached=cached,
    )


def _check_sizes(texts: list[str]) -> None:
    for index, text in enumerate(texts):
        if len(text) > settings().max_text_chars:
            raise TextTooLong(
                f"text {index} has {len(text)} characters, at most {settings().max_text_chars} are taken; divide it"
            )
