"""The blocking call."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from shared import keys
from shared.entities import RULE, Amount, Entity
from shared.formats import TextResult
from shared.job_store import JobStore
from shared.jobs import Job, JobStatus
from shared.keys import NER_TTL, JobKeys, ModelKeys
from tests.web.conftest import NAME, Unrecognisable, Worker, in_streams
from web.farm import farm


@pytest.mark.usefixtures("at_work")
def test_it_answers_with_entities_and_their_colours(client: FlaskClient) -> None:
    answer = client.post("/ner", json={"text": "马云在杭州。"})
    assert answer.status_code == 200
    per = {"text": "马云", "type": "PER", "start_offset": 0, "end_offset": 2, "score": 0.99, "color": "red"}
    loc = {"text": "杭州", "type": "LOC", "start_offset": 3, "end_offset": 5, "score": 0.99, "color": "cyan"}
    assert answer.get_json() == {"success": True, "data": [per, loc]}


def test_an_amount_has_its_value_and_currency(client: FlaskClient, at_work: Worker) -> None:
    amount = Amount("350000000", "350000000", "CNY")
    at_work.find = lambda text: [Entity(0, 5, "MONEY", 1.0, RULE, amount), Entity(6, 8, "PER", 0.9)]
    money, person = client.post("/ner", json={"text": "3.5亿元，马云。"}).get_json()["data"]
    assert (money["value"], money["currency"]) == ("350000000", "CNY")
    assert not {"value", "low", "high", "currency"} & set(person)


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
    assert in_streams(redis) == []


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


@pytest.mark.parametrize(
    ("end", "says"),
    [(JobStatus.FAILED, "it ended 4 worker processes"), (JobStatus.CANCELLED, "the job was cancelled")],
)
def test_a_job_that_ends_without_a_result_is_an_error(
    client: FlaskClient, worker: Worker, end: JobStatus, says: str
) -> None:
    def spoil() -> None:
        taken = worker.take()
        assert taken is not None
        worker.end(taken.job_id, end, says)

    thread = threading.Thread(target=spoil)
    thread.start()
    answer = client.post("/ner", json={"text": "马云"})
    thread.join()
    problem = failure(client, answer)
    assert problem["detail"] == says
    assert client.get(problem["job"]).get_json()["status"] == end


def failure(client: FlaskClient, answer: TestResponse) -> dict[str, Any]:
    """The problem that the answer of a call which failed tells; it names its job."""
    assert answer.status_code == 500
    problem: dict[str, Any] = answer.get_json()
    assert problem["success"] is False
    assert answer.headers["Location"] == problem["job"]
    return problem


def test_a_text_that_cannot_be_recognised_is_an_error(client: FlaskClient, at_work: Worker) -> None:
    def find_nothing(text: str) -> list[Entity]:
        raise Unrecognisable("it ended 4 worker processes")

    at_work.find = find_nothing
    problem = failure(client, client.post("/ner", json={"text": "马云"}))
    assert problem["detail"] == "text 0: it ended 4 worker processes"
    job = client.get(problem["job"]).get_json()
    assert (job["status"], job["error"]) == ("failed", problem["detail"])


def test_a_result_that_is_gone_is_an_error_and_no_empty_answer(
    client: FlaskClient, at_work: Worker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LosesResults(JobStore):
        """A store whose results are gone before they are read."""

        def read_with_results(self, job_id: str) -> tuple[Job, list[TextResult]]:
            self._redis.delete(JobKeys(job_id).results)
            return super().read_with_results(job_id)

    # Too much to be published with the end of the job, so that it has to be read.
    at_work.find = lambda text: [Entity(0, 2, "PER", 0.99)] * 1000
    monkeypatch.setattr(farm().ends, "_jobs", LosesResults(redis))
    problem = failure(client, client.post("/ner", json={"text": "马云"}))
    assert "its result is gone from Redis; submit the text again" in problem["detail"]


def names(redis: Redis, pattern: str = "*") -> set[str]:
    return {key.decode() for key in redis.keys(pattern)}


def test_its_job_is_kept_for_a_minute_only(client: FlaskClient, at_work: Worker, redis: Redis) -> None:
    assert client.post("/ner", json={"text": "马云"}).status_code == 200
    left = names(redis, "raner:job:*")
    assert len(left) == 3  # record, text, result
    assert {round(redis.ttl(key), -1) for key in left} == {NER_TTL}


def test_its_job_is_kept_no_longer_than_others(
    client: FlaskClient, at_work: Worker, redis: Redis, with_settings: Callable[..., None]
) -> None:
    with_settings(models=f"{NAME}=x", job_ttl=20)
    assert client.post("/ner", json={"text": "马云"}).status_code == 200
    assert max(redis.ttl(key) for key in names(redis, "raner:job:*")) <= 20


def test_it_leaves_nothing_but_what_the_cache_keeps(
    client: FlaskClient, at_work: Worker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api_ner.NER_TTL", 1)
    client.post("/ner", json={"text": "马云"})
    for number in range(9):
        client.post("/ner", json={"text": f"马云在杭州出席了技术峰会，这是第{number}段文字。"})
    cached = names(redis, "raner:cache:*")
    while len(cached) < 10 or names(redis, "raner:job:*"):
        time.sleep(0.05)  # nothing tells that a key has expired
        cached = names(redis, "raner:cache:*")
    assert len(cached) == 10
    assert max(redis.memory_usage(key) for key in cached) < 300
    rest = names(redis) - cached - names(redis, "raner:celery:*")
    assert rest <= {keys.workers(), keys.models(), *vars(ModelKeys(NAME)).values()}
