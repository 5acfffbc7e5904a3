"""The prepared folder of a source, prepared first if need be. Imports nothing heavy: preparing is another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from shared.errors import ModelError
from shared.settings import PROJECT_ROOT, BackendName
from workers.preparation.index import find
from workers.preparation.manifest import check_int8_limit, read_manifest
from workers.preparation.source import LOCAL, Source, parse_source


def ensure_prepared(source: str, backend: BackendName, prepared_dir: Path, int8_limit: float) -> Path:
    """The prepared folder of a source.

    However many processes ask at once, it is prepared once: ``python -m workers.prepare`` does it under a lock, tells
    on stderr how far it is, and ends with this process. A hub model that is prepared is not asked for at the hub again;
    running that command by hand fetches a newer state of its revision.

    Args:
        source: a folder or a ModelScope id, with ``@revision`` if wanted.
        int8_limit: largest share in which an INT8 form may differ from FP32.

    Raises:
        SourceUnreachable: the hub does not answer, or has no such model.
        SourceIncomplete: a file is missing or unreadable.
        UnsupportedModel: it is no transformer-CRF model for named entity recognition.
        QuantisationRefused: its INT8 form is beyond ``int8_limit``.
        ModelError: the preparation was killed, or could not write its folder.
    """
    parsed = parse_source(source)
    prepared_dir = prepared_dir.absolute()
    folder = find(parsed, backend, prepared_dir)
    if folder is None:
        return _prepare(parsed, backend, prepared_dir, int8_limit)
    check_int8_limit(parsed.name, read_manifest(folder).int8_difference, int8_limit)
    return folder


def _prepare(source: Source, backend: BackendName, prepared_dir: Path, int8_limit: float) -> Path:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as report:
        command = [sys.executable, "-m", "workers.prepare", _argument(source), "--backend", backend]
        command += ["--int8-limit", str(int8_limit), "--prepared-dir", str(prepared_dir), "--report", str(writer)]
        try:
            process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=2, pass_fds=[writer])  # noqa: S603
        finally:
            os.close(writer)
        with process:
            try:
                answer = report.read()
            except BaseException:
                process.kill()
                raise
    if not answer:
        raise ModelError(
            f"preparing {source} ended without a result, exit status {process.returncode}; its output above says why"
        )
    result = json.loads(answer)
    if "error" in result:
        kinds = {kind.__name__: kind for kind in ModelError.__subclasses__()}
        raise kinds.get(result["error"], ModelError)(result["message"])
    return Path(result["folder"])


def _argument(source: Source) -> str:
    """What the command takes for this source. A folder without a revision may have an @ in its own name."""
    return source.location if source.revision == LOCAL else str(source)
