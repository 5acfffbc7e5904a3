"""From an accepted request to a job: limits, cache, record, turn."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass

from shared import cache
from shared.celery_app import send_turn
from shared.errors import InvalidRequest, TextTooLong
from shared.job_store import StoredResult
from shared.jobs import Job, JobStatus, NewJob, OffsetUnit, TextResult
from shared.pieces import plan
from shared.settings import settings
from shared.text import encode_text
from web.body import end_turn
from web.farm import Farm
from web.metrics import CACHE_HITS, CACHE_MISSES


@dataclass(frozen=True)
class Submission:
    """Texts that may be recognised, and what the cache knows of them: by index, the encoded entities."""

    texts: list[str]
    encoded: list[bytes]
    model: str
    version: str  # what the cache was asked for; empty where no worker has told it yet
    types: tuple[str, ...] | None
    offsets: OffsetUnit
    cached: dict[int, bytes]

    @property
    def answered(self) -> bool:
        """Whether the cache knows every text."""
        return len(self.cached) == len(self.texts)

    def results(self) -> list[StoredResult]:
        """The result of each text that the cache knows, in order."""
        return [
            StoredResult(cache.decode_entities(self.cached[index]), self._model_version, cached=True)
            for index in sorted(self.cached)
        ]

    def enqueue(
        self, farm: Farm, idempotency_key: str | None = None, wait: float = 0.0
    ) -> tuple[Job, list[StoredResult]]:
        """Make a job of the texts. Those that the cache knows are not recognised again.

        Args:
            wait: seconds to wait for the job to end.

        Returns:
            The job as it is then and, where it has succeeded, its results: another job than this would be where the
            idempotency key made that before.

        Raises:
            QueueFull: too many pieces wait.
            IdempotencyConflict: the key came with another request before.
        """
        deadline = time.monotonic() + wait
        new = self._new_job(idempotency_key)
        with farm.ends.expecting(new.id) as end:
            accepted = farm.jobs.create(new, watcher=farm.ends.channel() if wait and new.pieces else None)
            if accepted.wake:
                send_turn(self.model)
            end_turn()
            if accepted.job_id != new.id:
                job = farm.ends.wait(accepted.job_id, wait)
                return job, farm.jobs.results(job.id) if job.status is JobStatus.SUCCEEDED else []
            job, results = new.job, self.results() if self.answered else []
            while not job.status.ended and farm.ends.told(end, deadline):
                job, results = farm.jobs.told(new, end.message)
        return job, results

    @property
    def _model_version(self) -> str:
        return f"{self.model}@{self.version}"

    def _new_job(self, idempotency_key: str | None) -> NewJob:
        byte_starts = [0]
        for text in self.encoded:
            byte_starts.append(byte_starts[-1] + len(text))
        missing = [index for index in range(len(self.texts)) if index not in self.cached]
        return NewJob(
            id=uuid.uuid4().hex,
            created=time.time(),
            model=self.model,
            types=self.types,
            offsets=self.offsets,
            texts=b"".join(self.encoded),
            lengths=[len(text) for text in self.encoded],
            pieces=plan(self.texts, byte_starts, missing),
            cached={
                index: TextResult(entities.decode(), self._model_version, cached=True)
                for index, entities in self.cached.items()
            },
            idempotency_key=idempotency_key,
            fingerprint=self._fingerprint() if idempotency_key is not None else "",
        )

    def _fingerprint(self) -> str:
        lengths = [len(text) for text in self.encoded]
        digest = hashlib.sha256(json.dumps([self.model, self.types, self.offsets, lengths]).encode())
        for text in self.encoded:
            digest.update(text)
        return digest.hexdigest()


def submission(
    farm: Farm, texts: list[str], model: str | None, types: list[str] | None, offsets: OffsetUnit
) -> Submission:
    """The texts of a request, checked and looked up in the cache.

    Raises:
        TextTooLong: a text, or their number, is over its limit.
        InvalidRequest: the model does not know one of the types.
    """
    _check_sizes(texts)
    name = model or settings().default
    known = farm.model(name)
    if known is not None and types is not None and (unknown := sorted(set(types) - set(known.types))):
        raise InvalidRequest(
            f"types: model {name!r} does not know {', '.join(unknown)}; it knows {', '.join(known.types)}"
        )
    encoded = [encode_text(text) for text in texts]
    cached: dict[int, bytes] = {}
    if known is not None:
        found = cache.look_up(farm.redis, known.version, encoded)
        cached = {index: entities for index, entities in enumerate(found) if entities is not None}
        if cached:
            CACHE_HITS.inc(len(cached))
        if len(cached) < len(texts):
            CACHE_MISSES.inc(len(texts) - len(cached))
    return Submission(
        texts=texts,
        encoded=encoded,
        model=name,
        version=known.version if known is not None else "",
        types=tuple(types) if types is not None else None,
        offsets=offsets,
        cached=cached,
    )


def _check_sizes(texts: list[str]) -> None:
    if len(texts) > settings().max_texts:
        raise TextTooLong(f"texts: {len(texts)} given, a job may have {settings().max_texts}; send several jobs")
    for index, text in enumerate(texts):
        if len(text) > settings().max_text_chars:
            raise TextTooLong(
                f"text {index} has {len(text)} characters, at most {settings().max_text_chars} are taken; divide it"
            )
