"""The documentation agrees with the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shared.errors import FarmError
from shared.formats import TextResult
from shared.job_texts import JobTexts
from shared.jobs import OffsetUnit
from shared.settings import PROJECT_ROOT
from tests.settings_table import table
from web.job_view import results_view
from web.schemas import Money
from workers.engine.money import money

DOCUMENTS = [PROJECT_ROOT / "README.md", *sorted((PROJECT_ROOT / "docs").glob("*.md"))]


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `RANER_.*\|$", (PROJECT_ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == table(), "the table should read\n" + "\n".join(table())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_points_to_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    names = re.findall(r"`((?:web|workers|shared|deploy|tests|docs|models)/[\w./-]*)`", text)
    for target in links:
        assert (document.parent / target).exists(), target
    for name in names:
        assert (PROJECT_ROOT / name).exists(), name


def test_the_error_tree_at_the_top_of_its_module_is_the_tree() -> None:
    drawn = (PROJECT_ROOT / "shared" / "errors.py").read_text(encoding="utf-8").split('"""')[1]
    names = re.findall(r"[├└]── (\w+)", drawn)
    found: list[str] = []

    def walk(kind: type[FarmError]) -> None:
        for child in kind.__subclasses__():
            if child.__module__ == "shared.errors":
                found.append(child.__name__)
                walk(child)

    walk(FarmError)
    assert names == found


def test_the_amounts_of_the_readme_have_the_normal_form_it_says() -> None:
    rows = re.findall(
        r"^\| (`.+`) \| `(.*\"currency\": .*)` \|$", (PROJECT_ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert rows
    for texts, form in rows:
        for text in re.findall("`(.+?)`", texts):
            result = TextResult(tuple(money(text)), "")
            (view,) = results_view(JobTexts([text]), [result], None, OffsetUnit.CODEPOINT)
            (entity,) = view["entities"]
            assert entity.items() >= json.loads(f"{{{form}}}").items()
            assert entity["text"] == text
            assert len(set(entity) & set(Money.model_fields)) == form.count(":")
