"""What the units of a corpus are: by label and language found, by type, and what was left out of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pivotlens.corpus import Boilerplate, DroppedLine, UnitBatch
from pivotlens.corpus.packing import Arrays, pack_strings, unpack_strings

_WARN_FROM, _WARN_UNITS = 0.5, 20
_KINDS = ("unit_labels", "unit_found", "unit_types")
UNIT_ARRAYS = (*_KINDS, "unit_counts", "dropped_lines", "dropped_counts")
"""The arrays of a part that hold these counts."""


@dataclass
class UnitKinds:
    """Counts of units and of lines left out; those of different shards can be merged.

    Attributes:
        units: Units by label, language found and type.
        dropped: How often each line of boilerplate was left out.
    """

    units: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    dropped: Counter[DroppedLine] = field(default_factory=Counter)

    def add(self, batch: UnitBatch) -> None:
        """Take in units."""
        self.units.update(zip(batch.labels, batch.languages, batch.document_types, strict=True))
        self.dropped.update(batch.dropped)

    def to_arrays(self, boilerplate: Boilerplate) -> Arrays:
        """Return everything counted, as arrays of a part; lines by their place in the boilerplate."""
        units = sorted(self.units)
        places = {(line.group, line.key): place for place, line in enumerate(boilerplate.lines)}
        dropped = sorted((places[line], count) for line, count in self.dropped.items())
        return {
            "unit_labels": pack_strings([label for label, _, _ in units]),
            "unit_found": pack_strings([found for _, found, _ in units]),
            "unit_types": pack_strings([kind for _, _, kind in units]),
            "unit_counts": np.array([self.units[key] for key in units], dtype=np.int64),
            "dropped_lines": np.array([place for place, _ in dropped], dtype=np.int64),
            "dropped_counts": np.array([count for _, count in dropped], dtype=np.int64),
        }

    def merge_arrays(self, arrays: Arrays, boilerplate: Boilerplate) -> None:
        """Add what was counted over other units."""
        columns = (unpack_strings(arrays[name]) for name in _KINDS)
        for label, found, kind, count in zip(*columns, arrays["unit_counts"].tolist(), strict=True):
            self.units[label, found, kind] += count
        for place, count in zip(arrays["dropped_lines"].tolist(), arrays["dropped_counts"].tolist(), strict=True):
            line = boilerplate.lines[place]
            self.dropped[DroppedLine(line.group, line.key)] += count

    # -- results

    def rows(self) -> list[dict[str, Any]]:
        """Return the ``count/units`` rows."""
        return [
            {"label": label, "language": found, "type": kind, "units": self.units[label, found, kind]}
            for label, found, kind in sorted(self.units)
        ]

    def boilerplate_rows(self, boilerplate: Boilerplate) -> list[dict[str, Any]]:
        """Return the ``count/boilerplate`` rows, the lines that were left out most often first."""
        rows: list[dict[str, Any]] = [
            {
                "source": line.group[0],
                "language": line.group[1],
                "line": line.text,
                "documents": line.documents,
                "documents_sampled": line.sampled,
                "dropped": self.dropped[DroppedLine(line.group, line.key)],
            }
            for line in boilerplate.lines
        ]
        return sorted(rows, key=lambda row: (-row["dropped"], row["source"], row["language"], row["line"]))

    def source_rows(self, boilerplate: Boilerplate) -> list[dict[str, Any]]:
        """Return the ``count/boilerplate_sources`` rows."""
        lines = Counter(line.group for line in boilerplate.lines)
        dropped: Counter[tuple[str, str]] = Counter()
        for line, count in self.dropped.items():
            dropped[line.group] += count
        return [
            {"source": source, "language": label, "lines": lines[source, label], "dropped": dropped[source, label]}
            for source, label in sorted(lines)
        ]

    def warnings(self) -> Iterator[str]:
        """Yield what is wrong with labels: those most of whose units are in another language."""
        labelled: dict[str, Counter[str]] = {}
        for (label, found, _), count in sorted(self.units.items()):
            labelled.setdefault(label, Counter())[found] += count
        for label, by_language in labelled.items():
            total, elsewhere = by_language.total(), by_language.total() - by_language[label]
            if total >= _WARN_UNITS and elsewhere > _WARN_FROM * total:
                mostly = max((count, found) for found, count in by_language.items() if found != label)[1]
                yield (
                    f"{elsewhere:,} of the {total:,} units labelled {label} are in another language, mostly {mostly}: "
                    "they are counted as what they are"
                )


def pack_languages(languages: Sequence[str]) -> Arrays:
    """Return the languages found of a shard's units, in its order, as arrays of a part."""
    codes = sorted(set(languages))
    numbers = {code: number for number, code in enumerate(codes)}
    return {
        "found_codes": pack_strings(codes),
        "found": np.array([numbers[language] for language in languages], dtype=np.int16),
    }


def unpack_languages(arrays: Arrays) -> list[str]:
    """Return what `pack_languages` packed."""
    codes, found = unpack_strings(arrays["found_codes"]), arrays["found"].astype(np.int64)
    return [codes[number] for number in found.tolist()]
