"""Packed bodies: unpacked whatever way they arrive, never beyond the limit, refused where they are damaged."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import EncodingNotTaken, InvalidRequest, TextTooLong
from web.unpacking import MOST_MEMBERS, SLICE, STEP, encoding, unpacked

MB = 2**20
MOST = 8 * MB


def raw_deflate(data: bytes) -> bytes:
    """What many clients call deflate."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
]
each_packer = pytest.mark.parametrize(("name", "pack"), PACKERS, ids=["gzip", "zlib", "raw"])


def unpack(parts: list[bytes] | Iterator[bytes], name: str = "gzip", most: int = MOST) -> bytes:
    return b"".join(unpacked(parts, name, most))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        (" , Identity", None),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", "deflate"),
        ("identity, gzip", "gzip"),
    ],
)
def test_an_encoding_is_known_by_its_name(header: str | None, found: str | None) -> None:
    assert encoding(header) == found


@pytest.mark.parametrize("header", ["br", "zstd", "compress", "gzip, gzip", "gzip,deflate", "x-identity", "a" * 9000])
def test_others_are_refused_with_those_that_are_taken(header: str) -> None:
    with pytest.raises(EncodingNotTaken) as refused:
        encoding(header)
    assert refused.value.status == 415
    assert refused.value.taken == ("gzip", "deflate", "identity")
    assert "Content-Encoding" in str(refused.value)
    assert len(str(refused.value)) < 300


@each_packer
@given(data=st.binary(max_size=300), step=st.integers(1, 40))
def test_what_was_packed_is_unpacked_however_it_arrives(
    name: str, pack: Callable[[bytes], bytes], data: bytes, step: int
) -> None:
    packed = pack(data)
    assert unpack([packed[start : start + step] for start in range(0, len(packed), step)], name) == data


@each_packer
@pytest.mark.parametrize("size", [SLICE, STEP - 1, STEP, STEP + 1, 3 * STEP, 5 * MB])
@pytest.mark.parametrize("noise", [False, True])
def test_so_is_a_long_one(name: str, pack: Callable[[bytes], bytes], size: int, noise: bool) -> None:
    data = random.Random(size).randbytes(size) if noise else b"a" * size
    assert unpack([pack(data)], name) == data


@each_packer
def test_it_may_have_as_many_bytes_as_a_body_and_no_more(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert unpack([pack(b"a" * 1000)], name, most=1000) == b"a" * 1000
    with pytest.raises(TextTooLong, match="may have 999 bytes once it is unpacked"):
        unpack([pack(b"a" * 1000)], name, most=999)


@each_packer
def test_of_a_bomb_no_more_is_unpacked_than_the_limit(name: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(256 * MB))
    tracemalloc.start()
    with pytest.raises(TextTooLong):
        for _ in unpacked([bomb], name, MOST):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(bomb) + 8 * STEP


def test_what_is_too_much_is_not_waited_for() -> None:
    def arriving() -> Iterator[bytes]:
        yield gzip.compress(bytes(MB))
        pytest.fail("more was read")

    with pytest.raises(TextTooLong):
        unpack(arriving(), most=1000)


def test_gzip_may_have_several_members_and_zeros_behind() -> None:
    packed = gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b") + bytes(SLICE)
    assert unpack([packed]) == unpack([packed[:25], packed[25:]]) == b"ab"


def test_but_not_so_many_that_they_are_all_it_has() -> None:
    member = gzip.compress(b"")
    assert unpack([member * MOST_MEMBERS]) == b""
    with pytest.raises(InvalidRequest, match="members"):
        unpack([member * 1000] * 10_000)


@each_packer
def test_each_early_end_is_noticed(name: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack("马云在杭州".encode())
    for end in range(len(packed)):
        with pytest.raises(InvalidRequest, match="ends early"):
            unpack([packed[:end]], name)


@pytest.mark.parametrize("name", ["gzip", "deflate"])
@given(data=st.binary(min_size=3, max_size=200))
def test_whatever_else_is_sent_is_refused_or_unpacked(name: str, data: bytes) -> None:
    with suppress(InvalidRequest):
        unpack([data], name)


@pytest.mark.parametrize(
    ("name", "packed", "says"),
    [
        ("gzip", b'{"text": "a"}', "it is no gzip, though Content-Encoding says so, or damaged"),
        ("deflate", b'{"text": "a"}', "it is no deflate, though Content-Encoding says so, or damaged"),
        ("gzip", zlib.compress(b"a"), "it is no gzip, though Content-Encoding says so, or damaged"),
        ("gzip", gzip.compress(b"a") + b"a", "its gzip ends early, after 1 unpacked bytes"),
        ("gzip", gzip.compress(b"a") + b"some more", "its gzip is damaged after 1 unpacked bytes"),
        ("deflate", zlib.compress(b"a") + b"some more", "its deflate is damaged after 1 unpacked bytes"),
        ("gzip", gzip.compress(b"abc")[:-8] + bytes(8), "damaged"),
    ],
)
def test_a_refusal_says_what_is_wrong(name: str, packed: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as refused:
        unpack([packed], name)
    assert refused.value.status == 400
