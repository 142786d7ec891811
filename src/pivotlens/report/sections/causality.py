"""Whether the pivot is causal: the conditions, the effects they rest on, the dose, and what else is harmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pivotlens.report import charts
from pivotlens.report.blocks import (
    Block,
    Cell,
    Column,
    Details,
    Figure,
    Heading,
    Pair,
    Paragraph,
    Section,
    Table,
    Value,
    columns,
    lines,
    prose,
)  # fmt: skip
from pivotlens.report.names import (
    ABLATED_NAMES,
    BEHAVIOUR_NAMES,
    CONTRAST_NAMES,
    READ_NAMES,
    SCOPE_NAMES,
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


def scopes(run: RunTables) -> list[str]:
    """Return the scopes in which anything was tested, those with neither side English first; one where none was."""
    there = {row["scope"] for row in rows(run.ablate, "effects") if row["items"] == "all" and row["n"]}
    return [name for name in SCOPE_NAMES if name in there] or list(SCOPE_NAMES)[:1]


def conditions(run: RunTables, scope: str) -> dict[int, dict[str, Row]]:
    """Return the conditions of a scope by number and choice of items."""
    found: dict[int, dict[str, Row]] = defaultdict(dict)
    for row in rows(run.ablate, "conditions"):
        if row["scope"] == scope:
            found[row["number"]][row["items"]] = row
    return dict(sorted(found.items()))


def verdicts(run: RunTables, scope: str) -> dict[bool | None, list[Row]]:
    """Return the conditions of a scope over all pivot items, by whether they hold (None: could not be tested)."""
    found: dict[bool | None, list[Row]] = {True: [], False: [], None: []}
    for by_items in conditions(run, scope).values():
        row = by_items.get("all") or next(iter(by_items.values()))
        found[row["holds"] if row["items"] == "all" else None].append(row)
    return found


def effects(run: RunTables, scope: str) -> dict[str, dict[str, Row]]:
    """Return the effects of a scope by contrast and choice of items, in the order of the forest."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows(run.ablate, "effects"):
        if row["scope"] == scope:
            found[row["contrast"]][row["items"]] = row

    def place(name: str) -> float:
        # The dose stands between the swap and the direct items, as in the conditions.
        return _NAMES.index("swap") + 0.5 if name.startswith("dose_") else _place(name)

    return {name: found[name] for name in sorted(found, key=place)}


def _place(name: str) -> int:
    return _NAMES.index(name) if name in _NAMES else len(_NAMES)


def own_effect(run: RunTables, scope: str) -> tuple[int, Interval | None]:
    """Return items and effect of the pivot taken out at dose 1."""
    row = effects(run, scope).get("own", {}).get("all")
    return (row["n"], interval_of(row, "mean")) if row else (0, None)


def in_words(rests_on: str) -> str:
    """Return ``own −0.3 [−0.5, −0.1], n = 9; …`` with the contrasts in words."""
    parts = (part.partition(" ") for part in rests_on.split("; "))
    return "; ".join(f"{contrast_name(name.rstrip(':'))}: {figures}".replace("-", "−") for name, _, figures in parts)


# -- as blocks


def causality(run: RunTables) -> Section | None:
    """Build the section from the tables of `ablate`, or say how to test where pivots were found."""
    title = "Is the pivot causal?"
    if run.ablate is None:
        if not first_rows(run.trace, "behaviours"):
            return None
        said = prose(
            "Not tested in this run. That a token stands in the middle layers does not say that the answer rests on "
            "it. `pivotlens ablate --run RUN` takes the pivots out of the model's states and holds the harm against "
            "controls; then `pivotlens report --run RUN` shows it here."
        )
        return Section("causality", title, (Paragraph(said, "lede"),), "Causality")
    first, *others = scopes(run)
    window = next((row for row in rows(run.ablate, "windows") if row["chosen"]), None)
    layers = (
        f", in layers {window['first_layer']} to {window['last_layer']}, which one half of the concepts chose; the "
        "other half is tested"
        if window
        else ""
    )
    lede = prose(
        f"The pivot is taken out of the model's states while it translates{layers}. Directions with "
        f"{SCOPE_NAMES[first]}. Effects are changes of the answer's log-probability in nats, below 0 where it is "
        "harmed; 95% bootstrap intervals over concepts."
    )
    blocks: list[Block] = [
        Paragraph(lede, "lede"), *_counts(run), *_conditions(run, first), *_drawn(run, first), *_every(run, first),
    ]  # fmt: skip
    for scope in others:
        inner = (*_conditions(run, scope), _effects_table(run, scope), *_side_effects(run, scope))
        blocks.append(Details(prose(f"The same for directions with {SCOPE_NAMES[scope]}"), inner))
    blocks += [*_by_direction(run), *_side_effects(run, first), *_removal(run), *_windows(run)]
    return Section("causality", title, tuple(blocks), "Causality")


def _counts(run: RunTables) -> list[Block]:
    details = run.ablate.manifest.details if run.ablate else {}
    if "pivot_items" not in details:
        return []
    early = details.get("early")
    control = f"; the early control is in layers {early[0]} to {early[-1]}" if early else ""
    said = f"{details['pivot_items']} pivot items, {details.get('pivot_items_tested', 'none')} of them tested; "
    return [Paragraph((f"{said}{details.get('direct_items', 'no')} direct items{control}.",), "note")]


def _conditions(run: RunTables, scope: str) -> list[Block]:
    found = conditions(run, scope)
    if not found:
        return []
    items = [name for name in ABLATED_NAMES if any(name in by_items for by_items in found.values())]

    def verdict(row: Row | None) -> str:
        return "not tested" if row is None or row["holds"] is None else "✓ holds" if row["holds"] else "✗ fails"

    table = Table(
        f"conditions-{scope}",
        columns(["a causal pivot asks that", *(ABLATED_NAMES[name] for name in items),
                 f"rests on ({ABLATED_NAMES[items[0]]})"], []),
        lines(
            (f"{number}. {first['condition']}", *(verdict(by_items.get(name)) for name in items),
             in_words(first["rests_on"]))
            for number, by_items in found.items()
            for first in [by_items.get("all") or next(iter(by_items.values()))]
        ),
        prose("Conditions of causality, each for several choices of items"), unseen=True, kind="conditions",
    )  # fmt: skip
    note = prose(
        "A condition holds where the whole interval of everything it rests on lies on the right side of 0. The claim "
        "asks for all of them."
    )
    return [table, Paragraph(note, "note")]


def _forest(run: RunTables, scope: str, names: Sequence[str], title: str) -> Figure:
    found = effects(run, scope)
    intervals = {name: interval_of(found[name]["all"], "mean") for name in names}
    marks = [charts.Row(contrast_name(name), interval) for name, interval in intervals.items()]
    ends = [end for interval in intervals.values() if interval for end in interval]
    axis = charts.value_axis("change of log P", "nats", [-0.1, 0.1, *ends])
    svg = charts.forest(title, marks, axis, missing="too few items")
    return Figure(f"{title.lower().replace(' ', '-')}-{scope}", svg, kind="chart forest-wide")


def _drawn(run: RunTables, scope: str) -> list[Block]:
    found = [name for name, by_items in effects(run, scope).items() if "all" in by_items]
    needed = [name for name in found if name in _NEEDED or name.startswith("dose_")]
    if not needed:
        return []
    blocks: list[Block] = [Heading(prose("What the conditions rest on")), _forest(run, scope, needed, "Effects")]
    blocks += _doses([row for row in rows(run.ablate, "doses") if row["scope"] == scope])
    others = [name for name in found if name not in needed and effects(run, scope)[name]["all"]["mean"] is not None]
    if others:
        summary = prose("Further contrasts: a synonym of a third language, the last layer, each control alone")
        blocks.append(Details(summary, (_forest(run, scope, others, "Further effects"),)))
    return blocks


def _doses(found: Sequence[Row]) -> list[Block]:
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
    caption = prose("Change of log P; at dose 1 the pivot's component becomes that of the other items.")
    return [Heading(prose("By dose")), Figure("effect-by-dose", svg, caption)]


def _effects_table(run: RunTables, scope: str) -> Table:
    found = effects(run, scope)

    def cell(row: Row | None) -> Cell:
        return Value.of(interval_of(row, "mean"), signed=True) if row and row["mean"] is not None else ""

    items = [name for name in ABLATED_NAMES if any(name in by_items for by_items in found.values())]
    return Table(
        f"effects-{scope}",
        columns(["change of log P, nats"], [*(ABLATED_NAMES[name] for name in items), "items", "p (all)"]),
        lines(
            (contrast_name(name), *(cell(by_items.get(one)) for one in items), Value(whole["n"], "count"),
             Value(whole["p"], "p"))
            for name, by_items in found.items()
            for whole in [by_items.get("all") or next(iter(by_items.values()))]
        ),
        prose(f"{SCOPE_NAMES[scope].capitalize()}"),
    )  # fmt: skip


def _every(run: RunTables, scope: str) -> list[Block]:
    if not effects(run, scope):
        return []
    return [Details(prose("Every contrast with its figures"), (_effects_table(run, scope),))]


def _by_direction(run: RunTables) -> list[Block]:
    found: dict[Direction, dict[str, Row]] = defaultdict(dict)
    for row in rows(run.ablate, "effects"):
        if row["scope"] == "direction" and row["items"] == "all":
            found[direction_of(row)][row["contrast"]] = row
    found = {direction: by_name for direction, by_name in found.items() if "own" in by_name}
    if len(found) < 2:
        return []
    table = Table(
        "effects-by-direction",
        columns(["direction"], ["items", *(contrast_name(name) for name in _OF_DIRECTIONS)]),
        lines(
            (Pair(direction), Value(by_name["own"]["n"], "count"),
             *(Value.of(interval_of(by_name[name], "mean") if name in by_name else None, signed=True)
               for name in _OF_DIRECTIONS))
            for direction, by_name in found.items()
        ),
        prose("Effects by direction"), unseen=True,
    )  # fmt: skip
    return [Details(prose("By direction"), (table,))]


def _side_effects(run: RunTables, scope: str) -> list[Block]:
    found = [row for row in rows(run.ablate, "side_effects") if row["scope"] == scope]
    if not found:
        return []
    kinds = {"change": ("change of log P", "figure"), "kl": ("KL from the untouched model", "figure"),
             "relative_norm": ("size of the change, of the state's", "small")}  # fmt: skip
    table = Table(
        f"side-effects-{scope}",
        columns(["while reading"], [*(title for title, _ in kinds.values()), "items"]),
        lines(
            (
                READ_NAMES.get(row["read"], str(row["read"])),
                *(Value.of(interval_of(row, name, f"{name}_low", f"{name}_high"), kind, signed=name == "change")  # type: ignore[arg-type]
                  for name, (_, kind) in kinds.items()),
                Value(row["n"], "count"),
            )
            for row in found
        ),
        prose("Side effects of taking the pivot out"), unseen=True,
    )  # fmt: skip
    lede = prose(
        "The same change while the model reads something that the pivot has nothing to do with: it should leave that "
        "alone."
    )
    return [Heading(prose("What else is harmed")), Paragraph(lede, "lede"), table]


def _removal(run: RunTables) -> list[Block]:
    """Return what the removal did to the lens and how far it moved the states, where the stage says so."""
    found = rows(run.ablate, "removals")
    if not found:
        return []
    table = Table(
        "removal",
        columns([], ["dose", "p of the pivot before", "after", "size of the change, of the state's",
                     "KL from the untouched model, nats", "items"]),
        lines(
            (f"{row['dose']:g}", Value(row["pivot_prob_clean"], "small"), Value(row["pivot_prob"], "small"),
             Value(row["relative_norm"], "small"), Value(row["kl"]), Value(row["n"], "count"))
            for row in found
        ),
        prose("Medians over the tested pivot items: the pivot's probability at the window's last layer"),
    )  # fmt: skip
    return [Details(prose("What the removal does to the lens"), (table,))]


def _windows(run: RunTables) -> list[Block]:
    found = rows(run.ablate, "windows")
    if not found:
        return []
    table = Table(
        "windows",
        (Column("layers"), Column("own pivot out", "number"), Column("another item's out", "number"),
         Column("items", "number"), Column("")),
        lines(
            (
                (f"{row['first_layer']} to {row['last_layer']}", Value(row["own"], signed=True),
                 Value(row["other"], signed=True), Value(row["n"], "count"), "chosen" if row["chosen"] else "")
                for row in found
            ),
            ("pooled" if row["chosen"] else "" for row in found),
        ),
        prose("Windows, on the half of the concepts that chooses"), unseen=True,
    )  # fmt: skip
    return [Details(prose("The windows of layers that were offered"), (table,))]
