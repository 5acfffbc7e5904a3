"""The blocking call."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared.queues import queue_name
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
def test_a_job_that_ends_without_a_result_is_an_error(
    client: FlaskClient, worker: Worker, redis: Redis, end: str
) -> None:
    def spoil() -> None:
        _, message = redis.brpop(queue_name(NAME), timeout=10)
        job_id = json.loads(message)["headers"]["id"].partition(".")[0]
        if end == "failed":
            worker.jobs.fail(job_id, NAME, "piece 0 failed 4 times")
        else:
            worker.jobs.cancel(job_id)

    thread = threading.Thread(target=spoil)
    thread.start()
    answer = client.post("/ner", json={"text": "马云"})
    thread.join()
    assert answer.status_code == 500
    problem = answer.get_json()
    assert problem["success"] is False
    assert ("piece 0 failed 4 times" if end == "failed" else "the job was cancelled") in problem["detail"]
