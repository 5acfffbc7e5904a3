"""``python -m workers.health [--model NAME]``: is this host's worker node well? For containers' health checks."""

from __future__ import annotations

import argparse
import socket
import sys

from redis.exceptions import RedisError

from shared import registry
from shared.errors import FarmError
from shared.redis_client import redis_client
from shared.settings import settings


def main() -> int:
    """Say how many processes of the host's nodes have their model loaded. Returns the exit status, 0 where any has."""
    parser = argparse.ArgumentParser(prog="python -m workers.health", description="Is this host's worker node well?")
    parser.add_argument("--model", metavar="NAME", help="a name in RANER_MODELS; default: the default model")
    arguments = parser.parse_args()
    host = f"@{socket.gethostname()}"
    try:
        model = arguments.model or settings().default
        crew = registry.crews(redis_client(), [model])[model]
    except (FarmError, RedisError) as error:
        print(f"workers.health: {error}", file=sys.stderr)
        return 1
    alive = sum(worker.id.rpartition(":")[0].endswith(host) for worker in crew.workers)
    print(f"{model}{host}: {alive} live processes")
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main())
