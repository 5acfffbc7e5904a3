"""Who is alive, and what each model is."""

from __future__ import annotations

import pytest
from redis import Redis

from shared import keys, registry
from shared.keys import ModelKeys
from shared.registry import Crew, ModelInfo, WorkerInfo
from tests.support.jobs import beat, worker

NEWS = ModelInfo(name="news", version="abc", types=("LOC", "PER"), backend="onnx-int8")


def alive(redis: Redis, model: str = "news") -> list[str]:
    return [each.id for each in registry.crews(redis, [model])[model].workers]


def silent(redis: Redis, name: str, seconds: float) -> None:
    """Let a worker process have given no sign of life for so long."""
    redis.zincrby(ModelKeys("news").workers, -seconds, name)


def test_a_worker_that_beats_is_alive_until_it_leaves(redis: Redis) -> None:
    assert registry.crews(redis, ["news"]) == {"news": Crew()}
    beat(worker(redis, "news@here:1"))
    crew = registry.crews(redis, ["news"])["news"]
    assert crew.workers == (WorkerInfo(id="news@here:1", model="news", version="v1", started=0),)
    assert crew.silent_for is not None
    assert 0 <= crew.silent_for < registry.ALIVE
    registry.leave(redis, "news", "news@here:1")
    crew = registry.crews(redis, ["news"])["news"]
    assert crew.workers == ()
    assert crew.silent_for is not None
    assert registry.ALIVE <= crew.silent_for < 2 * registry.ALIVE


def test_one_that_leaves_before_its_first_beat_leaves_no_trace(redis: Redis) -> None:
    registry.leave(redis, "news", "news@here:1")
    assert registry.crews(redis, ["news"]) == {"news": Crew()}


def test_one_that_stopped_beating_counts_as_dead(redis: Redis) -> None:
    for name in ("news@here:1", "news@here:2"):
        beat(worker(redis, name))
    silent(redis, "news@here:1", registry.ALIVE + 1)
    assert alive(redis) == ["news@here:2"]
    beat(worker(redis, "news@here:1"))
    assert set(alive(redis)) == {"news@here:1", "news@here:2"}


def test_how_long_a_model_has_had_no_worker_is_known(redis: Redis) -> None:
    beat(worker(redis, "news@here:1"))
    silent(redis, "news@here:1", 3_600)
    crew = registry.crews(redis, ["news"])["news"]
    assert crew.workers == ()
    assert crew.silent_for is not None
    assert 3_600 <= crew.silent_for < 3_700


def test_each_model_has_a_crew_of_its_own(redis: Redis) -> None:
    beat(worker(redis, "news@here:1"))
    beat(worker(redis, "generic@here:1", "generic"))
    crews = registry.crews(redis, ["generic", "news", "other"])
    assert {name: [each.id for each in crew.workers] for name, crew in crews.items()} == {
        "generic": ["generic@here:1"],
        "news": ["news@here:1"],
        "other": [],
    }


def test_the_pace_of_a_crew_is_that_of_those_whose_pace_is_known() -> None:
    def of(*paces: float) -> Crew:
        return Crew(
            tuple(
                WorkerInfo(id=str(pace), model="news", version="v1", started=0, characters_per_second=pace)
                for pace in paces
            )
        )

    assert of().characters_per_second is None
    assert of(0.0).characters_per_second is None
    assert of(0.0, 100.0, 300.0).characters_per_second == 200.0


def test_a_model_is_known_while_no_worker_is_up(redis: Redis) -> None:
    registry.announce(redis, NEWS)
    assert registry.models(redis) == {"news": NEWS}


def test_of_two_versions_the_one_that_was_loaded_last_is_known(redis: Redis) -> None:
    registry.announce(redis, NEWS)
    newer = NEWS.model_copy(update={"version": "def"})
    registry.announce(redis, newer)
    registry.keep_announced(redis, NEWS)
    assert registry.models(redis) == {"news": newer}


def test_a_model_is_announced_again_if_redis_forgot_it(redis: Redis) -> None:
    registry.keep_announced(redis, NEWS)
    assert registry.models(redis) == {"news": NEWS}
    redis.expire(keys.models(), 5)
    registry.keep_announced(redis, NEWS)
    assert redis.ttl(keys.models()) > 5


@pytest.mark.parametrize("record", ["{}", "[]", "{", '{"id": 7}', '{"name": "x", "version": null}'])
def test_a_record_that_cannot_be_read_is_skipped(redis: Redis, record: str) -> None:
    registry.announce(redis, NEWS)
    for name in ("news@here:1", "news@here:2"):
        beat(worker(redis, name))
    redis.hset(keys.workers(), "news@here:1", record)
    redis.hset(keys.models(), "x", record)
    assert alive(redis) == ["news@here:2"]
    assert registry.models(redis) == {"news": NEWS}


def test_nothing_is_kept_for_ever(redis: Redis) -> None:
    registry.announce(redis, NEWS)
    beat(worker(redis, "news@here:1"))
    assert len(redis.keys("*")) >= 3
    assert all(redis.ttl(key) > 0 for key in redis.keys("*"))
