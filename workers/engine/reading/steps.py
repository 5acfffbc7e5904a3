"""The steps of reading, in order."""

from __future__ import annotations

from workers.engine.reading.compatible import in_plain_forms
from workers.engine.reading.emoji import as_separators
from workers.engine.reading.invisible import without_invisible
from workers.engine.reading.lines import as_sentences
from workers.engine.reading.quoted import without_quote_marks
from workers.engine.reading.spaced import without_spaces_between_characters
from workers.engine.reading.traditional import in_simplified
from workers.engine.reading.view import Step
from workers.engine.reading.words import without_spaces_between_words

STEPS: dict[str, Step] = {
    "emoji": as_separators,
    "invisible": without_invisible,
    "compatible": in_plain_forms,
    "quoted": without_quote_marks,
    "spaced": without_spaces_between_characters,
    "words": without_spaces_between_words,
    "lines": as_sentences,
    "traditional": in_simplified,
}
