"""Every backend finds what ModelScope's own pipeline finds.

Left out is what ours does on purpose otherwise: texts beyond the window, which the pipeline cuts off; special tokens
spelt out in a text, from which on it labels nothing; and, with BERT's slow tokenizer, unknown characters, on which it
raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.entities import Entity
from shared.settings import BUNDLED_MODEL, BackendName
from tests.workers.backends.sentences import news_sentences, real_sentences, tiny_model_sentences
from tests.workers.tiny_models import labels_of, write_tiny_model
from workers.loading import load
from workers.preparation.check import check_sentences
from workers.prepare import prepare

TINY_MODELS: dict[str, dict[str, Any]] = {
    "characters": {},
    "characters, BIO, other types": {"labels": labels_of(("book", "game", "game-title"), "BIO")},
    "word pieces": {"is_split_into_words": False},
    "word pieces in lower case": {"is_split_into_words": False, "do_lower_case": True},
    "fast tokenizer": {"is_split_into_words": False, "use_fast": True, "do_lower_case": True},
    "fast tokenizer, characters": {"use_fast": True},
    "VECO": {"is_split_into_words": False, "encoder": "veco", "labels": labels_of(("A", "B"), "BIO"), "seed": 1},
    "XLM-RoBERTa, characters": {"encoder": "xlm-roberta"},
}


@dataclass(frozen=True)
class Case:
    """A model, sentences, and what the reference finds in them."""

    source: Path
    prepared_dir: Path
    sentences: Sequence[str]
    expected: list[list[Entity]]

    def found_by(self, backend: BackendName) -> list[list[Entity]]:
        return recognise(self.source, self.prepared_dir, backend, self.sentences)


def recognise(source: Path, prepared_dir: Path, backend: BackendName, sentences: Sequence[str]) -> list[list[Entity]]:
    folder = prepare(str(source), backend, prepared_dir, 1.0, refresh=True)
    return load(folder, threads=2).recognise(sentences)


@pytest.fixture(scope="module", params=["bundled", *TINY_MODELS])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    prepared_dir = tmp_path_factory.mktemp("prepared")
    if request.param == "bundled":
        source = BUNDLED_MODEL
        sentences = [*check_sentences(), *news_sentences(140), *real_sentences(50)]
        sentences += ["🙂王建国\u200b在 北\t京𠮷野家，\u3000ｉＰｈｏｎｅ。", "é́ ﬁ ㈱ Ⅳ", "王", "A"]
        assert len(sentences) > 300
    else:
        source = write_tiny_model(
            tmp_path_factory.mktemp("source") / "model", positions=96, **TINY_MODELS[request.param]
        )
        sentences = tiny_model_sentences(100)
    return Case(source, prepared_dir, sentences, recognise(source, prepared_dir, BackendName.MODELSCOPE, sentences))


@pytest.mark.parametrize("backend", [BackendName.ONNX_FP32, BackendName.PYTORCH])
def test_same_entities_as_the_reference(case: Case, backend: BackendName) -> None:
    assert sum(map(len, case.expected)) >= 20
    for sentence, expected, found in zip(case.sentences, case.expected, case.found_by(backend), strict=True):
        assert [entity[:3] for entity in found] == [entity[:3] for entity in expected], sentence
        assert [entity.score for entity in found] == pytest.approx([e.score for e in expected], abs=1e-3), sentence


def test_int8_is_near(case: Case) -> None:
    both = zip(case.expected, case.found_by(BackendName.ONNX_INT8), strict=True)
    pairs = [({e[:3] for e in expected}, {e[:3] for e in found}) for expected, found in both]
    differing = sum(len(expected ^ found) for expected, found in pairs)
    # Weights that were learnt for something leave margins; random ones do not.
    limit = 0.01 if case.source == BUNDLED_MODEL else 0.1
    assert differing <= limit * sum(len(expected) + len(found) for expected, found in pairs)
