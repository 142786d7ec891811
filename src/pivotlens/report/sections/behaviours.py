"""Behaviours by direction under every rule, and what each rule takes for a pivot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, COARSE_GROUP_NAMES, GROUP_NAMES
from pivotlens.report.run_tables import (
    Row,
    RunTables,
    direction_of,
    first_rows,
    interval_of,
    is_pooled,
)  # fmt: skip
from pivotlens.report.sections.agreement import agreement
from pivotlens.report.sections.pivot_kinds import pivot_kinds
from pivotlens.report.sections.shares import (
    DEFAULT_RULE,
    PIVOT,
    Split,
    alike_note,
    headline,
    headline_blocks,
    in_order,
    splits,
    sweep_blocks,
    written_table,
)  # fmt: skip
from pivotlens.report.wording import percent, plural, probability, visible, whole
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import ENGLISH, Direction

_MOST_PIVOTS = 8


@dataclass(frozen=True)
class BehaviourRow:
    """Counts of a direction under a rule, in the order of `BEHAVIOUR_NAMES`.

    Attributes:
        pivot_all: Share of semantic pivots among all items, with its interval.
        n_correct: How many items are answered correctly, without those spelled alike in both languages.
        pivot_correct: Share of semantic pivots among these.
    """

    direction: Direction
    counts: dict[str, int]
    n: int
    n_correct: int
    pivot_all: Interval | None
    pivot_correct: Interval | None

    @property
    def has_english(self) -> bool:
        """Tell whether a side is English, where the category `pivot` means less."""
        return ENGLISH in self.direction


PivotShares = dict[tuple[str, Direction, str], tuple[int, Interval | None]]


def pivot_shares(summary: Sequence[Row]) -> PivotShares:
    """Return items and share of semantic pivots by rule, direction and choice of items, from ``trace/summary``."""
    shares: PivotShares = {}
    for row in summary:
        key = row["rule"], direction_of(row), row["item_set"]
        if row["behaviour"] == PIVOT:
            shares[key] = row["n"], interval_of(row, "share")
        else:
            # Behaviours that never occur have no row: their share is zero in every resample.
            shares.setdefault(key, (row["n"], Interval(0.0, 0.0, 0.0) if row["n"] else None))
    return shares


def behaviour_rows(labels: Sequence[Row], shares: PivotShares) -> dict[str, tuple[BehaviourRow, ...]]:
    """Return the directions by rule, the default rule first, from ``trace/labels``."""
    found: dict[str, dict[Direction, dict[str, Row]]] = defaultdict(lambda: defaultdict(dict))
    for row in labels:
        if row["direction_group"] == "direction":
            found[row["rule"]][direction_of(row)][row["behaviour"]] = row
    return {
        rule: tuple(
            BehaviourRow(
                direction,
                {name: by_name[name]["n"] if name in by_name else 0
                 for name in in_order([*BEHAVIOUR_NAMES, *by_name], BEHAVIOUR_NAMES)},
                next(iter(by_name.values()))["items"],
                shares.get((rule, direction, "correct"), (0, None))[0],
                shares.get((rule, direction, "all"), (0, None))[1],
                shares.get((rule, direction, "correct"), (0, None))[1],
            )
            for direction, by_name in found[rule].items()
        )
        for rule in in_order(found)
    }  # fmt: skip


def overall_share(labels: Sequence[Row], rule: str, group: str = "all") -> tuple[float, int] | None:
    """Return the share of semantic pivots among a group's items, and these; None where there are none."""
    found = {row["behaviour"]: row for row in labels if (row["rule"], row["direction_group"]) == (rule, group)}
    if not found:
        return None
    return found[PIVOT]["share"] if PIVOT in found else 0.0, next(iter(found.values()))["items"]


def deciding_tokens(tokens: Sequence[Row], rule: str, behaviour: str) -> list[Row]:
    """Return the tokens by which a rule decided for a behaviour (empty: any), the most frequent first."""
    found = [row for row in tokens if (row["rule"], row["behaviour"]) == (rule, behaviour)]
    return sorted(found, key=lambda row: (-row["n"], row["token"]))


def junk_sentence(labels: Sequence[Row], tokens: Sequence[Row], ratio: float) -> str:
    """Say what the raw rule's peaks are; empty where the rule was not applied.

    Args:
        labels: ``trace/labels``.
        tokens: ``trace/deciding_tokens``.
        ratio: Of the calibrated rule.
    """
    peaks, overall = deciding_tokens(tokens, "peak", ""), overall_share(labels, "peak")
    if not peaks or overall is None:
        return ""
    top, (share, items) = peaks[0], overall
    said = (
        f"The raw rule calls {percent(share)} of {plural(items, 'item')} a semantic pivot. Its most frequent peak is "
        f"“{visible(top['token'])}”, at layer {top['layer']}, with a mean probability of {probability(top['prob'])}; "
        f"it comes first in {plural(top['n'], 'item')}, of {plural(top['concepts'], 'concept')}"
    )
    if top["concepts"] < 2:
        return said + "."
    return (
        f"{said}. A token that comes whatever the word says nothing about the word; the calibrated rule therefore "
        f"asks that it be at least {ratio:g} times likelier for this item than for other concepts."
    )


# -- as blocks


def behaviours(run: RunTables) -> b.Section | None:
    """Build the section from the tables of `trace`."""
    if run.trace is None:
        return None
    labels, tokens, summary = (first_rows(run.trace, name) for name in ("labels", "deciding_tokens", "summary"))
    results = behaviour_rows(labels, pivot_shares(summary))
    groups, kinds = headline(run), first_rows(run.trace, "pivot_summary")
    if not (results or groups or summary):
        return None
    config, same = run.trace.manifest.config, run.trace.manifest.details.get("agreement_between_shot_sets")
    note = run.rule_notes.get(DEFAULT_RULE, "")
    of_sets = (
        f" Labels are of the first shot set; {percent(same)} are the same in the others." if same is not None else ""
    )
    there = {row["behaviour"] for row in (*labels, *summary, *first_rows(run.trace, "strata"))}
    blocks: list[b.Block] = [
        b.Paragraph(
            b.prose(
                f"What stands in the layers before the answer. Rule `{DEFAULT_RULE}`: {note[:1].lower()}{note[1:]}"
                f"{of_sets}"
            ),
            "lede",
        ),
        b.Legend("Behaviours", tuple((f"b-{name}", text) for name, text in BEHAVIOUR_NAMES.items() if name in there)),
        *headline_blocks(run, _alike(kinds, groups[0].direction_group if groups else "")),
        *sweep_blocks(run),
    ]
    for rule in list(results)[:1]:
        blocks += _by_direction(rule, results[rule])
    blocks += _shares_by_direction(summary, splits(first_rows(run.trace, "pivot_languages")))
    if len(results) > 1:
        blocks += _other_rules(results, run.rule_notes, labels, junk_sentence(labels, tokens, float(config["ratio"])))
    if tokens:
        blocks += _chosen_tokens(list(results), tokens)
    blocks += [
        *_thresholds(first_rows(run.trace, "thresholds"), first_rows(run.trace, "sensitivity")),
        *agreement(first_rows(run.trace, "agreement")),
        *pivot_kinds(run),
    ]
    return b.Section("behaviours", "Behaviours", tuple(blocks))


def _alike(kinds: Sequence[Row], group: str) -> b.Prose:
    if not kinds:
        return ()
    other = b.prose(
        " In which language a dictionary links the pivot with the concept is another question, [answered "
        "below](#pivot-links)."
    )
    return (*other, *alike_note(kinds, group))


def _stack(counts: dict[str, int], *, slim: bool = False) -> b.Plot:
    segments = [charts.Segment(BEHAVIOUR_NAMES.get(name, name), f"b-{name}", n) for name, n in counts.items()]
    return b.Plot(charts.stacked_bar(segments, height=12.0 if slim else 22.0, figures=not slim))


def _by_direction(rule: str, rows: Sequence[BehaviourRow]) -> list[b.Block]:
    axis = charts.share_axis("semantic pivots")
    table = b.Table(
        "behaviours",
        (b.Column("direction"), b.Column("items by behaviour", "wide"),
         b.Column("semantic pivots", "plot", charts.column_axis(axis)), b.Column("semantic pivot", "number"),
         b.Column("items", "number"), b.Column("right", "number")),
        b.lines(
            (
                (b.Pair(row.direction), _stack(row.counts),
                 b.Plot(charts.interval_cell([charts.Row("all items", row.pivot_all),
                                            charts.Row("right ones", row.pivot_correct, "second")], axis)),
                 b.Value.of(row.pivot_all, "share"), b.Value(row.n, "count"), b.Value(row.n_correct, "count"))
                for row in rows
            ),
            ("english" if row.has_english else "" for row in rows),
        ),
        b.prose(f"Behaviours under the rule `{rule}`, by direction"),
        unseen=True, kind="bars",
    )  # fmt: skip
    found: list[b.Block] = [
        b.Heading(b.prose("By direction")),
        b.Paragraph(
            b.prose(
                f"Rule `{rule}`. The right columns are the share of semantic pivots, among all items (filled) "
                "and among those answered correctly and not spelled alike (open)."
            ),
            "lede",
        ),
        table,
    ]
    if any(row.has_english for row in rows):
        note = b.prose(
            "Directions in grey have English on a side. There, an English token is the source or the target itself, so "
            "their pivot shares are not part of the headline."
        )
        found.append(b.Paragraph(note, "note"))
    return found


def _shares_by_direction(summary: Sequence[Row], written: Sequence[Split]) -> list[b.Block]:
    """Return every share with its interval by direction, of items spelled differently where the table has these."""
    rows = [row for row in summary if row["rule"] == DEFAULT_RULE]
    items = next((name for name in ("different_spelling", "all") if any(row["item_set"] == name for row in rows)), "")
    by_direction: dict[Direction, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row["item_set"] == items:
            by_direction[direction_of(row)][row["behaviour"]] = row
    if not by_direction:
        return []
    names = in_order((name for found in by_direction.values() for name in found), BEHAVIOUR_NAMES)
    which = "Items spelled differently" if items == "different_spelling" else "All items"
    shares = b.Table(
        "shares-by-direction",
        b.columns(["direction"], [*(BEHAVIOUR_NAMES.get(name, name) for name in names), "items"]),
        b.lines(
            (
                b.Pair(direction),
                *(b.Value.of(interval_of(found[name], "share") if name in found else None, "share") for name in names),
                b.Value(next(iter(found.values()))["n"], "count"),
            )
            for direction, found in by_direction.items()
        ),
        b.prose(f"{which}, rule `{DEFAULT_RULE}`"),
    )
    found = [
        one
        for one in written
        if one.direction_group not in GROUP_NAMES and (one.item_set, one.rule) == (items, DEFAULT_RULE)
    ]
    tables: list[b.Block] = [shares]
    if found:
        pairs: list[b.Prose] = [(b.Pair(Direction(*one.direction_group.split("-", 1))),) for one in found]
        tables.append(
            written_table(
                found,
                pairs,
                "written-by-direction",
                b.prose("Semantic pivots of the same items, by what they are written in"),
            )
        )
    return [b.Details(b.prose("Every share by direction, and what the pivots are written in"), tuple(tables))]


def _other_rules(
    results: Mapping[str, Sequence[BehaviourRow]], notes: Mapping[str, str], labels: Sequence[Row], junk: str
) -> list[b.Block]:
    groups = []
    for rule, rows in list(results.items())[1:]:
        table = b.Table(
            f"behaviours-{rule}",
            (b.Column("direction"), b.Column("items by behaviour", "wide")),
            b.lines(
                ((b.Pair(row.direction), _stack(row.counts, slim=True)) for row in rows),
                ("english" if row.has_english else "" for row in rows),
            ),
            b.prose(f"Behaviours under the rule `{rule}`, by direction"),
            unseen=True,
            kind="bars slim",
        )
        overall = overall_share(labels, rule)
        share = b.Soft(f" {percent(overall[0] if overall else None)} semantic pivot")
        head, note = (b.Code(rule), share), b.Paragraph((notes.get(rule, ""),), "note")
        groups.append(b.Group((b.Heading(head, 4), note, table), "rule", f"Rule {rule}"))
    said: list[b.Block] = [b.Paragraph((junk,), "lede")] if junk else []
    return [b.Heading(b.prose("The same items under the other rules")), *said, b.Grid(tuple(groups), "rules")]


def _chosen_tokens(rules: Sequence[str], tokens: Sequence[Row]) -> list[b.Block]:
    def chips(rule: str) -> b.Prose:
        chosen = deciding_tokens(tokens, rule, PIVOT)[:_MOST_PIVOTS]
        found = (
            (b.Word(row["token"], kind="token"), b.Soft(f" {whole(row['n'])}×, layer {row['layer']}")) for row in chosen
        )
        return b.joined(found) or ("none",)

    return [
        b.Heading(b.prose("What each rule takes for a pivot")),
        b.Paragraph(
            b.prose(
                "The tokens that each rule names most often as a semantic pivot, with how many items it is named for "
                "and the layer where that is most often."
            ),
            "lede",
        ),
        b.Table(
            "pivots-by-rule",
            b.columns(["rule", "tokens"], []),
            b.lines((b.Code(rule), chips(rule)) for rule in rules),
            b.prose("Most frequent pivot tokens by rule"),
            unseen=True,
        ),
    ]


def _thresholds(means: Sequence[Row], single: Sequence[Row]) -> list[b.Block]:
    """Return the calibrated share of pivots by threshold and ratio: the mean over directions, and each direction."""
    means = [row for row in means if row["behaviour"] == PIVOT]
    group = next((name for name in COARSE_GROUP_NAMES if any(row["direction_group"] == name for row in means)), "")
    pooled = {(row["threshold"], row["ratio"]): row["share"] for row in means if row["direction_group"] == group}
    shares: dict[Direction, dict[tuple[float, float], float]] = defaultdict(dict)
    for row in single:
        if row["behaviour"] == PIVOT and not is_pooled(row):
            shares[direction_of(row)][row["threshold"], row["ratio"]] = row["share"]
    settings = sorted({*pooled, *(setting for by in shares.values() for setting in by)})
    if not settings:
        return []
    thresholds, ratios = (sorted({setting[place] for setting in settings}) for place in (0, 1))
    tables = []
    if pooled:
        tables.append(
            b.Table(
                "thresholds",
                b.columns(["ratio ≥"], [f"p ≥ {threshold:g}" for threshold in thresholds]),
                b.lines(
                    (f"{ratio:g}", *(b.Value(pooled.get((threshold, ratio)), "share") for threshold in thresholds))
                    for ratio in ratios
                ),
                b.prose(f"Share of semantic pivots, mean over the directions with {COARSE_GROUP_NAMES[group]}"),
            )
        )
    if shares:
        tables.append(
            b.Table(
                "thresholds-by-direction",
                b.columns(["direction"], [f"{threshold:g}, {ratio:g}" for threshold, ratio in settings]),
                b.lines(
                    (b.Pair(direction), *(b.Value(by.get(setting), "share") for setting in settings))
                    for direction, by in shares.items()
                ),
                b.prose("By direction; columns are threshold, ratio"),
            )
        )
    return [b.Details(b.prose("How the calibrated share of semantic pivots moves with the thresholds"), tuple(tables))]
