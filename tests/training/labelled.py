"""Labelled sentences for property tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from training.corpus import Sentence, Span
from training.scores import spans_of
from workers.engine.labels import Labels

TYPES = ("LOC", "ORG", "PER")


def spelt(labels: Sequence[str], tags: Sequence[int]) -> list[Span]:
    """The spans that label indexes spell."""
    return spans_of(Labels(labels), np.array(tags, np.intp), np.zeros((len(tags), len(labels)), np.float32))


_PARTS = st.tuples(
    st.text("的在了和，。 ａＢ1😀", max_size=4),
    st.text("马云杭州北京大学1A", min_size=1, max_size=6),
    st.sampled_from(TYPES),
)


@st.composite
def labelled(draw: st.DrawFn) -> Sentence:
    """A sentence whose entities may touch, but do not overlap."""
    text, spans = "", []
    for outside, name, kind in draw(st.lists(_PARTS, max_size=6)):
        text += outside
        spans.append(Span(len(text), len(text) + len(name), kind))
        text += name
    return Sentence(text + draw(st.text("的在了，。", max_size=4)), tuple(spans))
