"""Settings of `pivotlens count`."""

from __future__ import annotations

from typing import ClassVar

from pivotlens.settings import CorpusStageConfig, setting


class CountConfig(CorpusStageConfig):
    """Count words, pairs and tokens in a corpus."""

    stage: ClassVar[str] = "count"
    longer_words: str = setting(
        "bundled",
        "Longer words, which hide the words within them, of languages without spaces or with particles (ko, he, ar): "
        "`bundled` (zh and ja, for the bundled lists), empty for none, or a TSV file with the columns `language` and "
        "`word`.",
        meaning=False,
    )
    segmenters: tuple[str, ...] = setting(
        (),
        "Segmenters that cut text into words, one a language: `kiwipiepy` (ko), `jieba` (zh), `SudachiPy` or `fugashi` "
        "(ja), of the extra `segmenters`; where none is named, rules find the words.",
        meaning=False,
    )
    sample: int = setting(2000, "Units a word whose tokens are counted, drawn by hash; 0 takes all.", ge=0)
    background: int = setting(
        2000, "Units a stratum of a language for token frequencies, drawn by hash; 0 takes all.", ge=0
    )
