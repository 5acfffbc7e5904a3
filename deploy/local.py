"""`make run`: the whole farm on this machine. Ctrl-C or TERM ends it.

Exit status: 0 after Ctrl-C or TERM; 1 where the farm cannot start, or where a process died and the rest was stopped.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

from honcho.printer import Printer

from deploy.checks import check_models, check_ports, sole_farm_of
from deploy.farm import Farm
from deploy.parent_death import forks_die_with_this_process
from deploy.private_redis import PrivateRedis, set_up_redis
from deploy.processes import base_url, farm_processes
from shared.errors import FarmError
from shared.redis_client import wait_for_redis
from shared.settings import PROJECT_ROOT, Settings, settings

REDIS = "redis"
POLL = 0.25  # seconds between two looks at /readyz
REDIS_PATIENCE = 5.0  # seconds


def main() -> int:
    """Check, start, watch, end. Returns the exit status."""
    begun = time.monotonic()
    try:
        config = settings()
        with sole_farm_of(config.data_dir):
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
        return 0  # before anything was started; from then on honcho handles the signal


def _run(config: Settings, private: PrivateRedis | None, begun: float) -> int:
    processes = farm_processes(config)
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if private is not None:
        env["RANER_REDIS_URL"] = private.url
    over = threading.Event()
    watch = threading.Thread(target=lambda: _tell_when_ready(farm, config, begun, over), daemon=True)
    farm = Farm(Printer(sys.stdout), foundation=REDIS, when_started=watch.start)
    if private is not None:
        farm.add(REDIS, private.command, env, str(PROJECT_ROOT))
        _say(REDIS, private.address)
    for process in processes:
        farm.add(process.name, process.command, env, str(PROJECT_ROOT))
        _say(process.name, process.address)
    try:
        farm.loop()
    finally:
        over.set()
        farm.kill_now()  # nothing is left, unless honcho itself failed, for one when nobody reads its output any more
    if farm.died is None:
        return 0
    name, status, last_line = farm.died
    print(
        f"raner-farm: {name} ended with {_explain(status)}, the others were stopped; its last line: {last_line}",
        file=sys.stderr,
    )
    return 1


def _tell_when_ready(farm: Farm, config: Settings, begun: float, over: threading.Event) -> None:
    while not over.wait(POLL):
        if _is_ready(config):
            seconds = time.monotonic() - begun
            farm.announce(f"ready after {seconds:.1f} s: {base_url(config)}")
            return


def _is_ready(config: Settings) -> bool:
    connection = http.client.HTTPConnection(urlsplit(base_url(config)).netloc, timeout=5)  # never through a proxy
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False  # not listening yet
    finally:
        connection.close()


def _say(name: str, address: str) -> None:
    print(f"raner-farm: {name:<20} {address}", flush=True)


def _explain(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


if __name__ == "__main__":
    # Until honcho's handlers are there, TERM is as Ctrl-C. A terminal that closes is a TERM, unless nohup is meant.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    multiprocessing.set_start_method("fork")  # what honcho was written for; Python 3.14 begins with another
    forks_die_with_this_process()
    sys.exit(main())
