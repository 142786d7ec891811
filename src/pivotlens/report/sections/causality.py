"""Whether the pivot is causal: the conditions, the effects they rest on, the dose, and what else is harmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

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
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, interval_of, rows
from pivotlens.report.sections.shares import PIVOT
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

_OF_DIRECTIONS = ("own", "own_minus_random", "own_minus_other", "swap_minus_unrelated", "own_minus_last_layer")
_NAMES = list(CONTRAST_NAMES)
_NEEDED = _NAMES[: _NAMES.index("own_minus_direct") + 1]
"""Contrasts that the conditions rest on, beside the steps of the dose."""


def tested_groups(run: RunTables) -> list[str]:
    """Return the groups of directions in which anything was tested, neither side English first; one where none was."""
    there = {row["direction_group"] for row in rows(run.ablate, "effects") if row["item_set"] == "all" and row["n"]}
    return [name for name in COARSE_GROUP_NAMES if name in there] or list(COARSE_GROUP_NAMES)[:1]


def conditions(run: RunTables, group: str) -> dict[int, dict[str, Row]]:
    """Return the conditions of a group of directions by number and choice of items."""
    found: dict[int, dict[str, Row]] = defaultdict(dict)
    for row in rows(run.ablate, "conditions"):
        if row["direction_group"] == group:
            found[row["number"]][row["item_set"]] = row
    return dict(sorted(found.items()))


def verdicts(run: RunTables, group: str) -> dict[bool | None, list[Row]]:
    """Return the conditions of a group of directions over all pivot items, by whether they hold (None: not tested)."""
    found: dict[bool | None, list[Row]] = {True: [], False: [], None: []}
    for by_items in conditions(run, group).values():
        row = by_items.get("all") or next(iter(by_items.values()))
        found[row["holds"] if row["item_set"] == "all" else None].append(row)
    return found


def effects(run: RunTables, group: str) -> dict[str, dict[str, Row]]:
    """Return the effects of a group of directions by contrast and choice of items, in the order of the forest."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows(run.ablate, "effects"):
        if row["direction_group"] == group:
            found[row["contrast"]][row["item_set"]] = row

    def place(name: str) -> float:
        # The dose stands between the swap and the direct items, as in the conditions.
        return _NAMES.index("swap") + 0.5 if name.startswith("dose_") else _place(name)

    return {name: found[name] for name in sorted(found, key=place)}


def _place(name: str) -> int:
    return _NAMES.index(name) if name in _NAMES else len(_NAMES)


def own_effect(run: RunTables, group: str) -> tuple[int, Interval | None]:
    """Return items and effect of the pivot taken out at dose 1."""
    row = effects(run, group).get("own", {}).get("all")
    return (row["n"], interval_of(row, "mean")) if row else (0, None)


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
        said = b.prose(
            "Not tested in this run. That a token stands in the middle layers does not say that the answer rests on "
            "it. `pivotlens ablate --run RUN` takes the pivots out of the model's states and holds the harm against "
            "controls; then `pivotlens report --run RUN` shows it here."
        )
        return b.Section("causality", title, (b.Paragraph(said, "lede"),), "Causality")
    first, *others = tested_groups(run)
    window = next((row for row in rows(run.ablate, "windows") if row["chosen"]), None)
    layers = (
        f", in layers {window['first_layer']} to {window['last_layer']}, which one half of the concepts chose; the "
        "other half is tested"
        if window
        else ""
    )
    lede = b.prose(
        f"The pivot is taken out of the model's states while it translates{layers}. Directions with "
        f"{COARSE_GROUP_NAMES[first]}. Effects are changes of the answer's log-probability in nats, below 0 where it "
        "is harmed; 95% bootstrap intervals over concepts."
    )
    blocks: list[b.Block] = [
        b.Paragraph(lede, "lede"), *_counts(run), *_conditions(run, first), *_drawn(run, first), *_every(run, first),
    ]  # fmt: skip
    for group in others:
        inner = (*_conditions(run, group), _effects_table(run, group), *_side_effects(run, group))
        blocks.append(b.Details(b.prose(f"The same for directions with {COARSE_GROUP_NAMES[group]}"), inner))
    blocks += [*_by_direction(run), *_side_effects(run, first), *_removal(run), *_windows(run)]
    return b.Section("causality", title, tuple(blocks), "Causality")


def _counts(run: RunTables) -> list[b.Block]:
    details = run.ablate.manifest.details if run.ablate else {}
    if "pivot_items" not in details:
        return []
    early = details.get("early")
    control = f"; the early control is in layers {early[0]} to {early[-1]}" if early else ""
    said = f"{details['pivot_items']} pivot items, {details.get('pivot_items_tested', 'none')} of them tested; "
    return [b.Paragraph((f"{said}{details.get('direct_items', 'no')} direct items{control}.",), "note")]


def _conditions(run: RunTables, group: str) -> list[b.Block]:
    found = conditions(run, group)
    if not found:
        return []
    items = [name for name in ABLATED_NAMES if any(name in by_items for by_items in found.values())]

    def verdict(row: Row | None) -> str:
        return "not tested" if row is None or row["holds"] is None else "✓ holds" if row["holds"] else "✗ fails"

    table = b.Table(
        f"conditions-{group}",
        b.columns(["a causal pivot asks that", *(ABLATED_NAMES[name] for name in items),
                 f"rests on ({ABLATED_NAMES[items[0]]})"], []),
        b.lines(
            (f"{number}. {first['condition']}", *(verdict(by_items.get(name)) for name in items),
             in_words(first["rests_on"]))
            for number, by_items in found.items()
            for first in [by_items.get("all") or next(iter(by_items.values()))]
        ),
        b.prose("Conditions of causality, each for several choices of items"), unseen=True, kind="conditions",
    )  # fmt: skip
    note = b.prose(
        "A condition holds where the whole interval of everything it rests on lies on the right side of 0. The claim "
        "asks for all of them."
    )
    return [table, b.Paragraph(note, "note")]


def _forest(run: RunTables, group: str, names: Sequence[str], title: str) -> b.Figure:
    found = effects(run, group)
    intervals = {name: interval_of(found[name]["all"], "mean") for name in names}
    marks = [charts.Row(contrast_name(name), interval) for name, interval in intervals.items()]
    ends = [end for interval in intervals.values() if interval for end in interval]
    axis = charts.value_axis("change of log P", "nats", [-0.1, 0.1, *ends])
    svg = charts.forest(title, marks, axis, missing="too few items")
    caption = b.prose(f"{title} in nats, {COARSE_GROUP_NAMES[group]}")
    return b.Figure(f"{title.lower().replace(' ', '-')}-{group}", svg, caption, kind="chart forest-wide")


def _drawn(run: RunTables, group: str) -> list[b.Block]:
    found = [name for name, by_items in effects(run, group).items() if "all" in by_items]
    needed = [name for name in found if name in _NEEDED or name.startswith("dose_")]
    if not needed:
        return []
    blocks: list[b.Block] = [b.Heading(b.prose("What the conditions rest on")), _forest(run, group, needed, "Effects")]
    blocks += _doses([row for row in rows(run.ablate, "doses") if row["direction_group"] == group])
    others = [name for name in found if name not in needed and effects(run, group)[name]["all"]["mean"] is not None]
    if others:
        summary = b.prose("Further contrasts: a synonym of a third language, the last layer, each control alone")
        blocks.append(b.Details(summary, (_forest(run, group, others, "Further effects"),)))
    return blocks


def _doses(found: Sequence[Row]) -> list[b.Block]:
    curves, ends = [], [0.0]
    for behaviour in (PIVOT, "direct"):
        points = [row for row in found if row["behaviour"] == behaviour and row["mean"] is not None]
        if points:
            name = f"{BEHAVIOUR_NAMES[behaviour]} items" + (", the English word out" if behaviour == "direct" else "")
            values = [(0.0, 0.0, 0.0), *((row["mean"], row["ci_low"], row["ci_high"]) for row in points)]
            curves.append(charts.Line(name, f"b-{behaviour}", [0.0, *(row["dose"] for row in points)], values))
            ends += [end for value in values for end in value]
    if not curves:
        return []
    doses = sorted({0.0, *(row["dose"] for row in found)})
    svg = charts.line_chart(
        "Change of log P by dose",
        curves,
        charts.Axis("dose", "1 = as the other items have it", doses),
        charts.value_axis("change of log P", "nats", ends),
    )
    caption = b.prose("Change of log P; at dose 1 the pivot's component becomes that of the other items.")
    return [b.Heading(b.prose("By dose")), b.Figure("effect-by-dose", svg, caption)]


def _effects_table(run: RunTables, group: str) -> b.Table:
    found = effects(run, group)

    def cell(row: Row | None) -> b.Cell:
        return b.Value.of(interval_of(row, "mean"), signed=True) if row and row["mean"] is not None else ""

    items = [name for name in ABLATED_NAMES if any(name in by_items for by_items in found.values())]
    return b.Table(
        f"effects-{group}",
        b.columns(["change of log P, nats"], [*(ABLATED_NAMES[name] for name in items), "items", "p (all)"]),
        b.lines(
            (contrast_name(name), *(cell(by_items.get(one)) for one in items), b.Value(whole["n"], "count"),
             b.Value(whole["p"], "p"))
            for name, by_items in found.items()
            for whole in [by_items.get("all") or next(iter(by_items.values()))]
        ),
        b.prose(f"Directions with {COARSE_GROUP_NAMES[group]}"),
    )  # fmt: skip


def _every(run: RunTables, group: str) -> list[b.Block]:
    if not effects(run, group):
        return []
    return [b.Details(b.prose("Every contrast with its figures"), (_effects_table(run, group),))]


def _by_direction(run: RunTables) -> list[b.Block]:
    found: dict[Direction, dict[str, Row]] = defaultdict(dict)
    for row in rows(run.ablate, "effects"):
        if row["direction_group"] == "direction" and row["item_set"] == "all":
            found[direction_of(row)][row["contrast"]] = row
    found = {direction: by_name for direction, by_name in found.items() if "own" in by_name}
    if len(found) < 2:
        return []
    table = b.Table(
        "effects-by-direction",
        b.columns(["direction"], ["items", *(contrast_name(name) for name in _OF_DIRECTIONS)]),
        b.lines(
            (b.Pair(direction), b.Value(by_name["own"]["n"], "count"),
             *(b.Value.of(interval_of(by_name[name], "mean") if name in by_name else None, signed=True)
               for name in _OF_DIRECTIONS))
            for direction, by_name in found.items()
        ),
        b.prose("Effects by direction"), unseen=True,
    )  # fmt: skip
    return [b.Details(b.prose("By direction"), (table,))]


def _side_effects(run: RunTables, group: str) -> list[b.Block]:
    found = [row for row in rows(run.ablate, "side_effects") if row["direction_group"] == group]
    if not found:
        return []
    kinds = {"change": ("change of log P", "figure"), "kl": ("KL from the untouched model", "figure"),
             "relative_norm": ("size of the change, of the state's", "small")}  # fmt: skip
    table = b.Table(
        f"side-effects-{group}",
        b.columns(["while reading"], [*(title for title, _ in kinds.values()), "items"]),
        b.lines(
            (
                READ_NAMES.get(row["read"], str(row["read"])),
                *(b.Value.of(interval_of(row, name, f"{name}_low", f"{name}_high"), kind, signed=name == "change")  # type: ignore[arg-type]
                  for name, (_, kind) in kinds.items()),
                b.Value(row["n"], "count"),
            )
            for row in found
        ),
        b.prose("Side effects of taking the pivot out"), unseen=True,
    )  # fmt: skip
    lede = b.prose(
        "The same change while the model reads something that the pivot has nothing to do with: it should leave that "
        "alone."
    )
    return [b.Heading(b.prose("What else is harmed")), b.Paragraph(lede, "lede"), table]


def _removal(run: RunTables) -> list[b.Block]:
    """Return what the removal did to the lens and how far it moved the states, where the stage says so."""
    found = rows(run.ablate, "removals")
    if not found:
        return []
    table = b.Table(
        "removal",
        b.columns([], ["dose", "p of the pivot before", "after", "size of the change, of the state's",
                     "KL from the untouched model, nats", "items"]),
        b.lines(
            (f"{row['dose']:g}", b.Value(row["pivot_prob_clean"], "small"), b.Value(row["pivot_prob"], "small"),
             b.Value(row["relative_norm"], "small"), b.Value(row["kl"]), b.Value(row["n"], "count"))
            for row in found
        ),
        b.prose("Medians over the tested pivot items: the pivot's probability at the window's last layer"),
    )  # fmt: skip
    return [b.Details(b.prose("What the removal does to the lens"), (table,))]


def _windows(run: RunTables) -> list[b.Block]:
    found = rows(run.ablate, "windows")
    if not found:
        return []
    table = b.Table(
        "windows",
        (b.Column("layers"), b.Column("own pivot out", "number"), b.Column("another item's out", "number"),
         b.Column("items", "number"), b.Column("")),
        b.lines(
            (
                (f"{row['first_layer']} to {row['last_layer']}", b.Value(row["own"], signed=True),
                 b.Value(row["other"], signed=True), b.Value(row["n"], "count"), "chosen" if row["chosen"] else "")
                for row in found
            ),
            ("pooled" if row["chosen"] else "" for row in found),
        ),
        b.prose("Windows, on the half of the concepts that chooses"), unseen=True,
    )  # fmt: skip
    return [b.Details(b.prose("The windows of layers that were offered"), (table,))]
