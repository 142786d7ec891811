"""How well counts predict behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p
from operator import itemgetter

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, COARSE_GROUP_NAMES, ITEM_NAMES, PREDICTOR_NAMES
from pivotlens.report.run_tables import Row, RunTables, is_pooled, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import plural, whole
from pivotlens.text import Direction

PRIMARY_RULE = "calibrated"
CLASSES = ("direct", "semantic_pivot")
LIKELIHOOD, CORRELATION = "joint_beyond_marginals", "spearman_joint_score"
ENOUGH = 20
"""Fewest items of a range whose mean score is drawn; fewest pairs that ever share a unit for a verdict."""
MOST_POINTS = 1500
"""Most items drawn as points; of more, evenly spread ones in the order of the table."""
UNITS = "units"
UNITS_AXIS, OCCURRENCES_AXIS = "units of the corpus with both words", "occurrences of both words near each other"
_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)

ByPredictor = dict[str, Row]
AucRows = dict[Direction | None, ByPredictor]
"""Rows of ``attribute/auc`` by direction (None: the mean within directions, which is the first) and predictor."""


def auc_tables(auc: Sequence[Row]) -> dict[tuple[str, str], AucRows]:
    """Return the rows by rule and choice of items; the primary rule on correctly answered items is the first."""
    groups = p.by(sorted(auc, key=lambda row: not is_pooled(row)), itemgetter("rule", "item_set"))
    order = sorted(groups, key=lambda key: (key[0] != PRIMARY_RULE, key[1] != "correct", key))
    return {key: p.spread(groups[key], p.pair_of, "predictor") for key in order}


def predictors_of(found: AucRows) -> list[str]:
    """Return the predictors, that which is drawn first."""
    return in_order((name for by_name in found.values() for name in by_name), PREDICTOR_NAMES)


def coverage(found: AucRows) -> str:
    """Say over how many directions the mean is: of the first predictor, as it is drawn."""
    first = predictors_of(found)[0]
    single = [p.interval(by_name.get(first), "auc") for direction, by_name in found.items() if direction]
    return f"{sum(auc is not None for auc in single)} of {plural(len(single), 'direction')}"


def shared_pairs(joint: Sequence[Row], items: str) -> dict[str, tuple[int, int]]:
    """Return items of each class of the primary rule in the directions with an AUC, and those that share a unit."""
    return {
        row["behaviour"]: (row["n"], row["n_shared"])
        for row in joint
        if (row["direction_group"], row["item_set"]) == ("with_auc", items) and row["behaviour"] in CLASSES
    }


def _has_auc(by_name: ByPredictor) -> bool:
    return any(p.interval(row, "auc") for row in by_name.values())


def _notes(by_name: ByPredictor) -> str:
    """Return why any predictor has no AUC, each reason once."""
    notes = (row["note"] for row in by_name.values() if row["note"])
    return "; ".join(dict.fromkeys(reason for note in notes for reason in note.split("; ")))


# -- as blocks

_CLASS_COUNTS = (
    p.number("direct", lambda by_name: b.Value(p.any_of(by_name)["n_direct"], "count")),
    p.number("pivot", lambda by_name: b.Value(p.any_of(by_name)["n_pivot"], "count")),
)


def attribution(run: RunTables) -> b.Section | None:
    """Build the section from the tables of `attribute`."""
    if run.attribute is None:
        return None
    tables = auc_tables(rows(run.attribute, "auc"))
    predictors = [row for row in rows(run.attribute, "predictors") if not row["same_spelling"]]
    blocks: list[b.Block] = [
        p.lede(
            "Do corpus counts tell direct items from semantic-pivot items? Area under the ROC curve: 0.5 is chance, "
            "above it the larger count goes with direct; 95% intervals over concepts. These are associations: the "
            "corpus may not be what the model was trained on."
        )
    ]
    counted = str(run.attribute.manifest.details.get("counted", UNITS))
    if counted != UNITS:
        blocks.append(p.lede("Counted are {counted}; there are no units.", counted=counted))
    if tables:
        first, *others = (_auc_table(*key, found) for key, found in tables.items())
        blocks += [first, *_forests(tables)]
        blocks += p.folded("By direction: the other rules and choices of items", *others)
    shared = [row for row in rows(run.attribute, "joint") if (row["item_set"], row["behaviour"]) == ("all", "")]
    whole_units = counted == UNITS
    asked = "share a unit" if whole_units else "occur near each other"
    blocks += p.folded(f"Do both words of a traced item ever {asked}?", _shared(shared, whole_units))
    tests = sorted(rows(run.attribute, "tests"), key=lambda row: (not is_pooled(row), row["rule"] != PRIMARY_RULE))
    correlation = next((row for row in tests if is_pooled(row) and row["test"] == CORRELATION), None)
    axis = UNITS_AXIS if whole_units else OCCURRENCES_AXIS
    blocks += _joint(rows(run.attribute, "bins"), predictors, correlation, axis)
    blocks += _tests(tests, rows(run.attribute, "significance"))
    return b.Section("attribution", "Attribution", tuple(blocks))


def _auc_table(rule: str, items: str, found: AucRows) -> b.Table:
    axis, names = charts.Axis("AUC", "0.5 is chance", (0.0, 0.5, 1.0)), predictors_of(found)

    def marks(by_name: ByPredictor) -> list[charts.Row]:
        return [charts.Row("AUC", p.interval(by_name.get(names[0]), "auc"))]

    def missing(by_name: ByPredictor) -> tuple[int, str] | None:
        return None if _has_auc(by_name) else (3, ": ".join(filter(None, ("no AUC", _notes(by_name)))))

    fields = [
        p.GROUP_DIRECTION,
        *_CLASS_COUNTS,
        p.intervals(f"AUC of {PREDICTOR_NAMES.get(names[0], names[0])}", axis, marks, 0.5),
        *(p.across(PREDICTOR_NAMES.get(name, name), name, "auc") for name in names),
    ]
    mean = f"; the mean is over {coverage(found)}" if None in found else ""
    caption = b.prose(f"Rule {{rule}}, {ITEM_NAMES.get(items, items)}{mean}", rule=b.Code(rule))
    return p.table(f"auc-{rule}-{items}", caption, found.values(), fields, missing=missing,
                   style=lambda by_name: p.pooled(p.any_of(by_name)))  # fmt: skip


def _forests(tables: dict[tuple[str, str], AucRows]) -> list[b.Block]:
    """Return the means within directions of every rule and predictor, a forest and a table for each choice of items."""
    means = {key: found[None] for key, found in tables.items() if None in found}
    there = {items for (_, items), by_name in means.items() if _has_auc(by_name)}
    figures, folded_ = [], []
    for items in in_order(there, ("correct", "all", *ITEM_NAMES)):
        of_items = {rule: by_name for (rule, of), by_name in means.items() if of == items}
        title = f"Mean AUC within directions, {ITEM_NAMES.get(items, items)}"
        marks = [
            charts.Row(PREDICTOR_NAMES.get(name, name), p.interval(by_name.get(name), "auc"), head=rule)
            for rule, by_name in of_items.items()
            if _has_auc(by_name)
            for name in predictors_of(tables[rule, items])
        ]
        ends = [end for end in p.ends_of(p.interval(row, "auc") for one in of_items.values() for row in one.values())
                if end == end]  # fmt: skip
        low, high = min([0.4, *ends]), max([0.6, *ends])
        ticks = [step / 10 for step in range(11) if low - 0.1 < step / 10 < high + 0.1]
        axis = charts.Axis("AUC", "0.5 is chance", ticks)
        svg = charts.forest(f"AUC, mean within directions, {ITEM_NAMES.get(items, items)}", marks, axis, reference=0.5)
        figures.append(b.Figure(f"auc-{items}", svg, b.prose(title)))
        names = predictors_of(tables[next(iter(of_items)), items])
        fields = [
            p.GROUP_RULE, *_CLASS_COUNTS,
            *(p.across(PREDICTOR_NAMES.get(name, name), name, "auc") for name in names), p.text("directions", _notes),
        ]  # fmt: skip
        folded_.append(p.table(f"auc-means-{items}", title, of_items.values(), fields, missing=_no_mean))
    if not figures:
        return []
    return [p.heading("Every rule and predictor"), b.Grid(tuple(figures)), *p.folded("The same as tables", *folded_)]


def _no_mean(by_name: ByPredictor) -> tuple[int, str] | None:
    return None if _has_auc(by_name) else (1, _notes(by_name) or "no AUC")


def _joint(bins: Sequence[Row], predictors: Sequence[Row], correlation: Row | None, counted: str) -> list[b.Block]:
    figures: list[b.Block] = []
    if any(row["n_direct"] or row["n_pivot"] for row in bins):
        caption = b.prose(
            "Correctly answered items of all directions, rule `calibrated`; the bars of a colour add up to 100%"
        )
        figures.append(b.Figure("joint-frequency-by-behaviour", _bins(bins, counted), caption))
    scored = [row for row in predictors if row["score"] is not None]
    if scored:
        drawn = min(len(scored), MOST_POINTS)
        chosen = [scored[place * len(scored) // drawn] for place in range(drawn)]
        some = f", {whole(drawn)} of them drawn" if drawn < len(scored) else ""
        found = p.shown(correlation, "statistic")
        rank = b.prose("; rank correlation {found}, mean within directions", found=found) if correlation else ()
        caption = b.prose(
            f"Score of {whole(len(scored))} items of all directions{some}, and their mean by range{{rank}}. Directions "
            "differ in both figures; the correlations are within them",
            rank=rank,
        )
        figures.append(b.Figure("joint-frequency-and-score", _scatter(bins, chosen, b.plain(rank), counted), caption))
    return [p.heading("Joint frequency"), b.Grid(tuple(figures))] if figures else []


def _shared(found: Sequence[Row], whole_units: bool) -> b.Table:
    """Return how often the words of items share a unit, by direction and group of them."""
    fields = (
        p.text("directions", lambda row: COARSE_GROUP_NAMES.get(row["direction_group"]) or b.Pair(p.pair_of(row))),
        p.value("never", "share_never", "share"), p.number("median", lambda row: f"{row['median']:g}"),
        p.value("most", "most", "count"), p.ITEMS, p.value("in any", "n_shared", "count"),
        p.value("of these, with a word spelled like an English one", "share_as_english", "share"),
    )  # fmt: skip
    of = (
        "Units of the corpus with both words of an item" if whole_units else "Occurrences of both words near each other"
    )
    caption = f"{of}; items spelled differently"
    known = [
        row for row in found if row["direction_group"] in COARSE_GROUP_NAMES or row["direction_group"] == "direction"
    ]
    return p.table("shared-units-of-items", caption, known, fields, style=p.pooled)


def _bins(bins: Sequence[Row], counted: str) -> Markup:
    """Draw how direct and semantic-pivot items spread over ranges of joint frequency."""
    kinds = []
    for name, column in (("direct", "direct"), ("semantic_pivot", "pivot")):
        title = f"{BEHAVIOUR_NAMES[name]} ({whole(sum(row[f'n_{column}'] for row in bins))})"
        values = [row[f"share_{column}"] for row in bins]
        kinds.append(charts.Bars(title, f"b-{name}", values, [str(row[f"n_{column}"]) for row in bins]))
    labels = [str(row["low"]) if row["low"] == row["high"] else f"{row['low']}–{row['high']}" for row in bins]
    x = charts.names_axis(counted, "count", labels)
    highest = max(value for kind in kinds for value in kind.values if value is not None)
    y = charts.Axis("share of the class", "%", charts.nice_ticks(highest or 1.0), share=True)
    return charts.bar_chart("Joint frequency of correctly answered items", kinds, x, y)


def _scatter(bins: Sequence[Row], chosen: Sequence[Row], rank: str, counted: str) -> Markup:
    """Draw items by joint frequency and score, and the mean score of each range with enough of them as a line."""
    most = max((row["df_both"] for row in chosen), default=1)
    ticks = [count for count in _COUNTS if count <= most]
    x = charts.Axis(counted, "count, logarithmic", [log1p(count) for count in ticks],
                    [str(count) for count in ticks], high=log1p(most) or 1.0)  # fmt: skip
    y = charts.value_axis("score", "at most 1", [row["score"] for row in chosen])
    kinds = {"direct": "direct", "semantic_pivot": "semantic pivot", "other": "any other"}
    means = [row for row in bins if row["score"] is not None and row["n_scored"] >= ENOUGH]
    places, scores = [row["log_joint"] for row in means], [row["score"] for row in means]
    drawn = [charts.Line("mean of a range", "mean", places, scores)] if means else []
    for kind, name in kinds.items():
        points = [row for row in chosen if (row["behaviour"] if row["behaviour"] in kinds else "other") == kind]
        places, scores = [log1p(row["df_both"]) for row in points], [row["score"] for row in points]
        drawn.append(charts.Line(name, f"b-{kind}", places, scores, "points"))
    return charts.line_chart(f"Joint frequency and score of {whole(len(chosen))} items{rank}", drawn, x, y)


def _tests(tests: Sequence[Row], significance: Sequence[Row]) -> list[b.Block]:
    if not tests:
        return []
    blocks: list[b.Block] = [p.heading("Tests")]
    ranks, others = ([row for row in tests if (row["test"] == CORRELATION) == wanted] for wanted in (True, False))
    if counted := [row for row in significance if row["test"] == LIKELIHOOD]:
        said = p.lede(
            "Likelihood-ratio test, one degree of freedom: does joint frequency add anything to the frequency of the "
            "source word, that of the target word and the target's number of tokens? Directions share their concepts, "
            "so their tests are not independent."
        )
        blocks += [said, _significance(counted)]
    blocks += p.folded("By direction", _test_table(others, "Tests by direction"))
    if ranks:
        blocks.append(_test_table(ranks, "Rank correlation of joint frequency with the score"))
    return blocks


def _significance(counted: Sequence[Row]) -> b.Table:
    fields = (
        p.code("rule", "rule"), p.text("items", lambda row: ITEM_NAMES.get(row["item_set"], str(row["item_set"]))),
        p.value("directions", "directions", "count"), p.value("tested", "tested", "count"),
        p.value("p < 0.05", "significant", "count"), p.value("smallest p", "smallest_p", "p"),
    )  # fmt: skip
    by_rule = p.by(counted, itemgetter("rule"))
    found = [row for rule in in_order(by_rule) for row in by_rule[rule]]
    caption = "Joint frequency beyond the words' own frequencies"
    return p.table("joint-beyond-marginals", caption, found, fields, unseen=True)


def _test_table(tests: Sequence[Row], caption: str) -> b.Table:
    def statistic(row: Row) -> b.Value:
        return p.shown(row, "statistic") if row.get("ci_low") is not None else b.Value(row["statistic"], "short")

    rule = [p.text("rule", lambda row: b.Code(row["rule"]))] if any(row.get("rule") for row in tests) else []
    fields = (
        p.DIRECTION, *rule, p.text("items", lambda row: ITEM_NAMES.get(row["item_set"], str(row["item_set"]))),
        p.number("statistic", statistic), p.value("p", "p_value", "p"), p.value("n", "n", "count"),
        p.text("note", "note"),
    )  # fmt: skip
    return p.table(caption.lower().replace(" ", "-"), caption, tests, fields, style=p.pooled)
