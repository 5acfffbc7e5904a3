"""Who can reach the farm: this machine only, or others too. Others need a key."""

from __future__ import annotations

from ipaddress import ip_address

from shared.errors import SettingsError
from shared.settings import Settings

LOOPBACK = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on this address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_exposed(settings: Settings) -> bool:
    """Whether other machines can reach the farm."""
    return not is_loopback(settings.published_host or settings.host)


def flower_host(settings: Settings) -> str:
    """The address that Flower listens on. Without a password it is one that others cannot reach."""
    return settings.host if settings.flower_password or not is_exposed(settings) else LOOPBACK


def check_exposure(settings: Settings) -> None:
    """Look whether those who can reach the farm need a key, or are meant to need none.

    Raises:
        SettingsError: others can reach it, there are no keys, and nobody said that this is meant.
    """
    if is_exposed(settings) and not settings.keys and not settings.open:
        raise SettingsError(
            f"RANER_HOST: other machines can reach the farm on {settings.published_host or settings.host!r}, and it "
            "has no API keys. Set RANER_API_KEYS; or RANER_OPEN=1 if everybody may use it; or listen on 127.0.0.1"
        )
