"""From a prepared folder to a :class:`Recogniser`. The one place that knows which backend is which class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from shared.registry import ModelInfo
from shared.settings import BackendName
from workers.backends.base import Network
from workers.cpu import int8_kind
from workers.engine.labels import Labels
from workers.engine.reading.reader import Reader
from workers.engine.recogniser import Recogniser
from workers.engine.tagger import CrfTagger, PipelineTagger, Tagger
from workers.engine.tokens import SPECIAL_TOKENS, TextTokenizer
from workers.engine.viterbi import Crf
from workers.pace import characters_per_second
from workers.preparation.manifest import CRF, TOKENIZER, Manifest, read_manifest


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to recognise, and what the registry says of it."""

    info: ModelInfo
    recogniser: Recogniser
    characters_per_second: float

    @classmethod
    def of(cls, name: str, prepared: Path, recogniser: Recogniser) -> LoadedModel:
        """The model of that name, of which ``prepared`` was loaded as ``recogniser``.

        Raises:
            SourceIncomplete: the folder has no manifest, or one of another format.
        """
        manifest = read_manifest(prepared)
        kind = int8_kind() if manifest.backend is BackendName.ONNX_INT8 else ""
        # Processors of different kinds find different entities now and then: the cache must tell their results apart.
        version = f"{manifest.version}-{kind}" if kind else manifest.version
        info = ModelInfo(name=name, version=version, types=recogniser.types, backend=str(manifest.backend))
        return cls(info, recogniser, characters_per_second(recogniser))


def is_forkable(prepared: Path, threads: int) -> bool:
    """Whether a model that :func:`load` gave may be used by processes that were forked afterwards.

    ONNX Runtime starts no thread where it may use one; PyTorch's OpenMP hangs in a forked process.

    Raises:
        SourceIncomplete: the folder has no manifest, or one of another format.
    """
    return threads == 1 and read_manifest(prepared).backend in (BackendName.ONNX_INT8, BackendName.ONNX_FP32)


def load(prepared: Path, threads: int) -> Recogniser:
    """Load the model that ``prepared`` holds, with so many engine threads.

    Raises:
        SourceIncomplete: the folder has no manifest, or one of another format.
    """
    manifest = read_manifest(prepared)
    labels = Labels(manifest.labels)
    tokenizer = TextTokenizer(Tokenizer.from_file(str(prepared / TOKENIZER)), manifest.splitting, manifest.unk_id)
    reader = Reader(tokenizer, manifest.reading)
    tagger = _tagger(prepared, manifest, labels, reader, threads)
    return Recogniser(reader, tagger, labels.types, manifest.max_tokens - SPECIAL_TOKENS, manifest.rules)


def _tagger(prepared: Path, manifest: Manifest, labels: Labels, reader: Reader, threads: int) -> Tagger:
    # Each backend is imported only where it is the one: ONNX Runtime's worker holds no PyTorch.
    if manifest.backend is BackendName.MODELSCOPE:
        from workers.backends.modelscope import ModelScopePipeline

        return PipelineTagger(ModelScopePipeline(prepared, threads), reader.view)
    network: Network
    if manifest.backend is BackendName.PYTORCH:
        from workers.backends.pytorch import PyTorchNetwork

        network = PyTorchNetwork(prepared, threads)
    else:
        from workers.backends.onnx import OnnxNetwork

        network = OnnxNetwork(prepared, threads)
    with np.load(prepared / CRF) as scores:
        crf = Crf(scores["start"], scores["end"], scores["transitions"])
    return CrfTagger(network, crf, labels, manifest.cls_id, manifest.sep_id)
