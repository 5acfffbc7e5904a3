"""What `python -m workers.prepare` makes of a model, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tokenizers import Tokenizer

from shared.entities import RULE
from shared.errors import QuantisationRefused, SourceIncomplete, UnsupportedModel
from shared.settings import BUNDLED_MODEL, BackendName
from tests.workers.tiny_models import labels_of, write_tiny_model
from workers.engine.tokens import Splitting
from workers.loading import load
from workers.preparation.manifest import read_manifest
from workers.prepare import prepare

TEXT = "王明在北京工作。"
INT8, FP32 = BackendName.ONNX_INT8, BackendName.ONNX_FP32


def prepared(source: Path | str, prepared_dir: Path, backend: BackendName = FP32, limit: float = 1.0) -> Path:
    return prepare(str(source), backend, prepared_dir, limit, refresh=True)


def folders(prepared_dir: Path) -> list[str]:
    """Names of the prepared folders, and of whatever else should not be there."""
    return sorted(path.name for path in prepared_dir.iterdir() if path.name not in (".lock", "index.json"))


@pytest.mark.parametrize("backend", BackendName)
def test_a_folder_holds_what_its_backend_needs(tiny: Path, tmp_path: Path, backend: BackendName) -> None:
    folder = prepared(tiny, tmp_path, backend)
    manifest = read_manifest(folder)
    assert folder.name == f"tiny@local-{manifest.version}"
    assert manifest.backend is backend
    assert manifest.source == str(tiny)
    assert manifest.labels == labels_of()
    assert manifest.splitting is Splitting.CHARACTERS
    assert manifest.max_tokens == 96
    assert (manifest.cls_id, manifest.sep_id, manifest.unk_id) == (2, 3, 1)
    assert (manifest.int8_difference is None) == (backend is not INT8)
    with np.load(folder / "crf.npz") as crf:
        shapes = {name: crf[name].shape for name in crf}
        assert {crf[name].dtype for name in crf} == {np.dtype(np.float32)}
    assert shapes == {"start": (13,), "end": (13,), "transitions": (13, 13)}
    assert Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size() > 100
    if backend in (INT8, FP32):
        assert [value.name for value in onnx.load(folder / "model.onnx").graph.input] == ["input_ids"]
        assert not (folder / "source").exists()
    else:
        assert (folder / "source" / "pytorch_model.bin").is_file()
        assert not (folder / "model.onnx").exists()
    assert load(folder, threads=1).types == ("LOC", "ORG", "PER")


def test_bert_is_fused_and_quantised(tiny: Path, tmp_path: Path) -> None:
    nodes = onnx.load(prepared(tiny, tmp_path, FP32) / "model.onnx").graph.node
    kinds = {node.op_type for node in nodes}
    assert {"Attention", "LayerNormalization", "Gelu", "EmbedLayerNormalization"} <= kinds
    assert not {"SkipLayerNormalization", "BiasGelu"} & kinds, "slower than the two operations that each stands for"
    assert not any("".join(node.input[3:4]) for node in nodes if node.op_type == "Attention"), (
        "a mask that hides nothing"
    )
    quantised = Counter(node.op_type for node in onnx.load(prepared(tiny, tmp_path, INT8) / "model.onnx").graph.node)
    assert quantised["QAttention"] == 2
    assert quantised["MatMulInteger"] == 6
    assert quantised["Attention"] == 0
    assert quantised["MatMul"] == 1, "the last linear layer"


@pytest.mark.parametrize(
    ("kind", "splitting", "types"),
    [
        ({"is_split_into_words": False}, Splitting.WORDPIECES, ("LOC", "ORG", "PER")),
        ({"is_split_into_words": False, "use_fast": True}, Splitting.WORDS, ("LOC", "ORG", "PER")),
        ({"is_split_into_words": False, "encoder": "veco"}, Splitting.WORDS, ("LOC", "ORG", "PER")),
        ({"labels": labels_of(("book", "game-title"), "BIO")}, Splitting.CHARACTERS, ("book", "game-title")),
    ],
)
def test_tokenizer_and_labels_are_the_models_own(
    tmp_path: Path, kind: dict[str, object], splitting: Splitting, types: tuple[str, ...]
) -> None:
    folder = prepared(write_tiny_model(tmp_path / "model", positions=96, **kind), tmp_path / "prepared")  # type: ignore[arg-type]
    assert read_manifest(folder).splitting is splitting
    assert read_manifest(folder).max_tokens == 96
    recogniser = load(folder, threads=1)
    assert recogniser.types == types
    recogniser.recognise([TEXT, "", "\x00", "[SEP]" * 200])


def test_the_bundled_model_is_within_its_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = prepared(BUNDLED_MODEL, tmp_path, INT8, limit=0.05)
    difference = read_manifest(folder).int8_difference
    assert difference is not None
    assert difference <= 0.05
    output = capsys.readouterr()
    for line in (f"folder   {folder}", "types    LOC, ORG, PER", f"int8     {difference:.2%} ("):
        assert line in output.out
    for name in ("resolve", "load", "export", "fuse", "quantise", "check", "write"):
        assert f"prepare: {name} " in output.err


def test_rules_are_read_from_the_models_configuration(model: Path, tmp_path: Path) -> None:
    configuration = json.loads((model / "configuration.json").read_text())
    (model / "configuration.json").write_text(json.dumps(configuration | {"farm": {"rules": ["MONEY"]}}))
    # Random weights find something everywhere, and a rule stands back there; these find nothing.
    weights = torch.load(model / "pytorch_model.bin", weights_only=True)
    weights["head.linear.bias"][0] += 1_000
    torch.save(weights, model / "pytorch_model.bin")
    folder = prepared(model, tmp_path / "prepared")
    assert read_manifest(folder).rules == ("MONEY",)
    recogniser = load(folder, threads=1)
    assert recogniser.types == ("LOC", "MONEY", "ORG", "PER")
    (found,) = recogniser.recognise(["这本书5元，那本100元。"])
    assert [(entity.start, entity.type, entity.source) for entity in found] == [(3, "MONEY", RULE), (8, "MONEY", RULE)]


@pytest.mark.parametrize("of_farm", [{"rules": ["WEATHER"]}, {"rules": "MONEY"}, ["MONEY"]])
def test_a_rule_that_there_is_not_is_refused(model: Path, tmp_path: Path, of_farm: object) -> None:
    configuration = json.loads((model / "configuration.json").read_text())
    (model / "configuration.json").write_text(json.dumps(configuration | {"farm": of_farm}))
    with pytest.raises(SourceIncomplete, match="it may have rules, a list of some of MONEY"):
        prepared(model, tmp_path / "prepared")


def test_a_second_preparation_changes_nothing(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = prepared(model, tmp_path / "prepared")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    (model / "README.md").write_text("What the loader does not read makes no new version.")
    os.utime(model / "pytorch_model.bin")
    capsys.readouterr()
    assert prepared(model, tmp_path / "prepared") == folder
    assert "already prepared" in capsys.readouterr().err
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    assert not any(path.stat().st_mode & 0o222 for path in folder.iterdir())


def test_another_content_is_another_version(model: Path, tmp_path: Path) -> None:
    first = prepared(model, tmp_path / "prepared")
    labels = json.loads((model / "config.json").read_text())
    labels["id2label"] = {index: label.replace("PER", "WHO") for index, label in labels["id2label"].items()}
    labels["label2id"] = {label.replace("PER", "WHO"): index for label, index in labels["label2id"].items()}
    (model / "config.json").write_text(json.dumps(labels))
    second = prepared(model, tmp_path / "prepared")
    assert load(second, threads=1).types == ("LOC", "ORG", "WHO")
    assert folders(tmp_path / "prepared") == sorted([first.name, second.name])


def test_a_folder_may_be_given_a_revision(tiny: Path, tmp_path: Path) -> None:
    folder = prepared(f"{tiny}@v1.2", tmp_path)
    assert folder.name.startswith("tiny@v1.2-")
    assert read_manifest(folder).revision == "v1.2"


def test_quantisation_beyond_the_limit_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(QuantisationRefused) as refusal:
        prepared(tiny, tmp_path, INT8, limit=0)
    for hint in ("entities", "the limit is 0.00%", "RANER_INT8_LIMIT", "RANER_BACKEND=onnx-fp32"):
        assert hint in str(refusal.value)
    assert folders(tmp_path) == []
    folder = prepared(tiny, tmp_path, INT8, limit=1)
    with pytest.raises(QuantisationRefused):
        prepared(tiny, tmp_path, INT8, limit=0)
    assert folders(tmp_path) == [folder.name]


def test_a_model_that_finds_too_little_is_judged_by_its_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The one type's labels are hardly ever the best.
    model = write_tiny_model(tmp_path / "model", positions=96, labels=("O", "B-X", "I-X"))
    weights = torch.load(model / "pytorch_model.bin")
    weights["head.linear.bias"][0] = 100.0
    torch.save(weights, model / "pytorch_model.bin")
    prepared(model, tmp_path / "prepared", INT8, limit=0)
    assert "token labels) differ" in capsys.readouterr().out


def _without(name: str) -> Callable[[Path], None]:
    return lambda model: (model / name).unlink()


def _with(name: str, **changes: object) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        content = json.loads((model / name).read_text())
        (model / name).write_text(json.dumps(content | changes))

    return change


def _truncated(model: Path) -> None:
    weights = model / "pytorch_model.bin"
    weights.write_bytes(weights.read_bytes()[:-20_000])


def _no_checkpoint(model: Path) -> None:
    (model / "pytorch_model.bin").write_text("version https://git-lfs.github.com/spec/v1\n")


def _weights_without(prefix: str) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        import torch

        weights = torch.load(model / "pytorch_model.bin")
        kept = {name: tensor for name, tensor in weights.items() if not name.startswith(prefix)}
        torch.save(kept, model / "pytorch_model.bin")

    return change


@pytest.mark.parametrize(
    ("damage", "error", "named"),
    [
        (_without("configuration.json"), SourceIncomplete, "configuration.json"),
        (_without("config.json"), SourceIncomplete, "config.json"),
        (_without("pytorch_model.bin"), SourceIncomplete, "pytorch_model.bin"),
        (_without("vocab.txt"), SourceIncomplete, "vocab.txt"),
        (lambda model: (model / "configuration.json").write_text("{"), SourceIncomplete, "configuration.json"),
        (_truncated, SourceIncomplete, "pytorch_model.bin"),
        (_no_checkpoint, SourceIncomplete, "pytorch_model.bin"),
        (_weights_without("encoder.encoder.layer.1.output"), SourceIncomplete, "encoder.encoder.layer.1.output"),
        (_with("config.json", intermediate_size=48), SourceIncomplete, "encoder.encoder.layer.0.intermediate"),
        (_with("config.json", label2id={"O": 0, "B-PER": 1}), SourceIncomplete, "head.linear"),
        (_weights_without("head.crf."), UnsupportedModel, "head.crf."),
        (_with("configuration.json", task="word-segmentation"), UnsupportedModel, "'word-segmentation'"),
        (_with("configuration.json", model={"type": "lstm-crf"}), UnsupportedModel, "'lstm-crf'"),
        (_with("configuration.json", allow_remote=True), UnsupportedModel, "trust_remote_code"),
        (_with("config.json", model_type="of-nobody"), UnsupportedModel, "of-nobody"),
    ],
)
def test_what_is_no_whole_raner_model_is_refused_by_name(
    model: Path, tmp_path: Path, damage: Callable[[Path], None], error: type[Exception], named: str
) -> None:
    damage(model)
    with pytest.raises(error) as refusal:
        prepared(model, tmp_path / "prepared")
    assert named in str(refusal.value)
    assert folders(tmp_path / "prepared") == []


@pytest.mark.parametrize("source", ["/no/such/folder", "./owner/name", "noslash", "a/b/c", ""])
def test_a_source_that_is_neither_folder_nor_id_is_named(source: str, tmp_path: Path) -> None:
    with pytest.raises(SourceIncomplete, match="neither an existing folder nor a ModelScope id"):
        prepared(source, tmp_path)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workers.prepare", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)


def test_the_command_ends_with_one_line_where_it_cannot(model: Path, tmp_path: Path) -> None:
    (model / "config.json").unlink()
    result = run(str(model), "--prepared-dir", str(tmp_path / "prepared"))
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"prepare: {model} has no config.json"
    assert "Traceback" not in result.stderr
    assert run(str(model), "--int8-limit", "1.5").returncode == 2


def test_the_command_takes_its_defaults_from_the_settings(tiny: Path, tmp_path: Path) -> None:
    result = run(str(tiny), RANER_DATA_DIR=str(tmp_path), RANER_BACKEND="onnx-fp32")
    assert result.returncode == 0, result.stderr
    (folder,) = folders(tmp_path / "prepared")
    assert f"folder   {tmp_path / 'prepared' / folder}" in result.stdout
    assert "backend  onnx-fp32" in result.stdout


def test_sigkill_leaves_nothing_half_written(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workers.prepare", str(BUNDLED_MODEL), "--prepared-dir", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not any(tmp_path.glob(".staging-*/prepared")) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
    (leftover,) = folders(tmp_path)
    assert leftover.startswith(".staging-")
    folder = prepared(BUNDLED_MODEL, tmp_path, INT8, limit=0.05)
    assert folders(tmp_path) == [folder.name]
    load(folder, threads=1)


def test_a_network_too_large_for_one_file_has_its_weights_beside_it(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepared(tiny, tmp_path / "whole", INT8)
    monkeypatch.setattr("workers.preparation.export.LARGEST_MESSAGE", 10_000)
    apart = prepared(tiny, tmp_path / "apart", INT8)
    assert (apart / "model.onnx.data").is_file()
    assert load(apart, threads=1).recognise([TEXT]) == load(whole, threads=1).recognise([TEXT])
