"""`make run`: the whole farm on this machine. Ctrl-C or TERM ends it.

Exit status: 0 after Ctrl-C or TERM; 1 if the farm cannot start, or if a process could not be kept running and the rest
was stopped.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from deploy.checks import check_models, check_ports, sole_farm_of
from deploy.health import HealthCheck
from deploy.printer import Printer
from deploy.private_redis import PrivateRedis, set_up_redis
from deploy.processes import FarmProcess, base_url, farm_processes
from deploy.supervisor import Supervisor
from shared.errors import FarmError
from shared.exposure import check_exposure
from shared.redis_client import wait_for_redis
from shared.settings import PROJECT_ROOT, Settings, settings

REDIS = "redis"
REDIS_PATIENCE = 5.0  # seconds


def main() -> int:
    """Check, start, keep running, end. Returns the exit status."""
    begun = time.monotonic()
    try:
        config = settings()
        with sole_farm_of(config.data_dir):
            check_exposure(config)
            check_ports(config)
            check_models(config)
            if config.redis_url:
                wait_for_redis(REDIS_PATIENCE)
            private = None if config.redis_url else set_up_redis(config.data_dir)
            return _run(config, private, begun)
    except FarmError as error:
        print(f"raner-farm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0  # before anything was started; from then on the supervisor handles the signal


def _run(config: Settings, private: PrivateRedis | None, begun: float) -> int:
    processes = farm_processes(config)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if private is not None:
        environment["RANER_REDIS_URL"] = private.url
        processes.insert(0, FarmProcess(REDIS, private.command, private.address, HealthCheck(private.url)))
    for process in processes:
        print(f"raner-farm: {process.name:<20} {process.address}", flush=True)

    ready_before = False

    def when_ready() -> str:
        nonlocal ready_before
        again, ready_before = ready_before, True
        if again:
            return f"ready again: {base_url(config)}"
        return f"ready after {time.monotonic() - begun:.1f} s: {base_url(config)}"

    printer = Printer(sys.stdout, [process.name for process in processes])
    supervisor = Supervisor(processes, REDIS, environment, PROJECT_ROOT, printer)
    failure = asyncio.run(supervisor.run(when_ready))
    if failure is None:
        return 0
    print(
        f"raner-farm: {failure.name} {failure.how}, the others were stopped; its last line: {failure.last_line}",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    # Until the supervisor's handlers are there, TERM is as Ctrl-C. A terminal that closes is a TERM, unless nohup is
    # meant.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    sys.exit(main())
