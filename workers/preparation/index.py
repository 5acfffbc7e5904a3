"""Which prepared folder belongs to a source, found without hashing or loading anything.

``index.json`` in the folder of prepared models maps ``backend source@revision`` to the prepared folder's name, the
recipe it was made by and, for a source that is a folder, the size and time of change of its files as they were then.
For folders it is only a shortcut: where it is out of date, the content's hash says which prepared folder is theirs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from shared.errors import ModelError
from shared.settings import BackendName
from workers.preparation.manifest import read_manifest
from workers.preparation.source import Source, Stat, recipe_of, stat_files, version_of

_INDEX = "index.json"


def find(source: Source, backend: BackendName, prepared_dir: Path) -> Path | None:
    """The prepared folder of a source as it is now; None where it has yet to be prepared.

    For a hub id it is the one prepared last for that id and revision: the hub is not asked whether a branch such as
    ``master`` has moved on since.

    Raises:
        SourceIncomplete: the source cannot be read, or the prepared folder is there but damaged.
        ModelError: the index cannot be read.
    """
    entry = _read(prepared_dir).get(_key(source, backend))
    if entry and entry["recipe"] != recipe_of(backend):
        entry = None
    if source.folder is None:
        return _existing(prepared_dir / entry["folder"]) if entry else None
    files = {name: list(stat) for name, stat in stat_files(source.folder).items()}
    if entry and entry["files"] == files and (folder := _existing(prepared_dir / entry["folder"])):
        return folder
    return _existing(folder_of(source, version_of(source.folder, backend), prepared_dir))


def folder_of(source: Source, version: str, prepared_dir: Path) -> Path:
    """Where a source's version is, or will be."""
    return prepared_dir / f"{source.name}-{version}"


def record(
    source: Source, backend: BackendName, prepared_dir: Path, folder: Path, files: dict[str, Stat] | None
) -> None:
    """Note that ``folder`` belongs to the source. The caller holds the preparation's lock.

    Args:
        files: of a source that is a folder, as they were before its content was read.
    """
    index = _read(prepared_dir)
    entry: dict[str, Any] = {"folder": folder.name, "recipe": recipe_of(backend)}
    if files is not None:
        entry["files"] = {name: list(stat) for name, stat in files.items()}
    if index.get(_key(source, backend)) == entry:
        return
    index[_key(source, backend)] = entry
    staged = prepared_dir / f".{_INDEX}.{os.getpid()}"
    staged.write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    staged.replace(prepared_dir / _INDEX)


def _key(source: Source, backend: BackendName) -> str:
    return f"{backend} {source}"


def _existing(folder: Path) -> Path | None:
    if not folder.is_dir():
        return None
    read_manifest(folder)
    return folder


def _read(prepared_dir: Path) -> dict[str, Any]:
    try:
        data = (prepared_dir / _INDEX).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(f"{prepared_dir / _INDEX} cannot be read: {error.strerror}") from error
    try:
        index: dict[str, Any] = json.loads(data)
    except ValueError as error:
        raise ModelError(f"{prepared_dir / _INDEX} is damaged; remove it, it is made anew") from error
    return index
