"""The three steps one after the other, on a data folder of a few sentences, to a model that ModelScope loads."""

from __future__ import annotations

import gzip
import json
import lzma
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from shared.settings import PROJECT_ROOT, BackendName
from training import finetune
from training.corpus import PLAIN_TEXT, UNLABELLED
from training.network import Shape
from training.sets import DEVELOPMENT, TRAINING
from training.text import characters, read
from workers.loading import load
from workers.preparation.ensure import ensure_prepared

PEOPLE = ["马云", "王小明", "李红", "张艺谋", "钱学森"]
PLACES = ["杭州", "北京", "纽约", "上海", "昆明"]
# What pre-training begins with, and what it makes of it.
BEFORE = Shape(layers=2, width=64, inner=256, heads=2)
SMALL = ["--layers", "1", "--inner", "128"]


def write(path: Path, lines: list[str]) -> None:
    opened = lzma.open if path.suffix == ".xz" else gzip.open
    with opened(path, "wt", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every set, with the same sentences in each under the types that it has."""
    folder = tmp_path_factory.mktemp("data")
    texts = [(person, place, f"{person}昨天在{place}见到了朋友。") for person in PEOPLE for place in PLACES]
    for name in PLAIN_TEXT:
        write(folder / name, [text for _, _, text in texts] * (40 if name == UNLABELLED else 1))
    types = {name: [*next(iter(of_set.readings.values()))] for name, of_set in TRAINING.items()}
    types |= {name: [*reading] for sets in DEVELOPMENT.values() for name, reading in sets.items()}
    for name in {*types} - {"boson.dev"}:
        kinds = sorted(types[name])
        records = [
            {
                "text": text,
                "entities": [[0, len(person), kinds[-1]], [len(person) + 3, len(person) + 3 + len(place), kinds[0]]],
            }
            for person, place, text in texts
        ] * {"boson.train": 10, "msra.train": 2}.get(name, 1)
        write(folder / f"{name}.jsonl.gz", [json.dumps(record, ensure_ascii=False) for record in records])
    for names, entry in ((finetune.PLACES, "法国"), (finetune.COMPANIES, "百度"), (finetune.JAPANESE, "田中一郎")):
        for name in names:
            write(folder / f"gazetteer.{name}.txt.gz", [entry])
    for name in finetune.PEOPLE:
        write(folder / f"gazetteer.{name}.txt.gz", ["钱学森"])
    return folder


def script(name: str, *arguments: str | Path) -> str:
    """Run one of the scripts; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", f"training.{name}", *map(str, arguments)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def start(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder with random weights."""
    folder = tmp_path_factory.mktemp("start")
    vocabulary = characters(read(data))
    vocabulary.save(folder / "vocab.txt")
    BEFORE.save(folder)
    torch.manual_seed(0)
    torch.save(BEFORE.encoder(len(vocabulary)).state_dict(), folder / "encoder.pt")
    return folder


def test_from_data_to_a_model_that_the_farm_serves(data: Path, start: Path, tmp_path: Path) -> None:
    folders = ("--data", data, "--start", start, "--out", tmp_path / "pretrained")
    script("pretrain", *folders, "--passes", "4", *SMALL)
    output = script(
        "finetune",
        *("--data", data, "--pretrained", tmp_path / "pretrained", "--out", tmp_path / "run"),
        *("--epochs", "30", "--rate", "3e-3"),
    )
    assert "msra.dev" in output
    assert "msra.held_out.unseen" in output
    # What it finds in the plain text teaches a second one, which begins where it ended.
    script("label", "--data", data, "--run", tmp_path / "run", "--out", tmp_path / "labelled")
    script(
        "finetune",
        *("--data", data, "--pretrained", tmp_path / "run", "--out", tmp_path / "second"),
        *("--labelled", tmp_path / "labelled"),
        *("--seed", "1", "--epochs", "20", "--rate", "3e-3"),
    )
    script("export", "--run", tmp_path / "second", "--out", tmp_path / "model")

    prepared = ensure_prepared(str(tmp_path / "model"), BackendName.ONNX_FP32, tmp_path / "prepared", 0.05)
    recogniser = load(prepared, threads=2)
    assert recogniser.types == ("LOC", "ORG", "PER")
    (entities,) = recogniser.recognise(["李红昨天在昆明见到了朋友。"])
    assert [(entity.start, entity.end, entity.type) for entity in entities] == [(0, 2, "PER"), (5, 7, "LOC")]
