"""Settings of `pivotlens select`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pivotlens.settings import StageConfig, setting


class SelectConfig(StageConfig):
    """Rebuild the corpus from its pivot-rich units, at a token budget a language."""

    stage: ClassVar[str] = "select"
    corpus: str = setting(
        "demo:tatoeba", "JSONL (.zst, .gz) or Parquet: a file, folder or glob, hf:// or s3://, or `demo:tatoeba`."
    )
    text_column: str = setting("text", "Column that holds a document's text.")
    language_column: str = setting("language", "Column that holds a document's language code.")
    language: str = setting("", "Language of every document, where the corpus has no language column.")
    group_column: str = setting("group", "Column shared by translations of one document; may be absent.")
    tokenizer: str = setting("", "Model spec whose tokenizer cuts the text.")
    unit: Literal["characters", "document"] = setting(
        "characters", "What counts once: a piece of a document of `unit_characters`, or the whole document."
    )
    unit_characters: int = setting(8192, "Length of a unit; documents are split at a line boundary.", ge=64)
    modes: tuple[Literal["top", "random"], ...] = setting(("top", "random"), "Arms to make, at the same budget.")
    budget_tokens: int = setting(100_000, "Tokens a language; the selection stops before exceeding it.", ge=1)
    pivots: int = setting(500, "How many of the corpus pivots count, from the best.", ge=1)
    min_tokens: int = setting(32, "Shorter units are left out.", ge=1)
    workers: int = setting(1, "Worker processes.", ge=1, meaning=False)
    max_bad_share: float = setting(0.001, "Share of unreadable rows above which the run fails.", ge=0, le=1)
    seed: int = setting(0, "Seed of the samples.", ge=0)
    limit: int | None = setting(None, "Read only this many documents a file; recorded and shown in the report.", ge=1)
