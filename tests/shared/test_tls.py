"""Both clients verify the certificate of a Redis that speaks TLS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import PROJECT_ROOT
from tests.support.farm import free_ports
from tests.support.redis_server import RedisServer, programs

CLIENTS = {
    "redis-py": "from shared.redis_client import redis_client; redis_client().ping()",
    "kombu": "from shared.celery_app import app; app.connection_for_write().default_channel.client.ping()",
}


def certificate(folder: Path, alternative_name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    folder.mkdir()
    made, key = folder / "redis.crt", folder / "redis.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=redis"]
    options = ("-addext", f"subjectAltName={alternative_name}", "-out", str(made), "-keyout", str(key))
    subprocess.run([*command, *options], check=True, capture_output=True)
    return made, key


@pytest.fixture(params=["IP:127.0.0.1", "DNS:elsewhere.example"])
def alternative_name(request: pytest.FixtureRequest) -> str:
    """What the certificate is for."""
    return str(request.param)


@pytest.fixture
def url(alternative_name: str, tmp_path: Path) -> Iterator[str]:
    """The address of a Redis that speaks TLS, without the certificate that verifies it."""
    made, key = certificate(tmp_path / "tls", alternative_name)
    (port,) = free_ports(1)
    options = {"tls_port": str(port), "tls_cert_file": str(made), "tls_key_file": str(key), "tls_auth_clients": "no"}
    server = RedisServer(tmp_path / "redis", programs()[0], **options)
    try:
        server.start()
    except AssertionError:
        pytest.skip("this redis-server was built without TLS")
    yield f"rediss://127.0.0.1:{port}/0"
    server.stop()


def ask(client: str, url: str, authority: Path | str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CLIENTS[client]],
        cwd=PROJECT_ROOT,
        env={**os.environ, "RANER_REDIS_URL": url, "RANER_REDIS_CA": str(authority)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_a_certificate_is_verified(client: str, url: str, alternative_name: str, tmp_path: Path) -> None:
    unknown = ask(client, url)
    assert unknown.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.stderr
    known = ask(client, url, tmp_path / "tls" / "redis.crt")
    if alternative_name == "IP:127.0.0.1":
        assert known.returncode == 0, known.stderr
    else:
        assert "IP address mismatch" in known.stderr
