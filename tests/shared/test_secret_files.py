"""Secrets are read from files, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.secret_files import SECRETS
from shared.settings import Settings


@pytest.mark.parametrize("field", SECRETS)
def test_a_secret_is_read_from_its_file(field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("one\n", encoding="utf-8")
    monkeypatch.setenv("RANER_REDIS_URL", "redis://localhost:6379/0")
    monkeypatch.delenv(f"RANER_{field.upper()}", raising=False)
    monkeypatch.setenv(f"RANER_{field.upper()}_FILE", str(tmp_path / "secret"))
    settings = Settings()
    assert getattr(settings, field).get_secret_value() == "one"
    assert "one" not in repr(settings)


def test_keys_may_be_one_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").write_text("one\ntwo, three\n\n", encoding="utf-8")
    monkeypatch.setenv("RANER_API_KEYS_FILE", str(tmp_path / "keys"))
    assert Settings().keys == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read .No such file"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff", "cannot be read .it is not UTF-8"),
    ],
)
def test_a_file_without_a_secret_is_named(
    content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("RANER_API_KEYS_FILE", str(path))
    with pytest.raises(SettingsError, match=f"RANER_API_KEYS_FILE: {path} {says}"):
        Settings()


def test_a_secret_is_given_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANER_API_KEYS", "one")
    monkeypatch.setenv("RANER_API_KEYS_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsError, match="RANER_API_KEYS and RANER_API_KEYS_FILE are both set"):
        Settings()
