"""Names of the Celery queues and of the one task, as both sides spell them."""

from __future__ import annotations

RECOGNISE = "ner.recognise"


def queue_name(model: str) -> str:
    """The queue of a model's turns; with Redis as broker it is also the key of the list that holds them."""
    return f"ner.{model}"
