"""Chunked bodies: good ones are read whole however they arrive, bad ones are refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from gunicorn.http import errors
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge

from web.chunks import LONGEST_LINE, Chunks, sentence

MOST = 1000


def read(parts: list[bytes]) -> bytes:
    """The body of which these parts arrive."""
    request = SimpleNamespace(unreader=IterUnreader(parts), parse_headers=lambda *_, **__: [])
    chunks: bytes = Chunks(request, MOST).read(10 * MOST)
    return chunks


@given(st.lists(st.binary(min_size=1, max_size=MOST), max_size=8), st.integers(1, 20), st.sampled_from(["", ";a=b"]))
def test_what_is_sent_is_read_however_it_arrives(sent: list[bytes], step: int, extension: str) -> None:
    chunks = [b"%x%b\r\n%b\r\n" % (len(each), extension.encode(), each) for each in sent]
    stream = b"".join([*chunks, b"0\r\nX: a\r\n\r\n"])
    assert read([stream[start : start + step] for start in range(0, len(stream), step)]) == b"".join(sent)


def test_a_line_may_be_long_but_not_endless() -> None:
    assert read([b"3;", b"a" * (LONGEST_LINE - 10), b"\r\nabc\r\n0\r\n\r\n"]) == b"abc"
    with pytest.raises(errors.ParseException, match="a line between chunks may have"):
        read([b"3;", *[b"a" * 1000] * 1000])


def test_a_line_feed_alone_is_refused_before_more_arrives() -> None:
    def arriving() -> object:
        yield b"3\nabc"
        pytest.fail("more was waited for")

    with pytest.raises(errors.ParseException, match="LF alone"):
        read(arriving())  # type: ignore[arg-type]


def test_a_chunk_larger_than_a_body_may_be_is_refused_before_it_arrives() -> None:
    with pytest.raises(RequestEntityTooLarge):
        read([b"%x\r\n" % (MOST + 1)])


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (errors.NoMoreData(), "it ended before its last chunk, which has the size 0"),
        (errors.ChunkMissingTerminator(b"\r"), "it ended before the CRLF of a chunk or of the trailers"),
        (errors.ChunkMissingTerminator(b"ab"), "a chunk must have as many bytes as its size says, and then CRLF"),
        (errors.InvalidChunkSize(b"zz"), "a chunk must begin with its size in hexadecimal digits, not with 'zz'"),
        (errors.LimitRequestHeaders("…"), "its trailers: the headers are too many or too long"),
    ],
)
def test_each_error_has_a_sentence(error: errors.ParseException, says: str) -> None:
    assert sentence(error).startswith(says)
