"""What finds the entities of windows: the network with the CRF behind it, or ModelScope's own pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.entities import Entity
from workers.backends.base import Network
from workers.engine.labels import Labels
from workers.engine.reading.view import View
from workers.engine.spans import spans
from workers.engine.viterbi import Crf
from workers.engine.windows import Window

# Windows whose paths are sought together: enough that NumPy's fixed cost a step is shared, few enough that the
# emissions of a model with many labels stay small.
GROUP = 64


class Tagger(Protocol):
    """Finds the entities of windows."""

    def tag(self, windows: Sequence[Window]) -> list[list[Entity]]:
        """The entities of each window, with places in the window's text."""


class CrfTagger:
    """The network, and the CRF on its emissions.

    Each window runs through the network alone, without padding: INT8 scales are taken over the whole input, so what
    shares a batch would change the result, and on a CPU a batch is no faster.
    """

    def __init__(self, network: Network, crf: Crf, labels: Labels, cls_id: int, sep_id: int) -> None:
        self._network = network
        self._crf = crf
        self._labels = labels
        self._cls_id = cls_id
        self._sep_id = sep_id

    def tag(self, windows: Sequence[Window]) -> list[list[Entity]]:
        """See :class:`Tagger`."""
        found: list[list[Entity]] = []
        for start in range(0, len(windows), GROUP):
            found.extend(self._tag_group(windows[start : start + GROUP]))
        return found

    def _tag_group(self, windows: Sequence[Window]) -> list[list[Entity]]:
        found: list[list[Entity]] = [[] for _ in windows]
        readable = [index for index, window in enumerate(windows) if len(window.tokens.first)]
        emissions = []
        for index in readable:
            emissions.append(self._emissions(windows[index]))
        for index, path, scores in zip(readable, self._crf.decode(emissions), emissions, strict=True):
            found[index] = spans(self._labels, path, scores, windows[index].tokens)
        return found

    def _emissions(self, window: Window) -> NDArray[np.float32]:
        """Emissions of the window's words: ``(words, labels)``."""
        ids = np.concatenate(([self._cls_id], window.tokens.ids, [self._sep_id]))
        # [CLS] has the first place.
        return self._network.emissions(ids)[window.tokens.first + 1]


class Pipeline(Protocol):
    """Takes a text to its entities by itself."""

    def entities(self, text: str) -> list[Entity]:
        """The entities of a text that is within the model's length limit."""


class PipelineTagger:
    """A pipeline that does everything by itself, given what ``view`` shows of the text of each window."""

    def __init__(self, pipeline: Pipeline, view: Callable[[str], View] = View) -> None:
        self._pipeline = pipeline
        self._view = view

    def tag(self, windows: Sequence[Window]) -> list[list[Entity]]:
        """See :class:`Tagger`."""
        found: list[list[Entity]] = []
        for window in windows:
            found.append(self._entities(window))
        return found

    def _entities(self, window: Window) -> list[Entity]:
        if not len(window.tokens.first):
            return []
        start, end = int(window.tokens.starts[0]), int(window.tokens.ends[-1])
        view = self._view(window.text[start:end])
        found = []
        for entity in self._pipeline.entities(view.text):
            first, last = view.span(entity.start, entity.end)
            found.append(entity._replace(start=first + start, end=last + start))
        return found
