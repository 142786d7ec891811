"""How far labels agree: between rules, between lenses, between shot sets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pivotlens.report import blocks as b
from pivotlens.report.run_tables import Row
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import number as written
from pivotlens.report.wording import plural


def agreement(found: Sequence[Row]) -> tuple[b.Block, ...]:
    """Build the part of the section from ``trace/agreement`` of one model and prompt."""
    if not found:
        return ()
    between = {(row["first"], row["second"]): row for row in found if row["kind"] == "rules"}
    n = max((row["n"] for row in between.values()), default=0)
    fields = (
        p.text("labels", "first"), p.text("against", "second"), p.value("same label", "agreement", "share"),
        p.estimate("kappa", "kappa", "short"), p.estimate("kappa, pivot or not", "kappa_pivot", "short"), p.ITEMS,
    )  # fmt: skip
    pairs = p.table("agreement", "Agreement of two sets of labels", found, fields, unseen=True)
    return (
        p.heading("How far the labels agree"),
        p.lede(
            "Cohen's kappa: 1 is full agreement, 0 what chance gives. Above the diagonal over all labels, below it "
            f"over semantic pivot or not; {plural(n, 'item')} of all directions. Intervals resample concepts."
        ),
        *([_matrix(between)] if between else []),
        *p.folded(f"Every pair: between {' and between '.join(dict.fromkeys(row['kind'] for row in found))}", pairs),
    )


def _matrix(between: dict[tuple[str, str], Row]) -> b.Table:
    rules = in_order(name for key in between for name in key)

    def cell(column: str, row: str) -> b.Cell:
        if row == column:
            return ""
        above = rules.index(row) < rules.index(column)
        pair = between.get((row, column)) or between.get((column, row))
        kappa = p.interval(pair, "kappa" if above else "kappa_pivot")
        if kappa is None:
            return b.Value(None)
        return b.Value(kappa.value, "short"), b.Soft(f" {written(kappa.low, 2)} to {written(kappa.high, 2)}")

    fields = (p.text("rule", b.Code), *(p.number(rule, partial(cell, rule)) for rule in rules))
    return p.table("agreement-of-rules", "Cohen's kappa between rules", rules, fields, unseen=True, kind="matrix")
