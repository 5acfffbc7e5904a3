"""The processes of a farm: what each is called, the command that starts it, and where it is reached."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from deploy.health import HealthCheck
from shared.exposure import flower_host
from shared.settings import Settings

WILDCARD_HOSTS = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True)
class FarmProcess:
    """One process.

    ``command`` is run from the repository root. ``address`` is what a person is told, ``health`` where the process
    tells that it is well.
    """

    name: str
    command: tuple[str, ...]
    address: str
    health: HealthCheck


def farm_processes(settings: Settings) -> list[FarmProcess]:
    """Web server, Flower and one Celery node for each served model; Redis is not among them."""
    python = sys.executable  # not `gunicorn` or `celery`: the virtual environment's scripts need not be on the PATH
    flower_url = f"{base_url(settings, settings.flower_port, flower_host(settings))}/{settings.flower_path}".rstrip("/")
    return [
        FarmProcess(
            "web",
            (python, "-m", "gunicorn", "--config", "web/gunicorn.py", "web.app:create_app()"),
            f"{base_url(settings)}  (the page; the API is described at /docs)",
            HealthCheck(f"{base_url(settings)}/healthz"),
        ),
        FarmProcess(
            "flower",
            (python, "-m", "celery", "--app=shared.celery_app", "flower", "--conf=shared/flower.py"),
            flower_url,
            HealthCheck(f"{flower_url}/healthcheck"),
        ),
        *(
            FarmProcess(
                f"worker-{model}",
                (python, "-m", "workers", "--model", model),
                f"{settings.workers} × {model}  ({source})",
                # For some seconds after its death, a worker counts as alive.
                HealthCheck(f"{base_url(settings)}/readyz", f"worker {model}"),
            )
            for model, source in settings.sources.items()
        ),
    ]


def base_url(settings: Settings, port: int | None = None, host: str | None = None) -> str:
    """Address of the web server, or of ``port`` on ``host``, for a caller on this machine."""
    host = host or settings.host
    host = "127.0.0.1" if host in WILDCARD_HOSTS else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port or settings.port}"
