"""Tokens, and where they stand in the text."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.engine.local_model import bert_tokenizer
from workers.engine.tokens import RARE_CHARACTERS, Splitting, TextTokenizer

VOCABULARY = ["马", "云", "hello", "##world", "h", "e", "\u0301", "[", "]", "SEP", "sep", "k", "ᄀ", "##ᅡ", "##ᆨ"]

texts = st.text(st.sampled_from("马云hello worldÉ e\u0301[SEP]\t\n　👨‍👩𠮷\ud800\x00ﬁ각"), max_size=40)


def tokenizer(splitting: Splitting, lowercase: bool = False) -> TextTokenizer:
    return TextTokenizer(bert_tokenizer(VOCABULARY, lowercase), splitting, unk_id=1)


def test_each_character_is_a_word_of_its_own() -> None:
    tokens = tokenizer(Splitting.CHARACTERS).encode("马 云?")
    assert tokens.ids.tolist() == [4, 1, 5, 1]
    assert tokens.starts.tolist() == [0, 1, 2, 3]
    assert tokens.ends.tolist() == [1, 2, 3, 4]


def test_what_is_kept_of_characters_is_bounded() -> None:
    """D21: all of Unicode, sent once, took 300 MB of a process for ever."""
    encoder = tokenizer(Splitting.CHARACTERS)
    text = "".join(map(chr, range(0x20000, 0x20000 + RARE_CHARACTERS + 1000)))
    tracemalloc.start()
    for _ in range(2):
        assert set(encoder.encode(text).ids.tolist()) == {1}
    kept, _ = tracemalloc.get_traced_memory()
    for start in (0x30000, 0x40000, 0x50000):
        encoder.encode("".join(map(chr, range(start, start + RARE_CHARACTERS))))
    assert tracemalloc.get_traced_memory()[0] < 1.2 * kept
    tracemalloc.stop()


def test_a_character_of_several_tokens_is_labelled_by_its_first() -> None:
    # Lower-casing BERT takes a Hangul syllable apart.
    tokens = tokenizer(Splitting.CHARACTERS, lowercase=True).encode("马각云")
    assert tokens.first.tolist() == [0, 1, 4]
    assert tokens.ids.tolist() == [4, 16, 17, 18, 5]


def test_word_pieces_are_one_word() -> None:
    tokens = tokenizer(Splitting.WORDPIECES).encode("马云 helloworld马")
    assert tokens.starts.tolist() == [0, 1, 3, 13]
    assert tokens.ends.tolist() == [1, 2, 13, 14]
    assert tokens.first.tolist() == [0, 1, 2, 4]


def test_an_unknown_word_keeps_its_place() -> None:
    tokens = tokenizer(Splitting.WORDPIECES).encode("马xyz云")
    assert tokens.ids.tolist() == [4, 1, 5]
    assert tokens.starts.tolist() == [0, 1, 4]
    assert tokens.ends.tolist() == [1, 4, 5]


def test_places_are_those_in_the_text_as_it_was_sent() -> None:
    tokens = tokenizer(Splitting.WORDPIECES, lowercase=True).encode("\u200bHÉLLO\x00马")
    assert tokens.starts.tolist() == [1, 7]
    assert tokens.ends.tolist() == [6, 8]


@pytest.mark.parametrize("splitting", list(Splitting))
def test_a_special_token_spelt_out_is_ordinary_text(splitting: Splitting) -> None:
    assert 3 not in tokenizer(splitting).encode("马[SEP]云").ids


@pytest.mark.parametrize("splitting", list(Splitting))
@pytest.mark.parametrize("lowercase", [False, True])
@given(text=texts)
def test_every_word_has_a_token_and_a_place(splitting: Splitting, lowercase: bool, text: str) -> None:
    tokens = tokenizer(splitting, lowercase).encode(text)
    assert len(tokens.first) == len(tokens.starts) == len(tokens.ends)
    assert (np.diff(tokens.first) > 0).all()
    assert (np.diff(tokens.starts) >= 0).all()
    assert (tokens.starts < tokens.ends).all()
    assert (tokens.ends <= len(text)).all()
    if len(tokens.first):
        assert tokens.first[0] == 0
        assert tokens.first[-1] < len(tokens.ids)


@given(texts, st.data())
def test_words_are_a_part_of_the_tokens(text: str, data: st.DataObject) -> None:
    tokens = tokenizer(Splitting.CHARACTERS, lowercase=True).encode(text)
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    part = tokens.words(begin, end, most=1000)
    whole = tokenizer(Splitting.CHARACTERS, lowercase=True).encode(text[begin:end])
    assert part.ids.tolist() == whole.ids.tolist()
    assert part.first.tolist() == whole.first.tolist()
    assert (part.starts - begin).tolist() == whole.starts.tolist()


def test_a_word_longer_than_a_window_is_labelled_by_what_is_read_of_it() -> None:
    tokens = tokenizer(Splitting.CHARACTERS, lowercase=True).encode("각")
    part = tokens.words(0, 1, most=2)
    assert part.ids.tolist() == [16, 17]
    assert part.first.tolist() == [0]
