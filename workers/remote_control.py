"""What a worker node does when Celery's remote control asks.

Whoever can write to Redis can send commands. Some would end the node, shrink its pool, stop its reading, or make it
write files. The farm needs none of them. Flower asks the questions.
"""

from __future__ import annotations

from celery.worker.control import Panel

QUESTIONS = frozenset(
    ("active", "active_queues", "conf", "ping", "registered", "reserved", "revoked", "scheduled", "stats")
)


def answer_questions_only() -> None:
    """Let the node forget every command but :data:`QUESTIONS`."""
    for name in set(Panel.data) - QUESTIONS:
        del Panel.data[name]
