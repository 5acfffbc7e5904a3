"""The texts of a job: as they were sent and, where markup was read, as workers read them.

Redis holds them as one string: first every text as sent, then of each text that is read otherwise what is read of it
and the places of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.markup.places import Places
from shared.markup.read import Read
from shared.text import decode_text, encode_text


class ReadLengths(NamedTuple):
    """Bytes of what is read of the text with this index, and of its places."""

    text: int
    read: int
    places: int


@dataclass(frozen=True)
class JobTexts:
    """``sent``: the texts. ``read``: those that are read otherwise than they were sent, by index."""

    sent: Sequence[str]
    read: Mapping[int, Read] = field(default_factory=dict)

    def as_read(self, index: int) -> str:
        """The text as workers read it."""
        return self.read[index].text if index in self.read else self.sent[index]

    def span(self, index: int, start: int, end: int) -> tuple[int, int]:
        """The place in the text as sent of the characters ``[start, end)``, which are not none, as workers read it."""
        return self.read[index].places.span(start, end) if index in self.read else (start, end)


@dataclass(frozen=True)
class EncodedTexts:
    """A job's texts as Redis holds them.

    ``joined`` is the string, ``lengths`` the bytes of each text as sent, ``read_lengths`` those of what is read.
    ``read_ranges`` has the bytes of ``joined`` that workers read of each text.
    """

    joined: bytes
    lengths: list[int]
    read_lengths: list[ReadLengths]
    read_ranges: list[tuple[int, int]]

    def as_read(self, index: int) -> bytes:
        """The UTF-8 of the text as workers read it."""
        start, end = self.read_ranges[index]
        return self.joined[start:end]


def encode_texts(texts: JobTexts) -> EncodedTexts:
    """The texts as Redis holds them. :func:`decode_texts` takes them back."""
    parts = [encode_text(text) for text in texts.sent]
    lengths, ranges, position = [len(part) for part in parts], [], 0
    for length in lengths:
        ranges.append((position, position + length))
        position += length
    read_lengths = []
    for index, read in texts.read.items():
        text, places = encode_text(read.text), read.places.to_bytes()
        ranges[index] = (position, position + len(text))
        read_lengths.append(ReadLengths(index, len(text), len(places)))
        parts += text, places
        position += len(text) + len(places)
    return EncodedTexts(b"".join(parts), lengths, read_lengths, ranges)


def decode_texts(joined: bytes, lengths: Sequence[int], read_lengths: Sequence[Sequence[int]]) -> JobTexts:
    """The texts of a job. ``read_lengths`` are the numbers of each :class:`ReadLengths`."""
    position = 0

    def following(length: int) -> bytes:
        nonlocal position
        position += length
        return joined[position - length : position]

    sent = [decode_text(following(length)) for length in lengths]
    read = {
        index: Read(decode_text(following(text)), Places.from_bytes(following(places)))
        for index, text, places in read_lengths
    }
    return JobTexts(sent, read)
