"""What the tokens named as semantic pivots are: words of which language, how linked, at which layer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from pivotlens.report import charts
from pivotlens.report.blocks import (
    Block,
    Code,
    Column,
    Details,
    Figure,
    Grid,
    Group,
    Heading,
    Legend,
    Pair,
    Paragraph,
    Plot,
    Soft,
    Table,
    Value,
    columns,
    lines,
    prose,
)  # fmt: skip
from pivotlens.report.names import GROUP_NAMES
from pivotlens.report.run_tables import Row, direction_of
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import language_name, percent, plural
from pivotlens.text import ENGLISH, Direction

_LANGUAGES, _KINDS, _COMBINED = 8, 5, 12
"""Most languages, relations and choices of languages shown."""


def pivot_kinds(found: Sequence[Row], *, written: bool) -> tuple[Block, ...]:
    """Build the part of the section from ``trace/pivots`` of one model and wording.

    Bars and layers are over directions with neither side English; over all where there are no pivots in these.

    Args:
        found: The rows.
        written: Whether the report also has what pivots are written in.
    """
    if not found:
        return ()
    by_rule: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        by_rule[row["rule"]].append(row)
    total = counted(found, lambda row: relation_kind(row["relation"]))
    # Five and the rest; the same ones for every rule, so that a colour means one thing.
    relations = list(total) if len(total) <= _KINDS + 1 else [*list(total)[:_KINDS], "other"]
    other = (
        "; not the language that the token is written in, which the table of the headline tells and which also knows "
        "tokens that nothing links"
        if written
        else ""
    )
    rules = in_order(by_rule)
    return (
        Heading(prose("The language of a pivot's dictionary link"), 3, "pivot-links"),
        Paragraph(
            prose(
                "The language in which a pivot token is a word linked with the concept, and how it is linked"
                f"{other}. A token that is a word of several languages counts in each; forms and first pieces of a "
                "word count as the word."
            ),
            "lede",
        ),
        Grid(tuple(_of_rule(rule, by_rule[rule], relations) for rule in rules)),
        Details(prose("By direction"), (Grid(tuple(_by_direction(rule, by_rule[rule]) for rule in rules)),)),
        Details(
            prose("Counts by languages, relation and layer"),
            tuple(table for rule in rules for table in _counts(rule, headline_rows(by_rule[rule]))),
        ),
    )


def headline_rows(found: Sequence[Row]) -> list[Row]:
    """Return the rows of directions with neither side English, or all where there are none."""
    return [row for row in found if ENGLISH not in direction_of(row)] or list(found)


def relation_kind(relation: str) -> str:
    """Return a relation without its language, and without whether the token is a form or a piece of the word."""
    return relation.partition(" (")[0].partition(":")[0] or "no link"


def counted(found: Sequence[Row], kind: object) -> dict[str, int]:
    """Return how many pivots are of each kind, the most frequent first; ``kind`` tells it of a row."""
    counts: Counter[str] = Counter()
    for row in found:
        counts[kind(row)] += row["n"]  # type: ignore[operator]
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def languages_of(found: Sequence[Row], relations: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many pivots are a word of each language, by relation, the most frequent language first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in found:
        kind = relation_kind(row["relation"])
        for language in row["languages"].split("+"):
            counts[language][kind if kind in relations else "other"] += row["n"]
    order = sorted(counts, key=lambda code: (-counts[code].total(), code))
    return {code: {name: counts[code][name] for name in relations} for code in order}


def _of_rule(rule: str, found: Sequence[Row], relations: Sequence[str]) -> Group:
    chosen = headline_rows(found)
    n, alone = sum(row["n"] for row in chosen), sum(row["n"] for row in chosen if row["languages"] == ENGLISH)
    where = GROUP_NAMES["neither_english"] if ENGLISH not in direction_of(chosen[0]) else "all directions"
    bars = languages_of(chosen, relations)
    most = max(sum(counts.values()) for counts in bars.values())
    said = f"{plural(n, 'pivot')}, {where}; {percent(alone / n)} are linked as words of English alone"
    table = Table(
        f"pivot-links-{rule}",
        (Column("linked as a word of"), Column("pivots by relation", "wide"), Column("pivots", "number"),
         Column("share", "number")),
        lines(
            (
                language_name(code) if code else "no link",
                Plot(charts.stacked_bar([charts.Segment(name, f"k-{place}", counts[name])
                                         for place, name in enumerate(relations)], most, height=12.0, figures=False)),
                Value(total := sum(counts.values()), "count"), Value(total / n, "share"),
            )
            for code, counts in list(bars.items())[:_LANGUAGES]
        ),
        prose(f"Pivots by language of the link, rule `{rule}`"),
        unseen=True,
    )  # fmt: skip
    legend = Legend("Relations", tuple((f"k-{place}", name) for place, name in enumerate(relations)))
    return Group(
        (Heading((Code(rule), " ", Soft(said)), 4), legend, table, _layers(rule, chosen)), "kinds",
        f"Pivots under the rule {rule}",
    )  # fmt: skip


def by_layer(found: Sequence[Row]) -> list[int]:
    """Return how many pivots each layer has, of layers 0 to the last one with any."""
    layers: Counter[int] = Counter()
    for row in found:
        layers[row["layer"]] += row["n"]
    return [layers[layer] for layer in range(max(layers) + 1)]


def _layers(rule: str, found: Sequence[Row]) -> Figure:
    counts, n = by_layer(found), sum(row["n"] for row in found)
    values = [count / n for count in counts]
    bars = charts.Bars("pivots", "b-semantic_pivot", values, [str(count) for count in counts])
    svg = charts.bar_chart(
        f"{plural(n, 'pivot')} by layer, rule {rule}",
        [bars],
        charts.names_axis("layer", "0 = embeddings", [str(layer) for layer in range(len(counts))]),
        charts.Axis("share of pivots", "%", charts.nice_ticks(max(values)), share=True),
        size=(270.0, 80.0),
    )
    return Figure(f"pivot-layers-{rule}", svg)


def _by_direction(rule: str, found: Sequence[Row]) -> Table:
    members: dict[Direction, list[Row]] = defaultdict(list)
    for row in found:
        members[direction_of(row)].append(row)

    def most_often(rows: Sequence[Row], n: int) -> tuple[str, Soft]:
        name, count = next(iter(counted(rows, lambda row: relation_kind(row["relation"])).items()))
        return name, Soft(f" {percent(count / n)}")

    def median(rows: Sequence[Row], n: int) -> int:
        layers = sorted(layer for row in rows for layer in [row["layer"]] * row["n"])
        return int(layers[(n - 1) // 2])

    return Table(
        f"pivot-links-by-direction-{rule}",
        (Column("direction"), Column("pivots", "number"), Column("linked as a word of English", "number"),
         Column("most often"), Column("median layer", "number")),
        lines(
            (
                Pair(direction), Value(n, "count"),
                Value(sum(row["n"] for row in rows if ENGLISH in row["languages"].split("+")) / n, "share"),
                most_often(rows, n), Value(median(rows, n), "count"),
            )
            for direction, rows in members.items()
            for n in [sum(row["n"] for row in rows)]
        ),
        prose(f"Rule `{rule}`"),
    )  # fmt: skip


def _counts(rule: str, found: Sequence[Row]) -> tuple[Table, ...]:
    n = sum(row["n"] for row in found)

    def table(name: str, counts: dict[str, int], title: str) -> Table:
        return Table(
            f"pivot-{name}-{rule}",
            columns([title], ["pivots", "share"]),
            lines((key, Value(count, "count"), Value(count / n, "share")) for key, count in counts.items()),
            prose(f"Rule `{rule}`"),
        )

    combined = dict(list(counted(found, lambda row: row["languages"] or "no link").items())[:_COMBINED])
    layers = {str(layer): count for layer, count in enumerate(by_layer(found)) if count}
    return (
        table("languages", combined, "linked as a word of"),
        table("relations", counted(found, lambda row: relation_kind(row["relation"])), "relation"),
        table("layers", layers, "layer"),
    )
