"""Write docs/results/behaviours.md from finished traces, so that its figures cannot drift from their artifacts.

python -m tools.trace_results RUN RUN    # take what the page needs from runs of the same model, then write the page
python -m tools.trace_results            # write the page again from docs/results/behaviours/
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from pivotlens.artifacts import Trace
from pivotlens.report.wording import PIVOT_LANGUAGE_NAMES
from tools.results_pages import RESULTS, Row, list_version, markdown_table, write_from_runs

DATA = RESULTS / "behaviours"
PAGE = RESULTS / "behaviours.md"
_TABLES = ("strata", "summary", "agreement", "pivots", "sensitivity", "lenses", "pivot_languages")
_LABELS = ("semantic_pivot", "direct", "copy", "source_or_english", "other", "none")
_GROUPS = {
    "neither_english": "neither side English",
    "source_english": "English as source",
    "target_english": "English as target",
}


def collect(runs: Sequence[Path]) -> None:
    """Take what the page needs from finished runs."""
    shutil.rmtree(DATA, ignore_errors=True)
    for number, run in enumerate(runs):
        trace = Trace.load(run)
        folder = DATA / f"{number}-{trace.manifest.config['prompt']}@{list_version(run)}"
        folder.mkdir(parents=True)
        shutil.copy(trace.folder / "manifest.json", folder / "manifest.json")
        for name in _TABLES:
            shutil.copy(trace.folder / f"{name}.parquet", folder / f"{name}.parquet")


class _Traced:
    """What was taken of a run."""

    def __init__(self, folder: Path) -> None:
        self.version = folder.name.partition("@")[2]
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.config: Row = self.manifest["config"]
        self.details: Row = self.manifest["details"]
        there = {path.stem for path in folder.glob("*.parquet")}  # older traces have no pivot_languages
        self.tables = {
            name: pq.read_table(folder / f"{name}.parquet").to_pylist() if name in there else [] for name in _TABLES
        }

    def rows(self, table: str, **wanted: object) -> list[Row]:
        """Return the rows of a table with given values."""
        return [row for row in self.tables[table] if all(row[name] == value for name, value in wanted.items())]


def page(data: Path = DATA) -> str:
    """Return the page."""
    runs = [_Traced(folder) for folder in sorted(data.iterdir()) if folder.is_dir()]
    lines = [
        "# Direct, or through a pivot?",
        "<!-- Written by tools/trace_results.py from docs/results/behaviours; do not edit. -->",
        "",
    ]
    for number, run in enumerate(runs):
        lines += _section(run, heading="##", whole=number == 0)
    return "\n".join(lines).rstrip() + "\n"


def _section(run: _Traced, heading: str, *, whole: bool) -> list[str]:
    config, details = run.config, run.details
    lines = [
        f"{heading} The {config['prompt']} prompt",
        "",
        f"{details['model']}, {details['concepts']:,} concepts of the bundled list `word-translation@{run.version}` "
        f"({_which(details)}), "
        f"{len(details['directions'])} directions ({', '.join(details['directions'])}), {config['shots']} examples, "
        f"{config['dtype']}; baseline of {details['calibration_concepts']} concepts; ratio {config['ratio']:g}, "
        f"threshold {config['threshold']:g}. Shares are means over directions; 95 % intervals resample concepts.",
        "",
        f"{heading}# Headline",
        "",
    ]
    for group, words in _GROUPS.items():
        found = run.rows("strata", directions=group, stratum="all")
        if found:
            lines += [f"**{words[0].upper()}{words[1:]}** ({found[0]['n']:,} items)", "", *_by_rule(found), ""]
            lines += _written(run, group)
    lines += [
        f"{heading}# By direction",
        "",
        "Rule `calibrated`, items spelled differently.",
        "",
        *_by_direction(run),
        "",
        *_written_by_direction(run),
    ]
    if whole:
        lines += _details(run, heading)
    return lines


def _which(details: Row) -> str:
    calibrating, others = details["calibration_concepts"], details["concepts"] - details["calibration_concepts"]
    said = f"the {calibrating} of the calibration set, which are spread over the list"
    return said + (f", and the first {others:,} others in the order of the English alphabet" if others else "")


def _details(run: _Traced, heading: str) -> list[str]:
    found = [
        row
        for row in run.rows("strata", directions="neither_english", rule="calibrated", behaviour="semantic_pivot")
        if row["stratum"] != "all" and row["n"]
    ]
    onset = {
        (row["stratum"], row["value"]): row
        for row in run.rows("strata", directions="neither_english", rule="onset", behaviour="semantic_pivot")
    }
    lines = [
        f"{heading}# Which items",
        "",
        "Share of semantic pivots, neither side English.",
        "",
        *markdown_table(
            ["items", "n", "`calibrated`", "`onset`"],
            (
                [
                    f"{row['stratum']}: {row['value']}",
                    f"{row['n']:,}",
                    _share(row),
                    _share(onset[row["stratum"], row["value"]]),
                ]
                for row in found
            ),
        ),
        "",
        f"{heading}# How far the rules agree",
        "",
        "Over all directions. Kappa is Cohen's, over all labels; the second over semantic pivot or not.",
        "",
        *markdown_table(
            ["first", "second", "items", "alike", "kappa", "kappa, pivot or not"],
            (
                [
                    f"`{row['first']}`",
                    f"`{row['second']}`",
                    f"{row['n']:,}",
                    f"{row['agreement']:.1%}",
                    _kappa(row, "kappa"),
                    _kappa(row, "kappa_pivot"),
                ]
                for row in run.tables["agreement"]
            ),
        ),
        "",
        f"{heading}# Thresholds of the calibrated rule",
        "",
        "Share of semantic pivots, mean over the directions with neither side English.",
        "",
        *_sensitivity(run),
        "",
        f"{heading}# What pivots are",
        "",
        "Tokens that `calibrated` calls pivots, neither side English: in which languages the token is a word for the "
        "concept or for what it is linked with, and how.",
        "",
        *_kinds(run),
        "",
    ]
    if run.tables["lenses"]:
        lines += [
            f"{heading}# The raw and the tuned lens",
            "",
            "Means over directions, by layer.",
            "",
            *_lenses(run),
            "",
        ]
    return lines


def _by_rule(rows: Sequence[Row]) -> list[str]:
    rules = list(dict.fromkeys(row["rule"] for row in rows))
    labels = [label for label in (*_LABELS, "dropped") if any(row["behaviour"] == label for row in rows)]
    found = {(row["rule"], row["behaviour"]): row for row in rows}
    return markdown_table(
        ["rule", *(label.replace("_", " ") for label in labels)],
        (
            [f"`{rule}`", *(_share(found[rule, label]) if (rule, label) in found else "–" for label in labels)]
            for rule in rules
        ),
    )


def _written(run: _Traced, group: str) -> list[str]:
    rows = run.rows("pivot_languages", directions=group, items="all")
    return _written_by("rule", rows, "Of these, semantic pivots written in:", lambda rule: f"`{rule}`")


def _written_by_direction(run: _Traced) -> list[str]:
    rows = run.rows("pivot_languages", items="different_spelling", rule="calibrated")
    rows = [row for row in rows if row["directions"] not in _GROUPS]
    sentence = "Semantic pivots of the same items, by what they are written in:"
    return _written_by("directions", rows, sentence, lambda name: name.replace("-", "→"))


def _written_by(column: str, rows: Sequence[Row], sentence: str, shown: Callable[[str], str]) -> list[str]:
    """Return a table with a line a value of a column and a column a kind of pivot; nothing where there are no rows."""
    if not rows:
        return []
    names = list(dict.fromkeys(row[column] for row in rows))
    kinds = [
        kind
        for kind in PIVOT_LANGUAGE_NAMES
        if any(row["pivot_language"] == kind and row[column] == names[0] for row in rows)
    ]
    shares = {(row[column], row["pivot_language"]): _share(row) for row in rows}
    table = markdown_table(
        [column.removesuffix("s"), *(PIVOT_LANGUAGE_NAMES[kind] for kind in kinds)],
        ([shown(name), *(shares[name, kind] for kind in kinds)] for name in names),
    )
    return [sentence, "", *table, ""]


def _by_direction(run: _Traced) -> list[str]:
    rows = run.rows("summary", rule="calibrated", items="different_spelling")
    labels = [label for label in _LABELS if any(row["behaviour"] == label for row in rows)]
    found = {(row["source_language"], row["target_language"], row["behaviour"]): row for row in rows}
    directions = list(dict.fromkeys((row["source_language"], row["target_language"]) for row in rows))
    counts = {(row["source_language"], row["target_language"]): row["n"] for row in rows}
    return markdown_table(
        ["direction", "items", *(label.replace("_", " ") for label in labels)],
        (
            [
                "→".join(direction),
                f"{counts[direction]:,}",
                *(_share(found[*direction, label]) if (*direction, label) in found else "–" for label in labels),
            ]
            for direction in directions
        ),
    )


def _sensitivity(run: _Traced) -> list[str]:
    rows = [row for row in run.tables["sensitivity"] if "en" not in (row["source_language"], row["target_language"])]
    directions = {(row["source_language"], row["target_language"]) for row in rows}
    thresholds, ratios = (sorted({row[name] for row in rows}) for name in ("threshold", "ratio"))

    def share(ratio: float, threshold: float) -> str:
        of = [
            row["share"]
            for row in rows
            if (row["ratio"], row["threshold"], row["behaviour"]) == (ratio, threshold, "semantic_pivot")
        ]
        return f"{sum(of) / len(directions):.1%}"

    return markdown_table(
        ["ratio", *(f"threshold {threshold:g}" for threshold in thresholds)],
        ([f"{ratio:g}", *(share(ratio, threshold) for threshold in thresholds)] for ratio in ratios),
    )


def _kinds(run: _Traced) -> list[str]:
    rows = [
        row
        for row in run.rows("pivots", rule="calibrated")
        if "en" not in (row["source_language"], row["target_language"])
    ]
    total = sum(row["n"] for row in rows)

    def counted(kind: Callable[[Row], str]) -> list[tuple[str, int]]:
        counts: dict[str, int] = {}
        for row in rows:
            counts[kind(row)] = counts.get(kind(row), 0) + row["n"]
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def relation(row: Row) -> str:
        return str(row["relation"]).partition(":")[0].partition(" ")[0]

    lines: list[str] = []
    for name, kind in (
        ("languages", lambda row: str(row["languages"])),
        ("relation", relation),
        ("layer", lambda row: str(row["layer"])),
    ):
        counts = counted(kind)
        if name == "layer":
            counts.sort(key=lambda item: int(item[0]))
        lines += [
            *markdown_table(
                [name, "pivots", "share"], ([key or "not linked", f"{n}", f"{n / total:.1%}"] for key, n in counts[:12])
            ),
            "",
        ]
    return lines[:-1]


def _lenses(run: _Traced) -> list[str]:
    rows = run.rows("lenses", shot_set=0)
    layers = sorted({row["layer"] for row in rows})

    def mean(layer: int, name: str) -> float | None:
        values = [row[name] for row in rows if row["layer"] == layer and row[name] is not None]
        return sum(values) / len(values) if values else None

    names = ("same_top", "kl_to_final_raw", "kl_to_final_tuned", "target_prob_raw", "target_prob_tuned",
             "mass_english_raw", "mass_english_tuned")  # fmt: skip
    header = [
        "layer",
        "same top token",
        "KL raw",
        "KL tuned",
        "target raw",
        "target tuned",
        "English raw",
        "English tuned",
    ]
    return markdown_table(
        header,
        (
            [
                f"{layer}",
                *("" if (value := mean(layer, name)) is None else f"{value:.2f}" for name in names),
            ]
            for layer in layers
        ),
    )


def _share(row: Row) -> str:
    return f"{row['share']:.1%} [{row['ci_low']:.1%}, {row['ci_high']:.1%}]"


def _kappa(row: Row, name: str) -> str:
    if row[name] is None:
        return "–"
    ends = (row[f"{name}_low"], row[f"{name}_high"])
    return f"{row[name]:.2f}" + ("" if None in ends else f" [{ends[0]:.2f}, {ends[1]:.2f}]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page."""
    return write_from_runs(__doc__, "traces", collect, page, PAGE, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
