"""The result cache.

``{prefix}:cache:{schema}:{version}:{sha256 of the text's UTF-8}``
    string, entities as :func:`shared.formats.encode_entities` writes them; expires after ``RANER_CACHE_TTL`` seconds
    and may be evicted at any time. Written by workers when a text is recognised; read by web before a job is made. The
    text itself is not stored.

The model's version covers its weights, backend and preparation, so a new model never answers with an old one's result.
The cache may be on a server of its own (``RANER_CACHE_URL``). It is never needed: if that server fails, the cache
knows nothing, and the log has a line.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared.entities import Entity
from shared.errors import UnreadableRecord
from shared.formats import decode_entities, encode_entities
from shared.keys import cached
from shared.settings import settings

log = structlog.get_logger()


def look_up(redis: Redis, version: str, texts: Sequence[bytes]) -> dict[int, tuple[Entity, ...]]:
    """The entities of each text that the cache knows, by the text's index. ``texts`` are in UTF-8. One round trip."""
    if not settings().cache_ttl or not texts:
        return {}
    try:
        found = redis.mget([cached(version, text) for text in texts])
    except RedisError as error:
        if not settings().cache_url:
            raise  # the farm's one server is away: what comes next would only wait for it again
        log.warning("the cache cannot be read", error=str(error))
        return {}
    known = {}
    for index, data in enumerate(found):
        if data is not None:
            try:
                known[index] = decode_entities(data)
            except UnreadableRecord as error:
                log.warning("an entry of the cache is skipped", error=str(error))
    return known


def store(redis: Redis, version: str, found: Sequence[tuple[bytes, Sequence[Entity]]]) -> None:
    """Keep the entities of each text, given in UTF-8. One round trip."""
    if not settings().cache_ttl or not found:
        return
    try:
        with redis.pipeline(transaction=False) as pipe:
            for text, entities in found:
                pipe.set(cached(version, text), encode_entities(entities), ex=settings().cache_ttl)
            pipe.execute()
    except RedisError as error:
        log.warning("the cache cannot be written", error=str(error))
