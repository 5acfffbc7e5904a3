"""A job as the API shows it: its types filter and an offset unit applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.entities import Amount, Entity
from shared.errors import JobNotFound
from shared.formats import TextResult
from shared.job_texts import JobTexts
from shared.jobs import Job, JobStatus, OffsetUnit
from shared.offsets import Utf16Offsets


def job_view(
    job: Job, texts: JobTexts, results: Sequence[TextResult], unit: OffsetUnit, with_texts: bool = False
) -> dict[str, Any]:
    """The job as :class:`web.schemas.JobView`; plain dicts, since a job may hold many thousand entities.

    Args:
        texts: the job's; they are looked at where it has succeeded or ``with_texts`` is set.
        results: those of a job that has succeeded.

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
    if with_texts:
        view["texts"] = texts.sent
    if job.status is JobStatus.SUCCEEDED:
        if len(texts.sent) != len(results):
            raise JobNotFound(f"job {job.id} has expired")
        view["results"] = results_view(texts, results, job.types, unit)
    if job.error is not None:
        view["error"] = job.error
    return view


def results_view(
    texts: JobTexts, results: Sequence[TextResult], types: Sequence[str] | None, unit: OffsetUnit
) -> list[dict[str, Any]]:
    """The result of each text, with the entities of these types; None: of all."""
    views = []
    for index, (text, result) in enumerate(zip(texts.sent, results, strict=True)):
        wanted = [entity for entity in result.entities if types is None or entity.type in types]
        view: dict[str, Any] = {
            "entities": _entities(text, [_as_sent(entity, index, texts) for entity in wanted], unit),
            "counts": dict(Counter(entity.type for entity in wanted)),
            "model": result.model_version,
            "cached": result.cached,
        }
        if result.error is not None:
            view["error"] = result.error
        views.append(view)
    return views


def _as_sent(entity: Entity, index: int, texts: JobTexts) -> Entity:
    start, end = texts.span(index, entity.start, entity.end)
    return entity._replace(start=start, end=end)


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
            **_amount(entity.amount),
        }
        for entity in entities
    ]


def _amount(amount: Amount | None) -> dict[str, str]:
    """``value``, or ``low`` and ``high``, and ``currency``, as far as the text says them."""
    if amount is None:
        return {}
    if amount.low == amount.high:
        said = {"value": amount.low, "currency": amount.currency}
    else:
        said = {"low": amount.low, "high": amount.high, "currency": amount.currency}
    return {name: value for name, value in said.items() if value is not None}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
