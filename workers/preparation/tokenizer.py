"""The model's tokenizer, for the ``tokenizers`` library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, normalizers

from shared.errors import UnsupportedModel
from workers.engine.tokens import Splitting

# What tokenizers disagree on: white space, controls, ligatures, compatibility ideographs, accents, rare ideographs.
_ODD_CHARACTERS = " \t\n\u00a0\u3000\u200b\u0000\ufffdＡ１，。ﬁ豈漢éÉe\u0301İßΣ·—…“”﹏ªⅣ①㈱🙂👨‍👩‍👧𠮷𪚥あア한"


def splitting_of(preprocessor: Any) -> Splitting:
    """How ModelScope's preprocessor makes tokens of a text.

    Raises:
        UnsupportedModel: by a slow tokenizer other than BERT's, which only SentencePiece could run.
    """
    reference = preprocessor.nlp_tokenizer.tokenizer
    if preprocessor.nlp_tokenizer.get_tokenizer_kwarg("is_split_into_words", False):
        return Splitting.CHARACTERS
    if reference.is_fast:
        return Splitting.WORDS
    if type(reference).__name__ == "BertTokenizer":
        return Splitting.WORDPIECES
    raise UnsupportedModel(
        f"its tokenizer is a slow {type(reference).__name__}, which only BERT's may be; "
        'with "use_fast": true in tokenizer_config.json and a tokenizer.json it can be prepared'
    )


def convert_tokenizer(preprocessor: Any) -> Tokenizer:
    """The same tokenizer as the preprocessor's, special tokens spelt out in a text being ordinary text.

    Raises:
        UnsupportedModel: it is a slow tokenizer other than BERT's.
    """
    reference = preprocessor.nlp_tokenizer.tokenizer
    if reference.is_fast:
        tokenizer = Tokenizer.from_str(reference.backend_tokenizer.to_str())
        tokenizer.no_padding()
        tokenizer.no_truncation()
    elif type(reference).__name__ == "BertTokenizer":
        tokenizer = _convert_bert(reference)
    else:
        raise UnsupportedModel(f"its tokenizer is a slow {type(reference).__name__}, which only BERT's may be")
    tokenizer.encode_special_tokens = True
    return tokenizer


def _convert_bert(reference: Any) -> Tokenizer:
    from transformers.convert_slow_tokenizer import convert_slow_tokenizer

    tokenizer = convert_slow_tokenizer(reference)
    # The slow tokenizer composes characters (NFC) between its two steps, the fast one does not: the compatibility
    # ideographs U+F900 and on would be unknown. With this, all code points up to U+30000 give the same ids.
    first = reference.basic_tokenizer
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.BertNormalizer(
                clean_text=True,
                handle_chinese_chars=first.tokenize_chinese_chars,
                strip_accents=False,
                lowercase=False,
            ),
            normalizers.NFC(),
            normalizers.BertNormalizer(
                clean_text=False,
                handle_chinese_chars=False,
                strip_accents=first.strip_accents,
                lowercase=first.do_lower_case,
            ),
        ]
    )
    return tokenizer


def check_tokenizer(tokenizer: Tokenizer, preprocessor: Any, sentences: Iterable[str]) -> None:
    """Check that it gives the ids of the preprocessor's own, on each character of the vocabulary and on sentences.

    Raises:
        UnsupportedModel: it does not.
    """
    reference = preprocessor.nlp_tokenizer.tokenizer
    characters = {token for token in reference.get_vocab() if len(token) == 1} | set(_ODD_CHARACTERS)
    texts = sorted(characters)
    if splitting_of(preprocessor) is not Splitting.CHARACTERS:
        texts.extend(sentences)
    for text, encoding in zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True):
        expected = reference.encode(text, add_special_tokens=False)
        # A character without a token is the unknown one for ModelScope's preprocessor and for the engine.
        if encoding.ids != expected:
            raise UnsupportedModel(
                f"its tokenizer could not be converted: {text!r} is {encoding.ids} instead of {expected}"
            )
