"""The web server without workers, as the farm starts it, with limits of a test's own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from shared.settings import PROJECT_ROOT
from tests.support.farm import free_ports

# One web process, with the limits below in place of its own.
CONFIGURATION = """
from web.gunicorn import *
from web import body, large_bodies, server, waiting

workers = 1
"""
READY_WITHIN = 60.0  # seconds


@dataclass
class WebServer:
    """A running web server."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def connect(self) -> socket.socket:
        """A connection, and nothing sent on it yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def send(self, head: str, body: bytes = b"") -> socket.socket:
        """A connection with a request on it; ``head`` is its first line and headers without ``Host``."""
        client = self.connect()
        client.sendall("\r\n".join([*head.splitlines(), "Host: farm", "", ""]).encode() + body)
        return client

    def post(self, path: str, body: Any) -> HTTPResponse:
        """The answer to a POST request with a JSON body."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return answer

    def status(self, path: str, headers: str = "") -> int:
        """The status of the answer to a GET request with further headers, one a line."""
        with self.send(f"GET {path} HTTP/1.1\n{headers}") as client:
            return answer(client).status

    def seconds_to_answer(self, path: str = "/healthz") -> float:
        """How long a GET request on a new connection takes."""
        began = time.monotonic()
        with self.send(f"GET {path} HTTP/1.1\nConnection: close") as client:
            assert answer(client).status == 200
        return time.monotonic() - began


def answer(client: socket.socket) -> HTTPResponse:
    """The answer on a connection, read as far as its headers.

    Raises:
        ConnectionError: the connection ended without one.
    """
    found = HTTPResponse(client)
    found.begin()
    return found


@contextmanager
def running_web_server(folder: Path, limits: Mapping[str, float], **variables: str) -> Iterator[WebServer]:
    """A web server on the run's Redis that answers.

    Args:
        limits: constants of its modules, such as ``server.BODY_SECONDS``.
        variables: further ``RANER_`` variables.
    """
    configuration, log, (port,) = folder / "gunicorn_conf.py", folder / "web.log", free_ports(1)
    lines = "\n".join(f"{name} = {value}" for name, value in limits.items())
    configuration.write_text(f"{CONFIGURATION}{lines}\n")
    command = (sys.executable, "-m", "gunicorn", "-c", str(configuration), "web.app:create_app()")
    environment = {**os.environ, "RANER_PORT": str(port), "RANER_LOG_LEVEL": "DEBUG", **variables}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=output, stderr=output)
    server = WebServer(process, port, log)
    try:
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                server.seconds_to_answer()
                break
            except ConnectionError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)  # there is no event before a server listens
        yield server
    finally:
        process.terminate()
        process.wait(60)
