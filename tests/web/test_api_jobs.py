"""The asynchronous job API."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared import registry
from shared.entities import RULE, Amount, Entity
from shared.jobs import JobStatus
from tests.web.conftest import NAME, VERSION, Unrecognisable, Worker, find_ma_yun, in_streams
from web.farm import farm

TEXT = "马云在杭州。"
PER = {"text": "马云", "type": "PER", "start": 0, "end": 2, "score": 0.99, "source": "model"}
LOC = {"text": "杭州", "type": "LOC", "start": 3, "end": 5, "score": 0.99, "source": "model"}


def submit(client: FlaskClient, **body: object) -> str:
    answer = client.post("/api/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["id"])


def test_a_job_is_accepted_with_its_address(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    answer = client.post("/api/v1/jobs", json={"text": TEXT})
    assert answer.status_code == 202
    job = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert (job["status"], job["model"], job["progress"]) == ("queued", NAME, {"done": 0, "total": 1})
    assert len(in_streams(redis)) == 1


def test_its_life_is_seen_from_outside(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, texts=["马云"] * 40)
    worker.do(job_id, 0)
    running = client.get(f"/api/v1/jobs/{job_id}").get_json()
    assert (running["status"], running["progress"]) == ("running", {"done": 1, "total": 2})
    assert running["started_at"] >= running["created_at"]
    assert "results" not in running
    worker.do(job_id, 1)
    answer = client.get(f"/api/v1/jobs/{job_id}")
    assert answer.status_code == 200
    assert "Retry-After" not in answer.headers
    job = answer.get_json()
    assert job["status"] == "succeeded"
    assert job["finished_at"] >= job["started_at"]
    assert len(job["results"]) == 40


def test_times_are_given_in_utc_to_the_millisecond(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT)
    worker.do(job_id)
    job = client.get(f"/api/v1/jobs/{job_id}").get_json()
    for time in (job["created_at"], job["started_at"], job["finished_at"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time)
    assert abs(datetime.fromisoformat(job["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Amount("3.5", "3.5", "CNY"), {"value": "3.5", "currency": "CNY"}),
        (Amount("30000", "50000", "USD"), {"low": "30000", "high": "50000", "currency": "USD"}),
        (Amount("3000", None, "CNY"), {"low": "3000", "currency": "CNY"}),
        (Amount("500", "500", None), {"value": "500"}),
        (Amount(None, None, "CNY"), {"currency": "CNY"}),
        (None, {}),
    ],
)
def test_an_amount_has_its_value_and_currency_also_from_the_cache(
    client: FlaskClient, worker: Worker, amount: Amount | None, shown: dict[str, str]
) -> None:
    worker.find = lambda text: [Entity(0, 2, "MONEY", 1.0, RULE, amount)]
    job_id = submit(client, text=TEXT)
    worker.do(job_id)
    expected = {"text": TEXT[:2], "type": "MONEY", "start": 0, "end": 2, "score": 1.0, "source": "rule"} | shown
    for job in (client.get(f"/api/v1/jobs/{job_id}"), client.post("/api/v1/jobs", json={"text": TEXT})):
        assert job.status_code == 200
        assert job.get_json()["results"][0]["entities"] == [expected]


def test_each_text_has_its_result_in_order(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, texts=[TEXT, "", "在马云"])
    worker.do(job_id)
    results = client.get(f"/api/v1/jobs/{job_id}").get_json()["results"]
    assert results[0] == {
        "entities": [PER, LOC],
        "counts": {"PER": 1, "LOC": 1},
        "model": f"{NAME}@{VERSION}",
        "cached": False,
    }
    assert results[1]["entities"] == []
    assert results[2]["entities"] == [{**PER, "start": 1, "end": 3}]


def test_what_the_cache_knows_is_answered_at_once(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    worker.do(submit(client, text=TEXT))
    answer = client.post("/api/v1/jobs", json={"texts": [TEXT, TEXT]})
    assert answer.status_code == 200
    job = answer.get_json()
    assert job["status"] == "succeeded"
    assert [(result["entities"], result["cached"]) for result in job["results"]] == [([PER, LOC], True)] * 2
    assert in_streams(redis) == []
    assert client.get(answer.headers["Location"]).get_json() == job


def test_only_what_the_cache_does_not_know_is_recognised(client: FlaskClient, worker: Worker) -> None:
    worker.do(submit(client, text=TEXT))
    job_id = submit(client, texts=["新的", TEXT, "马云"])
    worker.do(job_id)
    results = client.get(f"/api/v1/jobs/{job_id}").get_json()["results"]
    assert [result["cached"] for result in results] == [False, True, False]
    assert [len(result["entities"]) for result in results] == [0, 2, 1]


def test_another_version_of_the_model_does_not_answer_with_old_results(client: FlaskClient, worker: Worker) -> None:
    worker.do(submit(client, text=TEXT))
    known = registry.models(worker.redis)[NAME]
    registry.announce(worker.redis, known.model_copy(update={"version": "v2"}))
    farm.cache_clear()
    assert client.post("/api/v1/jobs", json={"text": TEXT}).status_code == 202


def test_only_the_types_asked_for(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT, types=["LOC"])
    worker.do(job_id)
    (result,) = client.get(f"/api/v1/jobs/{job_id}").get_json()["results"]
    assert (result["entities"], result["counts"]) == ([LOC], {"LOC": 1})
    # The cache holds all of them.
    (result,) = client.post("/api/v1/jobs", json={"text": TEXT, "types": ["PER"]}).get_json()["results"]
    assert (result["entities"], result["cached"]) == ([PER], True)


@pytest.mark.parametrize(("unit", "start"), [("codepoint", 3), ("utf16", 5)])
def test_offsets_count_what_was_asked_for(client: FlaskClient, worker: Worker, unit: str, start: int) -> None:
    job_id = submit(client, text="😀𠮷a马云", offsets=unit)
    worker.do(job_id)
    (result,) = client.get(f"/api/v1/jobs/{job_id}").get_json()["results"]
    assert result["entities"] == [{**PER, "start": start, "end": start + 2}]


@pytest.mark.parametrize(("submitted", "asked"), [("codepoint", "utf16"), ("utf16", "codepoint")])
def test_offsets_can_be_asked_for_in_the_other_unit(
    client: FlaskClient, worker: Worker, submitted: str, asked: str
) -> None:
    start = {"codepoint": 3, "utf16": 5}
    job_id = submit(client, text="😀𠮷a马云", offsets=submitted)
    assert client.get(f"/api/v1/jobs/{job_id}?offsets={asked}").get_json()["offsets"] == asked
    worker.do(job_id)
    for unit, query in ((asked, f"?offsets={asked}"), (submitted, "")):
        job = client.get(f"/api/v1/jobs/{job_id}{query}").get_json()
        assert job["offsets"] == unit
        assert job["results"][0]["entities"] == [{**PER, "start": start[unit], "end": start[unit] + 2}]


def test_a_job_says_what_its_offsets_count(client: FlaskClient, worker: Worker) -> None:
    assert client.post("/api/v1/jobs", json={"text": TEXT}).get_json()["offsets"] == "codepoint"
    answer = client.post("/api/v1/jobs", json={"text": TEXT, "offsets": "utf16"})
    assert answer.get_json()["offsets"] == "utf16"
    assert client.delete(answer.headers["Location"]).get_json()["offsets"] == "utf16"


@pytest.mark.parametrize("end", [JobStatus.SUCCEEDED, JobStatus.FAILED])
def test_its_texts_are_shown_to_who_asks_until_it_expires(client: FlaskClient, worker: Worker, end: JobStatus) -> None:
    texts = ["马云"] * 39 + ["😀\r\n𠮷"]
    address = f"/api/v1/jobs/{submit(client, texts=texts)}"
    job_id = address.rsplit("/", 1)[1]

    def shown() -> tuple[str, list[str]]:
        job = client.get(f"{address}?texts=true").get_json()
        return job["status"], job["texts"]

    assert shown() == ("queued", texts)
    worker.do(job_id, 0)
    assert shown() == ("running", texts)
    if end is JobStatus.SUCCEEDED:
        worker.do(job_id, 1)
    else:
        worker.end(job_id, end)
    assert shown() == (end, texts)


def test_the_texts_of_a_cancelled_job_are_deleted(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    job_id = submit(client, texts=["马云"] * 40)
    worker.do(job_id, 0)
    client.delete(f"/api/v1/jobs/{job_id}")
    assert [key.decode() for key in redis.keys(f"raner:job:{job_id}*")] == [f"raner:job:{job_id}"]
    job = client.get(f"/api/v1/jobs/{job_id}?texts=true").get_json()
    assert job["status"] == "cancelled"
    assert "texts" not in job


def test_its_texts_are_not_shown_to_who_does_not_ask(client: FlaskClient, worker: Worker) -> None:
    answer = client.post("/api/v1/jobs", json={"text": TEXT})
    worker.do(answer.get_json()["id"])
    for job in (answer, *(client.get(answer.headers["Location"] + query) for query in ("", "?texts=false"))):
        assert "texts" not in job.get_json()


@pytest.mark.parametrize(
    "text", ["", "👨‍👩‍👧马云", "\ud83d马云\ude00", "\x00\r\n\u2028马云\u202e\ufeff", "e\u0301 é ﬁ Å"]
)
def test_its_texts_are_those_that_were_sent(client: FlaskClient, worker: Worker, text: str) -> None:
    answer = client.post("/api/v1/jobs", data=json.dumps({"text": text}), content_type="application/json")
    worker.do(answer.get_json()["id"])
    body = client.get(answer.headers["Location"] + "?texts=true").get_data()
    assert json.loads(body)["texts"] == [text]


def test_entities_lie_in_the_texts_that_come_with_them(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text="😀马云👨‍👩‍👧在𠮷杭州。")
    worker.do(job_id)
    job = client.get(f"/api/v1/jobs/{job_id}?texts=true&offsets=utf16").get_json()
    units = job["texts"][0].encode("utf-16-le")
    for entity in job["results"][0]["entities"]:
        assert units[2 * entity["start"] : 2 * entity["end"]].decode("utf-16-le") == entity["text"]
    assert [entity["text"] for entity in job["results"][0]["entities"]] == ["马云", "杭州"]


def test_texts_can_be_waited_for_together_with_the_results(client: FlaskClient, at_work: Worker) -> None:
    job_id = client.post("/api/v1/jobs", json={"text": TEXT}).get_json()["id"]
    job = client.get(f"/api/v1/jobs/{job_id}?wait=20&texts=true").get_json()
    assert (job["status"], job["texts"]) == ("succeeded", [TEXT])


@pytest.mark.parametrize("text", ["👨‍👩‍👧马云", "\ud83d马云\ude00", "\x00马云\u202e", '马云"\\</script>'])
def test_a_text_comes_back_as_it_was_sent(client: FlaskClient, worker: Worker, text: str) -> None:
    worker.find = lambda found_in: [Entity(0, len(found_in), "PER", 1.0)]
    answer = client.post(
        "/api/v1/jobs", data=json.dumps({"text": text, "markup": "none"}), content_type="application/json"
    )
    worker.do(answer.get_json()["id"])
    body = client.get(answer.headers["Location"]).get_data()
    assert json.loads(body)["results"][0]["entities"][0]["text"] == text


def test_waiting_returns_as_soon_as_the_job_ends(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/api/v1/jobs/{job_id}?wait=30")
        worker.do(job_id)
        assert waiting.result(timeout=4).get_json()["status"] == "succeeded"


def test_waiting_does_not_end_with_a_piece_that_is_not_the_last(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, texts=["马云"] * 40)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/api/v1/jobs/{job_id}?wait=30")
        worker.do(job_id, 0)
        worker.do(job_id, 1)
        assert waiting.result(timeout=4).get_json()["progress"] == {"done": 2, "total": 2}


def test_waiting_sees_a_job_cancelled(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/api/v1/jobs/{job_id}?wait=30")
        client.delete(f"/api/v1/jobs/{job_id}")
        assert waiting.result(timeout=4).get_json()["status"] == "cancelled"


def test_waiting_for_a_job_that_has_ended_answers_at_once(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT)
    worker.do(job_id)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.get, f"/api/v1/jobs/{job_id}?wait=30").result(timeout=4)
    assert (answer.status_code, answer.get_json()["status"]) == (200, "succeeded")


def test_a_submission_can_wait_too(client: FlaskClient, at_work: Worker) -> None:
    answer = client.post("/api/v1/jobs?wait=20", json={"text": TEXT})
    assert answer.status_code == 200
    assert answer.get_json()["results"][0]["entities"] == [PER, LOC]


def test_when_time_is_up_the_job_is_as_it_is(client: FlaskClient, worker: Worker) -> None:
    answer = client.post("/api/v1/jobs?wait=0.1", json={"text": TEXT})
    assert answer.status_code == 202
    answer = client.get(answer.headers["Location"] + "?wait=0.1")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "queued")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_failed_job_says_why(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT)
    worker.end(job_id, JobStatus.FAILED, "its assembly failed")
    job = client.get(f"/api/v1/jobs/{job_id}").get_json()
    assert (job["status"], job["error"]) == ("failed", "its assembly failed")
    assert "results" not in job


def test_cancelling(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT)
    answer = client.delete(f"/api/v1/jobs/{job_id}")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "cancelled")
    assert worker.do(job_id) is None
    job = client.get(f"/api/v1/jobs/{job_id}").get_json()
    assert job["status"] == "cancelled"
    assert job["finished_at"] >= job["created_at"]
    assert "results" not in job
    again = client.delete(f"/api/v1/jobs/{job_id}")
    assert again.status_code == 409
    assert "cancelled already" in again.get_json()["detail"]


def test_a_running_job_can_be_cancelled(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, texts=["马云"] * 40)
    worker.do(job_id, 0)
    job = client.delete(f"/api/v1/jobs/{job_id}").get_json()
    assert (job["status"], job["progress"]) == ("cancelled", {"done": 1, "total": 2})


def test_a_finished_job_cannot_be_cancelled(client: FlaskClient, worker: Worker) -> None:
    job_id = submit(client, text=TEXT)
    worker.do(job_id)
    answer = client.delete(f"/api/v1/jobs/{job_id}")
    assert answer.status_code == 409
    assert "succeeded already" in answer.get_json()["detail"]
    assert client.get(f"/api/v1/jobs/{job_id}").get_json()["results"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_job_that_is_not_there(client: FlaskClient, method: str) -> None:
    answer = client.open("/api/v1/jobs/nowhere", method=method)
    assert answer.status_code == 404
    assert "check the id" in answer.get_json()["detail"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_kept_beside_a_job_is_no_job(client: FlaskClient, worker: Worker, redis: Redis, method: str) -> None:
    job_id = submit(client, texts=["马云"] * 40)
    worker.do(job_id, 0)
    keys = [key.decode().removeprefix("raner:job:") for key in redis.keys(f"raner:job:{job_id}:*")]
    assert f"{job_id}:texts" in keys
    assert {key: client.open(f"/api/v1/jobs/{key}", method=method).status_code for key in keys} == dict.fromkeys(
        keys, 404
    )


def find_all_but_one(text: str) -> list[Entity]:
    """A rule that has no answer for 坏."""
    if text == "坏":
        raise Unrecognisable("it ended 4 worker processes; the workers' logs say why")
    return find_ma_yun(text)


def test_a_text_that_cannot_be_recognised_ends_in_an_error_and_the_others_have_results(
    client: FlaskClient, worker: Worker
) -> None:
    worker.find = find_all_but_one
    job_id = submit(client, texts=[TEXT, "坏", *["马云"] * 38])
    worker.do(job_id, 0)
    worker.do(job_id, 1)
    job = client.get(f"/api/v1/jobs/{job_id}").get_json()
    assert job["status"] == "succeeded"
    reason = "text 1: it ended 4 worker processes; the workers' logs say why"
    assert job["error"] == reason
    good, bad, *others = job["results"]
    assert bad == {"entities": [], "counts": {}, "model": f"{NAME}@{VERSION}", "cached": False, "error": reason}
    assert good["entities"] == [PER, LOC]
    assert [result["entities"] for result in others] == [[PER]] * 38
    assert not any("error" in result for result in (good, *others))


def test_a_text_that_could_not_be_recognised_is_tried_again_when_it_comes_again(
    client: FlaskClient, worker: Worker
) -> None:
    worker.find = find_all_but_one
    worker.do(submit(client, texts=["坏", "马云"]))
    answer = client.post("/api/v1/jobs", json={"texts": ["马云", "坏"]})
    assert answer.status_code == 202  # the cache knows one of them


def test_a_job_fails_if_none_of_its_texts_can_be_recognised(client: FlaskClient, worker: Worker) -> None:
    worker.find = find_all_but_one
    job_id = submit(client, texts=["坏"] * 40)
    worker.do(job_id, 0)
    assert client.get(f"/api/v1/jobs/{job_id}").get_json()["status"] == "running"
    worker.do(job_id, 1)
    job = client.get(f"/api/v1/jobs/{job_id}?texts=true").get_json()
    assert (job["status"], job["texts"]) == ("failed", ["坏"] * 40)
    assert job["error"] == "text 0: it ended 4 worker processes; the workers' logs say why"
    assert "results" not in job


def test_a_result_that_is_gone_is_an_error_and_no_empty_answer(
    client: FlaskClient, worker: Worker, redis: Redis
) -> None:
    job_id = submit(client, texts=[TEXT, "马云"])
    worker.do(job_id)
    redis.hdel(f"raner:job:{job_id}:results", "0")
    gone, kept = client.get(f"/api/v1/jobs/{job_id}").get_json()["results"]
    assert gone["error"] == "text 0: its result is gone from Redis; submit the text again"
    assert (kept["entities"], "error" in kept) == ([PER], False)


def test_a_job_that_expires_while_it_is_read_is_not_there(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    job_id = submit(client, text=TEXT)
    worker.do(job_id)
    redis.delete(f"raner:job:{job_id}:texts")
    answer = client.get(f"/api/v1/jobs/{job_id}")
    assert answer.status_code == 404
    assert "has expired" in answer.get_json()["detail"]


def test_a_job_whose_texts_expire_while_they_are_read_is_not_there(
    client: FlaskClient, worker: Worker, redis: Redis
) -> None:
    job_id = submit(client, text=TEXT)
    redis.delete(f"raner:job:{job_id}:texts")
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 200
    answer = client.get(f"/api/v1/jobs/{job_id}?texts=true")
    assert answer.status_code == 404
    assert "has expired" in answer.get_json()["detail"]


def test_the_same_key_makes_one_job(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    headers = {"Idempotency-Key": "order-7"}
    first, again = (client.post("/api/v1/jobs", json={"text": TEXT}, headers=headers) for _ in range(2))
    assert first.get_json()["id"] == again.get_json()["id"]
    assert len(in_streams(redis)) == 1
    worker.do(first.get_json()["id"])
    later = client.post("/api/v1/jobs", json={"text": TEXT}, headers=headers)
    assert (later.status_code, later.get_json()["id"]) == (200, first.get_json()["id"])


@pytest.mark.parametrize(
    "other", [{"text": "别的"}, {"text": TEXT, "types": ["PER"]}, {"text": TEXT, "offsets": "utf16"}]
)
def test_the_same_key_with_another_request_is_refused(client: FlaskClient, worker: Worker, other: object) -> None:
    headers = {"Idempotency-Key": "order-7"}
    client.post("/api/v1/jobs", json={"text": TEXT}, headers=headers)
    answer = client.post("/api/v1/jobs", json=other, headers=headers)
    assert answer.status_code == 422
    assert "use a new key" in answer.get_json()["detail"]
