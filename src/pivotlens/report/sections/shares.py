"""The headline shares: over directions, under every rule; by kind of item; by model and by wording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, GROUP_NAMES, PIVOT_LANGUAGE_NAMES, STRATUM_NAMES, short_names
from pivotlens.report.run_tables import Row, RunTables, first_rows, rows
from pivotlens.report.sections import parts as p
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
        directions: A key of `GROUP_NAMES`.
        behaviours: Those that occur, in the order of `BEHAVIOUR_NAMES`.
    """

    directions: str
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
    """Build the groups from ``trace/strata`` of one model and wording; the headline's group comes first."""
    found = p.by((row for row in strata if row["behaviour"]), itemgetter("directions"))
    return tuple(_group(name, found[name]) for name in GROUP_NAMES if name in found)


def _group(name: str, members: Sequence[Row]) -> ShareGroup:
    behaviours = tuple(in_order((row["behaviour"] for row in members), BEHAVIOUR_NAMES))
    made = [_shares(found, behaviours) for found in p.by(members, itemgetter("rule", "stratum", "value")).values()]
    rules = {shares.rule: shares for shares in made if shares.stratum == "all"}
    strata = tuple(shares for shares in made if shares.stratum != "all" and shares.n)
    return ShareGroup(name, behaviours, tuple(rules[rule] for rule in in_order(rules)), strata)


def _shares(members: Sequence[Row], behaviours: Sequence[str]) -> Shares:
    first, by_name = members[0], {row["behaviour"]: row for row in members}
    # A label that a rule gives nowhere has no row: its share is zero in every resample.
    none = Interval(0.0, 0.0, 0.0) if first["n"] else None
    shares = {name: p.interval(by_name[name], "share") if name in by_name else none for name in behaviours}
    return Shares(first["rule"], first["stratum"], first["value"], first["n"], shares)


def headline(run: RunTables) -> tuple[ShareGroup, ...]:
    """Return the groups of directions of a run's first model and wording."""
    return share_groups(first_rows(run.trace, "strata"))


# -- what pivots are written in

Splits = dict[tuple[str, str, str], dict[str, Row]]
"""Shares of items by what their semantic pivot is written in, by directions (a key of `GROUP_NAMES`, or a direction
such as ``zh-fr``), choice of items (of `ITEM_NAMES`) and rule; they add up to the share of semantic pivots."""


def splits(members: Sequence[Row]) -> Splits:
    """Return the splits, from ``trace/pivot_languages`` of one model and wording."""
    return p.spread(members, itemgetter("directions", "items", "rule"), "pivot_language")


def written_in(found: Splits, directions: str, rule: str) -> str:
    """Return in words the shares that are not zero, over all items; nothing where there are none."""
    split = found.get((directions, "all", rule), {})
    shares = {PIVOT_LANGUAGE_NAMES[kind]: split[kind]["share"] for kind in PIVOT_LANGUAGE_NAMES if kind in split}
    return ", ".join(f"{name} {percent(share)}" for name, share in shares.items() if share)


def written_table(name: str, caption: b.Prose, found: Sequence[dict[str, Row]], first: p.Field) -> b.Table:
    """Return splits as a table; ``first`` names them."""
    kinds = [kind for kind in PIVOT_LANGUAGE_NAMES if any(p.interval(split.get(kind), "share") for split in found)]
    fields = (first, *(p.across(PIVOT_LANGUAGE_NAMES[kind], kind, "share", "share") for kind in kinds), p.GROUP_ITEMS)
    return p.table(name, caption, found, fields)


# -- as blocks


def _share_fields(behaviours: Sequence[str]) -> list[p.Field]:
    """Return the columns of a table of `Shares` behind its first ones."""
    axis = charts.share_axis("share of items")

    def draw(row: Shares) -> Markup:
        marks = [charts.Row(BEHAVIOUR_NAMES.get(name, name), one, f"b-{name}") for name, one in row.shares.items()]
        return charts.interval_cell(marks, axis)

    return [
        p.plot("share of items", draw, charts.column_axis(axis)),
        *(p.number(BEHAVIOUR_NAMES.get(name, name), partial(_share, name)) for name in behaviours),
        p.number("items", lambda row: b.Value(row.n, "count")),
    ]


def _share(name: str, row: Shares) -> b.Value:
    return b.Value.of(row.shares[name], "share")


def _by_rule(group: ShareGroup) -> b.Table:
    fields = (p.text("rule", lambda row: b.Code(row.rule)), *_share_fields(group.behaviours))
    caption = f"Shares of items, {GROUP_NAMES[group.directions]}"
    return p.table(f"shares-{group.directions}", caption, group.rules, fields,
                 style=lambda row: "pooled" if row is group.rules[0] else "")  # fmt: skip


def headline_blocks(run: RunTables, alike: b.Prose) -> tuple[b.Block, ...]:
    """Return the shares over directions; ``alike`` says what is known of pivots spelled alike in several languages."""
    groups, written = headline(run), splits(first_rows(run.trace, "pivot_languages"))
    if not groups:
        return ()
    first, *others = groups
    where = (
        "There, an English token is neither the source nor the target."
        if first.directions == "neither_english"
        else "No direction without English was traced, so this says nothing about English as a pivot."
    )
    blocks: list[b.Block] = [
        p.heading("The headline: every rule on the same items"),
        p.lede(
            f"Mean over the directions with {GROUP_NAMES[first.directions]}, with 95% bootstrap intervals over "
            f"concepts. {where}"
        ),
        _by_rule(first),
    ]
    if table_ := _written_of_group(written, first.directions):
        said = p.note(
            "Shares of the same items, which add up to that of semantic pivots. A word of the target's or the source's "
            "own language is no language in between; told by dictionaries and word lists, which know spellings and "
            "not meanings.{alike}",
            alike=alike,
        )
        blocks += [p.heading("The language a pivot is written in", 4), said, *table_]
    if first.strata:
        blocks.append(p.folded("By answer, spelling, length, part of speech and frequency", _strata(first)))
    if others:
        tables = (one for group in others for one in (_by_rule(group), *_written_of_group(written, group.directions)))
        blocks.append(p.folded("The directions with English on a side", *tables))
    return tuple(blocks)


def _written_of_group(written: Splits, directions: str) -> list[b.Block]:
    found = [split for (of, items, _), split in written.items() if (of, items) == (directions, "all")]
    caption = b.prose(f"Semantic pivots by what they are written in, {GROUP_NAMES[directions]}")
    first = p.text("items", lambda split: b.Code(p.any_of(split)["rule"]))
    return [written_table(f"written-{directions}", caption, found, first)] if found else []


def _strata(group: ShareGroup) -> b.Table:
    onset = {(row.stratum, row.value): row.shares.get(PIVOT) for row in group.strata if row.rule == "onset"}
    *fields, items = _share_fields(group.behaviours)
    if onset:
        early = p.number("semantic pivot, onset", lambda row: b.Value.of(onset.get((row.stratum, row.value)), "share"))
        fields.append(early)
    first = p.text("items", lambda row: f"{STRATUM_NAMES.get(row.stratum, row.stratum)}: {row.value}")
    caption = f"Shares by kind of item, {GROUP_NAMES[group.directions]}, rule `{DEFAULT_RULE}`"
    found = [row for row in group.strata if row.rule == DEFAULT_RULE]
    return p.table("shares-by-kind-of-item", caption, found, (first, *fields, items))


# -- several models or wordings


@dataclass(frozen=True)
class SweepPoint(Shares):
    """Shares of a model under a wording; ``short`` leaves out what all models' names begin with."""

    model: str
    short: str
    prompt: str


@dataclass(frozen=True)
class Sweep:
    """One rule over several models or wordings, in the order of the settings."""

    rule: str
    points: tuple[SweepPoint, ...]

    @property
    def by_model(self) -> tuple[SweepPoint, ...]:
        """The models under the first wording."""
        return tuple(point for point in self.points if point.prompt == self.points[0].prompt)

    @property
    def by_prompt(self) -> tuple[SweepPoint, ...]:
        """The wordings of the first model."""
        return tuple(point for point in self.points if point.model == self.points[0].model)


def sweeps(run: RunTables) -> tuple[Sweep, ...]:
    """Return what a sweep of the trace shows; nothing where there is one model under one wording."""
    if run.trace is None:
        return ()
    config = run.trace.manifest.config
    models = list(dict.fromkeys((config["model"], *config.get("also_models", ()))))
    prompts = list(dict.fromkeys((config["prompt"], *config.get("also_prompts", ()))))
    return sweeps_of(rows(run.trace, "strata"), models, prompts)


def sweeps_of(strata: Sequence[Row], models: Sequence[str], prompts: Sequence[str]) -> tuple[Sweep, ...]:
    """Build the sweeps from ``trace/strata`` of all models and wordings, in the order in which these were asked for."""
    if len(models) < 2 and len(prompts) < 2:
        return ()
    there = {row["directions"] for row in strata}
    group = next((name for name in GROUP_NAMES if name in there), None)
    members = [row for row in strata if row["directions"] == group and row["stratum"] == "all"]
    found, short = p.by(members, itemgetter("rule", "model", "prompt")), short_names(list(models))
    made = []
    for rule in SWEPT_RULES:
        keys = [(model, prompt) for model in models for prompt in prompts if (rule, model, prompt) in found]
        points = tuple(
            SweepPoint(
                **vars(_shares(found[rule, model, prompt], SWEPT)), model=model, short=short[model], prompt=prompt
            )
            for model, prompt in keys
        )
        made += [Sweep(rule, points)] if points else []
    return tuple(made)


def sweep_blocks(run: RunTables) -> tuple[b.Block, ...]:
    """Return the shares by model and by wording."""
    found = sweeps(run)
    if not found:
        return ()
    first, blocks = found[0], list[b.Block]()
    models, prompts = len(first.by_model) > 1, len(first.by_prompt) > 1
    if models:
        said = p.lede(
            "The same shares for each model or checkpoint of the run, in the order in which they were asked for. All "
            "else on this page is of the first, {model}.",
            model=b.Code(first.points[0].model),
        )
        figures = tuple(
            b.Figure(f"shares-by-model-{sweep.rule}", _by_model(sweep), b.prose(f"Rule `{sweep.rule}`"))
            for sweep in found
        )
        blocks += [p.heading("By model"), said, b.Grid(figures, "multiples wide-charts")]
    if prompts:
        said = p.lede(
            "What is said of English pivots must also hold where the prompt is not in English. All else on this page "
            "is of the first wording, {prompt}.",
            prompt=b.Code(first.points[0].prompt),
        )
        blocks += [p.heading("By wording of the prompt"), said]
        blocks += [_points(sweep, sweep.by_prompt, "prompt") for sweep in found]
    if models:
        tables = (_points(sweep, sweep.points, "model") for sweep in found)
        blocks.append(p.folded("Every model and wording" if prompts else "Every model", *tables))
    return tuple(blocks)


def _by_model(sweep: Sweep) -> Markup:
    points = sweep.by_model
    x = charts.names_axis("model", "in the order of the settings", [point.short for point in points])
    found = {name: [point.shares[name] for point in points] for name in SWEPT}
    drawn = [charts.Line(BEHAVIOUR_NAMES[name], f"b-{name}", x.ticks, values) for name, values in found.items()]
    ends = p.ends_of(one for values in found.values() for one in values)
    y = charts.value_axis("share of items", "%", ends, share=True)
    return charts.line_chart(f"Shares by model, rule {sweep.rule}", drawn, x, y)


def _points(sweep: Sweep, points: Sequence[SweepPoint], of: str) -> b.Table:
    first = (p.text("model", lambda point: point.short), p.text("prompt", lambda point: point.prompt))
    caption = f"Shares by {of}, rule `{sweep.rule}`"
    return p.table(f"shares-by-{of}-{sweep.rule}", caption, points, (*first, *_share_fields(SWEPT)))


# -- in words


def alike_note(kinds: Sequence[Row], group: str) -> b.Prose:
    """Say of the pivots spelled alike in several languages how many English links, from ``trace/pivot_summary``."""
    found = [row for row in kinds if (row["rule"], row["directions"]) == (DEFAULT_RULE, group) and row["n_alike"]]
    if not found:
        return ()
    n, linked = found[0]["n_alike"], found[0]["n_alike_english"]
    return b.prose(
        f" Of the {plural(n, 'pivot')} that `{DEFAULT_RULE}` finds spelled alike in several languages, {whole(linked)} "
        f"{'is' if linked == 1 else 'are'} linked with the concept as a word of English; of the others it is not known "
        "whether English is among their languages."
    )
