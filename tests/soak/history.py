"""The history of a soak: JSON lines, which the soak writes and the checker reads.

Every record has ``what`` and ``at``, the seconds since the epoch. The kinds, and their further fields:

| what | fields |
| --- | --- |
| ``run`` | ``options``: of the soak |
| ``text`` | ``number``, ``text``: one of the texts that jobs are made of |
| ``found`` | ``digest``, ``text``: its number, ``entities``: each as start, end, type, text, score; once a digest |
| ``calm`` | ``text``: its number, ``digest``: of what the farm found in it before any fault |
| ``answer`` | ``route``, ``status`` (0: none came), ``seconds``, ``error``: the exception's name if none came |
| ``accepted`` | ``id`` of the job, ``submission``: its number, ``kind``, ``key`` or null, ``texts``: their numbers |
| ``seen`` | ``id``, ``state`` of a job that had ended, ``digests`` or null, ``error``, ``created``, ``finished`` |
| ``gone`` | ``id``: the farm does not know the job, 404 |
| ``ner`` | ``text``: its number, ``digest``: a good answer of ``POST /ner`` |
| ``fault`` | ``kind``, ``target``, ``began``: seconds since the epoch |
| ``mended`` | ``kind``, ``target`` of a fault that lasted until now |
| ``ended`` | ``process``, ``status``, ``meant``: whether a fault ended it; ``started`` follows |
| ``started`` | ``process`` |
| ``memory`` | ``peak``: the largest resident bytes of one process of each kind |
| ``left`` | ``keys``: how many Redis holds in the end, by their pattern; ``bytes``; ``models``: of the farm view |
| ``closed`` | none: the soak came to its end |
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

Record = dict[str, Any]
# start, end, type, text, score
EntityFields = Sequence[Any]


class History:
    """Writes records; any thread may."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)  # what is written survives a kill
        self._lock = threading.Lock()
        self._known: set[str] = set()

    def write(self, what: str, **fields: Any) -> None:
        """Add a record of this moment."""
        line = json.dumps({"what": what, "at": round(time.time(), 4), **fields}, ensure_ascii=False)
        with self._lock:
            self._file.write(line + "\n")

    def found(self, text: int, entities: Sequence[EntityFields]) -> str:
        """The digest of what was found in a text. Entities are written the first time that their digest occurs."""
        content = json.dumps([text, entities], ensure_ascii=False)
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        with self._lock:
            is_new = digest not in self._known
            self._known.add(digest)
        if is_new:
            self.write("found", digest=digest, text=text, entities=entities)
        return digest

    def close(self) -> None:
        """Write what is left and close the file."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> Iterator[Record]:
    """The records of a history, in the order in which they were written."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
