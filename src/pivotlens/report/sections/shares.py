"""The headline shares: over directions, under every rule; by kind of item; by model and by prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, GROUP_NAMES, PIVOT_LANGUAGE_NAMES, STRATUM_NAMES, short_names
from pivotlens.report.run_tables import Row, RunTables, first_rows, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import percent, plural, whole

PIVOT = "semantic_pivot"
DEFAULT_RULE = "calibrated"
SWEPT_RULES = ("calibrated", "onset")
SWEPT = ("direct", "copy", PIVOT)
"""Behaviours that a sweep shows."""


Shares = dict[str, Row]
"""Rows of ``trace/strata`` of some items under a rule, one for every behaviour that the table shows."""


@dataclass(frozen=True)
class ShareGroup:
    """A group of directions: over all items under every rule, and by kind of item.

    Attributes:
        direction_group: A key of `GROUP_NAMES`.
        behaviours: Those that occur, in the order of `BEHAVIOUR_NAMES`.
        rules: Shares of all items, the default rule first.
        strata: Shares of items of a kind, by rule, kind and value.
    """

    direction_group: str
    behaviours: tuple[str, ...]
    rules: dict[str, Shares]
    strata: dict[tuple[str, str, str], Shares]


def in_order(names: Iterable[str], known: Iterable[str] = (DEFAULT_RULE,)) -> list[str]:
    """Return names, each once: known ones in their order, then the others in the order of the table."""
    there = dict.fromkeys(names)
    first = [name for name in dict.fromkeys(known) if name in there]
    return [*first, *(name for name in there if name not in first)]


def share_groups(strata: Sequence[Row]) -> tuple[ShareGroup, ...]:
    """Build the groups from ``trace/strata`` of one model and prompt; the headline's group comes first."""
    found = p.by((row for row in strata if row["behaviour"]), itemgetter("direction_group"))
    return tuple(_group(name, found[name]) for name in GROUP_NAMES if name in found)


def _group(name: str, members: Sequence[Row]) -> ShareGroup:
    behaviours = tuple(in_order((row["behaviour"] for row in members), BEHAVIOUR_NAMES))
    found = p.by(members, itemgetter("rule", "stratum", "value"))
    made = {key: shares_of(rows_, behaviours) for key, rows_ in found.items()}
    rules = {rule: made[rule, "all", value] for rule, stratum, value in made if stratum == "all"}
    strata = {key: shares for key, shares in made.items() if key[1] != "all" and p.any_of(shares)["n"]}
    return ShareGroup(name, behaviours, {rule: rules[rule] for rule in in_order(rules)}, strata)


def shares_of(members: Sequence[Row], behaviours: Sequence[str]) -> Shares:
    """Return a share for each behaviour, from the rows of some items under a rule."""
    by_name = {row["behaviour"]: row for row in members}
    # A label that a rule gives nowhere has no row: its share is zero in every resample.
    none = members[0] | dict.fromkeys(("share", "ci_low", "ci_high"), 0.0 if members[0]["n"] else None)
    return {name: by_name.get(name, none) for name in behaviours}


def headline(run: RunTables) -> tuple[ShareGroup, ...]:
    """Return the groups of directions of a run's first model and prompt."""
    return share_groups(first_rows(run.trace, "strata"))


# -- what pivots are written in

Splits = dict[tuple[str, str, str], dict[str, Row]]
"""Shares of items by what their semantic pivot is written in, by directions (a key of `GROUP_NAMES`, or a direction
such as ``zh-fr``), choice of items (of `ITEM_NAMES`) and rule; they add up to the share of semantic pivots."""


def splits(members: Sequence[Row]) -> Splits:
    """Return the splits, from ``trace/pivot_languages`` of one model and prompt."""
    return p.spread(members, itemgetter("direction_group", "item_set", "rule"), "pivot_language")


def written_in(found: Splits, directions: str, rule: str) -> str:
    """Return in words the shares that are not zero, over all items; nothing where there are none."""
    split = found.get((directions, "all", rule), {})
    shares = {name: p.interval(split.get(kind), "share") for kind, name in PIVOT_LANGUAGE_NAMES.items()}
    return ", ".join(f"{name} {percent(share.value)}" for name, share in shares.items() if share and share.value)


def written_table(name: str, caption: b.Prose, found: Sequence[dict[str, Row]], first: p.Field) -> b.Table:
    """Return splits as a table; ``first`` names them."""
    kinds = [kind for kind in PIVOT_LANGUAGE_NAMES if any(split[kind]["share"] for split in found if kind in split)]
    fields = (first, *(p.across(PIVOT_LANGUAGE_NAMES[kind], kind, "share", "share") for kind in kinds), p.GROUP_ITEMS)
    return p.table(name, caption, found, fields)


# -- as blocks


def _share_fields(behaviours: Sequence[str]) -> list[p.Field]:
    """Return the columns of a table of `Shares` behind its first ones."""
    axis, names = charts.share_axis("share of items"), {name: BEHAVIOUR_NAMES.get(name, name) for name in behaviours}

    def marks(shares: Shares) -> list[charts.Row]:
        return [charts.Row(names[name], p.interval(row, "share"), f"b-{name}") for name, row in shares.items()]

    figures = (p.across(title, name, "share", "share") for name, title in names.items())
    return [p.intervals("share of items", axis, marks), *figures, p.GROUP_ITEMS]


def _by_rule(group: ShareGroup) -> b.Table:
    fields = (p.GROUP_RULE, *_share_fields(group.behaviours))
    first, caption = next(iter(group.rules), ""), f"Shares of items, {GROUP_NAMES[group.direction_group]}"
    return p.table(f"shares-{group.direction_group}", caption, group.rules.values(), fields,
                   style=lambda shares: "pooled" if p.any_of(shares)["rule"] == first else "")  # fmt: skip


def headline_blocks(run: RunTables, alike: b.Prose) -> tuple[b.Block, ...]:
    """Return the shares over directions; ``alike`` says what is known of pivots spelled alike in several languages."""
    groups, written = headline(run), splits(first_rows(run.trace, "pivot_languages"))
    if not groups:
        return ()
    first, *others = groups
    where = (
        "There, an English token is neither the source nor the target."
        if first.direction_group == "neither_english"
        else "No direction without English was traced, so this says nothing about English as a pivot."
    )
    blocks: list[b.Block] = [
        p.heading("The headline: every rule on the same items"),
        p.lede(
            f"Mean over the directions with {GROUP_NAMES[first.direction_group]}, with 95% bootstrap intervals "
            f"over concepts. {where}"
        ),
        _by_rule(first),
    ]
    if table_ := _written_of_group(written, first.direction_group):
        said = p.note(
            "Shares of the same items, which add up to that of semantic pivots. A word of the target's or the source's "
            "own language is no language in between; told by dictionaries and word lists, which know spellings and "
            "not meanings.{alike}",
            alike=alike,
        )
        blocks += [p.heading("The language a pivot is written in", 4), said, *table_]
    blocks += p.folded("By answer, spelling, length, part of speech and frequency", _strata(first))
    tables = (one for group in others for one in (_by_rule(group), *_written_of_group(written, group.direction_group)))
    return (*blocks, *p.folded("The directions with English on a side", *tables))


def _written_of_group(written: Splits, directions: str) -> list[b.Block]:
    found = [split for (of, items, _), split in written.items() if (of, items) == (directions, "all")]
    caption = b.prose(f"Semantic pivots by what they are written in, {GROUP_NAMES[directions]}")
    return [written_table(f"written-{directions}", caption, found, p.GROUP_RULE)] if found else []


def _strata(group: ShareGroup) -> b.Table:
    kind_of = itemgetter("stratum", "value")
    onset = {kind_of(p.any_of(one)): one.get(PIVOT) for (rule, *_), one in group.strata.items() if rule == "onset"}

    def early(shares: Shares) -> b.Cell:
        return p.shown(onset.get(kind_of(p.any_of(shares))), "share", "share")

    def title(shares: Shares) -> str:
        stratum, value = kind_of(p.any_of(shares))
        return f"{STRATUM_NAMES.get(stratum, stratum)}: {value}"

    *fields, items = _share_fields(group.behaviours)
    if onset:
        fields.append(p.number("semantic pivot, onset", early))
    caption = f"Shares by kind of item, {GROUP_NAMES[group.direction_group]}, rule `{DEFAULT_RULE}`"
    found = [shares for (rule, *_), shares in group.strata.items() if rule == DEFAULT_RULE]
    return p.table("shares-by-kind-of-item", caption, found, (p.text("kind of item", title), *fields, items))


# -- several models or prompts


@dataclass(frozen=True)
class Sweep:
    """One rule over several models or prompts, in the order of the settings.

    In the rows, ``short`` is the model without what all models' names begin with.
    """

    rule: str
    points: tuple[Shares, ...]

    def along(self, name: str) -> tuple[Shares, ...]:
        """Return the points that are like the first in all but ``name``: its models, or its prompts."""
        other = {"model": "prompt", "prompt": "model"}[name]
        first = p.any_of(self.points[0])[other]
        return tuple(point for point in self.points if p.any_of(point)[other] == first)


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
    named = [row | {"short": short[row["model"]]} for row in members if row["model"] in short]
    found, made = p.by(named, itemgetter("rule", "model", "prompt")), []
    for rule in SWEPT_RULES:
        keys = ((rule, model, prompt) for model in models for prompt in prompts)
        points = tuple(shares_of(found[key], SWEPT) for key in keys if key in found)
        made += [Sweep(rule, points)] if points else []
    return tuple(made)


def sweep_blocks(run: RunTables) -> tuple[b.Block, ...]:
    """Return the shares by model and by prompt."""
    found = sweeps(run)
    if not found:
        return ()
    first, blocks = found[0], list[b.Block]()
    models, prompts = (len(first.along(name)) > 1 for name in ("model", "prompt"))
    main = p.any_of(first.points[0])
    if models:
        said = p.lede(
            "The same shares for each model or checkpoint of the run, in the order in which they were asked for. All "
            "else on this page is of the first, {model}.",
            model=b.Code(main["model"]),
        )
        figures = tuple(
            b.Figure(f"shares-by-model-{sweep.rule}", _by_model(sweep), b.prose(f"Rule `{sweep.rule}`"))
            for sweep in found
        )
        blocks += [p.heading("By model"), said, b.Grid(figures, "multiples wide-charts")]
    if prompts:
        said = p.lede(
            "What is said of English pivots must also hold where the prompt is not in English. All else on this page "
            "is of the first prompt, {prompt}.",
            prompt=b.Code(main["prompt"]),
        )
        blocks += [p.heading("By prompt"), said]
        blocks += [_points(sweep, sweep.along("prompt"), "prompt") for sweep in found]
    if models:
        tables = (_points(sweep, sweep.points, "model") for sweep in found)
        blocks += p.folded("Every model and prompt" if prompts else "Every model", *tables)
    return tuple(blocks)


def _by_model(sweep: Sweep) -> Markup:
    points = sweep.along("model")
    x = charts.names_axis("model", "in the order of the settings", [p.any_of(point)["short"] for point in points])
    found = {name: [p.interval(point[name], "share") for point in points] for name in SWEPT}
    drawn = [charts.Line(BEHAVIOUR_NAMES[name], f"b-{name}", x.ticks, values) for name, values in found.items()]
    ends = p.ends_of(one for values in found.values() for one in values)
    y = charts.value_axis("share of items", "%", ends, share=True)
    return charts.line_chart(f"Shares by model, rule {sweep.rule}", drawn, x, y)


def _points(sweep: Sweep, points: Sequence[Shares], of: str) -> b.Table:
    model = p.text("model", lambda point: p.any_of(point)["short"])
    prompt = p.text("prompt", lambda point: p.any_of(point)["prompt"])
    fields = (model, prompt, *_share_fields(SWEPT))
    return p.table(f"shares-by-{of}-{sweep.rule}", f"Shares by {of}, rule `{sweep.rule}`", points, fields)


# -- in words


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
