from __future__ import annotations

from collections import Counter

import pytest

from tests.soak.clients import KINDS, Plan, submission
from tests.soak.texts import Pool, make_pool


@pytest.fixture(scope="module")
def pool() -> Pool:
    return make_pool(seed=1, small=True)


def test_a_seed_gives_the_same_texts_and_submissions(pool: Pool) -> None:
    assert make_pool(seed=1, small=True) == pool
    assert make_pool(seed=2, small=True) != pool
    first = [submission(number, pool, seed=1) for number in range(50)]
    assert [submission(number, pool, seed=1) for number in range(50)] == first
    assert [submission(number, pool, seed=2) for number in range(50)] != first


def test_submissions_are_of_all_kinds(pool: Pool) -> None:
    made = [submission(number, pool, seed=1) for number in range(3_000)]
    assert Counter(each.kind for each in made).keys() == KINDS.keys()
    keys = [each.key for each in made if each.key]
    assert len(set(keys)) == len(keys) == sum(each.kind == "keyed" for each in made)
    assert {each.kind for each in made if set(each.texts) & set(pool.long)} >= {"long", "mixed", "cancelled"}
    used = {number for each in made for number in each.texts}
    assert used >= set(pool.odd) | set(pool.longest)


def test_a_plan_hands_out_each_submission_once_when_it_is_due(pool: Pool) -> None:
    at_once = Plan(pool, seed=1, jobs=5, seconds=0, most_seconds=60)
    assert [each.number for _ in range(5) if (each := at_once.next())] == [0, 1, 2, 3, 4]
    assert at_once.next() is None
    assert at_once.exhausted
    assert not at_once.over
    slowly = Plan(pool, seed=1, jobs=5, seconds=50_000, most_seconds=60_000)
    assert slowly.next() is not None
    assert slowly.next() is None
    assert not slowly.exhausted
    slowly.stop()
    assert slowly.exhausted


def test_a_plan_whose_time_is_over_hands_out_nothing(pool: Pool) -> None:
    late = Plan(pool, seed=1, jobs=5, seconds=0, most_seconds=-1)
    assert late.next() is None
    assert late.exhausted
