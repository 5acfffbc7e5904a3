"""Bodies that come packed (header ``Content-Encoding``): unpacked while they arrive, within a body's limit."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator

from shared.errors import EncodingNotTaken, InvalidRequest, TextTooLong
from web.echo import cut

GZIP, DEFLATE, IDENTITY = "gzip", "deflate", "identity"
TAKEN = (GZIP, DEFLATE, IDENTITY)
# Bytes that are unpacked at a time, and bytes that this makes at most. Other requests may go first in between.
SLICE = 2**14
STEP = 2**18
# gzip may be several streams in a row, its members. Tools that write blocks make one of each 64 kB.
MOST_MEMBERS = 2**13
# zlib's numbers for the formats. What HTTP calls deflate has a header (RFC 1950); many clients leave it out.
GZIP_FORMAT, ZLIB_FORMAT, RAW_FORMAT = 31, 15, -15


def encoding(header: str | None) -> str | None:
    """How a body is packed by its ``Content-Encoding``; None if it is not.

    Raises:
        EncodingNotTaken: in a way, or in several, that nobody here unpacks.
    """
    names = [name.strip().lower() for name in (header or "").split(",")]
    # RFC 9110, section 8.4.1.3: x-gzip is an old name of gzip.
    packed = [name.replace("x-gzip", GZIP) for name in names if name not in ("", IDENTITY)]
    if not packed:
        return None
    if len(packed) > 1:
        raise EncodingNotTaken("Content-Encoding names several encodings; send one", TAKEN)
    if packed[0] not in TAKEN:
        raise EncodingNotTaken(
            f"Content-Encoding: {cut(packed[0])} is not taken; send {GZIP}, {DEFLATE} or {IDENTITY}", TAKEN
        )
    return packed[0]


def unpacked(packed: Iterable[bytes], encoding: str, most: int) -> Iterator[bytes]:
    """The parts of a body of which these ``packed`` parts arrive.

    Raises:
        TextTooLong: they have more than ``most`` bytes.
        InvalidRequest: they cannot be unpacked.
    """
    length = 0
    try:
        for part in _unpacked(packed, encoding):
            length += len(part)
            if length > most:
                raise TextTooLong(f"the body may have {most} bytes once it is unpacked; send fewer or shorter texts")
            yield part
    except (zlib.error, EOFError, OverflowError) as error:
        match error:
            case EOFError():
                why = f"its {encoding} ends early, after {length} unpacked bytes"
            case OverflowError():
                why = f"its {encoding} has more than {MOST_MEMBERS} members"
            case _ if length:
                why = f"its {encoding} is damaged after {length} unpacked bytes"
            case _:
                why = f"it is no {encoding}, though Content-Encoding says so, or damaged"
        raise InvalidRequest.unreadable(400, f"the body cannot be unpacked: {why}") from None


def _unpacked(packed: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """What :func:`unpacked` gives, in parts of at most :data:`STEP` bytes.

    Raises:
        zlib.error: it is damaged, or goes on after its end.
        EOFError: it ends early.
        OverflowError: it has too many members.
    """
    unpacker, members, full = None, 0, False
    for left in _slices(packed):
        while left or (full and unpacker and not unpacker.eof):
            if unpacker is None or unpacker.eof:
                if members and not (left := left.lstrip(b"\x00")):  # tapes and some tools fill up with them
                    break
                if members and encoding != GZIP:
                    raise zlib.error("it goes on after its end")
                if members == MOST_MEMBERS:
                    raise OverflowError
                members += 1
                unpacker = zlib.decompressobj(_format(left, encoding))
            part = unpacker.decompress(left, STEP)
            left = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            # zlib itself may then hold more, even though it has taken all that there was.
            full = len(part) == STEP
            if part:
                yield part
            if full:
                time.sleep(0)
        time.sleep(0)
    if unpacker is None or not unpacker.eof:
        raise EOFError


def _slices(packed: Iterable[bytes]) -> Iterator[bytes]:
    """The parts in slices; the first has two bytes at least, if there are so many."""
    first = b""
    for part in packed:
        part, first = first + part, b""
        if len(part) == 1:
            first = part
            continue
        for start in range(0, len(part), SLICE):
            yield part[start : start + SLICE]
    if first:
        yield first


def _format(beginning: bytes, encoding: str) -> int:
    if encoding == GZIP:
        return GZIP_FORMAT
    # RFC 1950, section 2.2. A raw stream's first byte has no 8 in its lower half: it would be padding that is not zero.
    has_header = beginning[0] & 0x0F == zlib.DEFLATED and int.from_bytes(beginning[:2], "big") % 31 == 0
    return ZLIB_FORMAT if has_header else RAW_FORMAT
