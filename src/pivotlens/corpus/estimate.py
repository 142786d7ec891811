"""What work on a corpus will take, told from a few samples of it before any is done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import orjson
import scipy

from pivotlens.corpus.columns import Columns, Document
from pivotlens.corpus.cutting import SHARD_BYTES
from pivotlens.corpus.documents import read_documents
from pivotlens.corpus.files import CorpusFile, is_parquet
from pivotlens.corpus.parquet_files import number_of_rows
from pivotlens.corpus.shards import Shard
from pivotlens.errors import DataError

SAMPLES = 8
TEXT_OF_SAMPLE = 1 << 19
"""Samples of a corpus, and bytes of text in each, about."""
# The beginning of a compressed file is compressed worse than the rest: more is read than measured on.
_TEXT_READ = 1 << 22
_CONFIDENCE = 0.975
_TB, _MB = 1e12, 1e6


@dataclass(frozen=True)
class Sample:
    """Documents of one place of a corpus.

    Attributes:
        documents: Some of those that were read there.
        text: Their bytes of text.
        text_per_byte: Bytes of text in a byte as it is stored there.
        documents_per_byte: Documents likewise.
        seconds_per_byte: Of processor time in which such a byte is read.
    """

    documents: list[Document]
    text: int
    text_per_byte: float
    documents_per_byte: float
    seconds_per_byte: float

    def write(self, path: Path) -> None:
        """Write the documents as JSON lines, with columns of the default names."""
        rows = (
            {"text": row.text, "language": row.language, "group": row.group, "source": row.source}
            for row in self.documents
        )
        path.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))


@dataclass(frozen=True)
class Estimate:
    """What a stage's work on a corpus will take.

    Attributes:
        files: Of the corpus.
        shards: About how many the work is dealt out in.
        stored_bytes: Bytes of the files.
        text_bytes: Of text, about.
        sampled_text_bytes: Of text that was measured on.
        mb_per_s: Megabytes of text in a second of one core, by pass; of ``reading``, for each pass.
        setup_seconds: Of processor time that each process takes before its first unit.
        core_hours: Of processor time in all, beside writing tables.
        core_hours_low: Lower end of the 95 % interval over samples.
        core_hours_high: Upper end.
        core_hours_per_tb: For each TB of text.
        memory_bytes: Of all processes together, at most.
        memory_limit: What the settings bound it by.
        processes: How many there are.
    """

    files: int
    shards: int
    stored_bytes: int
    text_bytes: int
    sampled_text_bytes: int
    mb_per_s: dict[str, float]
    setup_seconds: float
    core_hours: float
    core_hours_low: float
    core_hours_high: float
    core_hours_per_tb: float
    memory_bytes: int
    memory_limit: int
    processes: int

    def lines(self) -> Iterator[str]:
        """Yield what is told of it, line by line."""
        yield (
            f"corpus: {self.files:,} files of {_size(self.stored_bytes)}, about {self.shards:,} shards and "
            f"{_size(self.text_bytes)} of text"
        )
        passes = ", ".join(f"{name} {rate:,.1f}" for name, rate in self.mb_per_s.items())
        yield f"measured on {_size(self.sampled_text_bytes)} of text, in MB/s of one core: {passes}"
        yield (
            f"work: {self.core_hours:,.3g} core-hours (95 % of samples: {self.core_hours_low:,.3g} to "
            f"{self.core_hours_high:,.3g}), beside writing tables; {self.core_hours_per_tb:,.0f} for each TB of text"
        )
        yield (
            f"memory: about {_size(self.memory_bytes)} in {self.processes} process{'es' * (self.processes > 1)} "
            f"(--memory bounds it by {_size(self.memory_limit)})"
        )


def _size(n_bytes: float) -> str:
    for unit, name in ((_TB, "TB"), (1e9, "GB"), (_MB, "MB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:,.1f} {name}"
    return f"{n_bytes / 1e3:,.0f} kB"


@dataclass(frozen=True)
class Extent:
    """How much of a corpus will be read.

    Attributes:
        files: How many.
        stored: Bytes of them, as they are stored.
        shards: About how many shards.
    """

    files: int
    stored: int
    shards: int

    @classmethod
    def of(cls, files: Sequence[CorpusFile], samples: Sequence[Sample], limit_documents: int | None) -> Extent:
        """Return it.

        Args:
            files: The corpus.
            samples: Of it.
            limit_documents: Most documents that are read of a file.
        """
        most = float("inf")
        if limit_documents is not None:
            most = limit_documents / float(np.mean([sample.documents_per_byte for sample in samples]))
        read = [min(file.size, most) for file in files]
        return cls(len(files), round(sum(read)), sum(max(1, round(size / SHARD_BYTES)) for size in read))


def scaled(per_byte: Sequence[float], stored: int) -> tuple[float, float, float]:
    """Return what a corpus takes, and the ends of a 95 % interval: Student's, over samples that stand for equal parts.

    Args:
        per_byte: What a stored byte takes in each sample.
        stored: Bytes of the corpus.

    >>> scaled([1.0, 1.0, 1.0], 7)
    (7.0, 7.0, 7.0)
    """
    mean = float(np.mean(per_byte))
    if len(per_byte) < 2:
        return mean * stored, 0.0, float("inf")
    error = float(np.std(per_byte, ddof=1)) / len(per_byte) ** 0.5
    away = error * float(scipy.stats.t.ppf(_CONFIDENCE, len(per_byte) - 1))
    return mean * stored, max(mean - away, 0.0) * stored, (mean + away) * stored


def draw_samples(
    files: Sequence[CorpusFile], columns: Columns, n_samples: int = SAMPLES, text: int = TEXT_OF_SAMPLE
) -> list[Sample]:
    """Read the beginnings of some files, chosen evenly over the bytes of a corpus.

    A file that is chosen more than once, as it is large, gives as many samples, whose documents lie between each other.

    Args:
        files: The corpus.
        columns: Where text and labels stand.
        n_samples: How many samples.
        text: Bytes of text of each, about.

    Raises:
        DataError: A file is damaged, or none of what was read is a document.
    """
    ends = np.cumsum([file.size for file in files])
    places = (np.arange(n_samples) + 0.5) / n_samples * ends[-1]
    times = Counter(np.searchsorted(ends, places, side="right").clip(max=len(files) - 1).tolist())
    samples: list[Sample] = []
    for number, n_here in sorted(times.items()):
        begun = time.process_time()
        documents, stored = _beginning(files[number], columns, max(_TEXT_READ, n_here * text))
        seconds = time.process_time() - begun
        sizes = [len(row.text.encode("utf-8", "surrogatepass")) for row in documents]
        apart = max(n_here, sum(sizes) // text)
        for first in range(n_here if sum(sizes) else 0):
            chosen = slice(first * apart // n_here, None, apart)
            samples.append(
                Sample(
                    documents[chosen], sum(sizes[chosen]), sum(sizes) / stored, len(sizes) / stored, seconds / stored
                )
            )
    samples = [sample for sample in samples if sample.text]
    if not samples:
        raise DataError(
            f"none of the first rows of {files[0].shown} and others is a document with text",
            "Check --text-column and --language-column.",
        )
    return samples


def _beginning(file: CorpusFile, columns: Columns, text: int) -> tuple[list[Document], float]:
    """Return the first documents of a file, with that much text or all, and the stored bytes that they take."""
    documents: list[Document] = []
    read, stored, n_rows = 0, float(file.size), 0
    watched = _Watched(file.name, file.location, file.size, file.mark)
    parquet, before = is_parquet(file), 0
    for row in read_documents(Shard.whole(watched), columns):
        place = before if parquet else watched.place
        # Rows of what was decompressed at once are all taken: the place tells only where that ends.
        if read >= text and (parquet or place > before):
            stored = file.size * n_rows / number_of_rows(file) if parquet else float(before)
            break
        before, n_rows = place, n_rows + 1
        if isinstance(row, Document):
            documents.append(row)
            read += len(row.text.encode("utf-8", "surrogatepass"))
    return documents, max(stored, 1.0)


@dataclass(frozen=True)
class _Watched(CorpusFile):
    """A file that tells how far it was read."""

    handles: list[IO[bytes]] = field(default_factory=list, compare=False)

    def open(self) -> IO[bytes]:
        self.handles.append(super().open())
        return self.handles[-1]

    @property
    def place(self) -> int:
        handle = self.handles[-1]
        return self.size if handle.closed else handle.tell()
