"""Whether the pivot is causal: the conditions, the effects they rest on, the dose, and what else is harmed."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import (
    ABLATED_NAMES,
    BEHAVIOUR_NAMES,
    COARSE_GROUP_NAMES,
    CONTRAST_NAMES,
    READ_NAMES,
    contrast_name,
)
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.shares import PIVOT
from pivotlens.report.wording import plural, whole
from pivotlens.statistics.bootstrap import Interval

_OF_DIRECTIONS = ("own", "own_minus_random", "own_minus_other", "swap_minus_unrelated", "own_minus_last_layer")
_NAMES = list(CONTRAST_NAMES)
_NEEDED = _NAMES[: _NAMES.index("own_minus_direct") + 1]
"""Contrasts that the conditions rest on, beside the steps of the dose."""
VERDICTS = {True: "✓ holds", False: "✗ fails", None: "not tested"}

ByItems = dict[str, Row]
"""Rows by choice of pivot items, a key of `ABLATED_NAMES`."""


def tested_groups(run: RunTables) -> list[str]:
    """Return the groups of directions in which anything was tested, neither side English first; one where none was."""
    there = {row["direction_group"] for row in rows(run.ablate, "effects") if row["item_set"] == "all" and row["n"]}
    return [name for name in COARSE_GROUP_NAMES if name in there] or list(COARSE_GROUP_NAMES)[:1]


def _of_scope(run: RunTables, name: str, group: str) -> list[Row]:
    return [row for row in rows(run.ablate, name) if row["direction_group"] == group]


def conditions(run: RunTables, group: str) -> dict[int, ByItems]:
    """Return the conditions of a group of directions by number and choice of items."""
    return dict(sorted(p.spread(_of_scope(run, "conditions", group), itemgetter("number"), "item_set").items()))


def verdicts(run: RunTables, group: str) -> dict[bool | None, list[Row]]:
    """Return the conditions of a group of directions over all pivot items, by whether they hold (None: not tested)."""
    found: dict[bool | None, list[Row]] = {True: [], False: [], None: []}
    for by_items in conditions(run, group).values():
        row = _main(by_items)
        found[row["holds"] if row["item_set"] == "all" else None].append(row)
    return found


def _main(by_items: ByItems) -> Row:
    return by_items.get("all") or p.any_of(by_items)


def effects(run: RunTables, group: str) -> dict[str, ByItems]:
    """Return the effects of a group of directions by contrast and choice of items, in the order of the forest."""

    def place(name: str) -> float:
        if name.startswith("dose_"):
            # The dose stands between the swap and the direct items, as in the conditions.
            return _NAMES.index("swap") + 0.5
        return _NAMES.index(name) if name in _NAMES else len(_NAMES)

    found = p.spread(_of_scope(run, "effects", group), itemgetter("contrast"), "item_set")
    return {name: found[name] for name in sorted(found, key=place)}


def own_effect(run: RunTables, group: str) -> tuple[int, Interval | None]:
    """Return items and effect of the pivot taken out at dose 1."""
    row = effects(run, group).get("own", {}).get("all")
    return (row["n"], p.interval(row, "mean")) if row else (0, None)


def in_words(rests_on: str) -> str:
    """Return ``own −0.3 [−0.5, −0.1], n = 9; …`` with the contrasts in words."""
    parts = (part.partition(" ") for part in rests_on.split("; "))
    return "; ".join(f"{contrast_name(name.rstrip(':'))}: {figures}".replace("-", "−") for name, _, figures in parts)


# -- as blocks


def causality(run: RunTables) -> b.Section | None:
    """Build the section from the tables of `ablate`, or say how to test where pivots were found."""
    title = "Is the pivot causal?"
    if run.ablate is None:
        if not first_rows(run.trace, "behaviours"):
            return None
        said = p.lede(
            "Not tested in this run. That a token stands in a layer before the answer does not say that the answer "
            "rests on it. `pivotlens ablate --run RUN` takes the pivots out of the model's states and holds the harm "
            "against controls; then `pivotlens report --run RUN` shows it here."
        )
        return b.Section("causality", title, (said,), "Causality")
    first, *others = tested_groups(run)
    window = next((row for row in rows(run.ablate, "windows") if row["chosen"]), None)
    layers = (
        f", in layers {window['first_layer']} to {window['last_layer']}, which one half of the concepts chose; the "
        "other half is tested"
        if window
        else ""
    )
    blocks: list[b.Block] = [
        p.lede(
            f"The pivot is taken out of the model's states while it translates{layers}. Directions with "
            f"{COARSE_GROUP_NAMES[first]}. Effects are changes of the answer's log-probability in nats, below 0 where "
            "it is harmed; 95% bootstrap intervals over concepts."
        ),
        *_counts(run),
        *_conditions(run, first),
        *_positive_control(run, first),
        *_drawn(run, first),
    ]
    blocks += p.folded("Every contrast with its figures", _effects_table(run, first))
    for group in others:
        inner = (*_conditions(run, group), _effects_table(run, group), *_side_effects(run, group))
        blocks += p.folded(f"The same for directions with {COARSE_GROUP_NAMES[group]}", *inner)
    blocks += [*_by_direction(run), *_side_effects(run, first), *_removal(run), *_windows(run)]
    return b.Section("causality", title, tuple(blocks), "Causality")


def _counts(run: RunTables) -> list[b.Block]:
    details = run.ablate.manifest.details if run.ablate else {}
    if "pivot_items" not in details:
        return []
    early = details.get("early")
    control = f"; the early control is in layers {early[0]} to {early[-1]}" if early else ""
    found, tested, direct = (details.get(name, 0) for name in ("pivot_items", "pivot_items_tested", "direct_items"))
    said = f"{plural(found, 'pivot item')}, {whole(tested)} of them tested; {plural(direct, 'direct item')}{control}."
    return [p.note(said)]


def _items_of(found: dict[str, ByItems] | dict[int, ByItems]) -> list[str]:
    there = {name for by_items in found.values() for name in by_items}
    return [name for name in ABLATED_NAMES if name in there]


def _conditions(run: RunTables, group: str) -> list[b.Block]:
    found = conditions(run, group)
    if not found:
        return []
    items = _items_of(found)

    def verdict(name: str) -> p.Field:
        return p.text(ABLATED_NAMES[name], lambda each: VERDICTS[each[name]["holds"] if name in each else None])

    fields = (
        p.text("a causal pivot asks that", lambda each: f"{_main(each)['number']}. {_main(each)['condition']}"),
        *map(verdict, items),
        p.text(f"rests on ({ABLATED_NAMES[items[0]]})", lambda each: in_words(_main(each)["rests_on"])),
    )
    made = p.table(f"conditions-{group}", "Conditions of causality, each for several choices of items", found.values(),
                 fields, unseen=True, kind="conditions")  # fmt: skip
    said = p.note(
        "A condition holds where the whole interval of everything it rests on lies on the right side of 0. The claim "
        "asks for all of them. One that fails does not show that the pivot's language had no part in learning: where "
        "it is known that it had, no harm was seen when the word was taken out (docs/results/known-truth.md)."
    )
    return [made, said]


def _positive_control(run: RunTables, group: str) -> list[b.Block]:
    """Return what an edit does that must harm, so that a null can be told from an edit that the model never felt."""
    row = effects(run, group).get("target", {}).get("all")
    if row is None or row["mean"] is None:
        return []
    said = p.note(
        "Positive control: moved equally far, but away from the target itself, the states change its log P by {harm} "
        "nats. Where even that is not told from 0, a null above says nothing.",
        harm=p.shown(row, "mean", signed=True),
    )
    return [said]


def _forest(found: dict[str, ByItems], group: str, names: Sequence[str], title: str) -> b.Figure:
    intervals = {name: p.interval(found[name]["all"], "mean") for name in names}
    marks = [charts.Row(contrast_name(name), one) for name, one in intervals.items()]
    axis = charts.value_axis("change of log P", "nats", [-0.1, 0.1, *p.ends_of(intervals.values())])
    svg = charts.forest(title, marks, axis, missing="too few items")
    caption = b.prose(f"{title} in nats, {COARSE_GROUP_NAMES[group]}")
    return b.Figure(f"{title.lower().replace(' ', '-')}-{group}", svg, caption, kind="chart forest-wide")


def _drawn(run: RunTables, group: str) -> list[b.Block]:
    found = {name: by_items for name, by_items in effects(run, group).items() if "all" in by_items}
    needed = [name for name in found if name in _NEEDED or name.startswith("dose_")]
    if not needed:
        return []
    blocks: list[b.Block] = [p.heading("What the conditions rest on"), _forest(found, group, needed, "Effects")]
    blocks += _doses(_of_scope(run, "doses", group))
    others = [name for name in found if name not in needed and found[name]["all"]["mean"] is not None]
    summary = "Further contrasts, each control alone among them"
    further = [_forest(found, group, others, "Further effects")] if others else []
    return [*blocks, *p.folded(summary, *further)]


def _doses(found: Sequence[Row]) -> list[b.Block]:
    curves, ends = [], [0.0]
    for behaviour, more in ((PIVOT, ""), ("direct", ", the English word out")):
        points = [row for row in found if row["behaviour"] == behaviour and row["mean"] is not None]
        if points:
            values = [Interval(0.0, 0.0, 0.0), *(p.interval(row, "mean") for row in points)]
            name = f"{BEHAVIOUR_NAMES[behaviour]} items{more}"
            curves.append(charts.Line(name, f"b-{behaviour}", [0.0, *(row["dose"] for row in points)], values))
            ends += p.ends_of(values)
    if not curves:
        return []
    x = charts.Axis("dose", "1 = as the other items have it", sorted({0.0, *(row["dose"] for row in found)}))
    svg = charts.line_chart("Change of log P by dose", curves, x, charts.value_axis("change of log P", "nats", ends))
    caption = b.prose("Change of log P; at dose 1 the pivot's component becomes that of the other items.")
    return [p.heading("By dose"), b.Figure("effect-by-dose", svg, caption)]


def _effects_table(run: RunTables, group: str) -> b.Table:
    found = effects(run, group)

    def effect(name: str) -> p.Field:
        def cell(contrast: str) -> b.Cell:
            row = found[contrast].get(name)
            return p.shown(row, "mean", signed=True) if row and row["mean"] is not None else ""

        return p.number(ABLATED_NAMES[name], cell)

    fields = (
        p.text("change of log P, nats", contrast_name),
        *map(effect, _items_of(found)),
        p.number("items", lambda name: b.Value(_main(found[name])["n"], "count")),
        p.number("p (all)", lambda name: b.Value(_main(found[name])["p"], "p")),
    )
    return p.table(f"effects-{group}", f"Directions with {COARSE_GROUP_NAMES[group]}", found, fields)


def _by_direction(run: RunTables) -> list[b.Block]:
    single = [row for row in _of_scope(run, "effects", "direction") if row["item_set"] == "all"]
    found = [by_name for by_name in p.spread(single, direction_of, "contrast").values() if "own" in by_name]
    if len(found) < 2:
        return []
    fields = (
        p.GROUP_DIRECTION,
        p.number("items", lambda by_name: b.Value(by_name["own"]["n"], "count")),
        *(p.across(contrast_name(name), name, "mean", signed=True) for name in _OF_DIRECTIONS),
    )
    made = p.table("effects-by-direction", "Effects by direction", found, fields, unseen=True)
    return p.folded("By direction", made)


def _side_effects(run: RunTables, group: str) -> list[b.Block]:
    found = _of_scope(run, "side_effects", group)
    if not found:
        return []
    fields = (
        p.text("while reading", lambda row: READ_NAMES.get(row["read"], str(row["read"]))),
        p.estimate("change of log P", "change", signed=True), p.estimate("KL from the untouched model", "kl"),
        p.estimate("size of the change, of the state's", "relative_norm", "small"), p.ITEMS,
    )  # fmt: skip
    said = p.lede(
        "The same change while the model reads something that the pivot has nothing to do with: it should leave that "
        "alone."
    )
    made = p.table(f"side-effects-{group}", "Side effects of taking the pivot out", found, fields, unseen=True)
    return [p.heading("What else is harmed"), said, made]


def _removal(run: RunTables) -> list[b.Block]:
    """Return what the removal did to the lens and how far it moved the states, where the stage says so."""
    fields = (
        p.number("dose", lambda row: f"{row['dose']:g}"), p.value("p of the pivot before", "pivot_prob_clean", "small"),
        p.value("after", "pivot_prob", "small"),
        p.value("size of the change, of the state's", "relative_norm", "small"),
        p.value("KL from the untouched model, nats", "kl"), p.ITEMS,
    )  # fmt: skip
    caption = "Medians over the tested pivot items: the pivot's probability at the window's last layer"
    made = p.table("removal", caption, rows(run.ablate, "removals"), fields)
    return p.folded("What the removal does to the lens", made)


def _windows(run: RunTables) -> list[b.Block]:
    fields = (
        p.text("layers", lambda row: f"{row['first_layer']} to {row['last_layer']}"),
        p.value("own pivot out", "own", signed=True), p.value("another item's out", "other", signed=True), p.ITEMS,
        p.text("", lambda row: "chosen" if row["chosen"] else ""),
    )  # fmt: skip
    made = p.table("windows", "Windows, on the half of the concepts that chooses",
                 rows(run.ablate, "windows"), fields, unseen=True,
                 style=lambda row: "pooled" if row["chosen"] else "")  # fmt: skip
    return p.folded("The windows of layers that were offered", made)
