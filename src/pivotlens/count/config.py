"""Settings of `pivotlens count`."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import ByteSize, TypeAdapter, ValidationError, model_validator

from pivotlens.settings import CorpusStageConfig, setting

WITHOUT_COUNTS = 700_000_000
BYTES_OF_CELL = 48
"""Bytes of a process beside the counts of tokens; of a count while two runs become a third."""


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
    memory: str = setting(
        "4GB",
        "Most memory of all processes together, such as 2GB or 1500MiB; what does not fit lies on the disk meanwhile.",
        meaning=False,
    )
    background: int = setting(
        2000, "Units a stratum of a language for token frequencies, drawn by hash; 0 takes all.", ge=0
    )

    @model_validator(mode="after")
    def _enough_memory(self) -> Self:
        try:
            given = self.memory_bytes
        except ValidationError:
            raise ValueError(f"memory = {self.memory!r} is no size such as 2GB or 1500MiB") from None
        if given < self.processes * WITHOUT_COUNTS:
            raise ValueError(
                f"memory = {self.memory} is too little for {self.processes} processes: each needs "
                f"{WITHOUT_COUNTS / 1e6:.0f}MB before it counts"
            )
        return self

    @property
    def memory_bytes(self) -> int:
        """Most memory of all processes together."""
        return int(TypeAdapter(ByteSize).validate_python(self.memory))

    @property
    def processes(self) -> int:
        """Processes that hold memory at once."""
        return self.workers + (self.workers > 1)  # the one that starts the others waits beside them

    @property
    def cells_held(self) -> int:
        """Counts by row and token that a process may hold in memory."""
        return (self.memory_bytes // self.processes - WITHOUT_COUNTS) // BYTES_OF_CELL + (1 << 20)
