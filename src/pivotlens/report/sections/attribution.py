"""How well counts predict behaviour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, COARSE_GROUP_NAMES, ITEM_NAMES, PREDICTOR_NAMES
from pivotlens.report.run_tables import Row, RunTables, direction_of, interval_of, is_pooled, rows
from pivotlens.report.sections.scores import pair_of
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import plural, whole
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

PRIMARY_RULE = "calibrated"
CLASSES = ("direct", "semantic_pivot")
LIKELIHOOD, CORRELATION = "joint_beyond_marginals", "spearman_joint_score"
ENOUGH = 20
"""Fewest items of a range whose mean score is drawn; fewest pairs that ever share a unit for a verdict."""
MOST_POINTS = 1500
"""Most items drawn as points; of more, evenly spread ones in the order of the table."""
_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


@dataclass(frozen=True)
class AucRow:
    """AUC of each predictor in a direction (None for the mean within directions); None where it was not computed.

    Attributes:
        notes: Why any predictor has none.
        reasons: Why each predictor has none.
    """

    direction: Direction | None
    n_direct: int
    n_pivot: int
    aucs: tuple[Interval | None, ...]
    notes: tuple[str, ...]
    reasons: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class AucTable:
    """One rule on one choice of items."""

    rule: str
    item_set: str
    predictors: tuple[str, ...]
    rows: tuple[AucRow, ...]

    @property
    def single(self) -> tuple[AucRow, ...]:
        """The directions."""
        return tuple(row for row in self.rows if row.direction is not None)

    @property
    def coverage(self) -> str:
        """Over how many directions the mean is: of the first predictor, as it is drawn."""
        return f"{sum(row.aucs[0] is not None for row in self.single)} of {plural(len(self.single), 'direction')}"

    @property
    def pooled(self) -> AucRow | None:
        """The mean within directions."""
        return next((row for row in self.rows if row.direction is None), None)


def auc_tables(auc: Sequence[Row]) -> tuple[AucTable, ...]:
    """Return the tables of ``attribute/auc``; the primary one, of correctly answered items, is the first."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in auc:
        groups[row["rule"], row["item_set"]].append(row)
    order = sorted(groups, key=lambda key: (key[0] != PRIMARY_RULE, key[1] != "correct", key))
    return tuple(_table(*key, groups[key]) for key in order)


def _table(rule: str, items: str, members: list[Row]) -> AucTable:
    predictors = tuple(in_order((row["predictor"] for row in members), PREDICTOR_NAMES))
    by_direction: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in members:
        by_direction[row["source_language"], row["target_language"]][row["predictor"]] = row
    made = []
    for found in by_direction.values():
        first = next(iter(found.values()))
        made.append(
            AucRow(
                direction=None if is_pooled(first) else direction_of(first),
                n_direct=first["n_cooccurrence"],
                n_pivot=first["n_pivot"],
                aucs=tuple(interval_of(found[name], "auc") if name in found else None for name in predictors),
                notes=tuple(dict.fromkeys(row["note"] for row in found.values() if row["note"])),
                reasons=tuple(
                    tuple(found[name]["note"].split("; ")) if name in found and found[name]["note"] else ()
                    for name in predictors
                ),
            )
        )
    made.sort(key=lambda row: row.direction is not None)
    return AucTable(rule, items, predictors, tuple(made))


def shared_pairs(joint: Sequence[Row], items: str) -> dict[str, tuple[int, int]]:
    """Return items of each class of the primary rule in the directions with an AUC, and those that share a unit."""
    return {
        row["behaviour"]: (row["n"], row["n_shared"])
        for row in joint
        if (row["direction_group"], row["item_set"]) == ("with_auc", items) and row["behaviour"] in CLASSES
    }


# -- as blocks


def attribution(run: RunTables) -> b.Section | None:
    """Build the section from the tables of `attribute`."""
    if run.attribute is None:
        return None
    tables = auc_tables(rows(run.attribute, "auc"))
    predictors = [row for row in rows(run.attribute, "predictors") if not row["same_spelling"]]
    lede = b.prose(
        "Do corpus counts tell direct items from semantic-pivot items? Area under the ROC curve: 0.5 is chance, above "
        "it the larger count goes with direct; 95% intervals over concepts. These are associations: the corpus may not "
        "be what the model was trained on."
    )
    blocks: list[b.Block] = [b.Paragraph(lede, "lede")]
    if tables:
        first, *others = tables
        note = b.prose(f"The plot shows {PREDICTOR_NAMES.get(first.predictors[0], first.predictors[0])}.")
        blocks += [_auc_table(first), b.Paragraph(note, "note"), *_forests(tables)]
        more = tuple(_auc_table(table) for table in others)
        blocks += [b.Details(b.prose("By direction: the other rules and choices of items"), more)] if more else []
    shared = [row for row in rows(run.attribute, "joint") if (row["item_set"], row["behaviour"]) == ("all", "")]
    if shared:
        blocks.append(b.Details(b.prose("Do both words of a traced item ever share a unit?"), (_shared(shared),)))
    tests = sorted(rows(run.attribute, "tests"), key=lambda row: not is_pooled(row))
    correlation = next((row for row in tests if is_pooled(row) and row["test"] == CORRELATION), None)
    blocks += _joint(rows(run.attribute, "bins"), predictors, correlation)
    blocks += _tests(tests, rows(run.attribute, "significance"))
    return b.Section("attribution", "Attribution", tuple(blocks))


def _auc_table(table: AucTable) -> b.Table:
    axis = charts.Axis("AUC", "0.5 is chance", (0.0, 0.5, 1.0))

    def line(row: AucRow) -> b.Line:
        kind = "" if row.direction else "pooled"
        head = (b.Pair(row.direction), b.Value(row.n_direct, "count"), b.Value(row.n_pivot, "count"))
        if not any(row.aucs):
            return b.Line((*head, f"no AUC: {'; '.join(row.notes)}" if row.notes else "no AUC"), kind)
        plot = b.Plot(charts.interval_cell([charts.Row("AUC", row.aucs[0])], axis, 0.5))
        return b.Line((*head, plot, *(b.Value.of(auc) for auc in row.aucs)), kind)

    mean = f"; the mean is over {table.coverage}" if table.pooled else ""
    return b.Table(
        f"auc-{table.rule}-{table.item_set}",
        (b.Column("direction"), b.Column("direct", "number"), b.Column("pivot", "number"),
         b.Column("AUC", "plot", charts.column_axis(axis)),
         *(b.Column(PREDICTOR_NAMES.get(name, name), "number") for name in table.predictors)),
        tuple(line(row) for row in table.rows),
        b.prose(f"Rule `{{rule}}`, {ITEM_NAMES.get(table.item_set, table.item_set)}{mean}", rule=b.Code(table.rule)),
    )  # fmt: skip


def _forests(tables: Sequence[AucTable]) -> list[b.Block]:
    """Return the means within directions of every rule and predictor, a forest and a table for each choice of items."""
    there = {table.item_set for table in tables if table.pooled and any(table.pooled.aucs)}
    if not there:
        return []
    figures, folded = [], []
    for items in in_order(there, ("correct", "all", *ITEM_NAMES)):
        of_items = [table for table in tables if table.item_set == items and table.pooled is not None]
        name = ITEM_NAMES.get(items, items)
        found = [
            (table.rule, predictor, auc)
            for table in of_items
            if table.pooled and any(table.pooled.aucs)
            for predictor, auc in zip(table.predictors, table.pooled.aucs, strict=True)
        ]
        marks = [charts.Row(PREDICTOR_NAMES.get(name_, name_), auc, head=rule) for rule, name_, auc in found]
        ends = [end for _, _, auc in found if auc for end in auc if end == end]
        low, high = min([0.4, *ends]), max([0.6, *ends])
        ticks = [step / 10 for step in range(11) if low - 0.1 < step / 10 < high + 0.1]
        svg = charts.forest(f"AUC, mean within directions, {name}", marks, charts.Axis("AUC", "0.5 is chance", ticks),
                            reference=0.5)  # fmt: skip
        figures.append(b.Figure(f"auc-{items}", svg, b.prose(f"Mean AUC within directions, {name}")))
        folded.append(_means(of_items, name, items))
    return [b.Heading(b.prose("Every rule and predictor")), b.Grid(tuple(figures)),
            b.Details(b.prose("The same as tables"), tuple(folded))]  # fmt: skip


def _means(tables: Sequence[AucTable], name: str, items: str) -> b.Table:
    names = [PREDICTOR_NAMES.get(predictor, predictor) for predictor in tables[0].predictors]

    def line(table: AucTable, row: AucRow) -> b.Line:
        if not any(row.aucs):
            return b.Line((b.Code(table.rule), "; ".join(row.notes) or "no AUC"))
        counts = (b.Value(row.n_direct, "count"), b.Value(row.n_pivot, "count"))
        return b.Line((b.Code(table.rule), *counts, *(b.Value.of(auc) for auc in row.aucs), "; ".join(row.notes)))

    return b.Table(
        f"auc-means-{items}",
        (*b.columns(["rule"], ["direct", "pivot", *names]), b.Column("directions")),
        tuple(line(table, row) for table in tables for row in [table.pooled] if row is not None),
        b.prose(f"Mean AUC within directions, {name}"),
    )


def _joint(bins: Sequence[Row], predictors: Sequence[Row], correlation: Row | None) -> list[b.Block]:
    figures: list[b.Block] = []
    if any(row["n_direct"] or row["n_pivot"] for row in bins):
        caption = b.prose(
            "Correctly answered items of all directions, rule `calibrated`; the bars of a colour add up to 100%"
        )
        figures.append(b.Figure("joint-frequency-by-behaviour", _spread(bins), caption))
    scored = [row for row in predictors if row["score"] is not None]
    if scored:
        drawn = min(len(scored), MOST_POINTS)
        shown = [scored[number * len(scored) // drawn] for number in range(drawn)]
        some = f", {whole(drawn)} of them drawn" if drawn < len(scored) else ""
        value = b.Value.of(interval_of(correlation, "statistic")) if correlation else None
        rank = b.prose("; rank correlation {value}, mean within directions", value=value) if value else ()
        caption = b.prose(
            f"Score of {whole(len(scored))} items of all directions{some}, and their mean by range{{rank}}. Directions "
            "differ in both figures; the correlations are within them",
            rank=rank,
        )
        figures.append(b.Figure("joint-frequency-and-score", _scatter(bins, shown, b.plain(rank)), caption))
    return [b.Heading(b.prose("Joint frequency")), b.Grid(tuple(figures))] if figures else []


def _shared(found: Sequence[Row]) -> b.Table:
    """Return how often the words of items share a unit, by direction and group of them."""
    found = [
        row for row in found if row["direction_group"] in COARSE_GROUP_NAMES or row["direction_group"] == "direction"
    ]
    return b.Table(
        "shared-units-of-items",
        b.columns(
            ["items"],
            ["never", "median", "most", "items", "in any", "of these, with a word spelled like an English one"],
        ),
        b.lines(
            (
                (
                    COARSE_GROUP_NAMES.get(row["direction_group"], "") or (b.Pair(direction_of(row)),),
                    b.Value(row["share_never"], "share"),
                    f"{row['median']:g}",
                    b.Value(row["most"], "count"),
                    b.Value(row["n"], "count"),
                    b.Value(row["n_shared"], "count"),
                    b.Value(row["share_as_english"], "share"),
                )
                for row in found
            ),
            ("pooled" if row["direction_group"] in COARSE_GROUP_NAMES else "" for row in found),
        ),
        b.prose("Units of the corpus with both words of an item; items spelled differently"),
    )


def _label(row: Row) -> str:
    return str(row["low"]) if row["low"] == row["high"] else f"{row['low']}–{row['high']}"


def _spread(bins: Sequence[Row]) -> Markup:
    """Draw how direct and semantic-pivot items spread over ranges of joint frequency."""
    kinds = []
    for name, column in (("direct", "direct"), ("semantic_pivot", "pivot")):
        text = f"{BEHAVIOUR_NAMES[name]} ({whole(sum(row[f'n_{column}'] for row in bins))})"
        values = [row[f"share_{column}"] for row in bins]
        kinds.append(charts.Bars(text, f"b-{name}", values, [str(row[f"n_{column}"]) for row in bins]))
    x = charts.names_axis("units of the corpus with both words", "count", [_label(row) for row in bins])
    highest = max(value for kind in kinds for value in kind.values if value is not None)
    y = charts.Axis("share of the class", "%", charts.nice_ticks(highest or 1.0), share=True)
    return charts.bar_chart("Joint frequency of correctly answered items", kinds, x, y)


def _scatter(bins: Sequence[Row], shown: Sequence[Row], rank: str) -> Markup:
    """Draw items by joint frequency and score, and the mean score of each range with enough of them as a line."""
    most = max((row["df_both"] for row in shown), default=1)
    ticks = [count for count in _COUNTS if count <= most]
    x = charts.Axis("units of the corpus with both words", "count, logarithmic", [log1p(count) for count in ticks],
                    [str(count) for count in ticks], high=log1p(most) or 1.0)  # fmt: skip
    y = charts.value_axis("score", "at most 1", [row["score"] for row in shown])
    kinds = {"direct": "direct", "semantic_pivot": "semantic pivot", "other": "any other"}
    drawn = []
    means = [row for row in bins if row["score"] is not None and row["n_scored"] >= ENOUGH]
    if means:
        drawn.append(charts.Line("mean of a range", "mean", [row["log_joint"] for row in means],
                                 [row["score"] for row in means]))  # fmt: skip
    for kind, name in kinds.items():
        points = [row for row in shown if (row["behaviour"] if row["behaviour"] in kinds else "other") == kind]
        drawn.append(charts.Line(name, f"b-{kind}", [log1p(row["df_both"]) for row in points],
                                 [row["score"] for row in points], "points"))  # fmt: skip
    return charts.line_chart(f"Joint frequency and score of {whole(len(shown))} items{rank}", drawn, x, y)


def _tests(tests: Sequence[Row], significance: Sequence[Row]) -> list[b.Block]:
    if not tests:
        return []
    primary = [row for row in tests if (row.get("rule") or "") in ("", PRIMARY_RULE)]
    others = [row for row in tests if row not in primary]
    blocks: list[b.Block] = [b.Heading(b.prose("Tests"))]
    counted = [row for row in significance if row["test"] == LIKELIHOOD]
    if counted:
        said = b.prose(
            "Likelihood-ratio test, one degree of freedom: does joint frequency add anything to the frequency of the "
            "source word, that of the target word and the target's number of tokens? Directions share their concepts, "
            "so their tests are not independent."
        )
        blocks += [b.Paragraph(said, "lede"), _significance(counted)]
    if primary:
        said = b.prose("Spearman's rank correlation is of joint frequency with the score, within each direction.")
        blocks += [b.Paragraph(said, "note"), _test_table(primary, "Tests by direction")]
    if others:
        blocks.append(
            b.Details(b.prose("Tests under the other rules"), (_test_table(others, "Under the other rules"),))
        )
    return blocks


def _significance(counted: Sequence[Row]) -> b.Table:
    return b.Table(
        "joint-beyond-marginals",
        b.columns(["rule", "items"], ["directions", "tested", "p < 0.05", "smallest p"]),
        b.lines(
            (b.Code(row["rule"]), ITEM_NAMES.get(row["item_set"], str(row["item_set"])),
             *(b.Value(row[name], "count") for name in ("directions", "tested", "significant")),
             b.Value(row["smallest_p"], "p"))
            for rule in in_order(row["rule"] for row in counted)
            for row in counted
            if row["rule"] == rule
        ),
        b.prose("Joint frequency beyond the words' own frequencies"), unseen=True,
    )  # fmt: skip


def _test_table(tests: Sequence[Row], caption: str) -> b.Table:
    def statistic(row: Row) -> b.Value:
        interval = interval_of(row, "statistic") if row.get("ci_low") is not None else None
        return b.Value(row["statistic"], "figure" if interval else "short", interval)

    def of(row: Row) -> b.Prose:
        rule = (" ", b.Code(row["rule"])) if row.get("rule") not in ("", None, PRIMARY_RULE) else ()
        return (row["test"].replace("_", " "), *rule)

    return b.Table(
        caption.lower().replace(" ", "-"),
        (b.Column("direction"), b.Column("test"), b.Column("items"), b.Column("statistic", "number"),
         b.Column("p", "number"),
         b.Column("n", "number"), b.Column("note")),
        b.lines(
            (
                (b.Pair(pair_of(row)), of(row), row.get("item_set") or "", statistic(row), b.Value(row["p_value"], "p"),
                 b.Value(row["n"], "count"), row["note"] or "")
                for row in tests
            ),
            ("pooled" if is_pooled(row) else "" for row in tests),
        ),
        b.prose("{caption}", caption=caption), unseen=True,
    )  # fmt: skip
