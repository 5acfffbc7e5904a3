"""Files that are opened: texts in old and new encodings, Word documents, and what is neither."""

from __future__ import annotations

import codecs
import random
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from shared.settings import PROJECT_ROOT
from tests.browser.documents import (
    USUAL_PART,
    compound_file,
    document,
    docx,
    encrypted,
    paragraph,
    run,
    with_directory_field,
    zip_bomb,
)
from tests.browser.modules import File, Refused, call, page_of, texts_of
from tests.support.farm import Farm

LIMIT = 1_000_000
MEBIBYTE = 2**20
CHINESE = "马云在杭州出席了峰会。"
TEXTS = texts_of("中国马云，。\n a1😀𠮷é", st.characters(exclude_categories=["Cs"]))
# GB18030-2022, which browsers have, gives ḿ and some of the private use area other bytes than Python's older edition.
MOVED = {"\u1e3f", *map(chr, range(0xE5E5, 0xE865))}
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "gb18030": "\ufeff".encode("gb18030"),
}
# What XML can hold.
WELL_FORMED = texts_of(
    "中国马云 <>&\"'😀", st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
)


@pytest.fixture(scope="module")
def page(browser: Browser, farm: Farm) -> Iterator[Page]:
    """The page, on which every module can be had; none of these tests changes it."""
    with page_of(browser, farm.url) as page:
        yield page


def read(page: Page, content: bytes, name: str = "文章.txt", limit: int = LIMIT) -> Any:
    return call(page, "files", "readFile", File(name, content), limit)


def text_of(page: Page, content: bytes) -> str:
    answer = read(page, content, "文档.docx")
    assert answer["encoding"] == "docx"
    text: str = answer["text"]
    return text


def refusal(page: Page, content: bytes, name: str = "文档.docx", limit: int = LIMIT) -> Refused:
    with pytest.raises(Refused) as raised:
        read(page, content, name, limit)
    return raised.value


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("马云".encode(), "utf-8"),
        (b"\xef\xbb\xbf" + "马云".encode(), "utf-8"),
        (b"\xff\xfe\x6c\x9a\x91\x4e", "utf-16le"),
        (b"\xfe\xff\x9a\x6c\x4e\x91", "utf-16be"),
        (b"\xc2\xed\xd4\xc6", "gb18030"),
        (b"\x84\x31\x95\x33\xc2\xed\xd4\xc6", "gb18030"),
    ],
)
def test_an_encoding_is_recognised(page: Page, content: bytes, encoding: str) -> None:
    assert read(page, content) == {"name": "文章.txt", "text": "马云", "encoding": encoding}


def test_any_text_comes_back_in_whichever_encoding(page: Page) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(sorted(MARKS)), st.booleans(), TEXTS)
    @example("gb18030", False, "朱镕基和陶喆在深圳𠮷野家。")
    @example("utf-8", True, "\ufeff第二个标记是文本的一部分")
    def comes_back(codec: str, is_marked: bool, text: str) -> None:
        content = text.encode(codec)
        if is_marked:
            content = MARKS[codec] + content
        else:
            # Without a mark UTF-16 is not guessed, and a text that is UTF-8 as well is taken for that.
            assume(not codec.startswith("utf-16"))
            assume(not any(content.startswith(mark) for mark in MARKS.values()))
            assume(codec == "utf-8" or not is_utf8(content))
        assume(codec != "gb18030" or not MOVED & set(text))
        answer = call(page, "encoding", "decodeText", content)
        assert answer == {"text": text, "encoding": codec.replace("utf-16-", "utf-16")}

    comes_back()


def test_a_damaged_text_is_read_as_what_it_was(page: Page) -> None:
    content = f"{CHINESE}\n第二行".encode()
    assert read(page, content[:-1]) == {"name": "文章.txt", "text": f"{CHINESE}\n第二\ufffd", "encoding": "utf-8"}
    old = f"{CHINESE}\n第二行".encode("gb18030")
    assert read(page, old[:-1])["text"] == f"{CHINESE}\n第二\ufffd"


def test_line_breaks_become_one_kind(page: Page) -> None:
    assert read(page, "一\r\n二\r三\n四\r\r\n".encode())["text"] == "一\n二\n三\n四\n\n"


@pytest.mark.parametrize("name", ["a.txt", "A.TXT", "笔记.md", "a.docx.md"])
def test_kinds_that_are_text(page: Page, name: str) -> None:
    assert read(page, CHINESE.encode(), name)["text"] == CHINESE


@pytest.mark.parametrize("name", ["a.pdf", "a.doc", "a.txt.exe", "txt", "constructor", "a.constructor", "a.", ""])
def test_other_kinds_are_refused(page: Page, name: str) -> None:
    problem = refusal(page, CHINESE.encode(), name)
    assert (problem.code, problem.params) == ("file.kind", {"name": name})


def test_an_empty_file_is_an_empty_text(page: Page) -> None:
    assert read(page, b"")["text"] == ""


def test_the_limit_counts_characters(page: Page) -> None:
    # Four bytes a character in this encoding, and four for the mark; in UTF-16 as many for a line break.
    emoji = MARKS["gb18030"] + ("😀" * 100).encode("gb18030")
    lines = MARKS["utf-16-le"] + ("\r\n" * 100).encode("utf-16-le")
    for content in (emoji, lines, b"a" * 100, docx(document(paragraph(run("😀" * 100))))):
        name = "a.docx" if content.startswith(b"PK") else "a.txt"
        assert len(read(page, content, name, limit=100)["text"]) in (100, 200)
        problem = refusal(page, content, name, limit=99)
        assert (problem.code, problem.params) == ("file.size", {"characters": 100, "limit": 99})


@pytest.mark.parametrize(("name", "size"), [("a.txt", 4 * LIMIT + 5), ("a.docx", 64 * MEBIBYTE + 1)])
def test_a_file_that_is_far_too_large_is_not_even_read(page: Page, name: str, size: int) -> None:
    problem = page.evaluate(
        """async ([name, size, limit]) => {
            const { readFile } = await import("/assets/js/files.js");
            const file = new File([new Uint8Array(size)], name);
            file.arrayBuffer = () => { throw new Error("it was read"); };
            return readFile(file, limit).catch(({ code, params }) => ({ code, params }));
        }""",
        [name, size, LIMIT],
    )
    if name == "a.txt":
        assert problem == {"code": "file.size", "params": {"characters": LIMIT + 1, "limit": LIMIT}}
    else:
        assert problem == {"code": "file.large", "params": {"megabytes": 65, "limit": 64}}


def binaries() -> dict[str, bytes]:
    noise = random.Random(0).randbytes(50_000)  # what well-packed data looks like
    return {
        "program": Path(sys.executable).resolve().read_bytes()[:200_000],
        "picture": (PROJECT_ROOT / "models/raner-mini-news/progress.png").read_bytes(),
        "noise": noise,
        "packed": zlib.compress(repr(list(range(20_000))).encode()),
        "pdf": b"%PDF-1.4\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n"
        + zlib.compress(noise[:5_000])
        + b"\nendstream",
        "document": docx(document(paragraph(run(CHINESE * 50)))),
        "unmarked UTF-16": "Hello, world".encode("utf-16-le"),
        "nothing": bytes(1_000),
    }


@pytest.mark.parametrize("kind", binaries())
def test_a_file_that_is_no_text_is_said_to_be_broken(page: Page, kind: str) -> None:
    assert refusal(page, binaries()[kind], "a.txt").code == "file.broken"


def test_a_few_odd_characters_do_no_harm(page: Page) -> None:
    text = "第一页\f\0第二页\x1b[1m" + CHINESE * 10
    assert read(page, text.encode())["text"] == text


def test_a_file_that_is_gone_is_said_to_be_broken(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("一", encoding="utf-8")
    page.evaluate(
        "() => document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'own'}))"
    )
    page.locator("#own").set_input_files(path)
    path.unlink()
    code = page.evaluate(
        """async () => {
            const { readFile } = await import("/assets/js/files.js");
            return readFile(document.querySelector("#own").files[0], 10).catch(({ code }) => code);
        }"""
    )
    assert code == "file.broken"


def test_paragraphs_of_any_text_come_back(page: Page) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(WELL_FORMED, min_size=1, max_size=5), st.sampled_from(["utf-8", "utf-16"]), st.booleans())
    def come_back(texts: list[str], codec: str, is_streamed: bool) -> None:
        content = document(*(paragraph(run(text)) for text in texts)).replace("UTF-8", codec).encode(codec)
        assert call(page, "docx", "docxText", docx(content, is_streamed=is_streamed)) == "\n".join(texts)

    come_back()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("comment", [b"", b"PK\x05\x06 is how an archive ends"])
def test_a_package_however_it_is_packed(page: Page, method: int, is_streamed: bool, comment: bytes) -> None:
    # Packed whole, this is larger than what the browser unpacks at once.
    texts = [f"{number}{CHINESE}" for number in range(5_000)]
    content = docx(
        document(*(paragraph(run(text)) for text in texts)), method=method, is_streamed=is_streamed, comment=comment
    )
    assert text_of(page, content) == "\n".join(texts)


def test_the_document_is_where_the_package_says(page: Page) -> None:
    assert text_of(page, docx(document(paragraph(run(CHINESE))), part="word/document2.xml")) == CHINESE


# What a document has in it, and what it says.
SAYS = {
    "an empty paragraph": (paragraph(run("一")) + "<w:p/>" + paragraph(run("二")), "一\n\n二"),
    "runs, tabs, breaks": (
        paragraph(
            run("马"), run("云"), "<w:r><w:tab/></w:r>", run("杭州"), "<w:r><w:br/><w:t>一</w:t><w:cr/><w:ptab/></w:r>"
        ),
        "马云\t杭州\n一\n\t",
    ),
    "tab stops": (
        paragraph(run("一"), properties='<w:tabs><w:tab w:val="left" w:pos="420"/></w:tabs>')
        + '<a:p><a:pPr><a:tabLst><a:tab pos="420"/></a:tabLst></a:pPr><a:r><a:t>图</a:t></a:r></a:p>',
        "一\n图",
    ),
    "a table": (
        "<w:tbl><w:tblPr/><w:tr><w:trPr/>"
        + "".join(f"<w:tc><w:tcPr/>{paragraph(run(text))}</w:tc>" for text in ("姓名", "马云"))
        + "</w:tr></w:tbl>"
        + paragraph(run("表后")),
        "姓名\n马云\n表后",
    ),
    "links, fields, controls": (
        paragraph(
            run("见"),
            f'<w:hyperlink r:id="rId4" w:history="1">{run("北京大学")}</w:hyperlink>',
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "x"</w:instrText></w:r>',
            run("官网"),
            f'<w:fldSimple w:instr="PAGE">{run("3")}</w:fldSimple>',
            f"<w:sdt><w:sdtPr/><w:sdtContent>{run('控件')}</w:sdtContent></w:sdt>",
        ),
        "见北京大学官网3控件",
    ),
    "tracked changes": (
        paragraph(
            '<w:del w:id="1" w:author="a"><w:r><w:delText>张三</w:delText><w:tab/></w:r></w:del>',
            f'<w:ins w:id="2" w:author="a">{run("李四")}</w:ins>',
            f'<w:moveFrom w:id="3">{run("从前")}</w:moveFrom>',
            f'<w:moveTo w:id="4">{run("如今")}</w:moveTo>',
        )
        + paragraph(run("末")),
        "李四如今\n末",
    ),
    "deleted ends of paragraphs": (
        paragraph(run("阿里"), properties='<w:rPr><w:del w:id="1" w:author="a"/></w:rPr>')
        + paragraph(run("巴巴"), properties='<w:rPr><w:ins w:id="2" w:author="a"/></w:rPr>')
        + paragraph(run("集团"), properties='<w:rPr><w:del w:id="3" w:author="a"></w:del></w:rPr>'),
        "阿里巴巴\n集团",
    ),
    "a text box and its copy for old programs": (
        paragraph(
            run("外"),
            "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><wps:txbx><w:txbxContent>",
            paragraph(run("框内一")),
            paragraph(run("框内二")),
            "</w:txbxContent></wps:txbx></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>",
            paragraph(run("框内一")),
            paragraph(run("框内二")),
            "</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>",
            run("文"),
        ),
        "框内一\n框内二\n外文",
    ),
    "references, CDATA, comments": (
        paragraph(
            "<w:r><w:t>AT&amp;T &lt;b&gt; &quot;&apos; &#39532;&#x4E91; &#x1F600;😀𠮷 &#xFFFFFFFF; &nbsp;"
            "<![CDATA[<&amp;>]]><!-- </w:t> --></w:t></w:r>"
        ),
        "AT&T <b> \"' 马云 😀😀𠮷 \ufffd &nbsp;<&amp;>",
    ),
    "readings above characters": (
        paragraph(
            "<w:r><w:ruby><w:rt><w:r><w:t>mǎ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>马</w:t></w:r></w:rubyBase>"
            "</w:ruby></w:r>",
            run("云"),
        ),
        "马云",
    ),
    "white space": (
        paragraph("<w:r><w:t>\n  马云\n  在 杭州  </w:t></w:r>", run(" 。")),
        "马云   在 杭州 。",
    ),
    "tags with spaces, attributes with brackets": (
        paragraph("""<w:r w:a="a>b" w:b='"/>'><w:t >一</w:t ></w:r>"""),
        "一",
    ),
    "formulas, hyphens": (
        paragraph("<m:oMath><m:r><m:t>x²</m:t></m:r></m:oMath><w:r><w:noBreakHyphen/><w:t>1</w:t></w:r>"),
        "x²\u20111",
    ),
}


@pytest.mark.parametrize("what", SAYS)
def test_what_a_document_says(page: Page, what: str) -> None:
    content, text = SAYS[what]
    assert text_of(page, docx(document(content))) == text


def test_a_document_may_have_other_prefixes(page: Page) -> None:
    content = document(paragraph(run(CHINESE), "<w:r><w:br/></w:r>"))
    assert text_of(page, docx(content.replace("w:", "ns0:"))) == f"{CHINESE}\n"


def test_an_encrypted_document_is_said_to_be(page: Page) -> None:
    assert refusal(page, encrypted()).code == "file.password"
    assert refusal(page, with_directory_field(docx(document()), USUAL_PART, 8, "<H", 1)).code == "file.password"


def test_a_document_of_an_older_word_is_another_kind(page: Page) -> None:
    problem = refusal(page, compound_file(["WordDocument", "1Table"]), "旧.docx")
    assert (problem.code, problem.params) == ("file.kind", {"name": "旧.docx"})


def test_a_bomb_does_not_go_off(page: Page) -> None:
    bomb = zip_bomb(129 * MEBIBYTE)
    assert len(bomb) < MEBIBYTE
    problem = refusal(page, bomb)
    assert (problem.code, problem.params) == ("file.large", {"megabytes": 129, "limit": 128})
    # One that says it is small is unpacked to that size, and no further.
    assert refusal(page, with_directory_field(bomb, USUAL_PART, 24, "<I", 1_000)).code == "file.broken"
    # And one within the limit is a document.
    assert text_of(page, zip_bomb(2 * MEBIBYTE)) == ""


GOOD = docx(document(paragraph(run(CHINESE))))


def test_each_part_of_a_document_is_not_one(page: Page) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, len(GOOD) - 1))
    def is_broken(length: int) -> None:
        assert refusal(page, GOOD[:length]).code == "file.broken"

    is_broken()


def test_damage_never_goes_unnoticed(page: Page) -> None:
    @settings(max_examples=80, deadline=None)
    @given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
    def is_noticed(place: int, change: int) -> None:
        damaged = GOOD[:place] + bytes([GOOD[place] ^ change]) + GOOD[place + 1 :]
        try:
            # It may have hit what is not needed: the date of a file, a picture.
            outcome = text_of(page, damaged)
        except Refused as problem:
            outcome = problem.code
        assert outcome in {CHINESE, "file.broken", "file.password", "file.large"}

    is_noticed()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(CHINESE.encode(), id="a text"),
        pytest.param(docx("<html><p>no</p></html>"), id="another kind of document"),
        pytest.param(docx(document(), part="word/other.xml", relation="other"), id="no document in the package"),
        pytest.param(GOOD.replace(b"word/document.xml", b"word/dokument.xml"), id="the document is missing"),
        pytest.param(GOOD.replace(b"document.xml", b"dokument.xml").replace(b"_rels", b"-rels"), id="no relations"),
        pytest.param(docx(document(paragraph(run(CHINESE)))[:-20]), id="XML cut off"),
        pytest.param(docx(document().removesuffix("</w:document>")), id="XML that ends too soon"),
        pytest.param(docx(document("<w:p></w:r>")), id="XML closed wrongly"),
        pytest.param(docx(document('<w:p a="></w:p>')), id="XML with an open quote"),
        pytest.param(docx(document(paragraph(run(CHINESE))), method=zipfile.ZIP_BZIP2), id="packed in another way"),
        pytest.param(with_directory_field(GOOD, USUAL_PART, 42, "<I", 2**31), id="a place beyond the end"),
        pytest.param(with_directory_field(GOOD, USUAL_PART, 16, "<I", 0), id="a wrong checksum"),
    ],
)
def test_what_is_no_document_is_said_to_be_broken(page: Page, content: bytes) -> None:
    assert refusal(page, content).code == "file.broken"


def test_samples_are_texts_of_many_kinds(page: Page) -> None:
    samples = page.evaluate("async () => (await import('/assets/js/samples.js')).SAMPLES")
    assert len(samples) >= 6
    assert len({sample["id"] for sample in samples}) == len(samples)
    assert all(set(sample["title"]) == {"zh", "en"} for sample in samples)
    texts = [sample["text"] for sample in samples]
    assert texts[0] == "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"
    assert all(text == text.strip() and "\r" not in text for text in texts)
    assert any(ord(character) > 0xFFFF for text in texts for character in text)
    longest = max(texts, key=len)
    assert 2_000 < len(longest) < 10_000
    assert longest.count("\n") > 20


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
