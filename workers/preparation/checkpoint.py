"""Is a folder a whole RaNER model? Told before ModelScope loads it, which would fill in at random what is missing."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch

from shared.errors import SourceIncomplete, UnsupportedModel
from workers.engine.reading.steps import STEPS
from workers.engine.rules import RULES

TASK = "named-entity-recognition"
MODEL_TYPE = "transformer-crf"

_WEIGHTS = "pytorch_model.bin"
_VOCABULARIES = ("vocab.txt", "tokenizer.json", "sentencepiece.bpe.model")
# Parts of an encoder that no emission depends on, or that hold no weights.
_UNUSED = ("encoder.pooler.", "encoder.embeddings.position_ids")


class FarmOptions(NamedTuple):
    """What a model's ``configuration.json`` asks of the farm, such as ``"farm": {"rules": ["MONEY"]}``.

    ``rules`` are used beside the model, none by default; ``reading`` are the steps by which it reads texts, all by
    default.
    """

    rules: tuple[str, ...]
    reading: tuple[str, ...]


def check_folder(folder: Path) -> FarmOptions:
    """Check that the folder's files are there and describe a transformer-CRF model for named entity recognition.

    Returns:
        What its ``configuration.json`` asks of the farm.

    Raises:
        SourceIncomplete: a file is missing or unreadable, or names a rule or a step of reading that there is not.
        UnsupportedModel: it is another kind of model.
    """
    configuration = _read_json(folder, "configuration.json")
    task = configuration.get("task")
    if task != TASK:
        raise UnsupportedModel(f"{folder} is a model for the task {task!r}; only {TASK!r} is supported")
    model = configuration.get("model")
    model = model if isinstance(model, dict) else {}
    kind = model.get("type", model.get("model_type"))
    if kind != MODEL_TYPE:
        raise UnsupportedModel(f"{folder} is a model of type {kind!r}; only {MODEL_TYPE!r} is supported")
    _read_json(folder, "config.json")
    if not (folder / _WEIGHTS).is_file():
        raise SourceIncomplete(f"{folder} has no {_WEIGHTS}, the model's weights")
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise SourceIncomplete(f"{folder} has no vocabulary: {', '.join(_VOCABULARIES[:-1])} or {_VOCABULARIES[-1]}")
    return _farm_options(folder, configuration.get("farm", {}))


def _farm_options(folder: Path, asked: Any) -> FarmOptions:
    known = {"rules": tuple(RULES), "reading": tuple(STEPS)}
    given = {"rules": [], "reading": list(STEPS)} | (asked if isinstance(asked, dict) else {"": asked})
    for name, values in given.items():
        if name not in known or not isinstance(values, list) or not all(value in known[name] for value in values):
            raise SourceIncomplete(
                f"{folder / 'configuration.json'} has {asked!r} as its farm; it may have rules, a list of some of "
                f"{', '.join(RULES)}, and reading, a list of some of {', '.join(STEPS)}"
            )
    return FarmOptions(tuple(given["rules"]), tuple(given["reading"]))


def read_weights(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor in the folder's weights.

    Raises:
        SourceIncomplete: the file is truncated or no checkpoint.
        UnsupportedModel: it has not the parts of a transformer-CRF model.
    """
    try:
        tensors = torch.load(folder / _WEIGHTS, map_location="meta", weights_only=True)
        shapes = {str(name): tuple(tensor.shape) for name, tensor in tensors.items()}
    except (RuntimeError, EOFError, pickle.UnpicklingError, AttributeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise SourceIncomplete(
            f"{folder / _WEIGHTS} cannot be read, it is truncated or no PyTorch checkpoint ({reason})"
        ) from error
    for part in ("encoder.", "head.linear.", "head.crf."):
        if not any(name.startswith(part) for name in shapes):
            raise UnsupportedModel(
                f"{folder / _WEIGHTS} holds no {part}*; a {MODEL_TYPE} model has encoder.*, head.linear.*, head.crf.*"
            )
    return shapes


def check_weights(folder: Path, shapes: dict[str, tuple[int, ...]], model: Any) -> None:
    """Check that every weight of the loaded model came from the checkpoint.

    Raises:
        SourceIncomplete: one is missing there, or has another shape.
    """
    known = {name.replace("gamma", "weight").replace("beta", "bias"): shape for name, shape in shapes.items()}
    for name, tensor in cast(Iterable[tuple[str, torch.Tensor]], model.state_dict().items()):
        if name.startswith(_UNUSED):
            continue
        if name not in known:
            raise SourceIncomplete(f"{folder / _WEIGHTS} lacks {name}, which the model in config.json has")
        if known[name] != tuple(tensor.shape):
            raise SourceIncomplete(
                f"{folder / _WEIGHTS} has {name} in shape {known[name]}, config.json and the labels make it "
                f"{tuple(tensor.shape)}"
            )


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceIncomplete(f"{folder} has no {name}") from error
    except (OSError, ValueError) as error:
        raise SourceIncomplete(f"{folder / name} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SourceIncomplete(f"{folder / name} is no JSON object")
    return content
