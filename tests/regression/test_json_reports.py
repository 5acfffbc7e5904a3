"""What users of other systems reported of requests in JSON, and of what the answers repeat. Each report has its id, the
issues that it is from, and a sentence on the symptom.
"""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

SUMMIT = "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"


def posted(client: FlaskClient, body: str | bytes, status: int) -> dict[str, Any]:
    answer = client.post("/ner", data=body, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    problem: dict[str, Any] = answer.get_json()
    return problem


def test_the_place_of_a_control_character_is_said(client: FlaskClient) -> None:
    """http-control (own): the detail read «Invalid control character at at line 1»."""
    detail = posted(client, '{"text":"a\tb"}', 400)["detail"]
    assert "at at" not in detail
    assert detail.endswith("at line 1, column 11")


def test_surrogates_as_bytes_are_refused(client: FlaskClient) -> None:
    """http-cesu8 (mcp python-sdk#3182): surrogates as bytes were taken for UTF-8, and an emoji counted twice."""
    body = f'{{"text":"\ud83d\ude02{SUMMIT}"}}'.encode("utf-8", "surrogatepass")
    assert "CESU-8" in posted(client, body, 400)["detail"]


def test_a_name_given_twice_is_refused(client: FlaskClient) -> None:
    """http-dup-key (own): the last value was taken without a word."""
    assert '"text" 2 times' in posted(client, '{"text":"王传福","text":"马云在杭州"}', 400)["detail"]


def test_a_long_name_is_not_repeated(client: FlaskClient) -> None:
    """http-echo (own): a name of 100,000 characters came back twice in the answer."""
    answer = client.post("/ner", json={"text": "a", "k" * 100_000: 1})
    assert answer.status_code == 422
    assert len(answer.get_data()) <= 5_000
    assert answer.get_json()["errors"][0]["field"] == "k" * 100 + "…"
