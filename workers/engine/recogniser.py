"""The engine as a whole: texts in, entities out."""

from __future__ import annotations

from collections.abc import Sequence

from shared.entities import Entity
from workers.engine.edges import trimmed
from workers.engine.merge import Part, merge
from workers.engine.reading.reader import Reader
from workers.engine.rules import with_ruled
from workers.engine.separation import separated
from workers.engine.tagger import Tagger
from workers.engine.windows import Window, windows, windows_of_part


class Recogniser:
    """Finds the entities of texts with one loaded model. Any string will do, of any length.

    ``types`` are the entity types that it finds, ``window_tokens`` the most tokens the model reads at once, without
    [CLS] and [SEP].
    """

    def __init__(
        self,
        reader: Reader,
        tagger: Tagger,
        types: tuple[str, ...],
        window_tokens: int,
        rules: tuple[str, ...] = (),
    ) -> None:
        """``types``: those of the model; ``rules``: those of :data:`workers.engine.rules.RULES` that it has beside."""
        self.types = tuple(sorted({*types, *rules}))
        self.window_tokens = window_tokens
        self._rules = rules
        self._reader = reader
        self._tagger = tagger

    def recognise(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text, in order and not overlapping. What a text gives does not depend on the others."""
        cut = [windows(text, self._reader, self.window_tokens) for text in texts]
        # The tagger takes many windows at once, of whichever texts.
        found = iter(self._read([window for of_text in cut for window in of_text]))
        return [self.join(text, [next(found) for _ in of_text]) for text, of_text in zip(texts, cut, strict=True)]

    def recognise_part(self, text: str, core_start: int, core_end: int) -> list[Part]:
        """What is found in a part of a long text, as :func:`shared.pieces.plan` cuts it. :meth:`join` needs it all.

        Args:
            text: the part, with what it has to be read with before and behind its core.
            core_start, core_end: the characters of ``text`` that the part answers for.
        """
        found = self._read(windows_of_part(text, core_start, core_end, self._reader, self.window_tokens))
        return [part for part in found if part.entities]

    def join(self, text: str, parts: Sequence[Part]) -> list[Entity]:
        """The entities of a text from what was found in all of its parts: what :meth:`recognise` finds in the text.

        Args:
            parts: in order, with places in the whole text (:meth:`Part.moved`).
        """
        found = trimmed(text, merge(parts))
        return with_ruled(self._reader.view(text), found, self._rules) if self._rules else found

    def _read(self, windows: Sequence[Window]) -> list[Part]:
        return [
            Part(window.core_start, window.core_end, separated(entities, window.tokens.separators))
            for window, entities in zip(windows, self._tagger.tag(windows), strict=True)
        ]
