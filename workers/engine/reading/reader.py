"""From a text to the tokens that the network reads: first the view of the text, then its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workers.engine.reading.steps import STEPS
from workers.engine.reading.view import View
from workers.engine.tokens import TextTokenizer, Tokens


class Reader:
    """Reads texts by the named ``steps``, in the order of :data:`~workers.engine.reading.steps.STEPS`."""

    def __init__(self, tokenizer: TextTokenizer, steps: Sequence[str] = tuple(STEPS)) -> None:
        self._tokenizer = tokenizer
        self._steps = [step for name, step in STEPS.items() if name in steps]

    def view(self, text: str) -> View:
        """The text as the model reads it."""
        view = View(text)
        for step in self._steps:
            view = step(view)
        return view

    def encode(self, text: str) -> Tokens:
        """The tokens and words of the view of ``text``. Each word has its place in ``text`` itself."""
        view = self.view(text)
        tokens = self._tokenizer.encode(view.text)
        if view.places is None or not len(tokens.first):
            return replace(tokens, separators=view.separators) if view.separators else tokens
        starts, ends = view.places[tokens.starts], view.places[tokens.ends - 1] + 1
        return replace(tokens, starts=starts, ends=ends, separators=view.separators)
