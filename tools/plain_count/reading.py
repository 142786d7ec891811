"""Reading a corpus anew: documents, boilerplate, units, their hashes, and what their text tells of them."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import regex
import zstandard

from pivotlens.corpus.composing import by_lines

_64_BITS = (1 << 64) - 1
LENGTHS = (0, 256, 1024, 4096, 16384)
OTHERS = (0, 1, 128, 512, 2048, 8192)
_CODES = {"nb": "no"}
_EQUAL = dict.fromkeys(map(ord, "0123456789 \t\r"))
_LETTER = regex.compile(r"\p{L}")
_MESSAGE = regex.compile(r"\s*(msg(id|str|ctxt)\b|\"[^\"]*\"\s*$)")


@dataclass(frozen=True)
class Settings:
    """Those of the count that the tables depend on; see `pivotlens.count.CountConfig`."""

    corpus: Path
    seed: int
    sample: int
    background: int
    unit_characters: int
    boilerplate_share: float
    identify: str


@dataclass(frozen=True)
class Row:
    """A document."""

    file: str
    row: int
    text: str
    label: str
    source: str


@dataclass(frozen=True)
class Unit:
    """A unit of the corpus, with what was found out about it."""

    text: str
    label: str
    language: str
    kind: str
    stratum: int
    hash: int


@dataclass
class Corpus:
    """A corpus as it is counted.

    Attributes:
        units: In its order.
        documents: By label.
        bad: File and row of what cannot be read.
        boilerplate: Rows of the table, by source, label and line.
        dropped: Lines of boilerplate left out, by source, label and line.
    """

    units: list[Unit] = field(default_factory=list)
    documents: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[str, int]] = field(default_factory=list)
    boilerplate: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    dropped: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def rows_of(folder: Path) -> Iterator[Row | tuple[str, int]]:
    """Yield the documents of a folder of JSON lines, and file and row of what cannot be read."""
    for path in sorted([*folder.rglob("*.jsonl"), *folder.rglob("*.jsonl.zst")]):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        if path.suffix == ".zst":
            content = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
        for number, line in enumerate(content.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                text, label = row["text"], row["language"]
                if not isinstance(text, str) or not isinstance(label, str):
                    raise TypeError
            except (ValueError, KeyError, TypeError):
                yield name, number
                continue
            source = str(row.get("source") or name.rpartition("/")[0])
            yield Row(name, number, text, _CODES.get(label, label), source)


def read_corpus(settings: Settings) -> Corpus:
    """Read a corpus as it is counted."""
    read = list(rows_of(settings.corpus))
    rows = [row for row in read if isinstance(row, Row)]
    corpus = Corpus(bad=[row for row in read if not isinstance(row, Row)])
    keys: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    by_source = len({(row.source, row.label) for row in rows}) <= 256
    if settings.boilerplate_share:
        for group, key, line, counted in _boilerplate(rows, settings.boilerplate_share, by_source):
            keys[group][key] = line
            corpus.boilerplate[(*group, line)] = counted
    for row in rows:
        corpus.documents[row.label] += 1
        group = (row.source if by_source else "", row.label)
        lines = row.text.split("\n")
        kept = [line for line in lines if _key(line) not in keys[group]]
        corpus.dropped.update((*group, keys[group][key]) for key in map(_key, lines) if key in keys[group])
        for number, text in enumerate(_cut("\n".join(kept), settings.unit_characters)):
            corpus.units.append(_unit(row, number, text, settings))
    return corpus


def _unit(row: Row, number: int, text: str, settings: Settings) -> Unit:
    language, kind, others = row.label, "monolingual", 0
    if settings.identify == "lines":
        found = by_lines([text], [row.label])
        language, kind = found.languages[0], found.document_types[0]
        own = found.composition.of_unit(0).get(language, 0.0)
        others = round(int(found.composition.identified[0]) * (1 - own))
    steps = sum(len(text) >= least for least in LENGTHS) - 1, sum(others >= least for least in OTHERS) - 1
    stratum = steps[0] * len(OTHERS) + steps[1]
    return Unit(text, row.label, language, kind, stratum, _hash(row, number, f"count\0{settings.seed}"))


def _hash(row: Row, unit: int, purpose: str) -> int:
    digest = hashlib.blake2b(f"{purpose}\0{row.file}".encode(), digest_size=8).digest()
    return _mixed(_mixed(int.from_bytes(digest, "little") ^ _mixed(row.row)) ^ unit)


def _mixed(value: int) -> int:
    """Return a step of SplitMix64 (Steele, Lea, Flood 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & _64_BITS
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _64_BITS
    return value ^ (value >> 31)


# -- boilerplate


def _key(line: str) -> str:
    return line.translate(_EQUAL)


def _boilerplate(
    rows: list[Row], share: float, by_source: bool
) -> Iterator[tuple[tuple[str, str], str, str, tuple[int, int]]]:
    """Yield of each line of boilerplate its source and label, key, text, and documents with it, of those sampled."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for row in rows:
        groups[row.source if by_source else "", row.label].append((_hash(row, 0, "boilerplate\0" + "0"), row.text))
    most = min(256, max(64, (1 << 14) // max(len(groups), 1))) if by_source else 64
    for group, documents in groups.items():
        sampled = sorted(documents)[:most]
        counts: Counter[str] = Counter()
        shown: dict[str, str] = {}
        for _, text in sampled:
            lines = {_key(line): line.strip(" \t\r") for line in text[: 1 << 16].split("\n")}
            counts.update(lines.keys())
            for key, line in lines.items():
                shown.setdefault(key, line)
        for key, count in counts.items():
            line = shown[key]
            recurs = count >= 10 and count > share * len(sampled)
            if recurs and _LETTER.search(line) and not _MESSAGE.match(line):
                yield group, key, line, (count, len(sampled))


# -- units


def _cut(text: str, most: int) -> Iterator[str]:
    while len(text) > most:
        end = text[:most].rfind("\n") + 1 or _at_space(text, most) or _at_grapheme(text, most)
        yield text[:end]
        text = text[end:]
    if text:
        yield text


def _at_space(text: str, most: int) -> int:
    for place in range(most, 0, -1):
        if regex.match(r"\s", text, pos=place - 1) and regex.match(r"\X", text, pos=place - 1).end() == place:
            return place
    return 0


def _at_grapheme(text: str, most: int) -> int:
    ends = [found.end() for found in regex.finditer(r"\X", text[: most + 64])]
    return max((end for end in ends if end <= most), default=most)
