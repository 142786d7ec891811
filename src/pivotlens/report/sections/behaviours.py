"""Behaviours by direction under every rule, and what each rule takes for a pivot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pivotlens.report import charts
from pivotlens.report.blocks import (
    Block,
    Code,
    Column,
    Details,
    Grid,
    Group,
    Heading,
    Legend,
    Pair,
    Paragraph,
    Plot,
    Prose,
    Section,
    Soft,
    Table,
    Value,
    Word,
    columns,
    joined,
    lines,
    prose,
)  # fmt: skip
from pivotlens.report.names import BEHAVIOUR_NAMES, GROUP_NAMES
from pivotlens.report.run_tables import (
    Row,
    RunTables,
    direction_of,
    first_rows,
    first_shot_set,
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


@dataclass(frozen=True)
class TokenCount:
    """A token with how often a rule chose it, its most frequent layer and its mean probability."""

    token: str
    count: int
    concepts: int
    layer: int
    prob: float


@dataclass(frozen=True)
class RuleResult:
    """What one rule says."""

    rule: str
    rows: tuple[BehaviourRow, ...]
    pivots: tuple[TokenCount, ...]

    @property
    def pivot_share(self) -> float:
        """Share of semantic pivots over all items of all directions."""
        return sum(row.counts[PIVOT] for row in self.rows) / max(1, sum(row.n for row in self.rows))


def rule_results(labels: Sequence[Row], summary: Sequence[Row]) -> tuple[RuleResult, ...]:
    """Return what each rule says, the default first, from ``trace/behaviours`` and ``trace/summary``."""
    by_rule: dict[str, list[Row]] = defaultdict(list)
    for row in first_shot_set(list(labels)):
        by_rule[row["rule"]].append(row)
    shares = pivot_shares(summary)
    return tuple(
        RuleResult(rule, _rows(rule, by_rule[rule], shares), _pivots(by_rule[rule])) for rule in in_order(by_rule)
    )


PivotShares = dict[tuple[str, Direction, str], tuple[int, Interval | None]]


def pivot_shares(summary: Sequence[Row]) -> PivotShares:
    """Return items and share of semantic pivots by rule, direction and choice of items, from ``trace/summary``."""
    shares: PivotShares = {}
    for row in summary:
        key = row["rule"], direction_of(row), row["items"]
        if row["behaviour"] == PIVOT:
            shares[key] = row["n"], interval_of(row, "share")
        else:
            # Behaviours that never occur have no row: their share is zero in every resample.
            shares.setdefault(key, (row["n"], Interval(0.0, 0.0, 0.0) if row["n"] else None))
    return shares


def _rows(rule: str, labels: list[Row], shares: PivotShares) -> tuple[BehaviourRow, ...]:
    by_direction: dict[Direction, Counter[str]] = defaultdict(Counter)
    for row in labels:
        by_direction[direction_of(row)][row["behaviour"]] += 1
    rows = []
    for direction, counted in by_direction.items():
        n_correct, pivot_correct = shares.get((rule, direction, "correct"), (0, None))
        counts = {name: counted[name] for name in in_order([*BEHAVIOUR_NAMES, *counted], BEHAVIOUR_NAMES)}
        pivot_all = shares.get((rule, direction, "all"), (0, None))[1]
        rows.append(BehaviourRow(direction, counts, counted.total(), n_correct, pivot_all, pivot_correct))
    return tuple(rows)


def _tokens(labels: list[Row]) -> list[TokenCount]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in labels:
        if row["token"] is not None and row["layer"] is not None:
            groups[row["token"]].append(row)
    tokens = [
        TokenCount(
            token=token,
            count=len(rows),
            concepts=len({row["concept_id"] for row in rows}),
            layer=min(Counter(row["layer"] for row in rows).items(), key=lambda pair: (-pair[1], pair[0]))[0],
            prob=sum(row["prob"] or 0.0 for row in rows) / len(rows),
        )
        for token, rows in groups.items()
    ]
    return sorted(tokens, key=lambda token: (-token.count, token.token))


def _pivots(labels: list[Row]) -> tuple[TokenCount, ...]:
    return tuple(_tokens([row for row in labels if row["behaviour"] == PIVOT])[:_MOST_PIVOTS])


def junk_sentence(peaks: list[Row], ratio: float) -> str:
    """Say what the raw rule's peaks are, from the data; empty where the rule was not applied."""
    tokens = _tokens(peaks)
    if not tokens:
        return ""
    top = tokens[0]
    pivots = sum(row["behaviour"] == PIVOT for row in peaks)
    said = (
        f"The raw rule calls {percent(pivots / len(peaks))} of {plural(len(peaks), 'item')} a semantic pivot. Its most "
        f"frequent peak is “{visible(top.token)}”, at layer {top.layer}, with a mean probability of "
        f"{probability(top.prob)}; it comes first in {plural(top.count, 'item')}, of {plural(top.concepts, 'concept')}"
    )
    if top.concepts < 2:
        return said + "."
    return (
        f"{said}. A token that comes whatever the word says nothing about the word; the calibrated rule therefore "
        f"asks that it be at least {ratio:g} times likelier for this item than for other concepts."
    )


# -- as blocks


def behaviours(run: RunTables) -> Section | None:
    """Build the section from the tables of `trace`."""
    if run.trace is None:
        return None
    labels, summary = first_rows(run.trace, "behaviours"), first_rows(run.trace, "summary")
    results = rule_results(labels, summary)
    groups, kinds = headline(run), first_rows(run.trace, "pivots")
    if not (results or groups or summary):
        return None
    config, same = run.trace.manifest.config, run.trace.manifest.details.get("agreement_between_shot_sets")
    note = run.rule_notes.get(DEFAULT_RULE, "")
    of_sets = (
        f" Labels are of the first shot set; {percent(same)} are the same in the others." if same is not None else ""
    )
    there = {row["behaviour"] for row in (*labels, *summary, *first_rows(run.trace, "strata"))}
    blocks: list[Block] = [
        Paragraph(
            prose(
                f"What stands in the layers before the answer. Rule `{DEFAULT_RULE}`: {note[:1].lower()}{note[1:]}"
                f"{of_sets}"
            ),
            "lede",
        ),
        Legend("Behaviours", tuple((f"b-{name}", text) for name, text in BEHAVIOUR_NAMES.items() if name in there)),
        *headline_blocks(run, _alike(kinds, groups[0].directions if groups else "")),
        *sweep_blocks(run),
    ]
    if results:
        blocks += _by_direction(results[0])
    blocks += _shares_by_direction(summary, splits(first_rows(run.trace, "pivot_languages")))
    if len(results) > 1:
        peaks = [row for row in first_shot_set(labels) if row["rule"] == "peak"]
        blocks += _other_rules(results[1:], run.rule_notes, junk_sentence(peaks, float(config["ratio"])))
    if results:
        blocks += _chosen_tokens(results)
    blocks += [
        *_sensitivity(first_rows(run.trace, "sensitivity")),
        *agreement(first_rows(run.trace, "agreement")),
        *pivot_kinds(kinds, written=bool(first_rows(run.trace, "pivot_languages"))),
    ]
    return Section("behaviours", "Behaviours", tuple(blocks))


def _alike(kinds: Sequence[Row], group: str) -> Prose:
    if not kinds:
        return ()
    other = prose(
        " In which language a dictionary links the pivot with the concept is another question, [answered "
        "below](#pivot-links)."
    )
    return (*other, *alike_note(kinds, group))


def _stack(counts: dict[str, int], *, slim: bool = False) -> Plot:
    segments = [charts.Segment(BEHAVIOUR_NAMES.get(name, name), f"b-{name}", n) for name, n in counts.items()]
    return Plot(charts.stacked_bar(segments, height=12.0 if slim else 22.0, figures=not slim))


def _by_direction(result: RuleResult) -> list[Block]:
    axis = charts.share_axis("semantic pivots")
    table = Table(
        "behaviours",
        (Column("direction"), Column("items by behaviour", "wide"),
         Column("semantic pivots", "plot", charts.column_axis(axis)), Column("semantic pivot", "number"),
         Column("items", "number"), Column("right", "number")),
        lines(
            (
                (Pair(row.direction), _stack(row.counts),
                 Plot(charts.interval_cell([charts.Row("all items", row.pivot_all),
                                            charts.Row("right ones", row.pivot_correct, "second")], axis)),
                 Value.of(row.pivot_all, "share"), Value(row.n, "count"), Value(row.n_correct, "count"))
                for row in result.rows
            ),
            ("english" if row.has_english else "" for row in result.rows),
        ),
        prose(f"Behaviours under the rule `{result.rule}`, by direction"),
        unseen=True, kind="bars",
    )  # fmt: skip
    found: list[Block] = [
        Heading(prose("By direction")),
        Paragraph(
            prose(
                f"Rule `{result.rule}`. The right columns are the share of semantic pivots, among all items (filled) "
                "and among those answered correctly and not spelled alike (open)."
            ),
            "lede",
        ),
        table,
    ]
    if any(row.has_english for row in result.rows):
        note = prose(
            "Directions in grey have English on a side. There, an English token is the source or the target itself, so "
            "their pivot shares are not part of the headline."
        )
        found.append(Paragraph(note, "note"))
    return found


def _shares_by_direction(summary: Sequence[Row], written: Sequence[Split]) -> list[Block]:
    """Return every share with its interval by direction, of items spelled differently where the table has these."""
    rows = [row for row in summary if row["rule"] == DEFAULT_RULE]
    items = next((name for name in ("different_spelling", "all") if any(row["items"] == name for row in rows)), "")
    by_direction: dict[Direction, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row["items"] == items:
            by_direction[direction_of(row)][row["behaviour"]] = row
    if not by_direction:
        return []
    names = in_order((name for found in by_direction.values() for name in found), BEHAVIOUR_NAMES)
    which = "Items spelled differently" if items == "different_spelling" else "All items"
    shares = Table(
        "shares-by-direction",
        columns(["direction"], [*(BEHAVIOUR_NAMES.get(name, name) for name in names), "items"]),
        lines(
            (
                Pair(direction),
                *(Value.of(interval_of(found[name], "share") if name in found else None, "share") for name in names),
                Value(next(iter(found.values()))["n"], "count"),
            )
            for direction, found in by_direction.items()
        ),
        prose(f"{which}, rule `{DEFAULT_RULE}`"),
    )
    found = [
        one for one in written if one.directions not in GROUP_NAMES and (one.items, one.rule) == (items, DEFAULT_RULE)
    ]
    tables: list[Block] = [shares]
    if found:
        pairs: list[Prose] = [(Pair(Direction(*one.directions.split("-", 1))),) for one in found]
        tables.append(
            written_table(found, pairs, "written-by-direction", prose("Semantic pivots of the same items, by what they "
                          "are written in"))
        )  # fmt: skip
    return [Details(prose("Every share by direction, and what the pivots are written in"), tuple(tables))]


def _other_rules(results: Sequence[RuleResult], notes: dict[str, str], junk: str) -> list[Block]:
    groups = []
    for result in results:
        table = Table(
            f"behaviours-{result.rule}",
            (Column("direction"), Column("items by behaviour", "wide")),
            lines(
                ((Pair(row.direction), _stack(row.counts, slim=True)) for row in result.rows),
                ("english" if row.has_english else "" for row in result.rows),
            ),
            prose(f"Behaviours under the rule `{result.rule}`, by direction"),
            unseen=True,
            kind="bars slim",
        )
        head = prose(
            "{rule} {share}", rule=Code(result.rule), share=Soft(f"{percent(result.pivot_share)} semantic pivot")
        )
        note = Paragraph(prose("{note}", note=notes.get(result.rule, "")), "note")
        groups.append(Group((Heading(head, 4), note, table), "rule", f"Rule {result.rule}"))
    said: list[Block] = [Paragraph((junk,), "lede")] if junk else []
    return [Heading(prose("The same items under the other rules")), *said, Grid(tuple(groups), "rules")]


def _chosen_tokens(results: Sequence[RuleResult]) -> list[Block]:
    def chips(result: RuleResult) -> Prose:
        chosen = (
            (Word(each.token, kind="token"), Soft(f" {whole(each.count)}×, layer {each.layer}"))
            for each in result.pivots
        )
        return joined(chosen) or ("none",)

    return [
        Heading(prose("What each rule takes for a pivot")),
        Paragraph(
            prose(
                "The tokens that each rule names most often as a semantic pivot, with how many items it is named for "
                "and the layer where that is most often."
            ),
            "lede",
        ),
        Table(
            "pivots-by-rule",
            columns(["rule", "tokens"], []),
            lines((Code(result.rule), chips(result)) for result in results),
            prose("Most frequent pivot tokens by rule"),
            unseen=True,
        ),
    ]


def _sensitivity(found: Sequence[Row]) -> list[Block]:
    """Return the calibrated share of pivots by threshold and ratio: the mean over directions, and each direction."""
    shares: dict[Direction, dict[tuple[float, float], float]] = defaultdict(dict)
    for row in found:
        if row["behaviour"] == PIVOT and not is_pooled(row):
            shares[direction_of(row)][row["threshold"], row["ratio"]] = row["share"]
    if not shares:
        return []
    settings = sorted({setting for by in shares.values() for setting in by})
    thresholds, ratios = (sorted({setting[place] for setting in settings}) for place in (0, 1))
    free = [by for direction, by in shares.items() if ENGLISH not in direction]

    def mean(setting: tuple[float, float]) -> float | None:
        known = [by[setting] for by in free or shares.values() if by.get(setting) is not None]
        return fmean(known) if known else None

    where = f"mean over the directions with {GROUP_NAMES['neither_english']}" if free else "mean over directions"
    pooled = Table(
        "thresholds",
        columns(["ratio ≥"], [f"p ≥ {threshold:g}" for threshold in thresholds]),
        lines(
            (f"{ratio:g}", *(Value(mean((threshold, ratio)), "share") for threshold in thresholds)) for ratio in ratios
        ),
        prose(f"Share of semantic pivots, {where}"),
    )
    single = Table(
        "thresholds-by-direction",
        columns(["direction"], [f"{threshold:g}, {ratio:g}" for threshold, ratio in settings]),
        lines(
            (Pair(direction), *(Value(by.get(setting), "share") for setting in settings))
            for direction, by in shares.items()
        ),
        prose("By direction; columns are threshold, ratio"),
    )
    return [Details(prose("How the calibrated share of semantic pivots moves with the thresholds"), (pooled, single))]
