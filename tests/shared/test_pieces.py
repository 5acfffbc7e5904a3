"""How texts become pieces."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.pieces import CONTEXT_CHARS, PIECE_CHARS, PIECE_TEXTS, WHOLE, PieceItem, plan
from shared.text import decode_text, encode_text

short = st.text(st.sampled_from("马云a😀。\ud83d"), max_size=30)
long = st.tuples(st.text("马云a😀，。", min_size=1, max_size=40), st.integers(1, 500)).map(lambda t: (t[0] * t[1]) * 4)
texts_lists = st.lists(short | long, max_size=12)


def planned(texts: list[str], wanted: list[int] | None = None) -> tuple[list[list[PieceItem]], bytes]:
    encoded = [encode_text(text) for text in texts]
    starts = [0, *accumulate(map(len, encoded))]
    return plan(texts, starts, list(range(len(texts))) if wanted is None else wanted), b"".join(encoded)


@given(texts_lists)
def test_every_text_is_in_once(texts: list[str]) -> None:
    pieces, _ = planned(texts)
    items = [item for piece in pieces for item in piece]
    assert sorted({item.text for item in items}) == list(range(len(texts)))
    for index, text in enumerate(texts):
        parts = [item for item in items if item.text == index]
        if len(text) <= PIECE_CHARS:
            assert [item.part for item in parts] == [WHOLE]
        else:
            assert [item.part for item in parts] == list(range(len(parts)))


@given(texts_lists)
def test_an_items_bytes_are_its_slice(texts: list[str]) -> None:
    pieces, joined = planned(texts)
    for item in (item for piece in pieces for item in piece):
        slice_ = decode_text(joined[item.byte_start : item.byte_end])
        assert texts[item.text][item.start : item.start + len(slice_)] == slice_
        if item.part == WHOLE:
            assert slice_ == texts[item.text]


@given(texts_lists)
def test_the_cores_of_a_cut_text_cover_it_with_context_on_both_sides(texts: list[str]) -> None:
    pieces, joined = planned(texts)
    for index, text in enumerate(texts):
        parts = [item for piece in pieces for item in piece if item.text == index]
        cores = [(item.start + item.core_start, item.start + item.core_end) for item in parts]
        assert cores[0][0] == 0
        assert cores[-1][1] == len(text)
        assert all(left[1] == right[0] for left, right in pairwise(cores))
        for item, (start, end) in zip(parts, cores, strict=True):
            slice_end = item.start + len(decode_text(joined[item.byte_start : item.byte_end]))
            assert item.start == max(0, start - CONTEXT_CHARS)
            assert slice_end == min(len(text), end + CONTEXT_CHARS)


@given(texts_lists)
def test_no_piece_is_over_its_bounds(texts: list[str]) -> None:
    for piece in planned(texts)[0]:
        assert 1 <= len(piece) <= PIECE_TEXTS
        assert sum(item.core_end - item.core_start for item in piece) <= PIECE_CHARS


def test_only_the_wanted_texts_are_in() -> None:
    pieces, joined = planned(["一", "二二", "三"], wanted=[1])
    ((item,),) = pieces
    assert item.text == 1
    assert decode_text(joined[item.byte_start : item.byte_end]) == "二二"


def test_short_texts_share_a_piece() -> None:
    assert [len(piece) for piece in planned(["马云"] * (PIECE_TEXTS + 1))[0]] == [PIECE_TEXTS, 1]


def test_a_long_text_is_cut_at_sentence_ends() -> None:
    text = "中国人民银行今天公布了数据。" * 1000
    pieces, _ = planned([text])
    assert len(pieces) > 3
    for piece in pieces[:-1]:
        (item,) = piece
        assert text[item.start + item.core_end - 1] == "。"


@given(st.integers(PIECE_CHARS + 1, 20 * PIECE_CHARS))
def test_the_parts_of_a_text_are_of_one_size(length: int) -> None:
    pieces, _ = planned(["中" * length])
    sizes = [item.core_end - item.core_start for (item,) in pieces]
    assert max(sizes) - min(sizes) <= len(sizes)
