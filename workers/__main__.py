"""``python -m workers [--model NAME]``: run a worker node for one model."""

from __future__ import annotations

import argparse
import sys

from shared.errors import FarmError, SettingsError
from shared.logs import configure_logs
from shared.redis_client import wait_for_redis
from shared.settings import settings


def main() -> int:
    """Prepare the model if need be, then serve its queue. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m workers", description="Run a worker node for one model.")
    parser.add_argument("--model", metavar="NAME", help="a name in RANER_MODELS; default: the default model")
    name = parser.parse_args().model
    try:
        configure_logs()
        name = name or settings().default
        if name not in settings().sources:
            raise SettingsError(f"--model {name!r} is not among RANER_MODELS: {', '.join(settings().sources)}")
        wait_for_redis()
        return _serve(name)
    except FarmError as error:
        print(f"workers: {error}", file=sys.stderr)
        return 1


def _serve(name: str) -> int:
    # The node's modules read the settings when they are imported, so only now that those are known to be right.
    import workers.tasks  # noqa: F401
    from workers.node import run
    from workers.preparation.ensure import ensure_prepared

    prepared = ensure_prepared(
        settings().sources[name], settings().backend, settings().data_dir / "prepared", settings().int8_limit
    )
    return run(name, prepared)


if __name__ == "__main__":
    sys.exit(main())
