"""`.env.example` lists every setting, in the order of `Settings`, with its description and its default."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from shared.settings import PROJECT_ROOT, Settings


@dataclass(frozen=True)
class Entry:
    variable: str
    default: str
    description: str


def entries() -> list[Entry]:
    text = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8")
    found = []
    for paragraph in text.strip().split("\n\n")[1:]:  # the first says what the file is
        *description, last = paragraph.splitlines()
        match = re.fullmatch(r"#(RANER_\w+)=(.*)", last)
        assert match, f"not a commented setting: {last!r}"
        found.append(Entry(match[1], match[2], " ".join(line.removeprefix("# ") for line in description)))
    return found


def field(variable: str) -> str:
    return variable.removeprefix("RANER_").lower()


def test_it_lists_the_settings_in_their_order() -> None:
    assert [field(entry.variable) for entry in entries()] == list(Settings.model_fields)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.variable)
def test_each_description_is_the_settings_own(entry: Entry) -> None:
    assert entry.description == Settings.model_fields[field(entry.variable)].description


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.variable)
def test_each_default_uncommented_changes_nothing(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in Settings.model_fields:
        monkeypatch.delenv(f"RANER_{other.upper()}", raising=False)
    default = str(getattr(Settings(), field(entry.variable)))
    monkeypatch.setenv(entry.variable, entry.default)
    # The file names folders from the repository root, where the farm is started.
    assert str(getattr(Settings(), field(entry.variable))) == default.replace(f"{PROJECT_ROOT}/", "")
