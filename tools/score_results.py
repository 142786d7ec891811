"""Write docs/results/word-translation.md from finished runs, so that its figures cannot drift from their artifacts.

python -m tools.score_results RUN RUN ...  # take summaries, strata, the first two's comparison; then write the page
python -m tools.score_results              # write the page again from docs/results/word-translation/
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pivotlens.artifacts import Scores
from pivotlens.score.comparison import compare_scores, find_scored
from tools.results_pages import RESULTS, Row, list_version, markdown_table, write_from_runs

DATA = RESULTS / "word-translation"
PAGE = RESULTS / "word-translation.md"
_KEPT = ("manifest.json", "summary.parquet", "strata.parquet")
_PERCENT = ("share", "accuracy_10way", "accuracy_generated", "accuracy_pairwise")


def collect(runs: Sequence[Path]) -> None:
    """Take what the page needs from finished runs."""
    shutil.rmtree(DATA, ignore_errors=True)
    scores = [Scores.load(run) for run in runs]
    for number, (run, one) in enumerate(zip(runs, scores, strict=True)):
        model = str(one.manifest.details["model"]).rpartition(":")[2].rpartition("/")[2]
        folder = DATA / f"{number}-{model}@{list_version(run)}"
        folder.mkdir(parents=True)
        for name in _KEPT:
            shutil.copy(one.folder / name, folder / name)
    if len(runs) > 1:
        sides = [find_scored(str(run), None, one) for run, one in zip(runs[:2], scores[:2], strict=True)]
        found = [row for row in dataclasses.asdict(compare_scores(*sides))["rows"] if row["source_language"] == "all"]
        (DATA / "comparison.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def page(data: Path = DATA) -> str:
    """Return the page."""
    models = [_read(folder) for folder in sorted(data.iterdir()) if folder.is_dir()]
    lines = [
        "# Word translation: results",
        "<!-- Written by tools/score_results.py from docs/results/word-translation; do not edit. -->",
        "",
        *_what(models),
        "",
        "## All directions",
        "",
        "Means over the directions, with 95 % intervals that resample concepts jointly over all directions"
        f"{' and shot sets' if models[0]['config']['shot_sets'] > 1 else ''}. Score averages over tokens: it is not "
        "comparable between models with different tokenizers; share, margin and the accuracies are.",
        "",
        *markdown_table(
            ["model", "items", "score", "share", "margin (nats)", "10-way", "generated"],
            (
                [one["name"], row["items"].replace("_", " "), *(_with_interval(row, name) for name in _FIGURES)]
                for one in models
                for row in one["summary"]
                if row["source_language"] == "all"
            ),
        ),
    ]
    comparison = data / "comparison.json"
    if comparison.exists():
        lines += ["", *_compared(models, json.loads(comparison.read_text(encoding="utf-8")))]
    for name, title in (
        ("share", "Share"),
        ("accuracy_10way", "10-way accuracy"),
        ("accuracy_generated", "Generated answers accepted"),
    ):
        lines += [
            "",
            f"## {title}, by direction",
            "",
            "Rows are source languages, columns target languages; all items.",
        ]
        for one in models:
            lines += ["", f"**{one['name']}**", "", *_matrix(one["summary"], name)]
    lines += ["", "## Part of speech, frequency and distance of distractors", ""]
    lines += [
        "Over all directions. In a tier, score and margin are against the distractors of that tier alone, and *beaten* "
        "is the share of them that the right source word beats; tier 0 shares a direct hypernym, tier 3 is unrelated.",
        "",
        *markdown_table(
            ["model", "stratum", "n", "score", "share", "margin (nats)", "10-way", "beaten", "generated"],
            (
                [
                    one["name"],
                    f"{row['stratum']} {row['value']}",
                    f"{row['n']:,}",
                    f"{row['score']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]",
                    *(
                        _plain(name, row[name])
                        for name in ("share", "margin", "accuracy_10way", "accuracy_pairwise", "accuracy_generated")
                    ),
                ]
                for one in models
                for row in one["strata"]
                if row["source_language"] == "all"
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


_FIGURES = ("score", "share", "margin", "accuracy_10way", "accuracy_generated")


def _read(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    model, _, version = folder.name.partition("-")[2].partition("@")
    return {
        "name": f"{model}, list {version}",
        "model": model,
        "version": version,
        "config": manifest["config"],
        "details": manifest["details"],
        "inputs": manifest["inputs"],
        "summary": pq.read_table(folder / "summary.parquet").to_pylist(),
        "strata": pq.read_table(folder / "strata.parquet").to_pylist(),
    }


def _what(models: Sequence[dict[str, Any]]) -> list[str]:
    config, details = models[0]["config"], models[0]["details"]
    limit = config["limit"]
    which = "All test concepts" if limit is None else f"The first {limit} test concepts in the order of their names"
    lines = [
        f"{which} of the bundled list `word-translation` ({details['concepts']:,} concepts, "
        f"{len(details['directions'])} directions), {config['shots']} examples a prompt, {config['shot_sets']} "
        f"{'set' if config['shot_sets'] == 1 else 'sets'} of examples, the {config['prompt']} prompt, weights in "
        f"{config['dtype']}. Every figure is also given without the items that are spelled alike in both languages. "
        "Versions of the list differ in the words they accept, so only *generated* depends on them.",
        "",
        "```sh",
    ]
    version = ""
    for one in models:
        flags = {
            "model": one["details"]["model"],
            "dtype": one["config"]["dtype"],
            "shot-sets": one["config"]["shot_sets"],
            "newline": one["config"]["newline"],
            "limit": one["config"]["limit"],
        }
        given = " ".join(f"--{name} {value}" for name, value in flags.items() if value is not None)
        if one["version"] != version:
            version = one["version"]
            lines.append(f"pivotlens bench --run RUN --words word-translation@{version}")
        lines.append(f"pivotlens score --run RUN {given}")
    lines += ["```", "", "Benchmark fingerprints "]
    lines[-1] += ", ".join({f"{one['version']} `{one['inputs']['bench'][:16]}`": None for one in models}) + "; models "
    fingerprints = {f"{one['model']} `{one['details']['model_fingerprint'][:16]}`": None for one in models}
    lines[-1] += ", ".join(fingerprints)
    lines[-1] += ". Both demo models are opened from 4-bit weights."
    return lines


def _compared(models: Sequence[dict[str, Any]], rows: Iterable[Row]) -> list[str]:
    return [
        f"### {models[1]['name']} against {models[0]['name']}",
        "",
        "Paired over the items of both; p of a two-sided sign-flip test over concepts.",
        "",
        *markdown_table(
            ["figure", "items", models[0]["name"], models[1]["name"], "difference", "95 % interval", "p"],
            (
                [
                    row["figure"].replace("_", " "),
                    row["items"].replace("_", " "),
                    f"{row['first']:.3f}",
                    f"{row['second']:.3f}",
                    f"{row['difference']:+.3f}",
                    f"[{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]",
                    f"{row['p_value']:.1g}",
                ]
                for row in rows
            ),
        ),
    ]


def _matrix(summary: Sequence[Row], name: str) -> list[str]:
    found = {(row["source_language"], row["target_language"]): row[name] for row in summary if row["items"] == "all"}
    languages = list(dict.fromkeys(source for source, _ in found if source != "all"))
    rows = ([source, *(_plain(name, found.get((source, target))) for target in languages)] for source in languages)
    return markdown_table(["", *languages], rows)


def _with_interval(row: Row, name: str) -> str:
    low, high = ("ci_low", "ci_high") if name == "score" else (f"{name}_low", f"{name}_high")
    return f"{_plain(name, row[name])} [{_plain(name, row[low])}, {_plain(name, row[high])}]"


def _plain(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1%}" if name in _PERCENT else f"{value:.3f}" if name == "score" else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page."""
    return write_from_runs(__doc__, "scores", collect, page, PAGE, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
