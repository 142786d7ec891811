"""Reading what lm-evaluation-harness kept of every document: keys to match by, clusters, and the values of metrics."""

from __future__ import annotations

import hashlib
import json
import math
import re
import reprlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pivotlens.comparison.chrf import sentence_chrf
from pivotlens.comparison.families import Family, family_of
from pivotlens.comparison.harness_files import SampleFile, find_samples
from pivotlens.comparison.sides import Document, Side, TaskValues
from pivotlens.errors import DataError

_AGAIN = "Copy the file again, or evaluate again with --log_samples."
_OF_A_RECORD = {
    "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash",
    "target_hash",
}  # fmt: skip
# Of our own tasks: the document tells how many tokens the answers had, and this metric is a mean over them.
_TOKENS, _TOKEN_METRICS = "tokens", frozenset({"score", "score_different_spelling"})
_LARGEST = 1e100  # far beyond any metric; sums and squares of such values stay finite
_SURROGATE = re.compile("[\ud800-\udfff]")
CHRF = "chrf_sentence"
"""chrF of each document; the harness's own ``chrf`` is of all of them together, and none is a document's."""


@dataclass
class _Read:
    number: int
    hash: str
    prompt: str
    target: str
    cluster: str
    concept: str
    tokens: int | None
    values: dict[str, float] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.number}/{self.prompt}/{self.target}"


def sample_side(place: str, name: str, cluster_field: str = "") -> Side:
    """Return what the samples of one model hold as a side of a comparison.

    Args:
        place: As `find_samples` takes it.
        name: What the side is called.
        cluster_field: As `read_samples` takes it.

    Raises:
        ConfigError: The samples are of several models, or none is of the time that is named.
        DataError: A file is damaged.
    """
    files, notes = find_samples(place)
    tasks: dict[str, TaskValues] = {}
    passed_over: dict[str, None] = {}
    for file in files:
        tasks[file.task], left = read_samples(file, cluster_field)
        passed_over |= dict.fromkeys(left)
    if passed_over:
        notes.append(
            f"{name}: {', '.join(passed_over)} cannot be compared, as the samples hold no number a document for it."
        )
    return Side(name, place, tasks, tuple(notes))


def read_samples(file: SampleFile, cluster_field: str = "") -> tuple[TaskValues, list[str]]:
    """Read the samples of a task.

    Args:
        file: As `find_samples` found it.
        cluster_field: Field of a document that names its cluster; empty for what is known of the task's family.

    Returns:
        The values, and the metrics that cannot be compared as a document has no number for them.

    Raises:
        DataError: A line is no record, or cut off, a field is not what the harness writes, a document stands there
            twice, or a value is not finite or too large.
    """
    family = family_of(file.task, cluster_field)
    documents: dict[int, _Read] = {}
    seen: set[tuple[int, str]] = set()
    passed_over: set[str] = set()
    for line, record in _records(file.path):
        with_place = f"{file.path}, line {line}"
        number, filtered = _number(record, with_place), str(record.get("filter", "none"))
        if (number, filtered) in seen:
            raise DataError(
                f"{with_place}: document {number} stands there twice",
                "Two runs were written into one file, or lines were copied: keep the samples of one run.",
            )
        seen.add((number, filtered))
        if number not in documents:
            documents[number] = _document(record, number, family, with_place)
        for name, value in _metrics(record, with_place).items():
            label = name if filtered == "none" else f"{name},{filtered}"
            found = _value(name, value, f"{with_place}, document {number}: {label}")
            if found is None:
                passed_over.add(label)
            else:
                documents[number].values[CHRF if name == "chrf" else label] = found
    if not documents:
        raise DataError(f"{file.path} holds no samples", _AGAIN)
    rows = list(documents.values())
    names = dict.fromkeys(name for row in rows for name in row.values if name not in passed_over)
    keys = _keys(rows)
    clusters = family.clusters([row.cluster for row in rows], [row.number for row in rows], keys)
    values = TaskValues(
        family=family.name,
        documents=tuple(
            Document(
                key=key,
                name=row.concept or f"doc_id {row.number}",
                cluster=cluster,
                other_key=row.place,
                prompt=row.prompt,
                target=row.target,
                number=row.number,
                hash=row.hash,
                tokens=row.tokens,
            )
            for row, key, cluster in zip(rows, keys, clusters, strict=True)
        ),
        metrics={name: np.array([[row.values.get(name, math.nan)] for row in rows]) for name in names},
        conditions=file.conditions,
        token_metrics=_TOKEN_METRICS,
    )
    return values, sorted(passed_over)


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)  # the harness writes NaN, which strict readers refuse
                except (ValueError, RecursionError) as error:
                    cut = "" if line.endswith(b"\n") else ", and is cut off"
                    raise DataError(f"{path}, line {number} is no JSON{cut}: {error}", _AGAIN) from error
                if not isinstance(record, dict):
                    raise DataError(f"{path}, line {number} is no record of a document", _AGAIN)
                yield number, record
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give a file that is there.") from error


def _number(record: Mapping[str, Any], place: str) -> int:
    number = record.get("doc_id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise DataError(f"{place}: doc_id = {number!r} is no number", _AGAIN)
    return number


def _document(record: Mapping[str, Any], number: int, family: Family, place: str) -> _Read:
    content = record.get("doc")
    of = content if isinstance(content, dict) else {}
    concept = str(of.get("concept_id", "")) if family.name == "pivotlens" else ""
    if _SURROGATE.search(concept):
        raise DataError(f"{place}: doc.concept_id = {reprlib.repr(concept)} is no text", _AGAIN)
    try:
        return _Read(
            number=number,
            hash=str(record.get("doc_hash") or (_hash_of_document(content) if content is not None else "")),
            prompt=str(record.get("prompt_hash") or _hash(_first_prompt(record, place))),
            target=str(record.get("target_hash") or _hash(record.get("target"))),
            cluster=family.cluster_value(of),
            concept=concept,
            tokens=_tokens(of.get(_TOKENS), place) if concept else None,
        )
    except RecursionError as error:
        raise DataError(f"{place}: the record of document {number} is nested too deeply", _AGAIN) from error


def _tokens(counts: object, place: str) -> int | None:
    """Return how many tokens the answers of a document have together; None where that is not told."""
    if not isinstance(counts, list):
        return None
    for count in counts:
        if not isinstance(count, int) or isinstance(count, bool):
            raise DataError(f"{place}: doc.{_TOKENS} = {reprlib.repr(counts)} are no numbers of tokens", _AGAIN)
    return sum(counts)


def _first_prompt(record: Mapping[str, Any], place: str) -> object:
    arguments = record.get("arguments")
    if arguments is not None and not isinstance(arguments, dict | list):
        raise DataError(f"{place}: arguments = {reprlib.repr(arguments)} is no list of requests", _AGAIN)
    first = arguments.get("gen_args_0") if isinstance(arguments, dict) else (arguments or [None])[0]
    return first.get("arg_0") if isinstance(first, dict) else first[0] if isinstance(first, list) and first else first


def _hash(content: object) -> str:
    return "" if content is None else _sha256(str(content))


def _hash_of_document(content: object) -> str:
    """Return what the harness itself calls a document's hash; older versions of it wrote none."""
    return _sha256(json.dumps(content, indent=2, ensure_ascii=False))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()  # JSON may hold half a character


def _keys(rows: Sequence[_Read]) -> list[str]:
    """Return what each document is matched by: its concept in our tasks, else its hash.

    Of documents that are alike to the last character, the first is matched with the first, and so on. Where there is
    no hash, number, prompt and target stand for it.
    """
    found = [row.concept or row.hash or row.place for row in rows]
    repeated = {key for key, count in Counter(found).items() if count > 1}
    copies: Counter[str] = Counter()
    keys = dict.fromkeys(range(len(rows)), "")
    for place in sorted(keys, key=lambda place: rows[place].number):
        key = found[place]
        copies[key] += 1
        keys[place] = f"{key}, copy {copies[key]}" if key in repeated else key
    return list(keys.values())


def _metrics(record: Mapping[str, Any], place: str) -> dict[str, object]:
    named = record.get("metrics")
    names = named if isinstance(named, list) else [name for name in record if name not in _OF_A_RECORD]
    for name in names:
        if not isinstance(name, str) or _SURROGATE.search(name):
            raise DataError(f"{place}: metrics = {reprlib.repr(name)} is no name of a metric", _AGAIN)
    return {name: record[name] for name in names if name in record}


def _value(name: str, value: object, place: str) -> float | None:
    """Return a document's value of a metric; None where it has none of its own.

    Raises:
        DataError: It is NaN, infinite, or so large that means of it may be.
    """
    if name == "chrf" and isinstance(value, list) and len(value) == 2:
        texts = [one[0] if isinstance(one, list) and one else one for one in value]
        return sentence_chrf(str(texts[0]), str(texts[1]))
    if not isinstance(value, bool | int | float):
        return None
    if not abs(value) <= _LARGEST:  # NaN is not either
        raise DataError(
            f"{place} = {reprlib.repr(value)}, which is "
            + ("too large for a metric" if _LARGEST < abs(value) < math.inf else "no finite number"),
            "The model gave NaN there, or the metric divides by zero: evaluate again, in float32 if it was not.",
        )
    return float(value)
