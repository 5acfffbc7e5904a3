"""Reading a request's JSON, and writing answers as JSON."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from shared.entities import Entity
from tests.web.conftest import Worker


def refusal(client: FlaskClient, body: str | bytes) -> str:
    answer = client.post("/api/v1/jobs", data=body, content_type="application/json")
    assert answer.status_code == 400, answer.text
    return str(answer.get_json()["detail"])


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.farm+json"]
)
def test_every_way_to_say_json_will_do(client: FlaskClient, kind: str) -> None:
    assert client.post("/api/v1/jobs", data='{"text": "马云"}', content_type=kind).status_code == 202


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_does_not_say_so_is_not_taken_for_json(client: FlaskClient, kind: str) -> None:
    answer = client.post("/api/v1/jobs", data='{"text": "马云"}', headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert answer.get_json()["detail"] == "send JSON, with the header Content-Type: application/json"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_each_encoding_that_json_may_have_is_read(client: FlaskClient, worker: Worker, encoding: str) -> None:
    body = '{"text": "😀马云"}'.encode(encoding)
    answer = client.post("/api/v1/jobs", data=body, content_type="application/json")
    worker.do(answer.get_json()["id"])
    (result,) = client.get(answer.headers["Location"]).get_json()["results"]
    assert result["entities"][0] == {
        "text": "马云",
        "type": "PER",
        "start": 1,
        "end": 3,
        "score": 0.99,
        "source": "model",
    }


def test_where_the_json_breaks_is_said(client: FlaskClient) -> None:
    assert refusal(client, '{\n  "text": "马云",\n}').endswith("at line 2, column 15")
    assert refusal(client, '{"text": "a"} x').endswith("after document at line 1, column 15")
    assert refusal(client, '{"text": "a\nb"}').endswith("at line 1, column 12")
    assert refusal(client, '{"a": "\\ud83d", "text": "a\tb"}').endswith(
        "Invalid control character at line 1, column 27"
    )
    assert refusal(client, '{"a": "\\ud83d", "text": "ab').endswith("Unterminated string starting at line 1, column 25")
    assert refusal(client, "").endswith("at line 1, column 1")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"text": "马云"}'.encode("gbk"), "it must be UTF-8; no character begins with byte 10, 0xC2"),
        (b'{"text": "\xc0\xaf"}', "it must be UTF-8; no character begins with byte 10, 0xC0"),
        (b'{"text": "a\xe9\xa9', "it must be UTF-8; no character begins with byte 11, 0xE9"),
        (
            '{"text": "a\ud83d\ude00"}'.encode("utf-8", "surrogatepass"),
            "it must be UTF-8; bytes 11 to 13 are half of a pair of surrogates (CESU-8)",
        ),
        (
            '{"a": "\\ud83d", "text": "\udc00"}'.encode("utf-8", "surrogatepass"),
            "it must be UTF-8; bytes 25 to 27 are half of a pair of surrogates (CESU-8)",
        ),
        (
            '{"text": "\ud83d"}'.encode("utf-16-le", "surrogatepass"),
            "it begins as UTF-16-LE does, and goes on as nothing that is; send UTF-8",
        ),
    ],
)
def test_what_is_not_utf_8_is_said(client: FlaskClient, body: bytes, why: str) -> None:
    assert refusal(client, body) == f"the body is no JSON: {why}"


@pytest.mark.parametrize(
    ("body", "twice"),
    [
        ('{"text": "王传福", "text": "马云在杭州"}', '"text" 2 times'),
        ('{"text": "马云", "text": "马云"}', '"text" 2 times'),
        ('{"text": "a", "types": null, "types": ["PER"], "types": null}', '"types" 3 times'),
        (r'{"text": "a", "\u0074ext": "b"}', '"text" 2 times'),
        (r'{"text": "\ud83d", "text": "b"}', '"text" 2 times'),
        ('{"texts": ["a"], "made": [{"up": 1, "up": 2}]}', '"up" 2 times'),
        ('{"": 1, "text": ":", "": "::"}', '"" 2 times'),
        (f'{{"text": "a", "{"k" * 50_000}": 1, "{"k" * 50_000}": 2}}', f'"{"k" * 100}\\u2026" 2 times'),
    ],
)
def test_a_name_that_is_there_twice_is_refused(client: FlaskClient, body: str, twice: str) -> None:
    assert refusal(client, body) == f"the body has {twice}; give it once"


@pytest.mark.parametrize(
    "text", ['":"', '{"text": "a", "text": "b"}', "\\", '\\"', '\\":\\\\', ":", "a" * 200_000 + '":"' * 1_000]
)
def test_what_is_in_a_text_is_no_name(client: FlaskClient, text: str) -> None:
    answer = client.post("/api/v1/jobs", json={"texts": [text, text], "markup": "none"})
    assert answer.status_code == 202


def test_names_within_a_value_are_its_own(client: FlaskClient) -> None:
    answer = client.post("/api/v1/jobs", json={"text": {"text": "a", "model": "b"}, "model": "raner-mini-news"})
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "text")


@pytest.mark.parametrize(
    ("value", "why"),
    [("[" * 50_000 + "]" * 50_000, "depth"), ("1" * 5_000, "number"), ("1e400", "number"), ("NaN", "character")],
)
def test_what_no_parser_could_hold_is_refused(client: FlaskClient, value: str, why: str) -> None:
    assert why in refusal(client, f'{{"text": {value}}}')


@pytest.mark.parametrize("value", ["[" * 50_000 + "]" * 50_000, "1" * 5_000])
def test_nor_does_a_lone_surrogate_beside_it_help(client: FlaskClient, value: str) -> None:
    assert "nested too deeply or has a number out of range" in refusal(client, rf'{{"a": "\ud83d", "text": {value}}}')


@pytest.mark.parametrize("value", ["null", "true", "7", '"text"', '["text"]'])
def test_only_an_object_is_a_request(client: FlaskClient, value: str) -> None:
    assert refusal(client, value) == 'the body must be a JSON object, such as {"text": "…"}'


def test_a_call_without_a_body_needs_none(client: FlaskClient) -> None:
    assert client.get("/api/v1/models", data="{", content_type="application/json").status_code == 200
    assert client.delete("/api/v1/jobs/x", data="{", content_type="text/plain").status_code == 404


def test_answers_are_compact_utf_8(client: FlaskClient, worker: Worker) -> None:
    answer = client.post("/api/v1/jobs", json={"text": "马云"})
    worker.do(answer.get_json()["id"])
    body = client.get(answer.headers["Location"]).get_data()
    assert '"entities":[{"text":"马云","type":"PER","start":0,"end":2,"score":0.99,"source":"model"}]'.encode() in body
    assert not body.endswith(b"\n")


def test_problems_are_utf_8_too(client: FlaskClient) -> None:
    assert "/没有".encode() in client.get("/没有").get_data()


def test_what_utf_8_cannot_carry_is_escaped(client: FlaskClient, worker: Worker) -> None:
    worker.find = lambda text: [Entity(0, len(text), "PER", 1.0)]
    answer = client.post("/api/v1/jobs", data=rb'{"text": "\ud83d\ude00\ud83d"}', content_type="application/json")
    worker.do(answer.get_json()["id"])
    body = client.get(answer.headers["Location"]).get_data()
    assert '"text":"😀'.encode() + rb'\ud83d"' in body


def test_a_type_that_utf_8_cannot_carry_is_escaped_in_the_problem(client: FlaskClient, worker: Worker) -> None:
    body = rb'{"text": "a", "types": ["\ud83d"]}'
    answer = client.post("/api/v1/jobs", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert rb"does not know \ud83d" in answer.get_data()
