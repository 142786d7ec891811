"""What the attribution page needs from a finished run; see tools/attribution_results.py."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pivotlens.artifacts import Attribution, Counts, Scores, Trace
from pivotlens.artifacts.tables import schema_of
from pivotlens.attribute.prediction import UNLIKE_ENGLISH
from pivotlens.corpus import list_corpus
from pivotlens.report.sections.joint_frequency import joint_frequency
from tools.results_pages import list_version

AUC, TESTS = "auc.parquet", "tests.parquet"
APART = "without_english_spelling.parquet"

Row = dict[str, Any]


def collect(run: Path, data: Path) -> None:
    """Take what the page needs from a finished run."""
    found, counts, trace = Attribution.load(run), Counts.load(run), Trace.load(run)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    shutil.copy(found.folder / TESTS, data / TESTS)
    without = [row for row in found.rows("auc") if row["items"].endswith(UNLIKE_ENGLISH)]
    every = [row for row in found.rows("auc") if row not in without]
    pooled = [
        row | {"items": row["items"].removesuffix(UNLIKE_ENGLISH)} for row in without if row["source_language"] == "all"
    ]
    for name, rows in ((AUC, every), (APART, pooled)):
        pq.write_table(pa.Table.from_pylist(rows, schema=schema_of("attribute", "auc")), data / name)
    joint = joint_frequency(found.rows("bins"), found.rows("predictors"))
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
        "directions": _directions(found.rows("joint")),
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


def _directions(joint: Sequence[Row]) -> list[Row]:
    """How often the words of an item share a unit, by direction; those spelled alike left out."""
    return [
        {
            "source_language": row["source_language"],
            "target_language": row["target_language"],
            "items": row["n"],
            "never": row["n"] - row["n_shared"],
            "median": row["median"],
            "most": row["most"],
            "as_english": row["n_as_english"],
        }
        for row in joint
        if (row["scope"], row["items"], row["behaviour"]) == ("direction", "all", "")
    ]
