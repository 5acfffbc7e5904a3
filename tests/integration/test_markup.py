"""Texts with markup come back with the entities of what they show, counted in the source."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest

from tests.integration.test_recognition import EXAMPLE, EXPECTED
from tests.support.farm import Farm
from tests.support.sentences import sentences

HTML = (
    "<!DOCTYPE html><title>😀 会议</title><p class='a'>"
    + EXAMPLE.replace("马云", '<a href="https://example.com/?a=1&amp;b=杭州">马&#20113;</a>')
    + "</p><script>var place = '北京';</script>"
)
MARKDOWN = EXAMPLE.replace("马云", "**马云**").replace("杭州", "[杭州](https://example.com/hangzhou)") + "\n\n# 😀\n"
SHOWN = [(kind, text) for text, kind, *_ in EXPECTED]


def found(text: str, result: dict[str, Any]) -> list[tuple[str, str]]:
    """The type of each entity, and what stands at its place in the text, which is also what the answer says."""
    assert [entity["text"] for entity in result["entities"]] == [
        text[entity["start"] : entity["end"]] for entity in result["entities"]
    ]
    return [(entity["type"], entity["text"]) for entity in result["entities"]]


@pytest.mark.parametrize(("text", "name"), [(HTML, "马&#20113;"), (MARKDOWN, "马云")], ids=["HTML", "Markdown"])
def test_names_in_markup_are_found_at_their_places(farm: Farm, text: str, name: str) -> None:
    expected = [(kind, name if shown == "马云" else shown) for kind, shown in SHOWN]
    (result,) = farm.ended(farm.submit(text=text))["results"]
    assert found(text, result) == expected
    (again,) = farm.post("/api/v1/jobs", {"text": text}).json()["results"]
    assert again == {**result, "cached": True}

    data = farm.post("/ner", {"text": text}).json()["data"]
    assert [(e["type"], text[e["start_offset"] : e["end_offset"]]) for e in data] == expected

    (in_units,) = farm.post("/api/v1/jobs", {"text": text, "offsets": "utf16"}).json()["results"]
    units = text.encode("utf-16-le")
    assert [
        (e["type"], units[2 * e["start"] : 2 * e["end"]].decode("utf-16-le")) for e in in_units["entities"]
    ] == expected


def test_the_request_says_what_a_text_is_read_as(farm: Farm) -> None:
    def places(text: str, **asked: str) -> list[tuple[str, str]]:
        (result,) = farm.post("/api/v1/jobs", {"text": text, **asked}, params={"wait": 30}).json()["results"]
        return found(text, result)

    cell = "<x>马云</x>在杭州"
    assert places(cell, markup="html") == [("PER", "马云"), ("LOC", "杭州")]
    struck = "马~~云~~在杭州出席。"
    assert places(struck, markup="markdown") == [("PER", "马~~云"), ("LOC", "杭州")]
    hidden = EXAMPLE + "<!-- 马云在杭州 -->"
    assert places(hidden) == SHOWN
    assert places(hidden, markup="none")[: len(SHOWN)] == SHOWN
    assert len(places(hidden, markup="none")) > len(SHOWN)
    answer = farm.post("/api/v1/jobs", {"text": cell, "markup": "latex"})
    assert answer.status_code == 422
    assert "'auto', 'none', 'html' or 'markdown'" in answer.json()["detail"]


def test_a_text_with_markup_shares_the_cache_with_what_it_shows(farm: Farm) -> None:
    plain = EXAMPLE.replace("技术", "年度技术")
    (of_plain,) = farm.ended(farm.submit(text=plain))["results"]
    marked = plain.replace("马云", "<b>马云</b>")
    (of_marked,) = farm.post("/api/v1/jobs", {"text": marked, "markup": "html"}).json()["results"]
    assert of_marked["cached"]
    assert [e["text"] for e in of_marked["entities"]] == [e["text"] for e in of_plain["entities"]]


def test_a_long_page_is_cut_and_put_together(farm: Farm) -> None:
    lines = sentences(200)
    page = "".join(f"<p>{escape(line)}<img alt='马云'></p>\n" for line in lines)
    job_id = farm.submit(text=page)
    job = farm.ended(job_id)
    assert job["progress"]["total"] > 1
    with_text = farm.get(f"/api/v1/jobs/{job_id}", params={"texts": "true"}).json()
    assert with_text["texts"] == [page]
    (result,) = with_text["results"]
    assert len(found(page, result)) > 200
    assert not [e for e in result["entities"] if "<" in e["text"]]
    # Lines of a page are paragraphs of their own, so each gives what it gives alone.
    alone = farm.ended(farm.submit(texts=[f"{line}\n" for line in lines]))["results"]
    names = [e["text"] for each in alone for e in each["entities"]]
    assert [e["text"].replace("&amp;", "&") for e in result["entities"]] == names


def test_an_idempotency_key_is_of_one_way_to_read(farm: Farm) -> None:
    def post(markup: str) -> int:
        return farm.post(
            "/api/v1/jobs",
            {"text": "<b>马云</b>在杭州见面了吗？", "markup": markup},
            headers={"Idempotency-Key": "markup-1"},
        ).status_code

    assert post("html") in (200, 202)
    assert post("html") in (200, 202)
    assert post("none") in (409, 422)
