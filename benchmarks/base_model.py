"""A RaNER of BERT-base size with random weights: speed does not depend on the values."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel

from benchmarks.options import Options
from shared.settings import BUNDLED_MODEL, BackendName
from training.crf import Crf
from training.sets import HEADS, NEWS
from training.tags import labels_of
from workers.preparation.ensure import ensure_prepared

NAME = "raner-base-random"
# As those that DAMO publishes: 12 layers of 768, 12 heads, 3,072 between, 512 positions and 21,128 tokens are the
# defaults of BERT-base but for the vocabulary, which is that of the Chinese one.
TOKENS = 21_128
_STANDARD_DEVIATION = 0.02
# What speaks for O at each token, so that results are of a natural size: with it the model finds about as many entities
# in a sentence of news as the bundled one does, 1.5.
_OUTSIDE = 1.67


def base_model(folder: Path) -> Path:
    """The model in ModelScope's layout, as a folder in ``folder``; made the first time, in seconds."""
    target = folder / NAME
    if target.is_dir():
        return target
    part = folder / f"{NAME}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    _write(part)
    part.rename(target)
    return target


def prepared(source: Path, backend: BackendName, options: Options) -> Path:
    """The prepared folder of a model, where the farm of the benchmarks finds it too.

    However far INT8 is from FP32: random weights have no margins.
    """
    return ensure_prepared(str(source), backend, data_dir(options) / "prepared", 1.0)


def data_dir(options: Options) -> Path:
    """``RANER_DATA_DIR`` of all that the benchmarks start."""
    return options.work / "farm"


def _write(folder: Path) -> None:
    labels = labels_of(HEADS[NEWS])
    config = AutoConfig.for_model("bert", vocab_size=TOKENS, initializer_range=_STANDARD_DEVIATION)
    torch.manual_seed(0)
    encoder = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    linear = torch.nn.Linear(config.hidden_size, len(labels))
    torch.nn.init.normal_(linear.weight, std=_STANDARD_DEVIATION)
    torch.nn.init.zeros_(linear.bias)
    crf = Crf(labels)
    with torch.no_grad():
        linear.bias[0] = _OUTSIDE
        crf.transitions.normal_(std=_STANDARD_DEVIATION)
        weights = {f"encoder.{name}": tensor for name, tensor in encoder.state_dict().items()}
        weights |= {f"head.linear.{name}": tensor for name, tensor in linear.state_dict().items()}
        parts = ("start_transitions", "end_transitions", "transitions")
        weights |= {f"head.crf.{name}": tensor for name, tensor in zip(parts, crf.scores(), strict=True)}
        torch.save(weights, folder / "pytorch_model.bin")

    known = (BUNDLED_MODEL / "vocab.txt").read_text(encoding="utf-8").splitlines()
    # Never in a text: what fills the vocabulary up is there for its size only.
    unused = [f"[unused{index}]" for index in range(1, TOKENS - len(known) + 1)]
    (folder / "vocab.txt").write_text("\n".join([*known, *unused]) + "\n", encoding="utf-8")
    bundled = json.loads((BUNDLED_MODEL / "config.json").read_text(encoding="utf-8"))
    config_json = config.to_diff_dict() | {
        "architectures": ["BertModel"],
        **{name: bundled[name] for name in ("id2label", "label2id")},
    }
    (folder / "config.json").write_text(json.dumps(config_json, indent=1), encoding="utf-8")
    # What is left does not depend on the size.
    for name in ("configuration.json", "tokenizer_config.json"):
        shutil.copyfile(BUNDLED_MODEL / name, folder / name)
