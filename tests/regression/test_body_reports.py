"""What users of other systems reported of requests and bodies that a server cannot read. Each report has its id, the
issues that it is from, and a sentence on the symptom.
"""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from shared.keys import ModelKeys
from tests.support.web_server import WebServer, answer, running_web_server
from tests.web.conftest import Worker, find_ma_yun

SUMMIT = "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"
BODY = json.dumps({"text": SUMMIT}, ensure_ascii=False).encode()
POST = "POST {path} HTTP/1.1\nContent-Type: application/json\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A web server as the farm starts it; nobody works on its jobs."""
    with running_web_server(tmp_path_factory.mktemp("web"), {}) as server:
        yield server


def last_problem(server: WebServer, head: str, body: bytes = b"", *, ends: bool = False) -> dict[str, Any]:
    """The problem that answers a request, in an answer that ends the connection.

    ``ends`` says that the client has nothing more to send.
    """
    with server.send(head, body) as client:
        if ends:
            client.shutdown(1)
        found = answer(client)
        problem: dict[str, Any] = json.loads(found.read())
    assert found.headers["Content-Type"] == "application/problem+json"
    assert found.headers["Connection"] == "close"
    assert problem["status"] == found.status
    assert len(problem["detail"]) < 300
    return problem


@pytest.mark.parametrize(
    ("head", "status", "says"),
    [
        (f"GET /api/v1/models HTTP/1.1\nX-Long: {'a' * 20_000}", 431, "of at most 8190 bytes"),
        ("GET / HTTP/1.1\n" + "\n".join(f"X{number}: a" for number in range(200)), 431, "send at most 100"),
        (f"GET /{'a' * 5000} HTTP/1.1", 414, "send less in the address"),
        ("GET /", 400, "the first line must be a method, an address and HTTP/1.1"),
        ("GET /马云 HTTP/1.1", 400, "percent-encode"),
        ("get / HTTP/1.1", 400, "such as GET or POST"),
        ("GET / HTTP/7.7", 400, "the server reads HTTP/1.1"),
        (f"GET / HTTP/1.1\n{'马' * 2000}: a", 400, "cannot be the name of a header"),
        (f"GET / HTTP/1.1\n{'a' * 8000}", 400, "a name, a colon and a value"),
        ("GET / HTTP/1.1\nX: a\x00b", 400, "without control characters"),
        ("GET / HTTP/1.1\nX: a\n b", 400, "in another line"),
        ("GET / HTTP/1.1\nHost: other", 400, "give the header Host once"),
        (f"{POST.format(path='/ner')}Content-Length: +1", 400, "Content-Length must be given once, as a number"),
        (f"{POST.format(path='/ner')}Content-Length: 1\nTransfer-Encoding: chunked", 400, "not beside"),
        (f"{POST.format(path='/ner')}Transfer-Encoding: identity", 400, "must name chunked once, at its end"),
        (f"{POST.format(path='/ner')}Transfer-Encoding: rot13", 501, "only chunked is known"),
        (f"{POST.format(path='/ner')}Transfer-Encoding: gzip, chunked", 501, "only chunked is known"),
        (f"{POST.format(path='/ner')}Transfer-Encoding: Deflate , chunked", 501, "only chunked is known"),
        (
            f"{POST.format(path='/ner')}Transfer-Encoding: gzip\nTransfer-Encoding: chunked",
            501,
            "only chunked is known",
        ),
        (f"{POST.format(path='/ner')}Transfer-Encoding: identity, chunked", 501, "only chunked is known"),
        (f"{POST.format(path='/ner')}Expect: more", 417, "only 100-continue is known"),
        ("GET / HTTP/1.1\nX-Forwarded-Proto: https\nX-Forwarded-Ssl: off", 400, "contradict each other"),
    ],
)
def test_http_large_header(server: WebServer, head: str, status: int, says: str) -> None:
    """Our own (README): 431, 414 and other answers of the server itself are HTML, or no sentence, or repeat it all."""
    problem = last_problem(server, head)
    assert problem["status"] == status
    assert says in problem["detail"]


def test_http_cut_head(server: WebServer) -> None:
    """Our own: a request that ends in its headers has no answer at all."""
    with server.connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHos")
        client.shutdown(1)
        found = answer(client)
        assert found.status == 400
        assert json.loads(found.read())["detail"] == "the request ended before its headers did"


@pytest.mark.parametrize("path", ["/x", "/healthz", "/", "/\xff"])
@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script_Name", "Script-Name", "PATH_INFO", "Path-Info"])
def test_http_script_name(server: WebServer, name: str, path: str) -> None:
    """fastapi#1294: a client's header SCRIPT_NAME makes it answer 500 in HTML, or moves its addresses."""
    with server.send(f"GET /healthz HTTP/1.1\n{name}: {path}\nConnection: close") as client:
        found = answer(client)
        assert found.status == 200
        assert found.headers["Content-Type"] == "application/json"


def test_http_script_name_moves_no_address(server: WebServer) -> None:
    """fastapi#1294: nor does the header let a client invent a path that the farm is said to be under."""
    assert server.status("/raner/openapi.json", "SCRIPT_NAME: /raner") == 404
    assert server.status("/healthz", "CONTENT_LENGTH: 5") == 200


def test_http_upgrade(server: WebServer) -> None:
    """Our own: an offer of another protocol is a request that «this server could not understand»."""
    assert server.status("/healthz", "Connection: Upgrade\nUpgrade: websocket") == 200


@pytest.mark.parametrize("path", ["/ner", "/api/v1/jobs"])
@pytest.mark.parametrize(
    ("chunks", "says"),
    [
        (b"zz\r\nabc\r\n0\r\n\r\n", "with its size in hexadecimal digits, not with 'zz'"),
        (b"-3\r\nabc\r\n0\r\n\r\n", "not with '-3'"),
        (b"\r\nabc\r\n0\r\n\r\n", "not with ''"),
        (b"z" * 8000 + b"\r\n", "not with 'zzz"),
        (b"3\r\nabcdef\r\n0\r\n\r\n", "as many bytes as its size says, and then CRLF"),
        (b"5\r\nabc\r\n0\r\n\r\n", "as many bytes as its size says, and then CRLF"),
        (b"3\nabc\n0\n\n", "must end with CRLF, not with LF alone"),
        (b"3\r\nabc\r\n0\n\n", "must end with CRLF, not with LF alone"),
        (b"0" * 100_000, "a line between chunks may have 8190 bytes"),
        (b"3;" + b"a" * 100_000, "a line between chunks may have 8190 bytes"),
        (b"3;\x01\r\nabc\r\n0\r\n\r\n", "a chunk's extension must be"),
        (b"3\r\nabc\r\n0\r\nX\r\n\r\n", "its trailers: a header must be"),
        (b"3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n", "its trailers: 'CONTENT-LENGTH' cannot be"),
        (b"3\r\nabc\r\n0\r\nX: a\n\n", "its trailers: "),
    ],
)
def test_http_chunk_bad(server: WebServer, path: str, chunks: bytes, says: str) -> None:
    """gunicorn#2832: a bad chunk size: 500, and a traceback in the log. Others waited until their time was up."""
    problem = last_problem(server, f"{POST.format(path=path)}Transfer-Encoding: chunked", chunks)
    assert problem["status"] == 400
    assert says in problem["detail"]
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("path", ["/ner", "/api/v1/jobs"])
@pytest.mark.parametrize(
    "chunks", [b"", b"3", b"3\r\nab", b"3\r\nabc", b"3\r\nabc\r", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n", b"3;a\r"]
)
def test_http_chunk_end(server: WebServer, path: str, chunks: bytes) -> None:
    """gunicorn#2832: a body that ends within its chunks: a request that «this server could not understand»."""
    problem = last_problem(server, f"{POST.format(path=path)}Transfer-Encoding: chunked", chunks, ends=True)
    assert problem["status"] == 400
    assert "it ended before" in problem["detail"]


@pytest.mark.parametrize("size", [b"f" * 16, b"f" * 8000, b"1000001"])
def test_http_chunk_huge(server: WebServer, size: bytes) -> None:
    """gunicorn#2832: a chunk of more bytes than a body may have is waited for."""
    problem = last_problem(server, f"{POST.format(path='/ner')}Transfer-Encoding: chunked", size + b"\r\nabc")
    assert problem["status"] == 413


@pytest.mark.parametrize("path", ["/ner", "/api/v1/jobs"])
@pytest.mark.parametrize(("sent", "length"), [(BODY, len(BODY) + 100), (BODY[:40], len(BODY)), (b"", 1)])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_http_long(redis: Redis, server: WebServer, path: str, sent: bytes, length: int, version: str) -> None:
    """Our own (RFC 9112), gunicorn#1733: fewer bytes than Content-Length says are recognised all the same."""
    head = POST.format(path=path).replace("HTTP/1.1", f"HTTP/{version}") + f"Content-Length: {length}"
    problem = last_problem(server, head, sent, ends=True)
    assert problem["status"] == 400
    assert problem["detail"] == f"the body ended after {len(sent)} of the {length} bytes that Content-Length says"
    assert not redis.exists(ModelKeys("raner-mini-news").interactive)


def deflate(data: bytes) -> bytes:
    """What many clients call deflate: without zlib's header."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def packed_post(path: str, encoding: str, length: int | None) -> str:
    """The head of a request with a packed body; without a length it comes in chunks."""
    form = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"{POST.format(path=path)}Content-Encoding: {encoding}\n{form}"


@pytest.mark.parametrize("path", ["/ner", "/api/v1/jobs"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
        ("deflate", zlib.compress),
        ("deflate", deflate),
        ("identity", bytes),
        ("", bytes),
    ],
)
def test_http_gzip(
    redis: Redis, server: WebServer, path: str, chunked: bool, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    """bottle#676, hug#558, docker-http-https-echo#31, storage-testbench#379: a gzip body: «it must be UTF-8»."""
    worker = Worker(redis, find_ma_yun)
    worker.beat()
    body = pack(BODY)
    head = packed_post(path, encoding, None if chunked else len(body))
    with server.send(head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body) as client:
        worker.work(timeout=10)
        assert answer(client).status == (200 if path == "/ner" else 202)


@pytest.mark.parametrize("path", ["/ner", "/api/v1/jobs"])
@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "utf-8"])
def test_http_gzip_others(server: WebServer, path: str, encoding: str) -> None:
    """bottle#676, hug#558: an encoding that is not taken: «it must be UTF-8», or taken as if it were none."""
    with server.send(packed_post(path, encoding, len(BODY)), BODY) as client:
        found = answer(client)
        problem = json.loads(found.read())
    assert found.status == 415
    assert found.headers["Accept-Encoding"] == "gzip, deflate, identity"
    assert "Content-Encoding" in problem["detail"]


@pytest.mark.parametrize("path", ["/ner", "/api/v1/jobs"])
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (BODY, "it is no gzip, though Content-Encoding says so"),
        (b"", "its gzip ends early"),
        (gzip.compress(BODY)[:60], "its gzip ends early"),
        (gzip.compress(BODY)[:-8], "its gzip ends early"),
        (gzip.compress(BODY)[:-8] + bytes(8), "damaged"),
        (gzip.compress(BODY) + BODY, "its gzip is damaged after"),
    ],
)
def test_http_gzip_damaged(redis: Redis, server: WebServer, path: str, body: bytes, says: str) -> None:
    """bottle#676, hug#558: an unpacked body under the header is taken; a damaged one «must be UTF-8»."""
    with server.send(packed_post(path, "gzip", len(body)), body) as client:
        found = answer(client)
        problem = json.loads(found.read())
    assert found.status == 400
    assert says in problem["detail"]
    assert not redis.exists(ModelKeys("raner-mini-news").interactive)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, deflate])
def test_http_gzip_bomb(server: WebServer, pack: Callable[[bytes], bytes]) -> None:
    """Our own: what a packed body unpacks to counts, and others are answered while it is unpacked."""
    bomb = pack(b'{"text": "' + b"a" * 2**28)
    encoding = "gzip" if pack is gzip.compress else "deflate"
    problems: list[int] = []

    def post() -> None:
        with server.send(packed_post("/api/v1/jobs", encoding, len(bomb)), bomb) as client:
            problems.append(answer(client).status)

    posts = [threading.Thread(target=post) for _ in range(10)]
    for each in posts:
        each.start()
    while any(each.is_alive() for each in posts):
        server.seconds_to_answer()
    assert set(problems) <= {413, 503}
    assert 413 in problems
