"""A job as the API shows it: its types filter and an offset unit applied."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from shared.entities import Entity
from shared.errors import JobNotFound
from shared.jobs import Job, JobStatus, OffsetUnit
from shared.offsets import Utf16Offsets
from web.farm import Farm


def job_view(farm: Farm, job: Job, unit: OffsetUnit, with_texts: bool) -> dict[str, Any]:
    """The job as :class:`web.schemas.JobView`; plain dicts, since a job may hold many thousand entities.

    Raises:
        JobNotFound: it expired since it was read.
    """
    view: dict[str, Any] = {
        "id": job.id,
        "status": job.status,
        "model": job.model,
        "offsets": unit,
        "progress": {"done": job.done, "total": job.total},
        "created_at": _time(job.created),
        "started_at": _time(job.started),
        "finished_at": _time(job.finished),
    }
    succeeded = job.status is JobStatus.SUCCEEDED
    texts = farm.jobs.texts(job.id) if with_texts or succeeded else []
    if with_texts:
        view["texts"] = texts
    if succeeded:
        view["results"] = results_view(farm, job, texts, unit)
    if job.error is not None:
        view["error"] = job.error
    return view


def results_view(farm: Farm, job: Job, texts: list[str], unit: OffsetUnit) -> list[dict[str, Any]]:
    """The results of a succeeded job, one for each of its texts.

    Raises:
        JobNotFound: it expired since it was read.
    """
    results = farm.jobs.results(job.id)
    if len(texts) != len(results):
        raise JobNotFound(f"job {job.id} has expired")
    views = []
    for text, (entities, version, cached) in zip(texts, results, strict=True):
        wanted = [entity for entity in entities if job.types is None or entity.type in job.types]
        views.append(
            {
                "entities": _entities(text, wanted, unit),
                "counts": dict(Counter(entity.type for entity in wanted)),
                "model": version,
                "cached": cached,
            }
        )
    return views


def _entities(text: str, entities: list[Entity], unit: OffsetUnit) -> list[dict[str, Any]]:
    offset = Utf16Offsets(text) if unit is OffsetUnit.UTF16 else int
    return [
        {
            "text": text[entity.start : entity.end],
            "type": entity.type,
            "start": offset(entity.start),
            "end": offset(entity.end),
            "score": entity.score,
            "source": entity.source,
        }
        for entity in entities
    ]


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
