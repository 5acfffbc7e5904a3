"""Names of the queues and of the one task, as both sides spell them."""

from __future__ import annotations

RECOGNISE = "ner.recognise"


def queue_name(model: str) -> str:
    """The queue of a model's pieces; with Redis as broker it is also the key of the list that holds them."""
    return f"ner.{model}"


def task_id(job_id: str, piece: int) -> str:
    """Id of the Celery task for a piece, readable in Flower. A piece delivered again keeps it."""
    return f"{job_id}.{piece}"
