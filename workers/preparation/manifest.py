"""What a prepared folder says of itself.

A prepared folder never changes once it is there. It holds::

    manifest.json    this module
    tokenizer.json   for the `tokenizers` library, the same tokens as the model's own preprocessor makes
    crf.npz          float32: start (labels,), end (labels,), transitions (labels, labels) from row to column
    model.onnx       onnx-int8, onnx-fp32: input_ids int64 (1, tokens) to emissions float32 (1, tokens, labels)
    source/          pytorch, modelscope: the ModelScope folder's files
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import QuantisationRefused, SourceIncomplete
from shared.settings import BackendName
from workers.engine.tokens import Splitting

# Raise it when the same source would give a different folder, or a rule finds other entities: every model is then
# prepared anew, and has a new version.
FORMAT = 8

MANIFEST = "manifest.json"
TOKENIZER = "tokenizer.json"
CRF = "crf.npz"
NETWORK = "model.onnx"
SOURCE = "source"


class Manifest(BaseModel):
    """The contents of ``manifest.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(description="`FORMAT` of the preparation that wrote the folder")
    version: str = Field(pattern="[0-9a-f]{12}", description="of the source's content, the backend and the preparation")
    source: str = Field(description="ModelScope id, or absolute path of the folder, that it was made of")
    revision: str = Field(description="revision asked for; `local` for a folder without one")
    backend: BackendName
    labels: tuple[str, ...] = Field(min_length=1, description="the place is the label's id")
    rules: tuple[str, ...] = Field(description="types that rules find beside the model")
    reading: tuple[str, ...] = Field(description="steps of reading, see `workers.engine.reading.steps`")
    splitting: Splitting
    max_tokens: int = Field(gt=2, description="most tokens of one window, [CLS] and [SEP] included")
    cls_id: int
    sep_id: int
    unk_id: int
    int8_difference: float | None = Field(
        ge=0, le=1, description="share in which INT8 differs from FP32 on the check sentences; null where not quantised"
    )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a prepared folder.

    Raises:
        SourceIncomplete: there is none, or it is not of this :data:`FORMAT`.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SourceIncomplete(
            f"{folder} is no prepared model: {MANIFEST} cannot be read ({error.strerror})"
        ) from error
    except ValidationError as error:
        raise SourceIncomplete(
            f"{path} is not of this version of the farm; remove the folder and prepare the model anew"
        ) from error
    if manifest.format != FORMAT:
        raise SourceIncomplete(
            f"{path} has format {manifest.format}, this version of the farm reads {FORMAT}; prepare the model anew"
        )
    return manifest


def check_int8_limit(model: str, difference: float | None, limit: float, detail: str = "") -> None:
    """Refuse an INT8 form that is further from FP32 than the limit allows.

    Args:
        model: names it in the message.
        difference: the share measured; None where nothing was quantised.
        detail: said of the measurement, where there is more to say.

    Raises:
        QuantisationRefused: ``difference`` is above ``limit``.
    """
    if difference is not None and difference > limit:
        raise QuantisationRefused(
            f"the INT8 form of {model} is too far from FP32: {detail or f'{difference:.2%} differ'}, the limit is "
            f"{limit:.2%}; set RANER_BACKEND={BackendName.ONNX_FP32} to serve it unquantised, or raise RANER_INT8_LIMIT"
        )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder that is being prepared."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
