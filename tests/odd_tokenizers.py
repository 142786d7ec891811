"""Tokenizers with which lm-evaluation-harness cuts an answer from its prompt elsewhere than pivotlens does."""

from typing import Any

import transformers as hf
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers


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
