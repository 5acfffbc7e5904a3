"""How a long text is divided among windows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.engine.local_model import bert_tokenizer
from workers.engine.reading.reader import Reader
from workers.engine.tokens import Splitting, TextTokenizer
from workers.engine.windows import windows

# What a step leaves out of a text depends on what stands around it.
READERS = {
    splitting: Reader(
        TextTokenizer(bert_tokenizer(["中", "a", "##a", "。", "ᄀ", "##ᅡ", "##ᆨ"], lowercase=True), splitting, 1),
        (),
    )
    for splitting in Splitting
}

texts = st.lists(
    st.sampled_from(["中", "。", "a", "aaa", " ", "👨‍👩", "각", "각각각각각각각각", "\n", "x" * 200, "a" * 90]),
    max_size=60,
).map("".join)


@given(st.sampled_from(Splitting), texts, st.integers(8, 40))
def test_cores_follow_on_one_another_over_the_whole_text(splitting: Splitting, text: str, limit: int) -> None:
    found = windows(text, READERS[splitting], limit)
    assert found[0].core_start == 0
    assert found[-1].core_end == len(text)
    assert all(left.core_end == right.core_start for left, right in pairwise(found))


@given(st.sampled_from(Splitting), texts, st.integers(8, 40))
def test_no_window_is_over_the_limit(splitting: Splitting, text: str, limit: int) -> None:
    for window in windows(text, READERS[splitting], limit):
        assert len(window.tokens.ids) <= limit
        assert (window.tokens.first < max(1, len(window.tokens.ids))).all()


@given(st.sampled_from(Splitting), texts, st.integers(8, 40))
def test_every_word_is_read_by_the_window_whose_core_it_starts_in(splitting: Splitting, text: str, limit: int) -> None:
    found = windows(text, READERS[splitting], limit)
    for window in found:
        core = text[window.core_start : window.core_end]
        starts = READERS[splitting].encode(core).starts + window.core_start
        # A window that is cut off a word begins in the middle of it.
        assert set(starts[1:]) <= set(window.tokens.starts)


def test_a_text_within_the_limit_is_one_window() -> None:
    text = "中" * 40
    (window,) = windows(text, READERS[Splitting.CHARACTERS], 40)
    assert len(window.tokens.ids) == 40


def test_in_a_text_beyond_the_limit_each_sentence_is_a_window_of_its_own() -> None:
    parts = ["中" * 17 + "。", "中。", "中" * 98 + "！”\n", "中" * 30]
    text = "".join(parts)
    found = windows(text, READERS[Splitting.CHARACTERS], 102)
    assert [text[window.core_start : window.core_end] for window in found] == parts
    assert [len(window.tokens.ids) for window in found] == [len(part) for part in parts]


def test_the_windows_of_a_sentence_beyond_the_limit_read_context_on_both_sides_in_it() -> None:
    text = "中" * 50 + "。" + "中" * 1000 + "。"
    _, first, second, *_, last = windows(text, READERS[Splitting.CHARACTERS], 100)
    assert (first.tokens.starts[0], first.core_start) == (51, 51)
    assert second.core_start - second.tokens.starts[0] == 25
    assert second.tokens.ends[-1] - second.core_end == 25
    assert last.tokens.ends[-1] == len(text)


def test_a_sentence_beyond_the_limit_is_cut_at_a_clause_end() -> None:
    text = ("中" * 17 + "，") * 20
    for window in windows(text, READERS[Splitting.CHARACTERS], 100)[:-1]:
        assert text[window.core_end - 1] == "，"
