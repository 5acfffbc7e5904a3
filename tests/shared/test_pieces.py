"""How texts become pieces."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.breaks import SENTENCE_CHARS, is_long, sentences
from shared.pieces import LEAST_CHARS, MOST_CHARS, PIECE_TEXTS, WHOLE, PieceItem, piece_chars, plan
from shared.text import decode_text, encode_text

short = st.text(st.sampled_from("马云a😀。\ud83d"), max_size=30)
long = st.tuples(st.text("马云a😀，。", min_size=1, max_size=40), st.integers(1, 500)).map(lambda t: (t[0] * t[1]) * 4)
texts_lists = st.lists(short | long, max_size=12)
sizes = st.integers(LEAST_CHARS, MOST_CHARS)


def planned(
    texts: list[str], piece_chars: int = 1000, wanted: list[int] | None = None
) -> tuple[list[list[PieceItem]], bytes]:
    encoded = [encode_text(text) for text in texts]
    ranges = list(pairwise(accumulate(map(len, encoded), initial=0)))
    wanted = list(range(len(texts))) if wanted is None else wanted
    return list(plan(texts, ranges, wanted, piece_chars)), b"".join(encoded)


@settings(deadline=None)
@given(texts_lists, sizes)
def test_every_text_is_in_once(texts: list[str], piece_chars: int) -> None:
    pieces, _ = planned(texts, piece_chars)
    items = [item for piece in pieces for item in piece]
    assert sorted({item.text for item in items}) == list(range(len(texts)))
    for index, text in enumerate(texts):
        parts = [item for item in items if item.text == index]
        if len(text) <= piece_chars or not is_long(text):
            assert [item.part for item in parts] == [WHOLE]
        else:
            assert [item.part for item in parts] == list(range(len(parts)))
            assert len(parts) > 1


@settings(deadline=None)
@given(texts_lists, sizes)
def test_an_items_bytes_are_its_slice(texts: list[str], piece_chars: int) -> None:
    pieces, joined = planned(texts, piece_chars)
    for item in (item for piece in pieces for item in piece):
        slice_ = decode_text(joined[item.byte_start : item.byte_end])
        assert texts[item.text][item.start : item.start + len(slice_)] == slice_
        if item.part == WHOLE:
            assert slice_ == texts[item.text]


@settings(deadline=None)
@given(texts_lists, sizes)
def test_the_cores_of_a_cut_text_cover_it_with_context_where_a_sentence_is_cut(
    texts: list[str], piece_chars: int
) -> None:
    pieces, joined = planned(texts, piece_chars)
    for index, text in enumerate(texts):
        parts = [item for piece in pieces for item in piece if item.text == index]
        cores = [(item.start + item.core_start, item.start + item.core_end) for item in parts]
        assert cores[0][0] == 0
        assert cores[-1][1] == len(text)
        assert all(left[1] == right[0] for left, right in pairwise(cores))
        if len(parts) == 1:
            continue
        begins = {sentence.start: sentence.left for sentence in sentences(text)}
        ends = {sentence.end: sentence.right for sentence in sentences(text)}
        for item, (start, end) in zip(parts, cores, strict=True):
            assert item.start == begins[start]
            assert item.start + len(decode_text(joined[item.byte_start : item.byte_end])) == ends[end]


@settings(deadline=None)
@given(texts_lists, sizes)
def test_no_piece_is_over_its_bounds(texts: list[str], piece_chars: int) -> None:
    for piece in planned(texts, piece_chars)[0]:
        assert 1 <= len(piece) <= PIECE_TEXTS
        size = sum(item.core_end - item.core_start for item in piece)
        if len(piece) > 1:
            assert size <= piece_chars
        elif piece[0].part == WHOLE:
            assert size <= piece_chars or not is_long(texts[piece[0].text])
        else:
            assert size <= max(piece_chars, SENTENCE_CHARS)


def test_only_the_wanted_texts_are_in() -> None:
    pieces, joined = planned(["一", "二二", "三"], wanted=[1])
    ((item,),) = pieces
    assert item.text == 1
    assert decode_text(joined[item.byte_start : item.byte_end]) == "二二"


def test_short_texts_share_a_piece() -> None:
    assert [len(piece) for piece in planned(["马云"] * (PIECE_TEXTS + 1))[0]] == [PIECE_TEXTS, 1]


@pytest.mark.parametrize("text", ["中" * 800, "a" * 2400])
def test_a_text_that_a_model_may_read_at_once_is_not_cut(text: str) -> None:
    ((item,),) = planned([text], LEAST_CHARS)[0]
    assert item.part == WHOLE


def test_a_long_text_is_cut_at_sentence_ends_and_carries_no_context_there() -> None:
    text = "中国人民银行今天公布了数据。" * 1000
    pieces, _ = planned([text])
    assert len(pieces) > 3
    for (item,) in pieces:
        assert text[item.start + item.core_end - 1] == "。"
        assert item.core_start == 0
        assert item.byte_end - item.byte_start == 3 * item.core_end


def test_a_sentence_end_shortly_before_is_better_than_a_cut_in_a_sentence() -> None:
    text = ("中" * 389 + "。") * 2 + "中" * 195 + "，"
    assert [sentence.end for sentence in sentences(text + "中" * 1024)][:3] == [390, 780, 976]
    ((first,), *_), _ = planned([text + "中" * 1024], 1000)
    assert first.core_end == 780


@settings(deadline=None)
@given(st.integers(MOST_CHARS, 10 * MOST_CHARS), sizes)
def test_no_part_of_a_text_is_tiny(length: int, piece_chars: int) -> None:
    pieces, _ = planned(["中国人民。" * (length // 5)], piece_chars)
    cores = [item.core_end - item.core_start for (item,) in pieces]
    assert max(cores) <= piece_chars
    assert min(cores) > piece_chars // 2 - 5


def test_a_piece_is_four_tenths_of_a_second_of_work_within_bounds() -> None:
    assert [piece_chars(pace) for pace in (None, 1.0, 750, 3_000, 1e6)] == [2_000, 250, 300, 1_200, 5_000]


def test_pieces_are_found_as_they_are_asked_for() -> None:
    texts = ["中" * 1000, "中" * 1000]
    pieces = plan(texts, [(0, 3000), (3000, 6000)], [0, 1, "never asked for"], 300)  # type: ignore[list-item]
    for _ in range(4):
        next(pieces)
