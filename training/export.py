"""Write a trained network in ModelScope's layout: ``python -m training.export --run FOLDER --out FOLDER``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from training.network import Shape, TransformerCrf
from training.sets import HEADS, NEWS, RULES
from training.tags import labels_of
from training.vocabulary import Vocabulary


def main() -> None:
    """Write one head of a network with the encoder."""
    parser = argparse.ArgumentParser(description="Write a trained network as a model in ModelScope's layout.")
    parser.add_argument("--run", type=Path, required=True, help="folder of the fine-tuning run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--head", choices=list(HEADS), default=NEWS)
    arguments = parser.parse_args()
    state = torch.load(arguments.run / "network.pt", weights_only=True)
    shape = Shape.load(arguments.run)
    export(state, shape, Vocabulary.load(arguments.run / "vocab.txt"), arguments.head, arguments.out)


def export(state: dict[str, torch.Tensor], shape: Shape, vocabulary: Vocabulary, head: str, folder: Path) -> None:
    """Write ``head`` of a :class:`training.network.TransformerCrf` and its encoder.

    Weights are in half precision, which halves the files and which ModelScope's loader reads as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = TransformerCrf(shape.encoder(len(vocabulary)), {name: labels_of(types) for name, types in HEADS.items()})
    network.load_state_dict(state)
    of_head = network.head(head)
    crf = (tensor.detach() for tensor in of_head.crf.scores())
    weights = {f"encoder.{name}": tensor for name, tensor in network.encoder.state_dict().items()}
    weights |= {f"head.linear.{name}": tensor for name, tensor in of_head.linear.state_dict().items()}
    weights |= zip(("head.crf.start_transitions", "head.crf.end_transitions", "head.crf.transitions"), crf, strict=True)
    torch.save({name: tensor.half() for name, tensor in weights.items()}, folder / "pytorch_model.bin")

    vocabulary.save(folder / "vocab.txt")
    labels = labels_of(HEADS[head])
    config = network.encoder.config.to_diff_dict()
    config |= {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "id2label": {str(index): label for index, label in enumerate(labels)},
        "label2id": {label: index for index, label in enumerate(labels)},
    }
    _write(folder / "config.json", config)
    configuration = {
        "framework": "pytorch",
        "task": "named-entity-recognition",
        "model": {"type": "transformer-crf"},
        "preprocessor": {
            "type": "token-cls-tokenizer",
            "is_split_into_words": True,
            "padding": "max_length",
            "max_length": shape.positions,
        },
        "pipeline": {"type": "named-entity-recognition"},
    }
    if head in RULES:
        configuration["farm"] = {"rules": RULES[head]}
    _write(folder / "configuration.json", configuration)
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "tokenize_chinese_chars": True},
    )


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
