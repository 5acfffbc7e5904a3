"""Word documents, as Word, WPS and LibreOffice write them, and files that only look like one."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMESPACES = {
    "w": WORD,
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "v": "urn:schemas-microsoft-com:vml",
}
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
USUAL_PART = "word/document.xml"
# Room that Office leaves behind a file's name, to write it anew in its place.
GROWTH_HINT = struct.pack("<HHHH16x", 0xA220, 20, 0xA028, 16)
# Of a compound file, in bytes; a smaller stream would be kept inside another.
SECTOR = 512
STREAM = 4096
# What stands in it for an end and for nothing.
CHAIN_END, NOTHING, FAT_ITSELF = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


class Pipe(io.RawIOBase):
    """Cannot go back, as a response that is sent while it is written: sizes then stand behind the data."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.written += bytes(data)  # type: ignore[call-overload]
        return len(data)  # type: ignore[arg-type]


def run(text: str) -> str:
    """A run of text, spaces at its ends kept."""
    return f'<w:r><w:rPr><w:sz w:val="24"/></w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(*content: str, properties: str = "") -> str:
    """A paragraph of runs and whatever else."""
    return f'<w:p w:rsidR="00A77B3E"><w:pPr><w:jc w:val="both"/>{properties}</w:pPr>{"".join(content)}</w:p>'


def document(*content: str) -> str:
    """The document part of these paragraphs and tables."""
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
    section = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr>'
    return f"{DECLARATION}<w:document {declared}><w:body>{''.join(content)}{section}</w:body></w:document>"


def docx(
    document: str | bytes,
    *,
    part: str = USUAL_PART,
    relation: str = "officeDocument",
    method: int = zipfile.ZIP_DEFLATED,
    is_streamed: bool = False,
    comment: bytes = b"",
) -> bytes:
    """The package around a document part; ``relation`` is what the package says that the part is to it."""
    plain = io.BytesIO()
    pipe = Pipe()
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _content_types(part),
        "_rels/.rels": _relationships(part, relation),
        "docProps/core.xml": f'{DECLARATION}<cp:coreProperties xmlns:cp="{CORE}"/>',
        "word/media/image1.png": b"\x89PNG\r\n\x1a\nno picture",
        part: document,
        "word/styles.xml": f'{DECLARATION}<w:styles xmlns:w="{WORD}"/>',
    }
    with zipfile.ZipFile(pipe if is_streamed else plain, "w") as archive:
        archive.comment = comment
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.extra = GROWTH_HINT
            archive.writestr(entry, content, zipfile.ZIP_STORED if name.endswith(".png") else method)
    return bytes(pipe.written) if is_streamed else plain.getvalue()


def with_directory_field(archive: bytes, name: str, place: int, layout: str, value: int) -> bytes:
    """An archive with another value in the central directory's record of a file; ``place`` is within the record."""
    record = archive.rindex(name.encode(), 0, archive.rindex(b"PK\x05\x06")) - 46
    assert archive[record : record + 4] == b"PK\x01\x02"
    changed = bytearray(archive)
    struct.pack_into(layout, changed, record + place, value)
    return bytes(changed)


def zip_bomb(size: int) -> bytes:
    """A document that is a few hundred times larger than its file: ``size`` bytes, most of them spaces."""
    empty = document(paragraph(run("")))
    return docx(empty.replace("<w:body>", "<w:body>" + " " * (size - len(empty))))


def compound_file(streams: Sequence[str]) -> bytes:
    """A file of the kind that holds encrypted documents, and what Word wrote before 2007: streams of these names."""
    sectors_each = STREAM // SECTOR
    fat = [FAT_ITSELF, CHAIN_END]
    entries = [_directory_entry("Root Entry", kind=5, child=1, start=CHAIN_END, size=0)]
    for number, name in enumerate(streams, 1):
        start = len(fat)
        fat += [*range(start + 1, start + sectors_each), CHAIN_END]
        right = number + 1 if number < len(streams) else NOTHING
        entries.append(_directory_entry(name, kind=2, right=right, start=start, size=STREAM))
    assert len(entries) <= SECTOR // 128
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, 1, 0, STREAM, CHAIN_END, 0, CHAIN_END, 0, 0,
    )  # fmt: skip
    fat += [NOTHING] * (SECTOR // 4 - len(fat))
    return (
        header.ljust(SECTOR, b"\xff")
        + struct.pack(f"<{len(fat)}I", *fat)
        + b"".join(entries).ljust(SECTOR, b"\0")
        + bytes(range(256)) * (STREAM // 256 * len(streams))
    )


def encrypted() -> bytes:
    """A document with a password."""
    return compound_file(["EncryptionInfo", "EncryptedPackage"])


def _directory_entry(
    name: str, *, kind: int, start: int, size: int, right: int = NOTHING, child: int = NOTHING
) -> bytes:
    encoded = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII16xI16xIQ", encoded, len(encoded) + 2, kind, 1, NOTHING, right, child, 0, start, size)


def _content_types(part: str) -> str:
    return (
        f'{DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
        f'<Override PartName="/{part}" ContentType="{MAIN_TYPE}"/></Types>'
    )


def _relationships(part: str, relation: str) -> str:
    core = f"{RELATIONSHIPS}/metadata/core-properties"
    return (
        f'{DECLARATION}<Relationships xmlns="{RELATIONSHIPS}">'
        f'<Relationship Id="rId2" Type="{core}" Target="docProps/core.xml"/>'
        f'<Relationship Id="rId1" Type="{NAMESPACES["r"]}/{relation}" Target="/{part}"/></Relationships>'
    )
