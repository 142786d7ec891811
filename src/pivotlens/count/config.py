"""Settings of `pivotlens count`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import StageConfig, setting


class CountConfig(StageConfig):
    """Count words, pairs and tokens in a corpus."""

    stage: ClassVar[str] = "count"
    corpus: str = setting(
        "demo:tatoeba", "JSONL (.zst, .gz) or Parquet: a file, folder or glob, hf:// or s3://, or `demo:tatoeba`."
    )
    text_column: str = setting("text", "Column that holds a document's text.")
    language_column: str = setting("language", "Column that holds a document's language code.")
    language: str = setting("", "Language of every document, where the corpus has no language column.")
    group_column: str = setting("group", "Column shared by translations of one document; may be absent.")
    tokenizer: str = setting("", "Model spec whose tokenizer cuts the text.")
    longer_words: str = setting(
        "bundled",
        "Longer words of languages without spaces, which hide the words within them: `bundled` (zh and ja, for the "
        "bundled benchmark), empty for none, or a TSV file with the columns `language` and `word`.",
        meaning=False,
    )
    unit: Literal["characters", "document"] = setting(
        "characters", "What counts once: a piece of a document of `unit_characters`, or the whole document."
    )
    unit_characters: int = setting(8192, "Length of a unit; documents are split at a line boundary.", ge=64)
    sample: int = setting(2000, "Units a word whose tokens are counted, drawn by hash; 0 takes all.", ge=0)
    background: int = setting(20_000, "Units a language for token frequencies, drawn by hash; 0 takes all.", ge=0)
    workers: int = setting(1, "Worker processes.", ge=1, meaning=False)
    max_bad_share: float = setting(0.001, "Share of unreadable rows above which the run fails.", ge=0, le=1)
    seed: int = setting(0, "Seed of the samples.", ge=0)
    limit: int | None = setting(None, "Read only this many documents a file; recorded and shown in the report.", ge=1)
