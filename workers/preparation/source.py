"""What is to be prepared: a folder or a ModelScope id, and the content that its version is made of."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SourceIncomplete
from shared.settings import BackendName
from workers.preparation.manifest import FORMAT

# What ModelScope's loader reads of a model. Whatever else lies in its folder (README, pictures) makes no new version.
RELEVANT_FILES = (
    "configuration.json",
    "config.json",
    "pytorch_model.bin",
    "label_mapping.json",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "sentencepiece.bpe.model",
)
# How the INT8 form is made. Part of its version: another recipe gives other results.
INT8_RECIPE = "dynamic, QInt8 weights per channel, MatMul and Attention but the last"
# The revision of a folder that is given without one.
LOCAL = "local"
# The hub's branch that an id without a revision means.
HUB_DEFAULT = "master"

_MODEL_ID = re.compile(r"[\w.-]+/[\w.-]+")
_UNSAFE = re.compile(r"[^\w.-]+")

Stat = tuple[int, int]  # bytes, mtime in nanoseconds


@dataclass(frozen=True)
class Source:
    """A model to be prepared. ``location`` is an absolute path, or the hub's id where ``folder`` is None."""

    location: str
    revision: str
    folder: Path | None

    @property
    def name(self) -> str:
        """``model@revision``, fit for a folder's name."""
        model = self.location.rstrip("/").rpartition("/")[2]
        return f"{_UNSAFE.sub('-', model)}@{_UNSAFE.sub('-', self.revision)}"

    def __str__(self) -> str:
        return f"{self.location}@{self.revision}"


def parse_source(text: str) -> Source:
    """Tell a folder from a ModelScope id. A folder that exists wins; both may have ``@revision`` behind.

    Raises:
        SourceIncomplete: it names no existing folder and cannot be an id.
    """
    folder = Path(text).expanduser()
    if text and folder.is_dir():
        return Source(str(folder.resolve()), LOCAL, folder.resolve())
    location, _, revision = text.rpartition("@") if "@" in text else (text, "", "")
    folder = Path(location).expanduser()
    if revision and folder.is_dir():
        return Source(str(folder.resolve()), revision, folder.resolve())
    if _MODEL_ID.fullmatch(location) and not location.startswith("."):
        return Source(location, revision or HUB_DEFAULT, None)
    raise SourceIncomplete(
        f"{text!r} is neither an existing folder nor a ModelScope id (owner/name, with @revision if wanted)"
    )


def stat_files(folder: Path) -> dict[str, Stat]:
    """Size and time of change of each relevant file that is there.

    Raises:
        SourceIncomplete: the folder may not be looked into.
    """
    stats = {}
    for name in RELEVANT_FILES:
        try:
            stat = (folder / name).stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unreadable(folder / name, error) from error
        stats[name] = (stat.st_size, stat.st_mtime_ns)
    return stats


def recipe_of(backend: BackendName) -> str:
    """How a model is prepared for ``backend``: a model prepared by another recipe is prepared anew."""
    recipe = f"format {FORMAT}, {backend}"
    return f"{recipe}: {INT8_RECIPE}" if backend is BackendName.ONNX_INT8 else recipe


def version_of(folder: Path, backend: BackendName) -> str:
    """The version that a model folder has when prepared for ``backend``: 12 hex digits.

    Made of the content of its relevant files and the recipe.

    Raises:
        SourceIncomplete: a file cannot be read.
    """
    digest = hashlib.sha256(recipe_of(backend).encode())
    for name in stat_files(folder):
        try:
            with (folder / name).open("rb") as file:
                digest.update(b"\0" + name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise _unreadable(folder / name, error) from error
    return digest.hexdigest()[:12]


def _unreadable(path: Path, error: OSError) -> SourceIncomplete:
    return SourceIncomplete(f"{path} cannot be read: {error.strerror}")
