"""How far labels agree: between rules, between lenses, between shot sets."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report.blocks import (
    Block,
    Cell,
    Code,
    Details,
    Heading,
    Paragraph,
    Soft,
    Table,
    Value,
    columns,
    lines,
    prose,
)  # fmt: skip
from pivotlens.report.run_tables import Row, interval_of
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import number, plural
from pivotlens.statistics.bootstrap import Interval


def agreement(found: Sequence[Row]) -> tuple[Block, ...]:
    """Build the part of the section from ``trace/agreement`` of one model and wording."""
    if not found:
        return ()
    between = {(row["first"], row["second"]): row for row in found if row["kind"] == "rules"}
    rules = in_order(name for key in between for name in key)
    n = max((row["n"] for row in between.values()), default=0)
    kinds = list(dict.fromkeys(row["kind"] for row in found))
    lede = prose(
        "Cohen's kappa: 1 is full agreement, 0 what chance gives. Above the diagonal over all labels, below it (in "
        f"italics) over semantic pivot or not; {plural(n, 'item')} of all directions. Intervals resample concepts."
    )
    blocks: list[Block] = [Heading(prose("How far the labels agree")), Paragraph(lede, "lede")]
    if rules:
        blocks.append(_matrix(rules, between))
    blocks.append(Details(prose(f"Every pair: between {' and between '.join(kinds)}"), (_pairs(found),)))
    return tuple(blocks)


def kappa_of(row: Row, name: str) -> Interval | None:
    """Return one of the kappas of a row."""
    return interval_of(row, name, f"{name}_low", f"{name}_high")


def _matrix(rules: Sequence[str], between: dict[tuple[str, str], Row]) -> Table:
    def cell(row: int, column: int) -> Cell:
        if row == column:
            return ""
        pair = between.get((rules[row], rules[column])) or between.get((rules[column], rules[row]))
        kappa = kappa_of(pair, "kappa" if row < column else "kappa_pivot") if pair else None
        if kappa is None:
            return Value(None)
        return Value(kappa.value, "short"), Soft(f" {number(kappa.low, 2)} to {number(kappa.high, 2)}")

    return Table(
        "agreement-of-rules",
        columns(["rule"], rules),
        lines((Code(rule), *(cell(row, column) for column in range(len(rules)))) for row, rule in enumerate(rules)),
        prose("Cohen's kappa between rules"),
        unseen=True,
        kind="matrix",
    )


def _pairs(found: Sequence[Row]) -> Table:
    return Table(
        "agreement",
        columns(["labels", "against"], ["same label", "kappa", "kappa, pivot or not", "items"]),
        lines(
            (
                row["first"], row["second"], Value(row["agreement"], "share"),
                *(Value.of(kappa_of(row, name), "short") for name in ("kappa", "kappa_pivot")),
                Value(row["n"], "count"),
            )
            for row in found
        ),
        prose("Agreement of two sets of labels"),
        unseen=True,
    )  # fmt: skip
