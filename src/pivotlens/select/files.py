"""What the arms are written as, and what is to be known of their files."""

from __future__ import annotations

from dataclasses import replace

from pivotlens.corpus.writing import TOKEN_FORMATS, ArmFiles, TokenCoding, WritingPlan, tokens_read
from pivotlens.models.end_of_document import end_of_document
from pivotlens.models.tokenizer import TextTokenizer
from pivotlens.select.config import SelectConfig
from pivotlens.select.writing import DOCUMENT_COLUMNS


def writing_plan(config: SelectConfig, tokenizer: TextTokenizer) -> WritingPlan:
    """Return how the arms are written.

    Raises:
        ConfigError: There are token files to write, and no end-of-document token is known.
    """
    writing = WritingPlan(tuple(dict.fromkeys(config.formats)), DOCUMENT_COLUMNS)
    if not writing.tokens:
        return writing
    end = end_of_document(tokenizer, config.end_of_document)
    return replace(writing, coding=TokenCoding(tokenizer.vocab_size, end.token_id, config.tokenizer))


def file_warnings(config: SelectConfig, writing: WritingPlan, files: ArmFiles, ended: int) -> list[str]:
    """Return what is to be known of the token files.

    Args:
        config: The settings.
        writing: How the arms are written.
        files: Their files.
        ended: Units that hold the end-of-document token in their text.
    """
    warnings = []
    if ended:
        warnings.append(
            f"{ended:,} units hold the end-of-document token in their text, as the tokenizer does not know it for a "
            "special one: a trainer sees further documents end there"
        )
    for name in (name for name in TOKEN_FORMATS if name in writing.formats):
        for arm in files.arms:
            tokens = files.tokens(arm)
            if tokens.size and not tokens_read(tokens, name, config.sequence_length):
                warnings.append(
                    f"arm {arm} holds {tokens.sum():,} tokens in {tokens.size:,} files, none of which fills a sequence "
                    f"of {config.sequence_length:,}: {name} reads nothing of it"
                )
    return warnings
