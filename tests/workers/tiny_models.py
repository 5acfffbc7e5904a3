"""Small models in ModelScope's layout, made on the spot: seeded random weights, a CRF that keeps to its tag scheme."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel

NEWS_TYPES = ("LOC", "ORG", "PER")
# Characters that the models know, beside Latin letters and digits; whatever else is unknown to them.
CHARACTERS = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民"
    "得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义"
    "事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直"
    "题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西"
    "被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转"
    "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林罗郑梁谢宋唐许邓韩冯曹彭京沪津渝省市县镇村州湖江河广苏浙福安徽川云贵陕甘青藏疆蒙港澳台"
    "，。、；：？！（）《》“”…—"
)
SCHEMES = {"BIO": "BI", "BIOES": "BIES"}


def labels_of(types: Sequence[str] = NEWS_TYPES, scheme: str = "BIOES") -> tuple[str, ...]:
    """The labels of types in a tag scheme, O first."""
    return ("O", *(f"{prefix}-{kind}" for kind in types for prefix in SCHEMES[scheme]))


def write_tiny_model(
    folder: Path,
    *,
    labels: Sequence[str] = labels_of(),
    is_split_into_words: bool = True,
    do_lower_case: bool = False,
    use_fast: bool = False,
    encoder: str = "bert",
    positions: int = 512,
    seed: int = 0,
) -> Path:
    """Write a model of two layers, 32 wide, into ``folder``, which is made. Returns it.

    Args:
        encoder: ``bert``, or ``veco`` or ``xlm-roberta``, which have a fast tokenizer whatever ``use_fast`` says.
        positions: most tokens it can read at once.
    """
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    if encoder == "bert":
        tokens = _write_bert_vocabulary(folder, do_lower_case, use_fast)
        config = AutoConfig.for_model("bert", vocab_size=tokens, max_position_embeddings=positions, **_SIZES)
    else:
        tokens = _write_unigram_tokenizer(folder)
        # Positions begin behind that of padding, which is 1.
        config = AutoConfig.for_model(
            "xlm-roberta", vocab_size=tokens, max_position_embeddings=positions + 2, type_vocab_size=1, **_SIZES
        )
    network = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    config.label2id = {label: index for index, label in enumerate(labels)}
    config.id2label = dict(enumerate(labels))
    _write_json(folder / "config.json", config.to_diff_dict() | {"model_type": encoder})
    preprocessor = {"type": "token-cls-tokenizer", "padding": "max_length", "max_length": positions}
    if is_split_into_words:
        preprocessor["is_split_into_words"] = True
    _write_json(
        folder / "configuration.json",
        {
            "framework": "pytorch",
            "task": "named-entity-recognition",
            "model": {"type": "transformer-crf"},
            "preprocessor": preprocessor,
            "pipeline": {"type": "named-entity-recognition"},
        },
    )
    weights = {f"encoder.{name}": tensor for name, tensor in network.state_dict().items()}
    count = len(labels)
    weights |= {
        "head.linear.weight": torch.randn(count, config.hidden_size),
        "head.linear.bias": torch.randn(count) / 2,
        "head.crf.start_transitions": torch.randn(count) / 5 - _forbidden(["O"], labels)[0],
        "head.crf.end_transitions": torch.randn(count) / 5 - _forbidden(labels, ["O"])[:, 0],
        "head.crf.transitions": torch.randn(count, count) / 5 - _forbidden(labels, labels),
    }
    torch.save(weights, folder / "pytorch_model.bin")
    return folder


_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    # Far from what is usual, so that tokens differ in their labels though nothing was learnt.
    "initializer_range": 0.15,
}


def _forbidden(before: Sequence[str], after: Sequence[str]) -> torch.Tensor:
    """A penalty for each pair of labels that no well-formed path has: ``(before, after)``."""
    ends = any(label.startswith("E-") for label in [*before, *after])

    def follows(left: str, right: str) -> bool:
        if right[0] in "IE":
            return left[0] in "BI" and left[2:] == right[2:]
        return left[0] in "OES" or not ends

    return torch.tensor([[0.0 if follows(left, right) else 1e4 for right in after] for left in before])


def _write_bert_vocabulary(folder: Path, do_lower_case: bool, use_fast: bool) -> int:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    if not do_lower_case:
        letters += [letter.upper() for letter in letters]
    letters += list("0123456789.-%/@&'\"()[]")
    words = ["the", "new", "york", "micro", "soft", "##soft", "##ing", "##ed", "##er", "2008", "##08", "20"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = special + list(dict.fromkeys([*CHARACTERS, *letters, *(f"##{letter}" for letter in letters), *words]))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": do_lower_case, "tokenize_chinese_chars": True}
    _write_json(folder / "tokenizer_config.json", config | ({"use_fast": True} if use_fast else {}))
    return len(vocabulary)


def _write_unigram_tokenizer(folder: Path) -> int:
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = [chr(code) for code in range(ord("A"), ord("z") + 1)] + list("0123456789.-")
    pieces = ["▁", *dict.fromkeys([*CHARACTERS, *letters]), "▁the", "▁New", "York", "▁Berlin", "ing", "soft"]
    scores = [(piece, 0.0) for piece in special]
    scores += [(piece, -2.0 - index / 500) for index, piece in enumerate(pieces)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "XLMRobertaTokenizerFast",
            "use_fast": True,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
        },
    )
    return len(scores)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
