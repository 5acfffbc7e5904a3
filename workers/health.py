"""``python -m workers.health [--model NAME]``: is this host's worker node well? For containers' health checks."""

from __future__ import annotations

import argparse
import sys

from shared import registry
from shared.errors import FarmError
from shared.redis_client import UNAVAILABLE, redis_client
from shared.settings import settings


def main() -> int:
    """Say how many processes of the node have their model loaded. Returns the exit status, 0 where any has."""
    parser = argparse.ArgumentParser(prog="python -m workers.health", description="Is this host's worker node well?")
    parser.add_argument("--model", metavar="NAME", help="a name in RANER_MODELS; default: the default model")
    arguments = parser.parse_args()
    try:
        node = registry.node_name(arguments.model or settings().default)
        alive = sum(worker.id.startswith(f"{node}:") for worker in registry.workers(redis_client()))
    except (FarmError, *UNAVAILABLE) as error:
        print(f"workers.health: {error}", file=sys.stderr)
        return 1
    print(f"{node}: {alive} live processes")
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main())
