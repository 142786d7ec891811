"""Writing a corpus for those who train on it: documents for Hugging Face, token files for three trainers."""

from pivotlens.corpus.writing.arm_files import ArmFiles, fragment_base
from pivotlens.corpus.writing.fragments import EncodedDocument, FragmentWriter, WritingPlan, writing_fragment
from pivotlens.corpus.writing.joining import joined_files
from pivotlens.corpus.writing.layout import TOKEN_FORMATS, FileFilling, TokenFormat, tokens_read
from pivotlens.corpus.writing.snippets import how_to_train
from pivotlens.corpus.writing.tokens import TokenCoding

__all__ = [
    "TOKEN_FORMATS",
    "ArmFiles",
    "EncodedDocument",
    "FileFilling",
    "FragmentWriter",
    "TokenCoding",
    "TokenFormat",
    "WritingPlan",
    "fragment_base",
    "how_to_train",
    "joined_files",
    "tokens_read",
    "writing_fragment",
]
