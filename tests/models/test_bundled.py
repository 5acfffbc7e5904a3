"""The bundled models as they are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from shared.settings import BUNDLED_GENERIC_MODEL, BUNDLED_MODEL, BackendName, settings
from workers.engine.recogniser import Recogniser
from workers.loading import load
from workers.preparation.ensure import ensure_prepared
from workers.preparation.source import RELEVANT_FILES

MODELS = (BUNDLED_MODEL, BUNDLED_GENERIC_MODEL)
EXAMPLE = "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"


def loaded(folder: Path) -> Recogniser:
    return load(ensure_prepared(str(folder), BackendName.ONNX_INT8, settings().data_dir / "prepared", 0.05), 2)


def found(folder: Path, text: str) -> dict[str, str]:
    """The entities of a text with their types."""
    (entities,) = loaded(folder).recognise([text])
    return {text[entity.start : entity.end]: entity.type for entity in entities}


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_it_is_small_and_has_a_card(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 24 * 2**20
    assert {path.name for path in folder.iterdir()} - set(RELEVANT_FILES) <= {"README.md", "progress.png"}
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("---\n")


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_its_weights_are_the_shape_of_raners(folder: Path) -> None:
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    assert {name.split(".")[0] for name in weights} == {"encoder", "head"}
    assert {name for name in weights if name.startswith("head.crf.")} == {
        "head.crf.start_transitions",
        "head.crf.end_transitions",
        "head.crf.transitions",
    }


def test_the_example_gives_all_four_entities() -> None:
    assert found(BUNDLED_MODEL, EXAMPLE) == {
        "阿里巴巴集团": "ORG",
        "马云": "PER",
        "杭州": "LOC",
        "中国人工智能学会": "ORG",
    }


def test_the_generic_model_finds_more_types() -> None:
    text = "2014年9月，阿里巴巴集团董事局主席马云在纽约证券交易所敲钟，公司融资250亿美元。"
    entities = found(BUNDLED_GENERIC_MODEL, text)
    assert entities["2014年9月"] == "TIME"
    assert entities["阿里巴巴集团"] == "COMPANY"
    assert entities["马云"] == "PER"
    assert entities["250亿美元"] == "MONEY"
    assert "TITLE" in entities.values()
