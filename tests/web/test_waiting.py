"""Requests that wait: how many may, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import Worker
from web.waiting import ending, may_wait, most_waiting


@pytest.fixture
def no_place(with_settings: Callable[..., None]) -> Iterator[None]:
    """As many wait as may."""
    with_settings(web_connections=1)
    with may_wait(1) as seconds:
        assert seconds == 1
        yield


@pytest.fixture
def the_end() -> Iterator[None]:
    """The process is to end."""
    ending.set()
    yield
    ending.clear()


@pytest.mark.parametrize(("places", "most"), [(1, 1), (2, 1), (5, 4), (60, 48), (1000, 800)])
def test_most_places_may_be_waited_on_but_not_all(with_settings: Callable[..., None], places: int, most: int) -> None:
    with_settings(web_connections=places)
    assert most_waiting() == most


@pytest.mark.usefixtures("no_place")
def test_beyond_them_a_request_may_not_wait() -> None:
    for _ in range(3):
        with may_wait(30) as seconds:
            assert seconds == 0


def test_a_place_is_given_back_even_by_a_request_that_fails(with_settings: Callable[..., None]) -> None:
    with_settings(web_connections=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), may_wait(30) as seconds:
            _ = 1 / (seconds - 30)


def test_a_request_that_does_not_wait_takes_none(with_settings: Callable[..., None]) -> None:
    with_settings(web_connections=1)
    with may_wait(0) as none, may_wait(30) as seconds:
        assert (none, seconds) == (0, 30)


@pytest.mark.usefixtures("no_place")
def test_a_wait_is_cut_short_where_too_many_wait(client: FlaskClient, worker: Worker) -> None:
    answer = client.post("/api/v1/jobs?wait=30", json={"text": "马云"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "1")
    answer = client.get(f"{answer.headers['Location']}?wait=30")
    assert (answer.status_code, answer.headers["Retry-After"]) == (200, "1")


@pytest.mark.usefixtures("no_place")
def test_the_blocking_call_is_refused_then_and_makes_no_job(client: FlaskClient, worker: Worker) -> None:
    answer = client.post("/ner", json={"text": "马云"})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert worker.take(timeout=0.1) is None


@pytest.mark.usefixtures("no_place")
def test_but_not_where_the_cache_knows_the_answer(client: FlaskClient, worker: Worker) -> None:
    worker.do(client.post("/api/v1/jobs", json={"text": "马云"}).get_json()["id"])
    assert client.post("/ner", json={"text": "马云"}).status_code == 200


@pytest.mark.usefixtures("the_end")
def test_nobody_begins_to_wait_where_the_process_is_to_end(client: FlaskClient, worker: Worker) -> None:
    assert client.post("/api/v1/jobs?wait=30", json={"text": "马云"}).status_code == 202
    assert client.post("/ner", json={"text": "马云"}).status_code == 503
