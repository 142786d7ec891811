"""The two passes over one shard: score every unit, then write the chosen ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import orjson
import zstandard

from pivotlens.arrays import Booleans, Hashes
from pivotlens.artifacts.files import atomic_path, write_bytes
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.artifacts.manifest import Output
from pivotlens.corpus import BadRows, PartStore, Shard, UnitPlan, unit_batches, unit_hashes
from pivotlens.corpus.packing import Arrays, pack_strings, read_arrays, write_arrays
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.scoring import Mode, pivot_counts, pivot_share, text_digests
from pivotlens.statistics.proportion import wilson_lower

BUCKETS = 16
"""Digests of texts are kept apart by their beginning, so that equal ones can be looked for in one bucket at a time."""
_COMPRESSION_LEVEL = 10


@dataclass(frozen=True)
class ScorePass:
    """Scores a shard's units; its part is one array a column, the digests by bucket, and the bad rows."""

    plan: UnitPlan
    tokenizer: str
    pivots: tuple[int, ...]
    seed: int

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        tokenizer = load_tokenizer(self.tokenizer)
        is_pivot = np.zeros(tokenizer.vocab_size, dtype=bool)
        is_pivot[list(self.pivots)] = True
        columns: dict[str, list[npt.NDArray[np.generic]]] = {}
        codes: dict[str, int] = {}
        bad = BadRows()
        name = shard.file.name
        for batch in unit_batches(shard, self.plan):
            bad.extend(batch.bad)
            n_tokens, n_pivots = pivot_counts(tokenizer.encode_batch(batch.texts), is_pivot)
            scored: Arrays = {
                "row": batch.rows,
                "unit": batch.units,
                "language": np.array([codes.setdefault(code, len(codes)) for code in batch.languages], dtype=np.int64),
                "n_tokens": n_tokens,
                "n_pivots": n_pivots,
                "digest": text_digests(batch.texts),
                "hash_top": unit_hashes(name, batch.rows, batch.units, self.seed, "select top"),
                "hash_random": unit_hashes(name, batch.rows, batch.units, self.seed, "select random"),
            }
            for column, values in scored.items():
                columns.setdefault(column, []).append(values)
        arrays = {column: np.concatenate(values) for column, values in columns.items()}
        arrays |= _in_buckets(arrays.pop("digest").astype(np.uint64))
        arrays["languages"] = pack_strings(list(codes))
        write_arrays(part, arrays | bad.to_arrays())


def _in_buckets(digests: Hashes) -> Arrays:
    bucket = digests[:, 0] >> np.uint64(60)
    arrays: Arrays = {}
    for number in range(BUCKETS):
        units = np.flatnonzero(bucket == number)
        arrays |= {f"units_{number}": units, f"digests_{number}": digests[units]}
    return arrays


@dataclass(frozen=True)
class WritePass:
    """Writes the chosen units of a shard as JSON lines, a file an arm; its part tells what each file holds.

    Attributes:
        modes: The arms.
        chosen: For each shard whether each of its units is in each arm, ``(arms, units)``.
        scores: The parts of `ScorePass`.
    """

    plan: UnitPlan
    modes: tuple[Mode, ...]
    chosen: PartStore
    scores: PartStore

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the documents of a shard, and its part when they are there."""
        chosen = read_arrays(self.chosen.path(shard))["chosen"].astype(bool)
        arms = np.flatnonzero(chosen.any(axis=1)).tolist()
        with ExitStack() as stack:
            files = {arm: stack.enter_context(_compressed(documents_path(part, self.modes[arm]))) for arm in arms}
            for unit, line in self._lines(shard, np.logical_or.reduce(chosen, axis=0)):
                for arm in np.flatnonzero(chosen[:, unit]).tolist():
                    files[arm].write(line)
        outputs = {}
        for arm in arms:
            path = documents_path(part, self.modes[arm])
            rows = int(chosen[arm].sum())
            outputs[self.modes[arm]] = Output(bytes=path.stat().st_size, sha256=sha256_of_file(path), rows=rows)
        write_bytes(part, orjson.dumps({mode: output.model_dump() for mode, output in outputs.items()}))

    def _lines(self, shard: Shard, wanted: Booleans) -> Iterator[tuple[int, bytes]]:
        """Yield the number of each wanted unit in the shard, and its line."""
        scores = read_arrays(self.scores.path(shard), ("n_tokens", "n_pivots"))
        n_tokens, n_pivots = scores["n_tokens"].astype(np.int64), scores["n_pivots"].astype(np.int64)
        share, pivot_share_low = pivot_share(n_tokens, n_pivots), wilson_lower(n_pivots, n_tokens)
        first, name = 0, shard.file.name
        for batch in unit_batches(shard, self.plan):
            for offset in np.flatnonzero(wanted[first : first + len(batch.texts)]).tolist():
                unit = first + offset
                row, unit_number = int(batch.rows[offset]), int(batch.units[offset])
                line = {
                    "id": f"{name}:{row}:{unit_number}",
                    "text": batch.texts[offset],
                    "language": batch.languages[offset],
                    "group": batch.groups[offset],
                    "file": name,
                    "row": row,
                    "unit": unit_number,
                    "n_tokens": int(n_tokens[unit]),
                    "n_pivots": int(n_pivots[unit]),
                    "pivot_share": float(share[unit]),
                    "pivot_share_low": float(pivot_share_low[unit]),
                }
                yield unit, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
            first += len(batch.texts)
            if not wanted[first:].any():
                return


def documents_path(part: Path, mode: Mode) -> Path:
    """Return where the documents of an arm lie beside the part of `WritePass`."""
    return part.with_suffix(f".{mode}.jsonl.zst")


def written(part: Path) -> dict[Mode, Output]:
    """Return what a part of `WritePass` tells of the documents of each arm that has any."""
    return {mode: Output.model_validate(output) for mode, output in orjson.loads(part.read_bytes()).items()}


@contextmanager
def _compressed(path: Path) -> Iterator[IO[bytes]]:
    compressor = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, write_checksum=True)
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as file,
        compressor.stream_writer(file, closefd=False) as writer,
    ):
        yield writer


def no_documents() -> bytes:
    """Return the content of the one file of an arm that holds nothing."""
    return zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, write_checksum=True).compress(b"")
