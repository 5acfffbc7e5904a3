"""The result cache.

``raner:cache:{version}:{sha256 of the text's UTF-8}``
    string, JSON ``[[start, end, type, score, source], ...]`` in code points; expires after ``RANER_CACHE_TTL`` seconds
    and may be evicted at any time. Written by workers when a text is recognised; read by web before a job is made. The
    text itself is not stored.

The model's version covers its weights, backend and preparation, so a new model never answers with an old one's result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from redis import Redis

from shared.entities import Entity
from shared.settings import settings


def encode_entities(entities: Sequence[Entity]) -> str:
    """Compact JSON of what was found in one text. Scores keep four decimals."""
    return json.dumps([(e.start, e.end, e.type, round(e.score, 4), e.source) for e in entities], separators=(",", ":"))


def decode_entities(data: bytes | str) -> list[Entity]:
    """What :func:`encode_entities` made ``data`` of."""
    return [Entity(*fields) for fields in json.loads(data)]


def _key(version: str, text: bytes) -> str:
    return f"raner:cache:{version}:{hashlib.sha256(text).hexdigest()}"


def look_up(redis: Redis, version: str, texts: Sequence[bytes]) -> list[bytes | None]:
    """The cached entities (as encoded) of each text, None where there are none; one round trip."""
    if not settings().cache_ttl or not texts:
        return [None] * len(texts)
    return list(redis.mget([_key(version, text) for text in texts]))


def store(redis: Redis, version: str, found: Sequence[tuple[bytes, str]]) -> None:
    """Keep the encoded entities of each (text, entities); one round trip."""
    if not settings().cache_ttl or not found:
        return
    with redis.pipeline(transaction=False) as pipe:
        for text, entities in found:
            pipe.set(_key(version, text), entities, ex=settings().cache_ttl)
        pipe.execute()
