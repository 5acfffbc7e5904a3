"""Models small enough to see through: what they make of a token depends on it alone, or on all that is read with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from workers.engine.labels import Labels
from workers.engine.reading.reader import Reader
from workers.engine.recogniser import Recogniser
from workers.engine.tagger import CrfTagger
from workers.engine.tokens import Splitting, TextTokenizer
from workers.engine.viterbi import Crf

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
NAMES = ["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC"]


class LocalNetwork:
    """Looks each token's emissions up; notes what it was given."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        self.table = table
        self.inputs: list[NDArray[np.int64]] = []

    def emissions(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self.inputs.append(ids)
        return self.table[ids]


class ContextNetwork(LocalNetwork):
    """One for which whatever else is in the window changes every token's emissions."""

    def emissions(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        random = np.random.default_rng(ids)
        return self.table[ids] + random.normal(0, 2, (len(ids), self.table.shape[1])).astype(np.float32)


def bert_tokenizer(vocabulary: Sequence[str], lowercase: bool = False) -> Tokenizer:
    """BERT's tokenizer over these tokens."""
    tokens = [*SPECIAL, *vocabulary]
    tokenizer = Tokenizer(WordPiece({token: index for index, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.normalizer = BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def recogniser(
    network: LocalNetwork,
    tokenizer: Tokenizer,
    crf: Crf | None = None,
    names: Sequence[str] = NAMES,
    window_tokens: int = 510,
    splitting: Splitting = Splitting.CHARACTERS,
    rules: tuple[str, ...] = (),
) -> Recogniser:
    """The engine around a local network; without ``crf``, each token's best label is taken."""
    labels = Labels(names)
    count = len(names)
    zero = Crf(np.zeros(count, np.float32), np.zeros(count, np.float32), np.zeros((count, count), np.float32))
    tagger = CrfTagger(network, crf or zero, labels, cls_id=2, sep_id=3)
    return Recogniser(Reader(TextTokenizer(tokenizer, splitting, unk_id=1)), tagger, labels.types, window_tokens, rules)


def spelling_model(window_tokens: int = 510) -> tuple[Recogniser, LocalNetwork]:
    """A model for which a text spells its labels: 甲 B-PER, 乙 I-PER, 丙 E-PER, 丁 S-PER, 。 and the rest O."""
    vocabulary = ["甲", "乙", "丙", "丁", "。", "，", "中"]
    table = np.zeros((len(SPECIAL) + len(vocabulary), len(NAMES)), np.float32)
    table[:, 0] = 5
    for index in range(4):
        table[len(SPECIAL) + index, index + 1] = 10
    network = LocalNetwork(table)
    return recogniser(network, bert_tokenizer(vocabulary), window_tokens=window_tokens), network


def random_model(
    seed: int,
    window_tokens: int,
    alphabet: Sequence[str],
    network: type[LocalNetwork] = LocalNetwork,
    splitting: Splitting = Splitting.CHARACTERS,
    rules: tuple[str, ...] = (),
) -> Recogniser:
    """A model with random emissions and transitions, for which 。 is surely outside: paths part there."""
    random = np.random.default_rng(seed)
    tokenizer = bert_tokenizer(alphabet)
    count = len(NAMES)
    table = random.normal(0, 2, (len(SPECIAL) + len(alphabet), count)).astype(np.float32)
    table[tokenizer.token_to_id("。")] = [1000] + [0] * (count - 1)
    crf = Crf(
        np.zeros(count, np.float32),
        np.zeros(count, np.float32),
        random.normal(0, 1, (count, count)).astype(np.float32),
    )
    # As a sentence begins and ends alone, so it does between two full stops.
    crf.start[:] = crf.transitions[0]
    crf.end[:] = crf.transitions[:, 0]
    return recogniser(network(table), tokenizer, crf, window_tokens=window_tokens, splitting=splitting, rules=rules)
