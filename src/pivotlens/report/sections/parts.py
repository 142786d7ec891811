"""What every section is made with: rows by what they are of, the columns of a table, and the blocks around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, direction_of, is_pooled
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

# -- rows


def by(rows: Iterable[Row], of: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Return rows by what ``of`` says of them, in the order of the table."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(of(row), []).append(row)
    return found


def spread(rows: Iterable[Row], of: Callable[[Row], Any], across: str) -> dict[Any, dict[Any, Row]]:
    """Return the rows of each group by the column ``across``, in the order of the table."""
    return {key: {row[across]: row for row in group} for key, group in by(rows, of).items()}


def any_of(group: dict[Any, Row]) -> Row:
    """Return a row of a group, for what all of them hold alike."""
    return next(iter(group.values()))


def pair_of(row: Row) -> Direction | None:
    """Return a row's direction; None for the mean over directions."""
    return None if is_pooled(row) else direction_of(row)


def interval(row: Row | None, name: str) -> Interval | None:
    """Return a figure with its ends where it has any: in ``NAME_low`` and ``NAME_high``, or ``ci_low`` and ``ci_high``.

    None where there is no row or no figure in it.
    """
    if row is None or row[name] is None or row[name] != row[name]:
        return None
    low, high = (row.get(f"{name}_{end}", row.get(f"ci_{end}")) for end in ("low", "high"))
    nan = float("nan")
    return Interval(float(row[name]), nan if low is None else float(low), nan if high is None else float(high))


def ends_of(intervals: Iterable[Interval | None]) -> list[float]:
    """Return the estimates and their ends, for an axis that holds them all."""
    return [end for one in intervals if one for end in one]


# -- tables


@dataclass(frozen=True)
class Field:
    """A column of a table with how its cell is made from a row."""

    column: b.Column
    cell: Callable[[Any], b.Cell]


class Look(TypedDict, total=False):
    """How a table looks.

    Keys:
        style: The style of a row.
        missing: Of a row without figures, how many of its cells are shown, and the reason that stands in the others.
        unseen: Whether the caption is for the ear alone.
        kind: The style of the table.
    """

    style: Callable[[Any], str]
    missing: Callable[[Any], tuple[int, str] | None]
    unseen: bool
    kind: str


def text(title: str, cell: str | Callable[[Any], b.Cell]) -> Field:
    """Return a column of text: a column of the rows, or what is made of each."""
    return Field(b.Column(title), (lambda row: row[cell] or "") if isinstance(cell, str) else cell)


def code(title: str, name: str) -> Field:
    """Return a column of names as they are typed."""
    return Field(b.Column(title), lambda row: b.Code(row[name]))


def number(title: str, cell: Callable[[Any], b.Cell]) -> Field:
    """Return a column of numbers that are made of each row."""
    return Field(b.Column(title, "number"), cell)


def value(title: str, name: str, kind: b.Kind = "figure", *, signed: bool = False) -> Field:
    """Return a column of figures without intervals."""
    return number(title, lambda row: b.Value(row[name], kind, signed=signed))


def estimate(title: str, name: str, kind: b.Kind = "figure", *, signed: bool = False) -> Field:
    """Return a column of figures with their intervals."""
    return number(title, lambda row: shown(row, name, kind, signed=signed))


def across(title: str, key: Any, name: str, kind: b.Kind = "figure", *, signed: bool = False) -> Field:
    """Return a column of figures with their intervals where a row of the table is a group: of its row ``key``."""
    return number(title, lambda group: shown(group.get(key), name, kind, signed=signed))


def plot(title: str, draw: Callable[[Any], Markup], axis: Markup | None = None) -> Field:
    """Return a column of drawings."""
    return Field(b.Column(title, "plot", axis), lambda row: b.Plot(draw(row)))


def intervals(
    title: str, axis: charts.Axis, marks: Callable[[Any], Sequence[charts.Row]], reference: float | None = None
) -> Field:
    """Return a column of intervals on one axis, those of a row under one another."""
    return plot(title, lambda row: charts.interval_cell(marks(row), axis, reference), charts.column_axis(axis))


def bars(title: str, draw: Callable[[Any], Markup]) -> Field:
    """Return a wide column of drawings."""
    return Field(b.Column(title, "wide"), lambda row: b.Plot(draw(row)))


def shown(row: Row | None, name: str, kind: b.Kind = "figure", *, signed: bool = False) -> b.Value:
    """Return a figure with its interval, or the absence of one."""
    return b.Value.of(interval(row, name), kind, signed=signed)


DIRECTION = text("direction", lambda row: b.Pair(pair_of(row)))
ITEMS = value("items", "n", "count")
# The same where a row of the table is a group of rows.
GROUP_DIRECTION = text("direction", lambda group: b.Pair(pair_of(any_of(group))))
GROUP_RULE = text("rule", lambda group: b.Code(any_of(group)["rule"]))
GROUP_ITEMS = number("items", lambda group: b.Value(any_of(group)["n"], "count"))


def pooled(row: Row) -> str:
    """Return the style of a row: that of the mean over directions stands out."""
    return "pooled" if is_pooled(row) else ""


def table(
    name: str, caption: str | b.Prose, rows: Iterable[Any], fields: Sequence[Field], **look: Unpack[Look]
) -> b.Table:
    """Return a table of rows, a column for each field."""
    style, missing = look.get("style", lambda row: ""), look.get("missing", lambda row: None)

    def cells(row: Any) -> tuple[b.Cell, ...]:
        shown, *reason = missing(row) or (len(fields),)
        return (*(field.cell(row) for field in fields[:shown]), *reason)

    lines = tuple(b.Line(cells(row), style(row)) for row in rows)
    heads = tuple(field.column for field in fields)
    said = b.prose(caption) if isinstance(caption, str) else caption
    return b.Table(name, heads, lines, said, look.get("unseen", False), look.get("kind", ""))


# -- blocks


def lede(said: str, **values: b.Inline | b.Prose) -> b.Paragraph:
    """Return what opens a section or a part of it."""
    return b.Paragraph(b.prose(said, **values), "lede")


def note(said: str, **values: b.Inline | b.Prose) -> b.Paragraph:
    """Return what is said beside a table or figure."""
    return b.Paragraph(b.prose(said, **values), "note")


def heading(said: str, level: int = 3, name: str = "") -> b.Heading:
    """Return a heading."""
    return b.Heading(b.prose(said), level, name)


def folded(summary: str, *inner: b.Block) -> list[b.Block]:
    """Return blocks that are folded away, without tables that have no rows; nothing where no block is left."""
    kept = tuple(block for block in inner if not isinstance(block, b.Table) or block.rows)
    return [b.Details(b.prose(summary), kept)] if kept else []
