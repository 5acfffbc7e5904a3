"""The engine as a whole: texts in, entities out."""

from __future__ import annotations

from collections.abc import Sequence

from shared.entities import Entity
from workers.engine.merge import Part, merge
from workers.engine.rules import with_ruled
from workers.engine.tagger import Stop, Tagger
from workers.engine.tokens import TextTokenizer
from workers.engine.windows import windows


def _never() -> bool:
    return False


class Recogniser:
    """Finds the entities of texts with one loaded model. Any string will do, of any length.

    ``types`` are the entity types that it finds, ``window_tokens`` the most tokens the model reads at once, without
    [CLS] and [SEP].
    """

    def __init__(
        self,
        tokenizer: TextTokenizer,
        tagger: Tagger,
        types: tuple[str, ...],
        window_tokens: int,
        rules: tuple[str, ...] = (),
    ) -> None:
        """``types``: those of the model; ``rules``: those of :data:`workers.engine.rules.RULES` that it has beside."""
        self.types = tuple(sorted({*types, *rules}))
        self.window_tokens = window_tokens
        self._rules = rules
        self._tokenizer = tokenizer
        self._tagger = tagger

    def recognise(self, texts: Sequence[str], stop: Stop = _never) -> list[list[Entity]]:
        """The entities of each text, in order and not overlapping. What a text gives does not depend on the others.

        Args:
            stop: asked before each window; ends the work where it says so.

        Raises:
            Stopped: ``stop`` said so.
        """
        cut = [windows(text, self._tokenizer.encode(text), self.window_tokens) for text in texts]
        # The tagger takes many windows at once, of whichever texts.
        found = iter(self._tagger.tag([window for of_text in cut for window in of_text], stop))
        return [
            with_ruled(
                text,
                merge([Part(window.core_start, window.core_end, next(found)) for window in of_text]),
                self._rules,
            )
            for text, of_text in zip(texts, cut, strict=True)
        ]
