"""As much of ModelScope's hub as fetching a model takes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@contextmanager
def fake_hub(models: dict[str, Path]) -> Iterator[str]:
    """Serve folders under their ids, each at any revision, and give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(200, b"")

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            owner, name, rest = url.path.removeprefix("/api/v1/models/").split("/", 2)
            folder = models.get(f"{owner}/{name}")
            if folder is None:
                self._answer(404, b'{"Code": 10010205001, "Message": "record not found", "Success": false}')
            elif rest == "repo/files":
                files = [_describe(path) for path in folder.iterdir()]
                self._answer(200, json.dumps({"Code": 200, "Success": True, "Data": {"Files": files}}).encode())
            else:
                self._answer(200, (folder / parse_qs(url.query)["FilePath"][0]).read_bytes())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _describe(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {
        "Name": path.name,
        "Path": path.name,
        "Type": "blob",
        "Size": len(content),
        "Sha256": hashlib.sha256(content).hexdigest(),
        "Revision": "master",
    }
