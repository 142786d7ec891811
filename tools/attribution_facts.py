"""What the attribution page needs from a finished run; see tools/attribution_results.py."""

from __future__ import annotations

import dataclasses
import json
import shutil
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts import Attribution, Benchmark, Counts, Scores, Trace
from pivotlens.artifacts.tables import schema_of
from pivotlens.attribute.items import gather
from pivotlens.attribute.prediction import predict_behaviour
from pivotlens.corpus import list_corpus
from pivotlens.report.sections.joint_frequency import joint_frequency
from pivotlens.text import fold
from tools.results_pages import list_version

KEPT = ("auc.parquet", "tests.parquet")
APART = "without_english_spelling.parquet"

Row = dict[str, Any]


def collect(run: Path, data: Path) -> None:
    """Take what the page needs from a finished run."""
    found, counts, trace = Attribution.load(run), Counts.load(run), Trace.load(run)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    for name in KEPT:
        shutil.copy(found.folder / name, data / name)
    predictors, spelled = found.rows("predictors"), _spelled_as_english(Benchmark.load(run))
    pq.write_table(_without(spelled, found, counts, trace), data / APART)
    joint = joint_frequency(predictors)
    if joint is not None:
        _write_json(data / "joint.json", dataclasses.asdict(joint))
    details, config = found.manifest.details, trace.manifest.config
    facts = {
        "corpus": _corpus(counts),
        "model": details["model"],
        "list_version": list_version(run),
        "prompt": details["prompt"],
        "limit": config["limit"],
        "shots": config["shots"],
        "trace": {"dtype": config["dtype"], "limit": config["limit"]},
        "score": _scored(run),
        "min_items": found.manifest.config["min_items"],
        "bootstrap": found.manifest.config["bootstrap"],
        "unit_characters": counts.manifest.config["unit_characters"],
        "inputs": {name: found.manifest.inputs[name] for name in sorted(found.manifest.inputs)},
        "directions": _directions(predictors, spelled),
        "warnings": sorted({*found.manifest.warnings, *counts.manifest.warnings, *trace.manifest.warnings}),
    }
    _write_json(data / "facts.json", facts)


def _scored(run: Path) -> Row | None:
    scores = Scores.load_if_there(run)
    if scores is None:
        return None
    settings = {name: scores.manifest.config[name] for name in ("dtype", "shot_sets", "newline", "limit")}
    directions = dict.fromkeys((row["source_language"], row["target_language"]) for row in scores.rows("concepts"))
    return settings | {"directions": " ".join("-".join(direction) for direction in directions)}


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def _corpus(counts: Counts) -> Row:
    first = list_corpus(counts.manifest.config["corpus"])[0]
    described = json.loads((Path(first.location).parent / "manifest.json").read_text(encoding="utf-8"))
    sizes: dict[str, Counter[str]] = {}
    for row in described["counts"]:
        sizes.setdefault(row["language"], Counter())[row["kind"]] += row["text_bytes"]
    units = {row["language"]: row for row in counts.rows("languages")}
    return {
        "name": described["name"],
        "text_bytes": described["text_bytes"],
        "documents": counts.manifest.details["documents"],
        "units": counts.manifest.details["units"],
        "languages": [
            {"language": code, "documents": units[code]["documents"], "units": units[code]["units"], "text_bytes": size}
            for code, size in sorted(sizes.items())
            if code in units
        ],
    }


def _spelled_as_english(benchmark: Benchmark) -> Callable[[Row], bool]:
    """Return whether an item has a word that is not English but spelled like an English word of the benchmark."""
    concepts = benchmark.concepts
    english = {fold(word) for concept in concepts.values() for word in concept.accepted.get("en", ())}

    def spelled(row: Row) -> bool:
        codes = (row["source_language"], row["target_language"])
        words = concepts[row["concept_id"]].words
        return any(fold(words[code]) in english for code in codes if code != "en")

    return spelled


def _without(spelled: Callable[[Row], bool], found: Attribution, counts: Counts, trace: Trace) -> pa.Table:
    """Return the mean AUCs within directions over the items that are left without those of a kind."""
    wanted = found.manifest.details["model"], found.manifest.details["prompt"], 0
    traced, behaviours = (
        [row for row in trace.rows(name) if (row["model"], row["prompt"], row["shot_set"]) == wanted]
        for name in ("items", "behaviours")
    )
    left = [row for row in traced if not spelled(row)]
    items = gather(left, behaviours, counts.rows("pairs"), found.manifest.details["units"], {})
    config = found.manifest.config
    aucs = predict_behaviour(items, config["min_items"], config["bootstrap"], config["seed"])
    rows = [dataclasses.asdict(row) for row in aucs if row.source_language == "all"]
    return pa.Table.from_pylist(rows, schema=schema_of("attribute", "auc"))


def _directions(predictors: Sequence[Row], spelled_as_english: Callable[[Row], bool]) -> list[Row]:
    """How often the words of an item share a unit, by direction; those spelled alike left out.

    Of those that do, ``as_english`` counts the ones with a word that is spelled like an English word of the benchmark:
    such a word is met wherever the English one is.
    """
    groups: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for row in predictors:
        if not row["same_spelling"]:
            pair = row["source_language"], row["target_language"]
            groups.setdefault(pair, []).append((row["df_both"], spelled_as_english(row)))
    return [
        {
            "source_language": source,
            "target_language": target,
            "items": len(items),
            "never": sum(joint == 0 for joint, _ in items),
            "median": statistics.median(joint for joint, _ in items),
            "most": max(joint for joint, _ in items),
            "as_english": sum(joint > 0 and spelled for joint, spelled in items),
        }
        for (source, target), items in groups.items()
    ]
