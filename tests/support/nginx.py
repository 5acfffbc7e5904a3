"""nginx as a reverse proxy before a farm."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  {servers}
}}
"""
LISTENS_WITHIN = 30.0  # seconds


def find_nginx() -> str | None:
    """The program, if this machine has it; Debian keeps it where not every PATH looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


@contextmanager
def running_nginx(program: str, folder: Path, servers: str, port: int) -> Iterator[None]:
    """nginx with these ``server`` blocks, which listens on a port of one of them."""
    folder.mkdir()
    configuration, log = folder / "nginx.conf", folder / "nginx.log"
    configuration.write_text(CONFIGURATION.format(folder=folder, servers=servers))
    with log.open("wb") as output:
        process = subprocess.Popen(
            (program, "-e", "stderr", "-p", str(folder), "-c", str(configuration)), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + LISTENS_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)  # there is no event before a server listens
        yield
    finally:
        process.terminate()
        process.wait(30)
