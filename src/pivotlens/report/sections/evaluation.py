"""Models in the tasks of lm-evaluation-harness, each against the first one; and comparisons of other sides."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.comparison.families import family_of
from pivotlens.report import blocks as b
from pivotlens.report.names import FIGURE_NAMES, ITEM_NAMES
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import plural, visible

_SHARES = ("acc", "acc_norm", "exact_match", "probability_share", "accuracy_10way", "accuracy_generated")
_OTHER_SPELLING = "_different_spelling"


def evaluation(run: RunTables) -> b.Section | None:
    """Build the section from ``evaluate/results`` and ``evaluate/differences``."""
    results = rows(run.evaluate, "results")
    if run.evaluate is None or not results:
        return None
    version = run.evaluate.manifest.details["harness"]
    blocks: list[b.Block] = [
        p.lede(
            f"What lm-evaluation-harness {version} measures, with 95% bootstrap intervals over clusters of documents "
            "that belong together. A mean over the tasks of a family stands below them."
        )
    ]
    several = len({row["model"] for row in results}) > 1
    fields = (
        *([p.text("model", lambda row: visible(row["model"]))] if several else ()),
        p.text("task", _task), p.text("metric", "metric"), p.number("value", _value),
        p.number("documents", lambda row: b.Value(row["n"], "count")),
    )  # fmt: skip
    blocks.append(p.table("evaluate-results", "Results", results, fields, unseen=True, style=_style))
    if differences := rows(run.evaluate, "differences"):
        named = p.by(differences, lambda row: row["model"])
        first = visible(results[0]["model"])
        blocks += [_differences(first, visible(model), of_model) for model, of_model in named.items()]
        blocks.append(
            p.note(
                "**p** is of McNemar’s exact test where values are 0 or 1 and every document stands for itself, else "
                "of sign flips by cluster; **Holm** adjusts it over tasks; **detectable** is the smallest difference "
                "that would have been found with a power of 80%."
            )
        )
    return b.Section("evaluate", "Evaluation", tuple(blocks))


def evaluation_lines(run: RunTables) -> list[str]:
    """Return the results a line each, means over tasks where there are any; behind each how the others differ."""
    results = rows(run.evaluate, "results")
    pooled = {(row["task"], row["metric"]) for row in results if row["tasks"] > 1}
    first = [row for row in results if row["model"] == results[0]["model"]]
    others = p.by(rows(run.evaluate, "differences"), lambda row: (row["task"], row["metric"]))
    said = []
    for row in first:
        if row["tasks"] > 1 or (family_of(row["task"]).name, row["metric"]) not in pooled:
            changes = "".join(
                f"; {visible(one['model'])} {b.plain(_change(one))}, p {b.Value(one['p_value'], 'p').text()}"
                for one in others.get((row["task"], row["metric"]), ())
            )
            said.append(f"{_task(row)}: {_metric(row)} {b.plain(_value(row))}{changes}")
    return said


def compared(found: Row) -> b.Table:
    """Return a comparison of two sides: means over tasks where there are any, else every task."""
    pooled = [row for row in found["rows"] if row["tasks"] > 1]
    return _differences(visible(found["first"]), visible(found["second"]), pooled or found["rows"])


def _differences(first: str, second: str, differences: Sequence[Row]) -> b.Table:
    def side(name: str) -> p.Field:
        return p.number(first if name == "first" else second, lambda row: b.Value(row[name], _kind(row)))

    fields = (
        p.text("task", _task),
        p.text("metric", _metric),
        side("first"),
        side("second"),
        p.number("difference", _change),
        p.value("p", "p_value", "p"),
        p.value("Holm", "p_holm", "p"),
        p.number("detectable", lambda row: "" if row["detectable"] is None else b.Value(row["detectable"])),
        p.ITEMS,
    )
    caption = b.prose("{second} against {first}: paired over the documents of both", first=first, second=second)
    return p.table("comparison", caption, differences, fields, style=_style)


def _metric(row: Row) -> str:
    name = str(row["metric"])
    figure = name.removesuffix(_OTHER_SPELLING)
    said = FIGURE_NAMES.get(figure, figure.replace("_", " "))
    return said if figure == name else f"{said}, {ITEM_NAMES[_OTHER_SPELLING[1:]]}"


def _task(row: Row) -> str:
    return str(row["task"]) if row["tasks"] == 1 else f"{row['task']}, mean of {plural(row['tasks'], 'task')}"


def _change(row: Row) -> b.Value:
    return p.shown(row, "difference", signed=True)


def _kind(row: Row) -> b.Kind:
    return "share" if str(row["metric"]).removesuffix(_OTHER_SPELLING) in _SHARES else "figure"


def _value(row: Row) -> b.Value:
    return p.shown(row, "value", _kind(row))


def _style(row: Row) -> str:
    return "pooled" if row["tasks"] > 1 else ""
