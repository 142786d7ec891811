"""How well the model translates: by direction, and by kind of word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import FIGURE_NAMES, ITEM_NAMES, STRATUM_NAMES, short_names
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, is_pooled, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.failures import failures
from pivotlens.report.wording import percent, plural, visible
from pivotlens.text import Direction

KINDS: dict[str, b.Kind] = {
    "score": "figure", "probability_share": "share", "margin": "short", "accuracy_10way": "share",
    "accuracy_generated": "share", "accuracy_pairwise": "share",
}  # fmt: skip
MAIN = ("score", "probability_share", "accuracy_10way", "accuracy_generated")
_LEAST_DIRECTIONS = 6
"""Fewest directions whose figures are also shown as a matrix of languages."""


def figure(row: Row, name: str) -> b.Value:
    """Return a figure of ``score/summary`` or ``score/strata`` with its interval, where it has one."""
    if name != "score" and f"{name}_low" not in row:
        return b.Value(row[name], KINDS[name])  # the ends in ``ci_low`` and ``ci_high`` are those of the score
    return p.shown(row, name, KINDS[name])


def score_rows(run: RunTables, items: str = "all") -> list[Row]:
    """Return the rows of ``score/summary`` over a choice of items, the mean over directions first."""
    rows = [row for row in first_rows(run.score, "summary") if row["item_set"] == items]
    return sorted(rows, key=lambda row: not is_pooled(row))


def _figures(names: Sequence[str]) -> list[p.Field]:
    return [p.number(FIGURE_NAMES[name], partial(figure, name=name)) for name in names]


def scores(run: RunTables) -> b.Section | None:
    """Build the section from ``score/summary`` and ``score/strata``."""
    rows, other = score_rows(run), score_rows(run, "different_spelling")
    if not rows:
        return None
    distractors = run.bench.manifest.config.get("distractors") if run.bench else None
    open_marks = "; open marks leave out words written alike in both languages" if other else ""
    chance = f" (chance is {percent(1 / (1 + distractors))})" if distractors else ""
    pooled_rows = [(ITEM_NAMES[found[0]["item_set"]], found[0]) for found in (rows, other) if found]
    blocks: list[b.Block] = [
        p.lede(
            f"How much likelier the right translation is after the right word than after {distractors or 'the'} wrong "
            f"ones, at most 1, with 95% bootstrap intervals over concepts{open_marks}."
        ),
        _by_direction(rows, {p.pair_of(row): row for row in other}),
        p.note(
            "Probability share is the right word’s part of the probability among all its choices, 10-way how often it "
            f"is the largest of them{chance}, and generated how often the model by itself writes an accepted word. "
            "They can be compared between tokenizers; score cannot."
        ),
        pooled_table(pooled_rows, "items"),
        *_sweep(run),
    ]
    single = [row for row in rows if not is_pooled(row)]
    if len(single) >= _LEAST_DIRECTIONS:
        blocks += p.folded("As matrices of languages", *(_matrix(single, name) for name in MAIN[1:]))
    if strata := [row for row in first_rows(run.score, "strata") if is_pooled(row)]:
        blocks += p.folded("By part of speech, frequency and distance of the distractors", *_strata(strata))
    return b.Section("score", "Score", (*blocks, *failures(run)))


def _by_direction(rows: Sequence[Row], other: dict[Direction | None, Row]) -> b.Table:
    def marks(row: Row) -> list[charts.Row]:
        alike = p.interval(other.get(p.pair_of(row)), "score")
        second = [charts.Row("spelled differently", alike, "second")] if alike else []
        return [charts.Row("all items", p.interval(row, "score")), *second]

    ends = p.ends_of(p.interval(row, "score") for row in (*rows, *other.values()))
    axis = charts.value_axis("score", "at most 1", [0.1, *ends])
    fields = (p.DIRECTION, p.intervals("score", axis, marks), *_figures(MAIN), p.ITEMS)
    return p.table("score", "Score by direction", rows, fields, unseen=True, style=p.pooled)


def pooled_table(rows: Sequence[tuple[str, Row]], of: str, name: str = "score-all-directions") -> b.Table:
    """Return all figures over all directions, a row for each of what ``of`` names."""
    named = [row | {"name": first} for first, row in rows]
    fields = (p.text(of, "name"), *_figures(tuple(FIGURE_NAMES)), p.ITEMS)
    return p.table(name, "Over all directions", named, fields)


def _sweep(run: RunTables) -> tuple[b.Block, ...]:
    """Return the means over directions of every model under every prompt, where there are several."""
    if run.score is None:
        return ()
    config = run.score.manifest.config
    models = list(dict.fromkeys((config["model"], *config.get("also_models", ()))))
    prompts = list(dict.fromkeys((config["prompt"], *config.get("also_prompts", ()))))
    if len(models) * len(prompts) < 2:
        return ()
    short = short_names(models)
    every = [row for row in rows(run.score, "summary") if row["item_set"] == "all"]
    # The mean last, so that it stays; a single direction has none and stands for itself.
    found = {(row["model"], row["prompt"]): row for row in sorted(every, key=is_pooled)}
    named = [
        (
            f"{visible(short[model])}, {prompt} prompt" if len(prompts) > 1 else visible(short[model]),
            found[model, prompt],
        )
        for model in models
        for prompt in prompts
        if (model, prompt) in found
    ]
    said = p.lede(
        "The means over directions of each model and prompt of the run, in the order in which they were asked for, "
        "over all items. All else in this section is of the first, {model} with the {prompt} prompt.",
        model=b.Code(config["model"]),
        prompt=config["prompt"],
    )
    return p.heading("Every model and prompt"), said, pooled_table(named, "model", "score-every-model")


def _matrix(rows: Sequence[Row], name: str) -> b.Table:
    found = {direction_of(row): row for row in rows}
    languages = dict.fromkeys(code for pair in found for code in pair)
    sources, targets = ([code for code in languages if code in side] for side in zip(*found, strict=True))

    def cell(target: str, source: str) -> b.Cell:
        pair = Direction(source, target)
        return b.Value(found[pair][name], "share") if pair in found else ""

    fields = (p.text("from", str), *(p.number(target, partial(cell, target)) for target in targets))
    caption = f"{FIGURE_NAMES[name].capitalize()}: rows are source languages, columns target languages"
    return p.table(f"matrix-{name}", caption, sources, fields)


def _strata(rows: Sequence[Row]) -> tuple[b.Block, ...]:
    def cell(row: Row, name: str) -> b.Cell:
        return figure(row, name) if row[name] is not None else ""

    names = FIGURE_NAMES | {"accuracy_pairwise": "beaten"}
    fields = (
        p.text("words", lambda row: f"{STRATUM_NAMES.get(row['stratum'], row['stratum'])}: {row['value']}"),
        *(p.number(title, partial(cell, name=name)) for name, title in names.items()),
        p.ITEMS,
    )
    said = p.note(
        "In a tier, score and margin are against the distractors of that tier alone, and **beaten** is the share of "
        "them that the right source word beats; tier 0 shares a direct hypernym, tier 3 is unrelated."
    )
    return said, p.table("score-strata", "Over all directions", rows, fields)


def score_lines(rows: Sequence[Row], names: Sequence[str] = ()) -> list[str]:
    """Return the figures of ``score/summary`` a line each; ``names`` stand before them where there are several."""
    said = []
    for place, row in enumerate(rows):
        pair = "all directions" if is_pooled(row) else "→".join(direction_of(row))
        figures = ", ".join(f"{FIGURE_NAMES[name].partition(',')[0]} {b.plain(figure(row, name))}" for name in MAIN)
        said.append(f"{names[place] + ', ' if names else ''}{pair}: {figures} of {plural(row['n'], 'item')}")
    return said
