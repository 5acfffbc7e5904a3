"""A farm that other machines can reach has keys, or is open on purpose."""

from __future__ import annotations

import pytest

from shared.errors import SettingsError
from shared.exposure import check_exposure, flower_host, is_exposed
from shared.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_only_this_machine_reaches_a_loopback(host: str) -> None:
    settings = Settings.model_validate({"host": host})
    check_exposure(settings)
    assert not is_exposed(settings)
    assert flower_host(settings) == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "farm.example", ""])
def test_an_exposed_farm_has_keys_or_is_open(host: str) -> None:
    where = {"host": host}
    with pytest.raises(SettingsError, match=r"RANER_HOST: .* Set RANER_API_KEYS; or RANER_OPEN=1 .* 127\.0\.0\.1"):
        check_exposure(Settings.model_validate(where))
    check_exposure(Settings.model_validate({**where, "api_keys": "one"}))
    check_exposure(Settings.model_validate({**where, "open": True}))


def test_what_counts_of_a_container_is_where_it_is_published() -> None:
    inside = {"host": "0.0.0.0", "published_host": "127.0.0.1"}
    check_exposure(Settings.model_validate(inside))
    assert flower_host(Settings.model_validate(inside)) == "0.0.0.0"
    with pytest.raises(SettingsError, match=r"on '0\.0\.0\.0'"):
        check_exposure(Settings.model_validate({**inside, "published_host": "0.0.0.0"}))


def test_flower_is_exposed_with_a_password_only() -> None:
    assert flower_host(Settings.model_validate({"host": "0.0.0.0", "open": True})) == "127.0.0.1"
    assert flower_host(Settings.model_validate({"host": "0.0.0.0", "flower_password": "secret"})) == "0.0.0.0"
