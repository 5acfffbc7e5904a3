"""Every key of the farm in Redis: its name, its time to live, and the number of the format behind it.

Each key's type and fields are described in the module, or at the top of the Lua script, that writes it. Names begin
with ``RANER_KEY_PREFIX``, so that farms with different prefixes can share a server.
"""

from __future__ import annotations

import hashlib

from shared.settings import settings

# The number of the format of job records and of what their pieces carry. Raise it when a reader of the former number
# would misread what is written now. Workers do jobs of this number and of the one before it.
SCHEMA = 2
READABLE_SCHEMAS = (SCHEMA - 1, SCHEMA)

# Times to live, in seconds. An open job lives longer than any queue takes to drain, so that no key is for ever. An
# ended job lives RANER_JOB_TTL; a job of POST /ner, whose caller has the answer already, a minute.
OPEN_TTL = 7 * 86_400
NER_TTL = 60
MODELS_TTL = 30 * 86_400

# The consumer group of each stream of pieces.
GROUP = "workers"


class JobKeys:
    """The keys of one job."""

    def __init__(self, job_id: str) -> None:
        self.job = f"{job_prefix()}{job_id}"
        self.texts = f"{self.job}:texts"
        self.pieces = f"{self.job}:pieces"
        self.results = f"{self.job}:results"
        self.parts = f"{self.job}:parts"


class ModelKeys:
    """The keys of one model's open jobs, of its pieces, and of the workers that hold it."""

    def __init__(self, model: str) -> None:
        base = f"{settings().key_prefix}:model:{model}"
        self.open = f"{base}:open"
        self.load = f"{base}:load"
        self.interactive = f"{base}:pieces:interactive"
        self.bulk = f"{base}:pieces:bulk"
        self.idle = f"{base}:idle"
        self.workers = f"{base}:workers"
        self.wakeups = f"{celery_prefix()}{queue_name(model)}"


def job_prefix() -> str:
    """What stands before a job's id in the names of its keys."""
    return f"{settings().key_prefix}:job:"


def idempotency(key: str) -> str:
    """The key that holds which job an ``Idempotency-Key`` made."""
    return f"{settings().key_prefix}:idempotency:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def cached(version: str, text: bytes) -> str:
    """The key of a text's cached result; ``text`` is its UTF-8."""
    return f"{settings().key_prefix}:cache:{SCHEMA}:{version}:{hashlib.sha256(text).hexdigest()}"


def workers() -> str:
    """The key of the live worker processes."""
    return f"{settings().key_prefix}:workers"


def models() -> str:
    """The key of what is known of each model."""
    return f"{settings().key_prefix}:models"


def ready() -> str:
    """The key that a readiness check tries to write, without ever making it."""
    return f"{settings().key_prefix}:ready"


def web_channels() -> str:
    """What the names of the channels begin with on which web processes hear of the ends of jobs."""
    return f"{settings().key_prefix}:web:"


def celery_prefix() -> str:
    """What Celery puts before the name of each of its own keys."""
    return f"{settings().key_prefix}:celery:"


def queue_name(model: str) -> str:
    """The Celery queue of a model's wake-ups."""
    return f"ner.{model}"
