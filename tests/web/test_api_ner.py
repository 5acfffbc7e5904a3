"""The blocking call."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared.entities import Entity
from shared.job_keys import ModelKeys
from tests.web.conftest import NAME, Worker


@pytest.mark.usefixtures("at_work")
def test_it_answers_with_entities_and_their_colours(client: FlaskClient) -> None:
    answer = client.post("/ner", json={"text": "马云在杭州。"})
    assert answer.status_code == 200
    per = {"text": "马云", "type": "PER", "start_offset": 0, "end_offset": 2, "score": 0.99, "color": "red"}
    loc = {"text": "杭州", "type": "LOC", "start_offset": 3, "end_offset": 5, "score": 0.99, "color": "cyan"}
    assert answer.get_json() == {"success": True, "data": [per, loc]}


@pytest.mark.usefixtures("at_work")
def test_it_takes_the_same_choices_as_a_job(client: FlaskClient) -> None:
    body = {"text": "😀马云在杭州。", "model": NAME, "types": ["PER"], "offsets": "utf16"}
    (entity,) = client.post("/ner", json=body).get_json()["data"]
    assert (entity["start_offset"], entity["end_offset"]) == (2, 4)


@pytest.mark.usefixtures("at_work")
def test_a_text_without_entities_is_no_error(client: FlaskClient) -> None:
    assert client.post("/ner", json={"text": ""}).get_json() == {"success": True, "data": []}


def test_a_type_without_a_colour_of_its_own_has_one_too(client: FlaskClient, at_work: Worker) -> None:
    at_work.find = lambda text: [Entity(0, 1, "PER.NAM", 1.0), Entity(1, 2, "药品", 1.0)]
    data = client.post("/ner", json={"text": "ab"}).get_json()["data"]
    assert [entity["color"] for entity in data] == ["red", "magenta"]


@pytest.mark.parametrize("text", ["👨‍👩‍👧", "\ud83d", "\x00"])
def test_a_text_comes_back_as_it_was_sent(client: FlaskClient, at_work: Worker, text: str) -> None:
    at_work.find = lambda found_in: [Entity(0, len(found_in), "PER", 1.0)]
    answer = client.post("/ner", data=json.dumps({"text": text}), content_type="application/json")
    assert json.loads(answer.get_data())["data"][0]["text"] == text


def test_what_the_cache_knows_needs_no_worker(
    client: FlaskClient, worker: Worker, redis: Redis, with_settings: Callable[..., None]
) -> None:
    worker.do(client.post("/api/v1/jobs", json={"text": "马云"}).get_json()["id"])
    with_settings(ner_timeout=0.01)
    assert client.post("/ner", json={"text": "马云"}).get_json()["data"][0]["text"] == "马云"
    assert redis.llen(ModelKeys(NAME).waiting) == 0


def test_it_takes_one_text(client: FlaskClient) -> None:
    assert "texts: Extra inputs" in client.post("/ner", json={"text": "a", "texts": ["a"]}).get_json()["detail"]
    assert "text: Field required" in client.post("/ner", json={}).get_json()["detail"]


@pytest.mark.parametrize(
    ("send", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": "text"}, 415),
        ({"json": {"text": 1}}, 422),
        ({"json": {"text": "a", "types": ["CAT"]}}, 422),
        ({"json": {"text": "a" * 11}}, 413),
        ({"method": "GET"}, 405),
    ],
)
def test_every_error_says_that_it_was_no_success(
    client: FlaskClient, worker: Worker, with_settings: Callable[..., None], send: dict[str, Any], status: int
) -> None:
    with_settings(max_text_chars=10)
    answer = client.open("/ner", **{"method": "POST", **send})
    assert answer.status_code == status
    assert answer.get_json()["success"] is False


def test_past_its_time_limit_it_says_where_the_job_is(
    client: FlaskClient, worker: Worker, with_settings: Callable[..., None]
) -> None:
    with_settings(ner_timeout=0.2)
    answer = client.post("/ner", json={"text": "马云"})
    assert answer.status_code == 504
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["success"] is False
    assert answer.headers["Location"] == problem["job"]
    assert problem["job"] in problem["detail"]
    worker.do(problem["job"].rsplit("/", 1)[1])
    assert client.get(problem["job"]).get_json()["status"] == "succeeded"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_job_that_ends_without_a_result_is_an_error(client: FlaskClient, worker: Worker, end: str) -> None:
    def spoil() -> None:
        taken = worker.take()
        assert taken is not None
        if end == "failed":
            worker.jobs.fail(taken.job_id, NAME, "piece 0 failed 4 times")
        else:
            worker.jobs.cancel(taken.job_id)

    thread = threading.Thread(target=spoil)
    thread.start()
    answer = client.post("/ner", json={"text": "马云"})
    thread.join()
    assert answer.status_code == 500
    problem = answer.get_json()
    assert problem["success"] is False
    assert problem["detail"] == ("piece 0 failed 4 times" if end == "failed" else "the job was cancelled")
    assert client.get(problem["job"]).get_json()["status"] == end
    assert answer.headers["Location"] == problem["job"]
