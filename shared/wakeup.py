"""What a wake-up is, and that nothing else in Celery's queues is taken for one.

Whoever can write to Redis can put messages into the queues. A Celery message can carry arguments, callbacks, a time
limit for the worker process, a time far ahead until which a node keeps it, or a body that is packed or pickled. A
wake-up carries none of these.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

RECOGNISE = "ner.recognise"

# What the names of the queues of wake-ups begin with. Others are for answers to Celery's remote control.
QUEUES = "ner."
# Bytes of a body without arguments, with room for what a later release of Celery writes there.
LONGEST_BODY = 1_000
# Characters of a header. Some are shown in Flower.
LONGEST_HEADER = 256
ID = re.compile(r"[0-9a-f-]{1,64}")
# Headers that change what a worker does with a message. A wake-up has none of them, or has them empty.
UNUSED = (
    *("compression", "eta", "expires", "timelimit", "group", "retries", "shadow"),
    *("stamps", "stamped_headers", "replaced_task_nesting"),
)


def is_wakeup(message: Any) -> bool:
    """Whether a message of Celery's, as kombu has it in Redis, is a wake-up. Nothing is unpickled or unpacked."""
    try:
        headers, properties, body = message["headers"], message["properties"], message["body"]
        return bool(
            headers["task"] == RECOGNISE
            and message["content-type"] == "application/json"
            and ID.fullmatch(headers["id"])
            and not any(map(_says_something, map(headers.get, UNUSED)))
            and all(len(value) <= LONGEST_HEADER for value in headers.values() if isinstance(value, str))
            and properties["body_encoding"] == "base64"
            and isinstance(properties["delivery_tag"], str)
            and isinstance(properties["delivery_info"], dict)
            and len(body) <= LONGEST_BODY
            and not _says_something(json.loads(base64.b64decode(body, validate=True)))
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return False


def _says_something(value: Any) -> bool:
    """Whether there is anything in it but empty lists and objects, null and zero."""
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, list):
        return any(map(_says_something, value))
    return bool(value)
