"""The settings, as an operator gives them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.cpus import usable_cpus
from shared.errors import SettingsError
from shared.settings import BUNDLED_GENERIC_MODEL, BUNDLED_MODEL, settings


def test_without_any_variable_there_is_a_farm(with_settings: Callable[..., None]) -> None:
    with_settings()
    assert settings().sources == {
        "raner-mini-news": str(BUNDLED_MODEL),
        "raner-mini-generic": str(BUNDLED_GENERIC_MODEL),
    }
    assert settings().default == "raner-mini-news"
    assert settings().workers == usable_cpus()
    assert (settings().port, settings().flower_port, settings().threads) == (8000, 5555, 1)
    assert settings().keys == frozenset()


def test_an_empty_variable_counts_as_unset(with_settings: Callable[..., None]) -> None:
    with_settings(port="", workers="", models="", backend="")
    assert settings().port == 8000
    assert settings().default == "raner-mini-news"


def test_models_are_read_in_order(with_settings: Callable[..., None]) -> None:
    with_settings(models=" news = damo/nlp_raner@v1.0 , mini=models/mini,")
    assert settings().sources == {"news": "damo/nlp_raner@v1.0", "mini": "models/mini"}
    assert settings().default == "news"


def test_the_default_model_can_be_chosen(with_settings: Callable[..., None]) -> None:
    with_settings(models="a=x,b=y", default_model="b")
    assert settings().default == "b"


def test_keys_are_a_list(with_settings: Callable[..., None]) -> None:
    with_settings(api_keys="one, two,")
    assert settings().keys == {"one", "two"}


def test_origins_are_a_list(with_settings: Callable[..., None]) -> None:
    with_settings(cors_origins="https://a.example, http://localhost:3000,")
    assert settings().origins == {"https://a.example", "http://localhost:3000"}
    with_settings(cors_origins="")
    assert settings().origins == frozenset()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"port": "many"}, "RANER_PORT: .*integer"),
        ({"port": "70000"}, "RANER_PORT: .*65535"),
        ({"workers": "0"}, "RANER_WORKERS: .*1"),
        ({"backend": "tensorflow"}, "RANER_BACKEND: .*'onnx-int8'"),
        ({"int8_limit": "2"}, "RANER_INT8_LIMIT"),
        ({"key_prefix": "two farms"}, "RANER_KEY_PREFIX: .*letters, digits, - _ and :"),
        ({"key_prefix": "{a}"}, "RANER_KEY_PREFIX"),
        ({"cors_origins": "https://a.example, b.example"}, "RANER_CORS_ORIGINS: 'b.example' has no scheme; give"),
        ({"cors_origins": "https://a.example/"}, "RANER_CORS_ORIGINS: .*; give 'https://a.example'"),
        ({"url_prefix": "raner"}, "RANER_URL_PREFIX: 'raner' is no path .*; give '/raner'"),
        ({"flower_url": "javascript:alert(1)"}, "RANER_FLOWER_URL: .*; give a path such as /raner/flower"),
        ({"api_keys": ","}, "RANER_API_KEYS: .*names no key; give keys separated by commas, or unset it"),
        ({"api_keys": "one,two words"}, "RANER_API_KEYS: .*no header can carry key 2; give"),
        ({"api_keys": "one,钥匙"}, "RANER_API_KEYS: .*no header can carry key 2; give"),
        ({"redis_ca": "/nowhere/ca.crt"}, "RANER_REDIS_CA: .*there is no file /nowhere/ca.crt"),
        ({"redis_password": "secret", "redis_url": ""}, "RANER_REDIS_PASSWORD is set and RANER_REDIS_URL is not; set"),
        ({"log_level": "loud"}, "RANER_LOG_LEVEL: .*DEBUG, INFO, WARNING or ERROR"),
        ({"models": "no-source"}, "RANER_MODELS entry 'no-source' must read name=source"),
        ({"models": "Upper=x"}, "RANER_MODELS entry 'Upper=x' must read name=source"),
        ({"models": "a=x,a=y"}, "RANER_MODELS names 'a' twice"),
        ({"models": ","}, "RANER_MODELS names no model"),
        ({"default_model": "other"}, "RANER_DEFAULT_MODEL 'other' is not among RANER_MODELS: raner-mini-news, "),
    ],
)
def test_a_wrong_value_is_named_with_what_to_give(
    with_settings: Callable[..., None], fields: dict[str, str], says: str
) -> None:
    with_settings(**fields)
    with pytest.raises(SettingsError, match=says):
        settings()


def test_several_wrong_values_are_all_named(with_settings: Callable[..., None]) -> None:
    with_settings(port="x", threads="0")
    with pytest.raises(SettingsError, match=r"RANER_PORT.*RANER_THREADS"):
        settings()
