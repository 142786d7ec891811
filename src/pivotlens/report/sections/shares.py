"""The headline shares: over directions, under every rule; by kind of item; by model and by prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import (
    BEHAVIOUR_NAMES,
    GROUP_NAMES,
    PIVOT_LANGUAGE_NAMES,
    STRATUM_NAMES,
    short_names,
)  # fmt: skip
from pivotlens.report.run_tables import Row, RunTables, first_rows, interval_of, rows
from pivotlens.report.wording import percent, plural, whole
from pivotlens.statistics.bootstrap import Interval

PIVOT = "semantic_pivot"
DEFAULT_RULE = "calibrated"
SWEPT_RULES = ("calibrated", "onset")
SWEPT = ("direct", "copy", PIVOT)
"""Behaviours that a sweep shows."""


@dataclass(frozen=True)
class Shares:
    """Shares of the behaviours among items; None where there are no items."""

    rule: str
    stratum: str
    value: str
    n: int
    shares: dict[str, Interval | None]


@dataclass(frozen=True)
class ShareGroup:
    """A group of directions: over all items under every rule, and by kind of item under the default one.

    Attributes:
        direction_group: A key of `GROUP_NAMES`.
        behaviours: Those that occur, in the order of `BEHAVIOUR_NAMES`.
    """

    direction_group: str
    behaviours: tuple[str, ...]
    rules: tuple[Shares, ...]
    strata: tuple[Shares, ...]

    def rule(self, name: str) -> Shares | None:
        """Return the shares under a rule."""
        return next((row for row in self.rules if row.rule == name), None)


def in_order(names: Iterable[str], known: Iterable[str] = (DEFAULT_RULE,)) -> list[str]:
    """Return names, each once: known ones in their order, then the others in the order of the table."""
    there = dict.fromkeys(names)
    first = [name for name in dict.fromkeys(known) if name in there]
    return [*first, *(name for name in there if name not in first)]


def share_groups(strata: Sequence[Row]) -> tuple[ShareGroup, ...]:
    """Build the groups from ``trace/strata`` of one model and prompt; the headline's group comes first."""
    found = []
    for name in GROUP_NAMES:
        members = [row for row in strata if row["direction_group"] == name and row["behaviour"]]
        if members:
            found.append(_group(name, members))
    return tuple(found)


def _group(name: str, members: Sequence[Row]) -> ShareGroup:
    behaviours = tuple(in_order((row["behaviour"] for row in members), BEHAVIOUR_NAMES))
    all_items = [row for row in members if row["stratum"] == "all"]
    kinds = dict.fromkeys((row["rule"], row["stratum"], row["value"]) for row in members if row["stratum"] != "all")
    return ShareGroup(
        direction_group=name,
        behaviours=behaviours,
        rules=tuple(
            _shares([row for row in all_items if row["rule"] == rule], behaviours)
            for rule in in_order(row["rule"] for row in members)
        ),
        strata=tuple(
            shares
            for kind in kinds
            if (
                shares := _shares(
                    [row for row in members if (row["rule"], row["stratum"], row["value"]) == kind], behaviours
                )
            ).n
        ),
    )


def _shares(members: Sequence[Row], behaviours: Sequence[str]) -> Shares:
    if not members:
        return Shares("", "", "", 0, dict.fromkeys(behaviours))
    first, by_name = members[0], {row["behaviour"]: row for row in members}
    # A label that a rule gives nowhere has no row: its share is zero in every resample.
    none = Interval(0.0, 0.0, 0.0) if first["n"] else None
    shares = {name: interval_of(by_name[name], "share") if name in by_name else none for name in behaviours}
    return Shares(first["rule"], first["stratum"], first["value"], first["n"], shares)


def headline(run: RunTables) -> tuple[ShareGroup, ...]:
    """Return the groups of directions of a run's first model and prompt."""
    return share_groups(first_rows(run.trace, "strata"))


# -- what pivots are written in


@dataclass(frozen=True)
class Split:
    """Semantic pivots of a group of directions, or of one, under a rule, by what they are written in.

    Attributes:
        direction_group: A key of `GROUP_NAMES`, or a direction such as ``zh-fr``.
        item_set: Which items, a key of `ITEM_NAMES`.
        rule: Name.
        n: Items.
        shares: Of the items, by the keys of `PIVOT_LANGUAGE_NAMES`; they add up to the share of semantic pivots.
    """

    direction_group: str
    item_set: str
    rule: str
    n: int
    shares: dict[str, Interval]

    @property
    def text(self) -> str:
        """The shares that are not zero, in words."""
        there = ((PIVOT_LANGUAGE_NAMES[kind], found.value) for kind, found in self.shares.items() if found.value)
        return ", ".join(f"{name} {percent(value)}" for name, value in there)


def splits(members: Sequence[Row]) -> tuple[Split, ...]:
    """Return the splits, from ``trace/pivot_languages`` of one model and prompt."""
    found: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in members:
        found.setdefault((row["direction_group"], row["item_set"], row["rule"]), {})[row["pivot_language"]] = row
    return tuple(
        Split(
            *key,
            next(iter(by_kind.values()))["n"],
            {
                kind: each
                for kind in PIVOT_LANGUAGE_NAMES
                if kind in by_kind and (each := interval_of(by_kind[kind], "share")) is not None
            },
        )
        for key, by_kind in found.items()
    )


def split_of(found: Sequence[Split], directions: str, rule: str) -> Split | None:
    """Return the split of all items of a group or direction under a rule, where it holds any pivot."""
    wanted = (directions, "all", rule)
    return next((one for one in found if (one.direction_group, one.item_set, one.rule) == wanted and one.text), None)


# -- as blocks


def shares_plot(shares: dict[str, Interval | None], axis: charts.Axis) -> b.Plot:
    """Draw shares of behaviours under one another, in their colours."""
    marks = [charts.Row(BEHAVIOUR_NAMES.get(name, name), value, f"b-{name}") for name, value in shares.items()]
    return b.Plot(charts.interval_cell(marks, axis))


def share_columns(first: Sequence[str], behaviours: Sequence[str], axis: charts.Axis) -> tuple[b.Column, ...]:
    """Return the columns of a table of shares."""
    names = (b.Column(BEHAVIOUR_NAMES.get(name, name), "number") for name in behaviours)
    plot = b.Column("share of items", "plot", charts.column_axis(axis))
    return (*map(b.Column, first), plot, *names, b.Column("items", "number"))


def share_cells(shares: dict[str, Interval | None], n: int, axis: charts.Axis) -> tuple[b.Cell, ...]:
    """Return the cells of a row of `share_columns` behind its first ones."""
    values = (b.Value.of(interval, "share") for interval in shares.values())
    return (shares_plot(shares, axis), *values, b.Value(n, "count"))


def by_rule(group: ShareGroup) -> b.Table:
    """Return the shares under every rule."""
    axis = charts.share_axis("share of items")
    return b.Table(
        f"shares-{group.direction_group}",
        share_columns(["rule"], group.behaviours, axis),
        b.lines(
            ((b.Code(row.rule), *share_cells(row.shares, row.n, axis)) for row in group.rules),
            ("pooled" if place == 0 else "" for place in range(len(group.rules))),
        ),
        b.prose("Shares of items, {group}", group=GROUP_NAMES[group.direction_group]),
    )


def written_table(found: Sequence[Split], first: Sequence[b.Prose], name: str, caption: b.Prose) -> b.Table:
    """Return splits as a table; ``first`` are their names."""
    kinds = [kind for kind in PIVOT_LANGUAGE_NAMES if any(kind in split.shares for split in found)]
    return b.Table(
        name,
        (
            b.Column("items"),
            *(b.Column(PIVOT_LANGUAGE_NAMES[kind], "number") for kind in kinds),
            b.Column("items", "number"),
        ),
        b.lines(
            (cell, *(b.Value.of(split.shares.get(kind), "share") for kind in kinds), b.Value(split.n, "count"))
            for cell, split in zip(first, found, strict=True)
        ),
        caption,
    )


def headline_blocks(run: RunTables, alike: b.Prose) -> tuple[b.Block, ...]:
    """Return the shares over directions; ``alike`` says what is known of pivots spelled alike in several languages."""
    groups, written = headline(run), splits(first_rows(run.trace, "pivot_languages"))
    if not groups:
        return ()
    first = groups[0]
    where = (
        " There, an English token is neither the source nor the target."
        if first.direction_group == "neither_english"
        else " No direction without English was traced, so this says nothing about English as a pivot."
    )
    blocks: list[b.Block] = [
        b.Heading(b.prose("The headline: every rule on the same items")),
        b.Paragraph(
            b.prose(
                f"Mean over the directions with {GROUP_NAMES[first.direction_group]}, with 95% bootstrap intervals "
                f"over concepts.{where}"
            ),
            "lede",
        ),
        by_rule(first),
        *_written_of_group(written, first.direction_group, alike),
    ]
    if first.strata:
        blocks.append(_strata(first))
    others = [
        block
        for group in groups[1:]
        for block in (by_rule(group), *_written_of_group(written, group.direction_group, None))
    ]
    if others:
        blocks.append(b.Details(b.prose("The directions with English on a side"), tuple(others)))
    return tuple(blocks)


def _written_of_group(written: Sequence[Split], directions: str, alike: b.Prose | None) -> list[b.Block]:
    found = [one for one in written if (one.direction_group, one.item_set) == (directions, "all")]
    if not found:
        return []
    caption = b.prose("Semantic pivots by what they are written in, {group}", group=GROUP_NAMES[directions])
    table = written_table(found, [(b.Code(one.rule),) for one in found], f"written-{directions}", caption)
    if alike is None:
        return [table]
    note = b.prose(
        "Shares of the same items, which add up to that of semantic pivots. A word of the target's or the source's own "
        "language is no language in between; told by dictionaries and word lists, which know spellings and not "
        "meanings.{alike}",
        alike=alike,
    )
    return [b.Heading(b.prose("The language a pivot is written in"), 4), b.Paragraph(note, "note"), table]


def _strata(group: ShareGroup) -> b.Details:
    axis = charts.share_axis("share of items")
    onset = {(row.stratum, row.value): row.shares.get(PIVOT) for row in group.strata if row.rule == "onset"}
    columns_ = share_columns(["items"], group.behaviours, axis)
    if onset:
        columns_ = (*columns_[:-1], b.Column("semantic pivot, onset", "number"), columns_[-1])

    def cells(row: Shares) -> tuple[b.Cell, ...]:
        found = share_cells(row.shares, row.n, axis)
        early = (b.Value.of(onset.get((row.stratum, row.value)), "share"),) if onset else ()
        return (f"{STRATUM_NAMES.get(row.stratum, row.stratum)}: {row.value}", *found[:-1], *early, found[-1])

    table = b.Table(
        "shares-by-kind-of-item",
        columns_,
        b.lines(cells(row) for row in group.strata if row.rule == DEFAULT_RULE),
        b.prose(f"Shares by kind of item, {GROUP_NAMES[group.direction_group]}, rule `{DEFAULT_RULE}`"),
    )
    return b.Details(b.prose("By answer, spelling, length, part of speech and frequency"), (table,))


# -- several models or prompts


@dataclass(frozen=True)
class SweepPoint:
    """Shares of a model under a prompt; ``short`` leaves out what all models' names begin with."""

    model: str
    short: str
    prompt: str
    shares: Shares


@dataclass(frozen=True)
class Sweep:
    """One rule over several models or prompts, in the order of the settings."""

    rule: str
    points: tuple[SweepPoint, ...]

    @property
    def by_model(self) -> tuple[SweepPoint, ...]:
        """The models under the first prompt."""
        return tuple(point for point in self.points if point.prompt == self.points[0].prompt)

    @property
    def by_prompt(self) -> tuple[SweepPoint, ...]:
        """The prompts of the first model."""
        return tuple(point for point in self.points if point.model == self.points[0].model)


def sweeps(run: RunTables) -> tuple[Sweep, ...]:
    """Return what a sweep of the trace shows; nothing where there is one model under one prompt."""
    if run.trace is None:
        return ()
    config = run.trace.manifest.config
    models = list(dict.fromkeys((config["model"], *config.get("also_models", ()))))
    prompts = list(dict.fromkeys((config["prompt"], *config.get("also_prompts", ()))))
    return sweeps_of(rows(run.trace, "strata"), models, prompts)


def sweeps_of(strata: Sequence[Row], models: Sequence[str], prompts: Sequence[str]) -> tuple[Sweep, ...]:
    """Build the sweeps from ``trace/strata`` of all models and prompts, in the order in which these were asked for."""
    if len(models) < 2 and len(prompts) < 2:
        return ()
    there = {row["direction_group"] for row in strata}
    group = next((name for name in GROUP_NAMES if name in there), None)
    members = [row for row in strata if row["direction_group"] == group and row["stratum"] == "all"]
    short = short_names(list(models))
    made = []
    for rule in SWEPT_RULES:
        points = [
            SweepPoint(model, short[model], prompt, _shares(found, SWEPT))
            for model in models
            for prompt in prompts
            if (found := [r for r in members if (r["rule"], r["model"], r["prompt"]) == (rule, model, prompt)])
        ]
        if points:
            made.append(Sweep(rule, tuple(points)))
    return tuple(made)


def sweep_blocks(run: RunTables) -> tuple[b.Block, ...]:
    """Return the shares by model and by prompt."""
    found = sweeps(run)
    if not found:
        return ()
    first, blocks = found[0], list[b.Block]()
    several = len(first.by_model) > 1
    if several:
        lede = b.prose(
            "The same shares for each model or checkpoint of the run, in the order in which they were asked for. All "
            "else on this page is of the first, {model}.",
            model=b.Code(first.points[0].model),
        )
        figures = tuple(
            b.Figure(f"shares-by-model-{sweep.rule}", _by_model(sweep), b.prose(f"Rule `{sweep.rule}`"))
            for sweep in found
        )
        blocks += [b.Heading(b.prose("By model")), b.Paragraph(lede, "lede"), b.Grid(figures, "multiples wide-charts")]
    if len(first.by_prompt) > 1:
        lede = b.prose(
            "What is said of English pivots must also hold where the prompt is not in English. All else on this page "
            "is of the first prompt, {prompt}.",
            prompt=b.Code(first.points[0].prompt),
        )
        blocks += [b.Heading(b.prose("By prompt")), b.Paragraph(lede, "lede")]
        blocks += [_points(sweep, sweep.by_prompt, "prompt") for sweep in found]
    if several:
        summary = "Every model and prompt" if len(first.by_prompt) > 1 else "Every model"
        blocks.append(b.Details(b.prose(summary), tuple(_points(sweep, sweep.points, "model") for sweep in found)))
    return tuple(blocks)


def _by_model(sweep: Sweep) -> Markup:
    points = sweep.by_model
    x = charts.names_axis("model", "in the order of the settings", [point.short for point in points])
    found = {name: [point.shares.shares[name] for point in points] for name in SWEPT}
    drawn = [charts.Line(BEHAVIOUR_NAMES[name], f"b-{name}", x.ticks, values) for name, values in found.items()]
    values = [end for intervals in found.values() for interval in intervals if interval for end in interval]
    return charts.line_chart(f"Shares by model, rule {sweep.rule}", drawn, x,
                             charts.value_axis("share of items", "%", values, share=True))  # fmt: skip


def _points(sweep: Sweep, points: Sequence[SweepPoint], by: str) -> b.Table:
    axis = charts.share_axis("share of items")
    return b.Table(
        f"shares-by-{by}-{sweep.rule}",
        share_columns(["model", "prompt"], SWEPT, axis),
        b.lines(
            (point.short, point.prompt, *share_cells(point.shares.shares, point.shares.n, axis)) for point in points
        ),
        b.prose(f"Shares by {by}, rule `{sweep.rule}`"),
    )


# -- in words


def written_in(found: Sequence[Split], directions: str, rule: str) -> str:
    """Return ``(written in: …)`` behind a share of semantic pivots, or nothing."""
    split = split_of(found, directions, rule)
    return f" (written in: {split.text})" if split else ""


def alike_note(kinds: Sequence[Row], group: str) -> b.Prose:
    """Say of the pivots spelled alike in several languages how many English links, from ``trace/pivot_summary``."""
    found = [row for row in kinds if (row["rule"], row["direction_group"]) == (DEFAULT_RULE, group) and row["n_alike"]]
    if not found:
        return ()
    n, linked = found[0]["n_alike"], found[0]["n_alike_english"]
    return b.prose(
        f" Of the {plural(n, 'pivot')} that `{DEFAULT_RULE}` finds spelled alike in several languages, {whole(linked)} "
        f"{'is' if linked == 1 else 'are'} linked with the concept as a word of English; of the others it is not known "
        "whether English is among their languages."
    )
