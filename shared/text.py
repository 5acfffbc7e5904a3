"""A text as the bytes that Redis stores."""

from __future__ import annotations

# Bytes of most Chinese characters in UTF-8.
BYTES_PER_CHARACTER = 3


def encode_text(text: str) -> bytes:
    """The text's UTF-8. Lone surrogates, which JSON can carry, are let through (and back by :func:`decode_text`)."""
    return text.encode("utf-8", "surrogatepass")


def decode_text(data: bytes) -> str:
    """The text that :func:`encode_text` made ``data`` of."""
    return data.decode("utf-8", "surrogatepass")
