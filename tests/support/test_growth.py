"""What counts as growing no faster than the text."""

from __future__ import annotations

import pytest

from tests.support.growth import assert_linear


def test_a_call_that_looks_at_every_character_passes() -> None:
    assert_linear(lambda text: sum(ord(character) for character in text), "马云", 20_000)


def test_a_call_that_looks_back_at_all_that_came_before_fails() -> None:
    with pytest.raises(AssertionError, match="500 characters took"):
        assert_linear(
            lambda text: [text[:end].count("云") + sum(map(ord, text[:end])) for end in range(len(text))], "马云", 500
        )
