"""How well the model translates: by direction, and by kind of word."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import FIGURE_NAMES, ITEM_NAMES, STRATUM_NAMES
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, interval_of, is_pooled
from pivotlens.report.wording import percent, plural
from pivotlens.text import Direction

KINDS = {
    "score": "figure", "probability_share": "share", "margin": "short", "accuracy_10way": "share",
    "accuracy_generated": "share", "accuracy_pairwise": "share",
}  # fmt: skip
_LEAST_DIRECTIONS = 6
"""Fewest directions whose figures are also shown as a matrix of languages."""


def pair_of(row: Row) -> Direction | None:
    """Return a row's direction; None for the mean over directions."""
    return None if is_pooled(row) else direction_of(row)


def figure(row: Row, name: str) -> b.Value:
    """Return a figure of ``score/summary`` or ``score/strata`` with its interval, where it has one."""
    low, high = ("ci_low", "ci_high") if name == "score" else (f"{name}_low", f"{name}_high")
    kind = KINDS[name]
    if low not in row:
        return b.Value(row[name], kind)  # type: ignore[arg-type]
    return b.Value.of(interval_of(row, name, low, high), kind)  # type: ignore[arg-type]


def score_rows(run: RunTables, items: str = "all") -> list[Row]:
    """Return the rows of ``score/summary`` over a choice of items, the mean over directions first."""
    rows = [row for row in first_rows(run.score, "summary") if row["item_set"] == items]
    return sorted(rows, key=lambda row: not is_pooled(row))


def scores(run: RunTables) -> b.Section | None:
    """Build the section from ``score/summary`` and ``score/strata``."""
    rows = score_rows(run)
    if not rows:
        return None
    other = {pair_of(row): row for row in score_rows(run, "different_spelling")}
    distractors = run.bench.manifest.config.get("distractors") if run.bench else None
    open_marks = "; open marks leave out words written alike in both languages" if other else ""
    chance = f" Chance is {percent(1 / (1 + distractors))} for the accuracy among them." if distractors else ""
    blocks: list[b.Block] = [
        b.Paragraph(
            b.prose(
                f"How much likelier the right translation is after the right word than after {distractors or 'the'} "
                f"wrong ones, at most 1, with 95% bootstrap intervals over concepts{open_marks}."
            ),
            "lede",
        ),
        _by_direction(rows, other),
        b.Paragraph(
            b.prose(
                "Share is the right word’s part of the probability among all its choices, so it can be compared "
                f"between tokenizers; score cannot.{chance}"
            ),
            "note",
        ),
    ]
    pooled = [row for items in ("all", "different_spelling") for row in score_rows(run, items)[:1]]
    blocks.append(pooled_table([(ITEM_NAMES[row["item_set"]], row) for row in pooled], "items"))
    single = [row for row in rows if not is_pooled(row)]
    if len(single) >= _LEAST_DIRECTIONS:
        matrices = (_matrix(single, name) for name in ("probability_share", "accuracy_10way", "accuracy_generated"))
        blocks.append(b.Details(b.prose("As matrices of languages"), tuple(matrices)))
    strata = [row for row in first_rows(run.score, "strata") if is_pooled(row)]
    if strata:
        blocks.append(
            b.Details(b.prose("By part of speech, frequency and distance of the distractors"), _strata(strata))
        )
    return b.Section("score", "Score", tuple(blocks))


def _by_direction(rows: Sequence[Row], other: dict[Direction | None, Row]) -> b.Table:
    intervals = [
        (interval_of(row, "score"), interval_of(other[pair], "score") if pair in other else None)
        for row in rows
        for pair in [pair_of(row)]
    ]
    drawn = [
        [charts.Row("all items", one), *([charts.Row("spelled differently", two, "second")] if two else [])]
        for one, two in intervals
    ]
    ends = [end for pair in intervals for interval in pair if interval for end in interval]
    axis = charts.value_axis("score", "at most 1", [0.1, *ends])
    names = ("score", "probability_share", "accuracy_10way", "accuracy_generated")
    return b.Table(
        "score",
        (b.Column("direction"), b.Column("score", "plot", charts.column_axis(axis)),
         *(b.Column(FIGURE_NAMES[name], "number") for name in names), b.Column("items", "number")),
        b.lines(
            (
                (b.Pair(pair_of(row)), b.Plot(charts.interval_cell(marks, axis)),
                 *(figure(row, name) for name in names), b.Value(row["n"], "count"))
                for row, marks in zip(rows, drawn, strict=True)
            ),
            ("pooled" if is_pooled(row) else "" for row in rows),
        ),
        b.prose("Score by direction"),
        unseen=True,
    )  # fmt: skip


def pooled_table(rows: Sequence[tuple[str, Row]], of: str) -> b.Table:
    """Return all figures over all directions, a row for each of what ``of`` names."""
    return b.Table(
        "score-all-directions",
        b.columns([of], [*FIGURE_NAMES.values(), "items"]),
        b.lines(
            (name, *(figure(row, each) for each in FIGURE_NAMES), b.Value(row["n"], "count")) for name, row in rows
        ),
        b.prose("Over all directions"),
    )


def _matrix(rows: Sequence[Row], name: str) -> b.Table:
    found = {direction_of(row): row for row in rows}
    languages = list(dict.fromkeys(code for pair in found for code in pair))
    return b.Table(
        f"matrix-{name}",
        b.columns(["from"], languages),
        b.lines(
            (
                source,
                *(
                    b.Value(found[pair][name], "share") if (pair := Direction(source, target)) in found else ""
                    for target in languages
                ),
            )
            for source in languages
        ),
        b.prose(f"{FIGURE_NAMES[name].capitalize()}: rows are source languages, columns target languages"),
    )


def _strata(rows: Sequence[Row]) -> tuple[b.Block, ...]:
    names = [*FIGURE_NAMES, "accuracy_pairwise"]
    table = b.Table(
        "score-strata",
        b.columns(["words"], [*FIGURE_NAMES.values(), "beaten", "items"]),
        b.lines(
            (
                f"{STRATUM_NAMES.get(row['stratum'], row['stratum'])}: {row['value']}",
                *(figure(row, name) if row[name] is not None else "" for name in names),
                b.Value(row["n"], "count"),
            )
            for row in rows
        ),
        b.prose("Over all directions"),
    )
    note = b.prose(
        "In a tier, score and margin are against the distractors of that tier alone, and *beaten* is the share of them "
        "that the right source word beats; tier 0 shares a direct hypernym, tier 3 is unrelated."
    )
    return (b.Paragraph(note, "note"), table)


def score_lines(rows: Sequence[Row], names: Sequence[str] = ()) -> list[str]:
    """Return the figures of ``score/summary`` a line each; ``names`` stand before them where there are several."""
    said = []
    for place, row in enumerate(rows):
        pair = "all directions" if is_pooled(row) else "→".join(direction_of(row))
        figures = ", ".join(
            f"{FIGURE_NAMES[name].partition(',')[0]} {b.plain(figure(row, name))}"
            for name in ("score", "probability_share", "accuracy_10way", "accuracy_generated")
        )
        said.append(f"{names[place] + ', ' if names else ''}{pair}: {figures} of {plural(row['n'], 'item')}")
    return said
