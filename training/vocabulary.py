"""Characters as token ids, as ModelScope's preprocessor makes them where a model is split into characters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(len(SPECIAL))
# A character that is seen less often has nothing to learn from.
FEWEST = 3
# Most characters of a vocabulary. Of the plain text as PLAIN_TEXT weights it, it leaves out one character in 4,000.
MOST = 6_250


class Vocabulary:
    """The characters that a model knows; every other one, and white space, is [UNK]."""

    def __init__(self, characters: Iterable[str]) -> None:
        self.tokens = (*SPECIAL, *characters)
        self._ids = {token: index for index, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def characters(self) -> tuple[str, ...]:
        """The tokens without the special ones."""
        return self.tokens[len(SPECIAL) :]

    def encode(self, text: str) -> list[int]:
        """The id of each character."""
        return [self._ids.get(character, UNK) for character in text]

    def save(self, path: Path) -> None:
        """Write ``vocab.txt``, a token a line."""
        path.write_text("".join(f"{token}\n" for token in self.tokens), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what :meth:`save` wrote."""
        return cls(path.read_text(encoding="utf-8").split("\n")[len(SPECIAL) : -1])


def collect(texts: Iterable[str]) -> Vocabulary:
    """The characters that stand in the texts at least :data:`FEWEST` times, the most frequent first."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return most_frequent(counts)


def most_frequent(counts: Mapping[str, float]) -> Vocabulary:
    """The :data:`MOST` most frequent characters of those with a count of at least :data:`FEWEST`."""
    frequent = [
        character
        for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= FEWEST and _is_token(character)
    ]
    return Vocabulary(frequent[:MOST])


def _is_token(character: str) -> bool:
    """Whether BERT's tokenizer keeps the character as it is: no white space, control, or other form of another."""
    return (
        not character.isspace()
        and unicodedata.category(character)[0] not in "CZ"
        and unicodedata.normalize("NFC", character) == character
    )
