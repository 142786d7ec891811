"""Tokenizers of every kind, trained in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

_TEXTS = [
    "Please translate words from French to Chinese. French: eau Chinese: 水 French: hiver Chinese: 冬 book 学校 学生",
    "the river and the house, the dog and the book, the water of the river: la maison, le chien, le livre, l'eau 水水",
] * 3
_SPECIAL = ["<unk>", "<s>", "</s>"]


def fast(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """Wrap a tokenizer as transformers loads it."""
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def with_bos(tokenizer: Tokenizer, *, eos: bool = False) -> Tokenizer:
    """Put a special token before every text, and with ``eos`` one after it."""
    template = "<s> $A </s>" if eos else "<s> $A"
    names = ["<s>", "</s>"] if eos else ["<s>"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names]
    )
    return tokenizer


def byte_level(merges: int = 330, *, trim: bool = True) -> Tokenizer:
    """A BPE over bytes; with ``trim``, the offsets of a word leave its space out."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        _TEXTS,
        trainers.BpeTrainer(vocab_size=merges, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False),
    )
    return tokenizer


def metaspace(scheme: str) -> Tokenizer:
    """A BPE over ▁, as SentencePiece makes, with bytes for what it does not know."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=True)
    steps: list[Any] = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    if scheme != "never":
        steps.append(decoders.Strip(" ", 1, 0))
    tokenizer.decoder = decoders.Sequence(steps)
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator(
        [text.replace("学", "").replace("生", "") for text in _TEXTS],
        trainers.BpeTrainer(vocab_size=420, special_tokens=[*_SPECIAL, *fallback], show_progress=False),
    )
    return tokenizer


def gemma_like() -> Tokenizer:
    """Spaces become ▁ in the normaliser and nothing is split before the merges."""
    tokenizer = metaspace("never")
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    return tokenizer


def unigram() -> Tokenizer:
    """A Unigram model over ▁, as SentencePiece makes by default."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.train_from_iterator(
        _TEXTS,
        trainers.UnigramTrainer(vocab_size=120, special_tokens=_SPECIAL, unk_token="<unk>", show_progress=False),
    )
    return tokenizer


def word_piece(*, lowercase: bool = False) -> Tokenizer:
    """WordPiece, as BERT's; with ``lowercase``, an uncased one."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        _TEXTS, trainers.WordPieceTrainer(vocab_size=200, special_tokens=_SPECIAL, show_progress=False)
    )
    return tokenizer


def word_level() -> Tokenizer:
    """A token a word."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(_TEXTS, trainers.WordLevelTrainer(special_tokens=_SPECIAL, show_progress=False))
    return tokenizer


MAKERS: dict[str, Callable[[], Tokenizer]] = {
    "byte-level": byte_level,
    "byte-level untrimmed": lambda: byte_level(trim=False),
    "metaspace with a prefix space": lambda: metaspace("first"),
    "metaspace always": lambda: metaspace("always"),
    "metaspace without": lambda: metaspace("never"),
    "gemma-like": gemma_like,
    "unigram": unigram,
    "metaspace with bos": lambda: with_bos(metaspace("first")),
    "byte-level with bos and eos": lambda: with_bos(byte_level(), eos=True),
}
"""Tokenizers by kind; every one is made anew."""

CORPUS_MAKERS: dict[str, Callable[[], Tokenizer]] = MAKERS | {
    "wordpiece": word_piece,
    "wordpiece uncased": lambda: word_piece(lowercase=True),
    "wordlevel": word_level,
}
"""Those and the kinds whose answers cannot be told from prompts, but that a corpus can be cut with."""
