"""Large bodies: few are held, one is worked on, and small ones never wait."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from shared.errors import Busy
from tests.web.conftest import Worker
from web import body
from web.large_bodies import LARGE, LargeBodies

MB = 2**20
SMALL = {"text": "马云在杭州。"}
LARGE_TEXT = {"text": "马" * (LARGE // 3 + 1)}


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> LargeBodies:
    """Those of the application, which lose patience at once."""
    bodies = LargeBodies(most_held=8 * MB, patience=0.01)
    monkeypatch.setattr(body, "large_bodies", lambda: bodies)
    return bodies


@pytest.fixture
def post(client: FlaskClient) -> Callable[..., int]:
    """Posts a job and returns the status; holds a refusal to what it should say."""

    def post(json: dict[str, str], **options: str) -> int:
        answer = client.post("/api/v1/jobs", json=json, **options)
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            assert "many large requests are under way" in answer.get_json()["detail"]
        return answer.status_code

    return post


def test_there_is_room_for_so_many_bytes() -> None:
    bodies = LargeBodies(most_held=8 * MB, patience=0)
    with bodies.room(5 * MB), bodies.room(3 * MB), pytest.raises(Busy), bodies.room(1):
        pass
    with bodies.room(8 * MB):
        pass


def test_a_body_larger_than_all_the_room_is_taken_alone() -> None:
    bodies = LargeBodies(most_held=8 * MB, patience=0)
    with bodies.room(9 * MB), pytest.raises(Busy), bodies.room(1):
        pass
    with bodies.room(1), pytest.raises(Busy), bodies.room(9 * MB):
        pass


def test_what_waits_for_room_gets_it() -> None:
    bodies, got = LargeBodies(most_held=8 * MB, patience=60), threading.Event()

    def wait() -> None:
        with bodies.room(8 * MB):
            got.set()

    with bodies.room(1):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.05)
    waiting.join()
    assert got.is_set()


def test_one_has_the_turn_even_if_it_fails() -> None:
    bodies = LargeBodies(patience=0)
    with bodies.turn(), pytest.raises(Busy), bodies.turn():
        pass
    with pytest.raises(ZeroDivisionError), bodies.turn():
        _ = 1 / 0
    with bodies.turn():
        pass


def test_a_large_body_is_refused_where_there_is_no_room_and_a_small_one_is_not(
    bodies: LargeBodies, post: Callable[..., int], worker: Worker
) -> None:
    with bodies.room(8 * MB):
        assert post(LARGE_TEXT) == 503
        assert post(SMALL) == 202
    assert post(LARGE_TEXT) == 202


def test_so_it_is_where_another_has_the_turn(bodies: LargeBodies, post: Callable[..., int], worker: Worker) -> None:
    with bodies.turn():
        assert post(LARGE_TEXT) == 503
        assert post(SMALL) == 202
    assert post(LARGE_TEXT) == 202


@pytest.mark.parametrize("wrong", ['{"text": 7, "a": "%s"}', '"%s"', "%s"])
def test_a_refused_one_gives_back_what_it_had(
    bodies: LargeBodies, client: FlaskClient, post: Callable[..., int], worker: Worker, wrong: str
) -> None:
    for _ in range(10):
        answer = client.post("/api/v1/jobs", data=wrong % ("a" * LARGE), content_type="application/json")
        assert answer.status_code in (400, 413, 422)
    assert post(LARGE_TEXT) == 202


def test_one_that_waits_for_its_job_does_not_keep_the_turn(
    bodies: LargeBodies, client: FlaskClient, post: Callable[..., int], worker: Worker
) -> None:
    waiting = threading.Thread(target=client.post, args=("/api/v1/jobs?wait=10",), kwargs={"json": LARGE_TEXT})
    waiting.start()
    piece = worker.take()
    assert piece is not None
    assert post(LARGE_TEXT) == 202
    client.delete(f"/api/v1/jobs/{piece.job_id}")
    waiting.join()


def test_a_body_that_says_no_size_gives_back_what_it_does_not_need() -> None:
    bodies = LargeBodies(most_held=8 * MB, patience=0)
    with bodies.room(8 * MB) as keep:
        keep(2 * MB)
        with bodies.room(6 * MB), pytest.raises(Busy), bodies.room(1):
            pass
    with bodies.room(8 * MB):
        pass


def test_a_packed_one_counts_by_what_it_unpacks_to(
    bodies: LargeBodies, client: FlaskClient, post: Callable[..., int], worker: Worker
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    packed = gzip.compress(json.dumps(LARGE_TEXT).encode())
    assert len(packed) < LARGE / 100
    with bodies.room(8 * MB):
        assert client.post("/api/v1/jobs", data=packed, headers=headers).status_code == 503
        assert post(SMALL) == 202
    assert client.post("/api/v1/jobs", data=packed, headers=headers).status_code == 202
