"""The two passes over one shard: score every unit, then write the chosen ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Hashes
from pivotlens.corpus import BadRows, Shard, UnitPlan, unit_batches, unit_hashes
from pivotlens.corpus.packing import Arrays, pack_strings, write_arrays
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.scoring import pivot_counts, text_digests

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
