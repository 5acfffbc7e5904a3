"""Calls of single modules of the page, with values that no keyboard types: bytes, files, halves of surrogate pairs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from tests.browser.complaints import Complaints

# Both ways as JSON in ASCII: what lies between here and the browser is UTF-8, which has no lone surrogates.
CALL = """
async (sent) => {
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const { module, name, given } = JSON.parse(sent, (_, value) => {
    if (value?.bytes !== undefined) return bytes(value.bytes);
    if (value?.file !== undefined) return new File([bytes(value.content)], value.file);
    return value;
  });
  const { FileProblem } = await import("/assets/js/files.js");
  try {
    const answer = await (await import(`/assets/js/${module}.js`))[name](...given);
    return JSON.stringify({ answer: answer instanceof Uint8Array ? Array.from(answer) : answer });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    return JSON.stringify({ code: error.code, params: error.params });
  }
}
"""


@dataclass(frozen=True)
class File:
    """A file as someone opens it."""

    name: str
    content: bytes


class Refused(Exception):
    """A ``FileProblem``: its code and parameters."""

    def __init__(self, code: str, params: dict[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@contextmanager
def page_of(browser: Browser, url: str) -> Iterator[Page]:
    """A page that many tests share, on the farm's. What the browser complains of meanwhile is an error in the end."""
    complaints = Complaints(urlsplit(url).netloc)
    with browser.new_context() as context:
        complaints.watch(context)
        page = context.new_page()
        page.goto(url)
        yield page
    assert not complaints.unexpected, "\n".join(complaints.unexpected)


def call(page: Page, module: str, name: str, *given: object) -> Any:
    """What a module's function answers.

    Raises:
        Refused: it throws a ``FileProblem``.
        playwright.sync_api.Error: it throws anything else.
    """
    sent = json.dumps({"module": module, "name": name, "given": given}, default=_as_json)
    answer = json.loads(page.evaluate(CALL, sent))
    if "code" in answer:
        raise Refused(answer["code"], answer["params"])
    return answer.get("answer")


def _as_json(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, File):
        return {"file": value.name, "content": base64.b64encode(value.content).decode()}
    raise TypeError(type(value))


def texts_of(likely: str, others: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of some likely characters and of any others. As one alphabet, the likely ones would be lost among these."""
    return st.lists(st.text(likely, min_size=1, max_size=6) | st.text(others, max_size=3), max_size=6).map("".join)


def as_javascript_has_it(text: str) -> str:
    """A text whose halves of surrogate pairs are pairs where they meet, and U+FFFD where they are alone."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
