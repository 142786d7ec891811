"""The pass over one shard that scores every unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Floats, Hashes, Integers
from pivotlens.corpus import BadRows, Shard, UnitBatch, UnitPlan, unit_batches
from pivotlens.corpus.boilerplate import DroppedLine
from pivotlens.corpus.composition import DOCUMENT_TYPES, Composition
from pivotlens.corpus.packing import Arrays, pack_strings, write_arrays
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.models.tokenizer import TextTokenizer, load_tokenizer
from pivotlens.select.near_duplicates import BANDS, Signatures
from pivotlens.select.pivots import Sought, read_sought
from pivotlens.select.scoring import CutUnits, Forms, repetition, richness

BUCKETS = 16
"""Digests of texts are kept apart by their beginning, so that equal ones can be looked for in one bucket at a time."""
NUMBERS = (
    "row",
    "unit",
    "label",
    "language",
    "other_language",
    "source",
    "document_type",
    "n_tokens",
    "n_pivots",
    "n_words",
    "n_bridges",
    "n_bridges_shuffled",
)
SHARES = ("language_share", "repetition")
"""Columns of a part: `NUMBERS` whole numbers, of which some stand for strings of ``codes`` and ``sources``."""


@dataclass(frozen=True)
class ScorePass:
    """Scores a shard's units; its part is one array a column, the digests by bucket, and the bad rows.

    Attributes:
        plan: How the corpus is read.
        tokenizer: Folder of the tokenizer.
        words: The mining words.
        sought: Where `Sought.write` kept the pivots.
        signed: Whether MinHash signatures are made, kept by band.
    """

    plan: UnitPlan
    tokenizer: str
    words: CountedWords
    sought: Path
    signed: bool = False

    def __call__(self, shard: Shard, part: Path) -> None:
        """Write the part of a shard."""
        tokenizer = load_tokenizer(self.tokenizer)
        sought = read_sought(self.sought, self.words, tokenizer.vocab_size)
        columns: dict[str, list[npt.NDArray[np.generic]]] = {}
        codes: dict[str, int] = {"": 0}
        sources: dict[str, int] = {}
        bad, dropped = BadRows(), _Dropped()
        for batch in unit_batches(shard, self.plan):
            bad.extend(batch.bad)
            dropped.add(batch)
            forms = Forms.of(batch.texts, batch.languages)
            scored = scored_columns(batch, forms, tokenizer, sought)
            if self.signed:
                scored |= _bands(forms.signatures())
            scored["label"] = _numbers(batch.labels, codes)
            scored["language"] = _numbers(batch.languages, codes)
            scored["source"] = _numbers([source.replace("\0", " ") for source in batch.sources], sources)
            scored["language_share"], scored["other_language"] = parts_of(batch.composition, batch.languages, codes)
            for column, values in scored.items():
                columns.setdefault(column, []).append(values)
        arrays = {column: np.concatenate(values) for column, values in columns.items()}
        arrays |= _in_buckets(arrays.pop("digest").astype(np.uint64))
        arrays |= {"codes": pack_strings(list(codes)), "sources": pack_strings(list(sources))}
        write_arrays(part, arrays | bad.to_arrays() | dropped.to_arrays())


def scored_columns(batch: UnitBatch, forms: Forms, tokenizer: TextTokenizer, sought: Sought) -> Arrays:
    """Return the columns of a part in which no names are numbered, each with a row a unit."""
    cut = CutUnits(*tokenizer.encode_flat(batch.texts))
    rich = richness(forms, cut, sought)
    types: dict[str, int] = {name: number for number, name in enumerate(DOCUMENT_TYPES)}
    return {
        "row": batch.rows,
        "unit": batch.units,
        "document_type": _numbers(batch.document_types, types),
        "n_tokens": cut.lengths,
        "n_pivots": rich.pivots,
        "n_words": rich.words,
        "n_bridges": rich.bridges,
        "n_bridges_shuffled": rich.shuffled,
        "repetition": repetition(cut),
        "digest": forms.digests(),
    }


def _numbers(names: Sequence[str], known: dict[str, int]) -> Integers:
    for name in dict.fromkeys(names):
        known.setdefault(name, len(known))
    return np.fromiter(map(known.__getitem__, names), dtype=np.int64, count=len(names))


def parts_of(composition: Composition, languages: Sequence[str], codes: dict[str, int]) -> tuple[Floats, Integers]:
    """Return what share of each unit is in its language, and in which other one most of the rest is.

    Args:
        composition: Of the units.
        languages: The language that each is in.
        codes: Numbers of languages; the empty one stands for no other language.

    Returns:
        Shares, 1 where nothing was identified, and numbers, both shape ``(units,)``.
    """
    numbers = _numbers(composition.codes, codes)
    own = np.array([codes[language] for language in languages], dtype=np.int64)
    units = np.repeat(np.arange(own.size), np.diff(composition.offsets))
    cells = numbers[composition.languages]
    is_own = cells == own[units]
    share = np.where(composition.identified > 0, 0.0, 1.0)
    share[units[is_own]] = composition.shares[is_own]
    others = np.flatnonzero(~is_own)
    others = others[np.argsort(composition.shares[others], kind="stable")]  # the largest is written last, and stays
    other = np.zeros(own.size, dtype=np.int64)
    other[units[others]] = cells[others]
    return share, other


class _Dropped:
    """How often each line of boilerplate was left out."""

    def __init__(self) -> None:
        self._counts: dict[DroppedLine, int] = {}

    def add(self, batch: UnitBatch) -> None:
        for line, count in batch.dropped.items():
            self._counts[line] = self._counts.get(line, 0) + count

    def to_arrays(self) -> Arrays:
        lines = list(self._counts)
        return {
            "dropped_source": pack_strings([line.group[0].replace("\0", " ") for line in lines]),
            "dropped_label": pack_strings([line.group[1] for line in lines]),
            "dropped_key": np.frombuffer(b"".join(line.key + b"\n" for line in lines), dtype=np.uint8),
            "dropped_count": np.array(list(self._counts.values()), dtype=np.int64),
        }


def _bands(signatures: Signatures) -> Arrays:
    return {f"band_{band}": hashes for band, hashes in enumerate(np.split(signatures, BANDS, axis=1))}


def _in_buckets(digests: Hashes) -> Arrays:
    bucket = digests[:, 0] >> np.uint64(60)
    arrays: Arrays = {}
    for number in range(BUCKETS):
        units = np.flatnonzero(bucket == number)
        arrays |= {f"units_{number}": units, f"digests_{number}": digests[units]}
    return arrays
