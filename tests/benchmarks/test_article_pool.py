"""The baseline's pool: one caller an instance, and refused where none is free."""

from __future__ import annotations

import pytest

from benchmarks.article.pool import Pool, PoolExhausted


def test_an_instance_is_taken_by_one_caller_at_a_time() -> None:
    pool = Pool(["first", "second"])
    with pool.instance() as one, pool.instance() as other:
        assert {one, other} == {"first", "second"}


def test_who_finds_no_instance_free_is_refused() -> None:
    pool = Pool(["only"])
    with pool.instance(), pytest.raises(PoolExhausted, match="exhausted"), pool.instance():
        pass


def test_an_instance_comes_back_whatever_happened_to_its_caller() -> None:
    pool = Pool(["only"])
    with pytest.raises(ValueError, match="a text it cannot read"), pool.instance():
        raise ValueError("a text it cannot read")
    with pool.instance() as instance:
        assert instance == "only"
