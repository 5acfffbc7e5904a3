"""The Lua scripts in ``shared/lua/``: what must be one step in Redis.

Each script's keys and arguments are described at its top. ``prelude.lua``, which describes the keys of a job and of a
model, stands before each. Scripts build the keys of jobs from the ids that they find in a stream, so the farm needs one
Redis and not a cluster.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from redis import Redis

_FOLDER = Path(__file__).parent / "lua"


class Script:
    """One script, over one Redis client. It takes its keys in order and its arguments by name."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._run = redis.register_script(_text(name))

    def __call__(self, keys: list[str], *more: bytes, **arguments: Any) -> Any:
        """What the script returns. ``more`` are arguments that are no JSON, such as texts."""
        return self._run(keys=keys, args=[json.dumps(arguments, separators=(",", ":")), *more])


@cache
def _text(name: str) -> str:
    return (_FOLDER / "prelude.lua").read_text() + (_FOLDER / f"{name}.lua").read_text()
