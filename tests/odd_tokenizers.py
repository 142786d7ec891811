"""Tokenizers with which lm-evaluation-harness cuts an answer from its prompt elsewhere than pivotlens does."""

from collections.abc import Sequence
from typing import Any

import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers


def joining_tokenizer() -> Any:
    """A byte-level BPE over whole texts, with a token for the prompt's colon and the beginning of an answer in m."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=258, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([" m"] * 50 + [": m"] * 10, trainer)
    assert tokenizer.encode(": m").tokens == [":Ġm"]
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


def closing_tokenizer() -> Any:
    """A byte-level BPE that ends every text with a special token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["English: water\nFrench: eau"], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


def superword_tokenizer(piece: str, *, trim: bool | None = None) -> Any:
    """A byte-level BPE over whole texts with one token for a piece that may write the prompt's end and a space.

    Args:
        piece: What the token writes.
        trim: Whether the offsets leave out the space at a token's ends; None has no post-processor.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    if trim is not None:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
    return _trained(tokenizer, piece, pre_tokenizers.ByteLevel.alphabet())


def unsplit_metaspace_tokenizer(piece: str) -> Any:
    """A BPE over ▁ that is not split into words, with one token for a piece."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    written = "".join(chr(code) for code in range(33, 127))
    return _trained(tokenizer, piece, [*written, "▁", "\n", "è"], [f"<0x{byte:02X}>" for byte in range(256)])


def _trained(tokenizer: Tokenizer, piece: str, alphabet: list[str], more: Sequence[str] = ()) -> Any:
    special = ["</s>", *more]
    merges = 2 * len(piece)  # more than there are: the training ends when the piece is one token
    trainer = trainers.BpeTrainer(
        vocab_size=len(special) + len(alphabet) + merges,
        special_tokens=special,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator([piece] * 100, trainer)
    assert len(tokenizer.encode(piece).ids) == 1
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")
