"""Behaviours by direction under every rule, and what each rule takes for a pivot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, COARSE_GROUP_NAMES, GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, is_pooled
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.agreement import agreement
from pivotlens.report.sections.pivot_kinds import pivot_kinds
from pivotlens.report.sections.shares import (
    DEFAULT_RULE,
    PIVOT,
    Splits,
    alike_note,
    headline,
    headline_blocks,
    in_order,
    shares_of,
    splits,
    sweep_blocks,
    written_table,
)
from pivotlens.report.wording import percent, plural, probability, visible, whole
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import ENGLISH, Direction, parse_direction

_MOST_PIVOTS = 8

Labelled = dict[Direction, dict[str, Row]]
"""Rows of ``trace/labels`` by direction and behaviour."""
PivotShares = dict[tuple[str, Direction, str], tuple[int, Interval | None]]


def pivot_shares(summary: Sequence[Row]) -> PivotShares:
    """Return items and share of semantic pivots by rule, direction and choice of items, from ``trace/summary``."""
    shares: PivotShares = {}
    for row in summary:
        key = row["rule"], direction_of(row), row["item_set"]
        if row["behaviour"] == PIVOT:
            shares[key] = row["n"], p.interval(row, "share")
        else:
            # Behaviours that never occur have no row: their share is zero in every resample.
            shares.setdefault(key, (row["n"], Interval(0.0, 0.0, 0.0) if row["n"] else None))
    return shares


def overall_share(labels: Sequence[Row], rule: str, group: str = "all") -> tuple[float, int] | None:
    """Return the share of semantic pivots among a group's items, and these; None where there are none."""
    found = {row["behaviour"]: row for row in labels if (row["rule"], row["direction_group"]) == (rule, group)}
    if not found:
        return None
    return found[PIVOT]["share"] if PIVOT in found else 0.0, p.any_of(found)["items"]


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
    of_rules = p.by((row for row in labels if row["direction_group"] == "direction"), itemgetter("rule"))
    results = {rule: p.spread(of_rules[rule], direction_of, "behaviour") for rule in in_order(of_rules)}
    groups, kinds = headline(run), first_rows(run.trace, "pivot_summary")
    if not (results or groups or summary):
        return None
    config, same = run.trace.manifest.config, run.trace.manifest.details.get("agreement_between_shot_sets")
    rule_note = run.rule_notes.get(DEFAULT_RULE, "")
    of_sets = (
        f" Labels are of the first shot set; {percent(same)} are the same in the others." if same is not None else ""
    )
    there = {row["behaviour"] for row in (*labels, *summary, *first_rows(run.trace, "strata"))}
    below = b.prose(
        " In which language a dictionary links the pivot with the concept is another question, [answered "
        "below](#pivot-links)."
    )
    alike = (*below, *alike_note(kinds, groups[0].direction_group if groups else "")) if kinds else ()
    blocks: list[b.Block] = [
        p.lede(
            f"What stands in the layers before the answer. Rule `{DEFAULT_RULE}`: {rule_note[:1].lower()}"
            f"{rule_note[1:]}{of_sets}"
        ),
        b.Legend("Behaviours", tuple((f"b-{name}", text) for name, text in BEHAVIOUR_NAMES.items() if name in there)),
        *headline_blocks(run, alike),
        p.note(
            "In small worlds in which it is known what a model has read, the hub's word stood as high where two words "
            "had met as where they never had: it tells that a word met the hub's, not whether the pair ever met "
            "(docs/results/known-truth.md)."
        ),
        *sweep_blocks(run),
    ]
    if results:
        blocks += _by_direction(*next(iter(results.items())), pivot_shares(summary))
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


def _stack(found: dict[str, Row], *, slim: bool = False) -> Markup:
    counts = {name: found[name]["n"] if name in found else 0 for name in dict.fromkeys((*BEHAVIOUR_NAMES, *found))}
    segments = [charts.Segment(BEHAVIOUR_NAMES.get(name, name), f"b-{name}", n) for name, n in counts.items()]
    return charts.stacked_bar(segments, height=12.0 if slim else 22.0, figures=not slim)


def _english(found: dict[str, Row]) -> str:
    """Return the style of a direction with English on a side, where the category `pivot` means less."""
    return "english" if ENGLISH in direction_of(p.any_of(found)) else ""


def _by_direction(rule: str, results: Labelled, shares: PivotShares) -> list[b.Block]:
    axis = charts.share_axis("semantic pivots")

    def of(found: dict[str, Row], items: str) -> tuple[int, Interval | None]:
        return shares.get((rule, direction_of(p.any_of(found)), items), (0, None))

    def marks(found: dict[str, Row]) -> list[charts.Row]:
        every, right = of(found, "all")[1], of(found, "correct")[1]
        return [charts.Row("all items", every), charts.Row("right ones", right, "second")]

    fields = (
        p.GROUP_DIRECTION, p.bars("items by behaviour", _stack),
        p.intervals("semantic pivots", axis, marks),
        p.number("semantic pivot", lambda found: b.Value.of(of(found, "all")[1], "share")),
        p.number("items", lambda found: b.Value(p.any_of(found)["items"], "count")),
        p.number("right", lambda found: b.Value(of(found, "correct")[0], "count")),
    )  # fmt: skip
    found = list(results.values())
    made: list[b.Block] = [
        p.heading("By direction"),
        p.lede(
            f"Rule `{rule}`. The right columns are the share of semantic pivots, among all items (filled) and among "
            "those answered correctly and not spelled alike (open)."
        ),
        p.table("behaviours", f"Behaviours under the rule `{rule}`, by direction", found, fields, unseen=True,
              kind="bars", style=_english),
    ]  # fmt: skip
    if any(map(_english, found)):
        said = p.note(
            "Directions in grey have English on a side. There, an English token is the source or the target itself, so "
            "their pivot shares are not part of the headline."
        )
        made.append(said)
    return made


def _shares_by_direction(summary: Sequence[Row], written: Splits) -> list[b.Block]:
    """Return every share with its interval by direction, of items spelled differently where the table has these."""
    of_items = p.by((row for row in summary if row["rule"] == DEFAULT_RULE), itemgetter("item_set"))
    items = next((name for name in ("different_spelling", "all") if name in of_items), "")
    if not items:
        return []
    names = in_order((row["behaviour"] for row in of_items[items]), BEHAVIOUR_NAMES)
    by_direction = [shares_of(rows, names) for rows in p.by(of_items[items], direction_of).values()]
    fields = (
        p.GROUP_DIRECTION,
        *(p.across(BEHAVIOUR_NAMES.get(name, name), name, "share", "share") for name in names),
        p.GROUP_ITEMS,
    )
    which = "Items spelled differently" if items == "different_spelling" else "All items"
    tables = [p.table("shares-by-direction", f"{which}, rule `{DEFAULT_RULE}`", by_direction, fields)]
    found = [
        split
        for (directions, *of), split in written.items()
        if directions not in GROUP_NAMES and of == [items, DEFAULT_RULE]
    ]
    first = p.text("direction", lambda split: b.Pair(parse_direction(p.any_of(split)["direction_group"])))
    caption = b.prose("Semantic pivots of the same items, by what they are written in")
    tables.append(written_table("written-by-direction", caption, found, first))
    return p.folded("Every share by direction, and what the pivots are written in", *tables)


def _other_rules(
    results: Mapping[str, Labelled], notes: Mapping[str, str], labels: Sequence[Row], junk: str
) -> list[b.Block]:
    fields = (p.GROUP_DIRECTION, p.bars("items by behaviour", partial(_stack, slim=True)))
    groups = []
    for rule, found in list(results.items())[1:]:
        caption = f"Behaviours under the rule `{rule}`, by direction"
        made = p.table(f"behaviours-{rule}", caption, found.values(), fields, unseen=True, kind="bars slim",
                     style=_english)  # fmt: skip
        overall = overall_share(labels, rule)
        head = (b.Code(rule), b.Soft(f" {percent(overall[0] if overall else None)} semantic pivot"))
        said = b.Paragraph((notes.get(rule, ""),), "note")
        groups.append(b.Group((b.Heading(head, 4), said, made), "rule", f"Rule {rule}"))
    of_junk = [b.Paragraph((junk,), "lede")] if junk else []
    return [p.heading("The same items under the other rules"), *of_junk, b.Grid(tuple(groups), "rules")]


def _chosen_tokens(rules: Sequence[str], tokens: Sequence[Row]) -> list[b.Block]:
    def chips(rule: str) -> b.Prose:
        chosen = deciding_tokens(tokens, rule, PIVOT)[:_MOST_PIVOTS]
        found = (
            (b.Word(row["token"], kind="token"), b.Soft(f" {whole(row['n'])}×, layer {row['layer']}")) for row in chosen
        )
        return b.joined(found) or ("none",)

    fields = (p.text("rule", b.Code), p.text("tokens", chips))
    return [
        p.heading("What each rule takes for a pivot"),
        p.lede(
            "The tokens that each rule names most often as a semantic pivot, with how many items it is named for and "
            "the layer where that is most often."
        ),
        p.table("pivots-by-rule", "Most frequent pivot tokens by rule", rules, fields, unseen=True),
    ]


def _pivots_or_none(found: Sequence[Row], of: Callable[[Row], Any]) -> list[Row]:
    """Return the row of semantic pivots of each group; where a group has only others, their share is 0."""
    rows_by = p.by((row for row in found if row["share"] is not None), of).values()
    none = {"behaviour": PIVOT, "share": 0.0}
    return [next((row for row in group if row["behaviour"] == PIVOT), group[0] | none) for group in rows_by]


def _thresholds(means: Sequence[Row], single: Sequence[Row]) -> list[b.Block]:
    """Return the calibrated share of pivots by threshold and ratio: the mean over directions, and each direction."""
    setting = itemgetter("threshold", "ratio")
    of_pivots = p.by(
        _pivots_or_none(means, itemgetter("direction_group", "threshold", "ratio")), itemgetter("direction_group")
    )
    group = next((name for name in COARSE_GROUP_NAMES if name in of_pivots), "")
    of_directions = [
        row for row in _pivots_or_none(single, lambda row: (p.pair_of(row), setting(row))) if not is_pooled(row)
    ]
    settings = sorted({setting(row) for row in (*of_pivots.get(group, ()), *of_directions)})
    tables = []
    if group:
        thresholds = sorted({threshold for threshold, _ in settings})
        first = p.text("ratio ≥", lambda found: f"{p.any_of(found)['ratio']:g}")
        fields = (first, *(p.across(f"p ≥ {threshold:g}", threshold, "share", "share") for threshold in thresholds))
        by_ratio = p.spread(sorted(of_pivots[group], key=itemgetter("ratio")), itemgetter("ratio"), "threshold")
        caption = f"Share of semantic pivots, mean over the directions with {COARSE_GROUP_NAMES[group]}"
        tables.append(p.table("thresholds", caption, by_ratio.values(), fields))
    by_setting = [row | {"setting": setting(row)} for row in of_directions]
    columns = (p.across(f"{each[0]:g}, {each[1]:g}", each, "share", "share") for each in settings)
    fields = (p.GROUP_DIRECTION, *columns)
    found = p.spread(by_setting, direction_of, "setting").values()
    tables.append(p.table("thresholds-by-direction", "By direction; columns are threshold, ratio", found, fields))
    summary = "How the calibrated share of semantic pivots moves with the thresholds"
    return p.folded(summary, *tables)
