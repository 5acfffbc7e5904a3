"""No backend fails for what a text holds, and none gives a place that is not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import BackendName
from tests.workers.engine.pieces import in_pieces
from tests.workers.tiny_models import write_tiny_model
from workers.backends.modelscope import ModelScopePipeline
from workers.engine.recogniser import Recogniser
from workers.loading import load
from workers.prepare import prepare

TEXTS = [
    "",
    " \t\n\u3000",
    "\x00\u200b\ufeff",
    "[SEP]王明[CLS]在北京[PAD][UNK][MASK]</s>工作<s>",
    "王明[SEP]",
    "Ünïcödé café naïve İstanbul ΣΊΣΥΦΟΣ ﬁn",
    "𠮷野家🙂👨‍👩‍👧 e\u0301 한국 か\u3099",
    "lone \ud800 surrogate \udfff王",
    "鑫淼焱垚",
    "supercalifragilistic" * 10,
    "王明在北京工作。" * 60,
    "a" * 300,
]


@pytest.fixture(
    scope="module",
    params=[
        {},
        {"is_split_into_words": False},
        {"is_split_into_words": False, "do_lower_case": True},
        {"is_split_into_words": False, "use_fast": True},
        {"is_split_into_words": False, "encoder": "veco"},
    ],
    ids=["characters", "word pieces", "lower case", "fast tokenizer", "VECO"],
)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("source") / "model", positions=96, **request.param)


@pytest.fixture(scope="module", params=list(BackendName))
def recogniser(request: pytest.FixtureRequest, source: Path) -> Recogniser:
    return load(prepare(str(source), request.param, source.parent / "prepared", 1.0, refresh=True), threads=1)


@pytest.mark.parametrize("text", TEXTS, ids=[ascii(text[:12]) for text in TEXTS])
def test_any_text_will_do(recogniser: Recogniser, text: str) -> None:
    (entities,) = recogniser.recognise([text])
    end = 0
    for entity in entities:
        assert end <= entity.start < entity.end <= len(text)
        assert entity.type in recogniser.types
        assert 0 < entity.score <= 1
        end = entity.end


def test_a_text_gives_the_same_in_pieces(recogniser: Recogniser) -> None:
    text = "王明在北京工作。李红说：“我也是！”" * 40 + "王明和" * 400 + "Micro soft\n\n" * 20
    (whole,) = recogniser.recognise([text])
    assert in_pieces(recogniser, text, 300) == whole


def test_the_pipeline_gives_plain_python(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "model", positions=96)
    pipeline = ModelScopePipeline(prepare(str(source), BackendName.MODELSCOPE, tmp_path, 1.0, refresh=True), threads=1)
    (first, *_) = pipeline.entities("王明在北京工作。")
    assert [type(field) for field in first if field is not None] == [int, int, str, float, str]
    assert first.amount is None
    assert pipeline.entities(" \u3000") == []
