"""From an accepted request to a job: limits, cache, record, queue."""

from __future__ import annotations

import hashlib
import json
import uuid

import structlog
from kombu.exceptions import OperationalError

from shared import cache
from shared.celery_app import enqueue
from shared.errors import InvalidRequest, TextTooLong
from shared.jobs import NewJob, OffsetUnit, TextResult
from shared.pieces import plan
from shared.redis_client import UNAVAILABLE
from shared.settings import settings
from web.farm import Farm
from web.metrics import CACHE_LOOKUPS

log = structlog.get_logger()


def submit(
    farm: Farm,
    texts: list[str],
    model: str | None,
    types: list[str] | None,
    offsets: OffsetUnit,
    idempotency_key: str | None = None,
) -> str:
    """Make a job of the texts and return its id. Texts that the cache knows are not recognised again.

    Raises:
        TextTooLong: a text, or their number, is over its limit.
        InvalidRequest: the model does not know one of the types.
        QueueFull: too many pieces wait.
        IdempotencyConflict: the key came with another request before.
    """
    _check_sizes(texts)
    name = model or settings().default
    known = farm.model(name)
    if known is not None and types is not None and (unknown := sorted(set(types) - set(known.types))):
        raise InvalidRequest(
            f"types: model {name!r} does not know {', '.join(unknown)}; it knows {', '.join(known.types)}"
        )

    encoded = [cache.encode_text(text) for text in texts]
    cached: dict[int, TextResult] = {}
    if known is not None:
        for index, entities in enumerate(cache.look_up(farm.redis, known.version, encoded)):
            if entities is not None:
                cached[index] = TextResult(entities.decode(), f"{name}@{known.version}", cached=True)
        CACHE_LOOKUPS.labels("hit").inc(len(cached))
        CACHE_LOOKUPS.labels("miss").inc(len(texts) - len(cached))

    byte_starts = [0]
    for text in encoded:
        byte_starts.append(byte_starts[-1] + len(text))
    new = NewJob(
        id=uuid.uuid4().hex,
        model=name,
        types=tuple(types) if types is not None else None,
        offsets=offsets,
        texts=b"".join(encoded),
        lengths=[len(text) for text in encoded],
        pieces=plan(texts, byte_starts, [index for index in range(len(texts)) if index not in cached]),
        cached=cached,
        idempotency_key=idempotency_key,
        fingerprint=_fingerprint(encoded, name, types, offsets),
    )
    job_id = farm.jobs.create(new)
    if job_id == new.id and new.pieces:
        try:
            enqueue(name, job_id, range(len(new.pieces)))
            farm.jobs.mark_enqueued(job_id, name)
        except (OperationalError, *UNAVAILABLE) as error:
            # The record is written, so the job is accepted: a worker node's sweep enqueues what is missing.
            log.warning("job accepted but not enqueued, the sweep will", job=job_id, error=str(error))
    return job_id


def _check_sizes(texts: list[str]) -> None:
    if len(texts) > settings().max_texts:
        raise TextTooLong(f"texts: {len(texts)} given, a job may have {settings().max_texts}; send several jobs")
    for index, text in enumerate(texts):
        if len(text) > settings().max_text_chars:
            raise TextTooLong(
                f"text {index} has {len(text)} characters, at most {settings().max_text_chars} are taken; divide it"
            )


def _fingerprint(texts: list[bytes], model: str, types: list[str] | None, offsets: OffsetUnit) -> str:
    digest = hashlib.sha256(json.dumps([model, types, offsets, [len(text) for text in texts]]).encode())
    for text in texts:
        digest.update(text)
    return digest.hexdigest()
