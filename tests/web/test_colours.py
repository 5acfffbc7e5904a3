"""Colours of types."""

from __future__ import annotations

from web.colours import colour


def test_the_three_types_of_news_have_their_own() -> None:
    assert [colour(kind) for kind in ("PER", "LOC", "ORG")] == ["red", "cyan", "yellow"]


def test_a_subtype_has_that_of_its_type() -> None:
    assert colour("PER.NAM") == "red"


def test_every_other_type_has_one() -> None:
    assert colour("药品") == "magenta"
