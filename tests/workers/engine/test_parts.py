"""What is found in a text does not depend on whether and where it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.engine.local_model import ContextNetwork, random_model
from tests.workers.engine.pieces import in_pieces
from workers.engine.money import MONEY
from workers.engine.tokens import Splitting

ALPHABET = ["马", "云", "在", "，", "。", "a", "##a", "1", "元"]
UNITS = [
    *ALPHABET,
    *("”", "！", "? ", "…", " ", "\n", "\n\n", "\r", ".", ",", "100元"),
    *("e\u0301", "\u0301", "👨‍👩‍👧", "🇨🇳", "각", "\ud83d"),
]

texts = st.lists(
    st.tuples(st.lists(st.sampled_from(UNITS), min_size=1, max_size=8).map("".join), st.integers(1, 200)).map(
        lambda repeated: repeated[0] * repeated[1]
    ),
    max_size=6,
).map("".join)


@settings(deadline=None)
@given(texts, st.integers(1, 3000), st.sampled_from([8, 40, 510]), st.sampled_from(Splitting), st.integers(0, 50))
def test_a_text_gives_the_same_in_pieces_of_any_size(
    text: str, piece_chars: int, window_tokens: int, splitting: Splitting, seed: int
) -> None:
    model = random_model(seed, window_tokens, ALPHABET, ContextNetwork, splitting, rules=(MONEY,))
    (whole,) = model.recognise([text])
    assert in_pieces(model, text, piece_chars) == whole


@pytest.mark.parametrize("splitting", [Splitting.WORDPIECES, Splitting.WORDS])
@pytest.mark.parametrize("text", [" " * 5000 + "马云", "马云" + "a" * 5000, "马 " * 700 + " " * 3000, "马云，" * 2000])
def test_a_long_text_of_few_tokens_gives_the_same_in_pieces(splitting: Splitting, text: str) -> None:
    model = random_model(1, 510, ALPHABET, ContextNetwork, splitting)
    assert in_pieces(model, text, 300) == model.recognise([text])[0]


def test_a_window_is_the_same_in_every_piece() -> None:
    """Not only what is found: what the network reads."""
    text = ("马云在。" * 30 + "马云，" * 300) * 4
    model = random_model(1, 510, ALPHABET)
    network = model._tagger._network  # type: ignore[attr-defined]
    model.recognise([text])
    whole = [ids.tolist() for ids in network.inputs]
    network.inputs.clear()
    in_pieces(model, text, 700)
    assert [ids.tolist() for ids in network.inputs] == whole
