"""How far labels agree: between rules, between lenses, between shot sets."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report.run_tables import Row, interval_of
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import number, plural
from pivotlens.statistics.bootstrap import Interval


def agreement(found: Sequence[Row]) -> tuple[b.Block, ...]:
    """Build the part of the section from ``trace/agreement`` of one model and prompt."""
    if not found:
        return ()
    between = {(row["first"], row["second"]): row for row in found if row["kind"] == "rules"}
    rules = in_order(name for key in between for name in key)
    n = max((row["n"] for row in between.values()), default=0)
    kinds = list(dict.fromkeys(row["kind"] for row in found))
    lede = b.prose(
        "Cohen's kappa: 1 is full agreement, 0 what chance gives. Above the diagonal over all labels, below it (in "
        f"italics) over semantic pivot or not; {plural(n, 'item')} of all directions. Intervals resample concepts."
    )
    blocks: list[b.Block] = [b.Heading(b.prose("How far the labels agree")), b.Paragraph(lede, "lede")]
    if rules:
        blocks.append(_matrix(rules, between))
    blocks.append(b.Details(b.prose(f"Every pair: between {' and between '.join(kinds)}"), (_pairs(found),)))
    return tuple(blocks)


def kappa_of(row: Row, name: str) -> Interval | None:
    """Return one of the kappas of a row."""
    return interval_of(row, name, f"{name}_low", f"{name}_high")


def _matrix(rules: Sequence[str], between: dict[tuple[str, str], Row]) -> b.Table:
    def cell(row: int, column: int) -> b.Cell:
        if row == column:
            return ""
        pair = between.get((rules[row], rules[column])) or between.get((rules[column], rules[row]))
        kappa = kappa_of(pair, "kappa" if row < column else "kappa_pivot") if pair else None
        if kappa is None:
            return b.Value(None)
        return b.Value(kappa.value, "short"), b.Soft(f" {number(kappa.low, 2)} to {number(kappa.high, 2)}")

    return b.Table(
        "agreement-of-rules",
        b.columns(["rule"], rules),
        b.lines((b.Code(rule), *(cell(row, column) for column in range(len(rules)))) for row, rule in enumerate(rules)),
        b.prose("Cohen's kappa between rules"),
        unseen=True,
        kind="matrix",
    )


def _pairs(found: Sequence[Row]) -> b.Table:
    return b.Table(
        "agreement",
        b.columns(["labels", "against"], ["same label", "kappa", "kappa, pivot or not", "items"]),
        b.lines(
            (
                row["first"], row["second"], b.Value(row["agreement"], "share"),
                *(b.Value.of(kappa_of(row, name), "short") for name in ("kappa", "kappa_pivot")),
                b.Value(row["n"], "count"),
            )
            for row in found
        ),
        b.prose("Agreement of two sets of labels"),
        unseen=True,
    )  # fmt: skip
