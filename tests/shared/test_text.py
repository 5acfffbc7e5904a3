"""A text as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.text import decode_text, encode_text


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded(text: str) -> None:
    assert decode_text(encode_text(text)) == text
