"""Code points and UTF-16 code units."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.offsets import Utf16Offsets

texts = st.text(st.characters(exclude_categories=()), max_size=80) | st.text("a中😀𠮷\ud83d\ude00", max_size=80)


@given(texts)
def test_each_offset_counts_the_code_units_before_it(text: str) -> None:
    offset = Utf16Offsets(text)
    for index in range(len(text) + 1):
        # Python would join a lone pair of surrogates into one character on the way back, but not on the way there.
        assert offset(index) == len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


def test_javascript_finds_the_same_characters() -> None:
    text = "😀马云在𠮷野"
    offset = Utf16Offsets(text)
    units = text.encode("utf-16-le")
    assert units[2 * offset(1) : 2 * offset(3)].decode("utf-16-le") == "马云"
    assert units[2 * offset(4) : 2 * offset(6)].decode("utf-16-le") == "𠮷野"
