"""What the tokens named as semantic pivots are: words of which language, how linked, at which layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, first_rows
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import language_name, percent, plural
from pivotlens.text import parse_direction

_LANGUAGES, _KINDS, _COMBINED = 8, 5, 12
"""Most languages, relations and choices of languages shown."""
_FREE, _ALL = "neither_english", "all"


def pivot_kinds(run: RunTables) -> tuple[b.Block, ...]:
    """Build the part of the section from ``trace/pivot_summary``, ``pivot_counts`` and ``pivot_links``.

    Bars and layers are over directions with neither side English; over all where there are no pivots in these.
    """
    summary, counts, links = (first_rows(run.trace, f"pivot_{name}") for name in ("summary", "counts", "links"))
    if not summary:
        return ()
    relations = shown_relations(counts)
    rules = in_order(row["rule"] for row in summary)
    other = (
        "; not the language that the token is written in, which the table of the headline tells and which also knows "
        "tokens that nothing links"
        if first_rows(run.trace, "pivot_languages")
        else ""
    )
    totals = [headline_row([row for row in summary if row["rule"] == rule]) for rule in rules]
    groups = tuple(_of_rule(row, _of(row, counts), _of(row, links), relations) for row in totals)
    return (
        b.Heading(b.prose("The language of a pivot's dictionary link"), 3, "pivot-links"),
        b.Paragraph(
            b.prose(
                "The language in which a pivot token is a word linked with the concept, and how it is linked"
                f"{other}. A token that is a word of several languages counts in each; forms and first pieces of a "
                "word count as the word."
            ),
            "lede",
        ),
        b.Grid(groups),
        b.Details(b.prose("By direction"), (b.Grid(tuple(_by_direction(rule, summary) for rule in rules)),)),
        b.Details(
            b.prose("Counts by languages, relation and layer"),
            tuple(table for row in totals for table in _counts(row["rule"], _of(row, counts))),
        ),
    )


def headline_row(summary: Sequence[Row]) -> Row:
    """Return the row of directions with neither side English, or of all where there is none."""
    by_directions = {row["direction_group"]: row for row in summary}
    return by_directions.get(_FREE) or by_directions[_ALL]


def _of(whole: Row, found: Sequence[Row]) -> list[Row]:
    return [row for row in found if (row["rule"], row["direction_group"]) == (whole["rule"], whole["direction_group"])]


def shown_relations(counts: Sequence[Row]) -> list[str]:
    """Return the relations, the most frequent under all rules first: at most five and then ``other``.

    They are the same for every rule, so that a colour means one thing.
    """
    total: dict[str, int] = defaultdict(int)
    for row in counts:
        if (row["direction_group"], row["by"]) == (_ALL, "relation"):
            total[row["value"]] += row["n"]
    named = sorted(total, key=lambda name: (-total[name], name))
    return named if len(named) <= _KINDS + 1 else [*named[:_KINDS], "other"]


def languages_of(links: Sequence[Row], relations: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many pivots are a word of each language, by relation, the most frequent language first."""
    counts: dict[str, dict[str, int]] = {}
    for row in links:
        kinds = counts.setdefault(row["language"], dict.fromkeys(relations, 0))
        kinds[row["relation"] if row["relation"] in relations else "other"] += row["n"]
    return {code: counts[code] for code in sorted(counts, key=lambda code: (-sum(counts[code].values()), code))}


def _of_rule(whole: Row, counts: Sequence[Row], links: Sequence[Row], relations: Sequence[str]) -> b.Group:
    rule, n = whole["rule"], whole["n"]
    bars = languages_of(links, relations)
    shares = {row["value"]: row["share"] for row in counts if row["by"] == "language"}
    most = max(sum(kinds.values()) for kinds in bars.values())

    def bar(kinds: dict[str, int]) -> b.Plot:
        segments = [charts.Segment(name, f"k-{place}", kinds[name]) for place, name in enumerate(relations)]
        return b.Plot(charts.stacked_bar(segments, most, height=12.0, figures=False))

    table = b.Table(
        f"pivot-links-{rule}",
        (b.Column("linked as a word of"), b.Column("pivots by relation", "wide"), b.Column("pivots", "number"),
         b.Column("share", "number")),
        b.lines(
            (language_name(code) if code else "no link", bar(kinds), b.Value(sum(kinds.values()), "count"),
             b.Value(shares.get(code), "share"))
            for code, kinds in list(bars.items())[:_LANGUAGES]
        ),
        b.prose(f"Pivots by language of the link, rule `{rule}`"), unseen=True,
    )  # fmt: skip
    where = GROUP_NAMES.get(whole["direction_group"], "all directions")
    said = f"{plural(n, 'pivot')}, {where}; {percent(whole['english_alone'])} are linked as words of English alone"
    legend = b.Legend("Relations", tuple((f"k-{place}", name) for place, name in enumerate(relations)))
    blocks = (b.Heading((b.Code(rule), " ", b.Soft(said)), 4), legend, table, _layers(rule, n, counts))
    return b.Group(blocks, "kinds", f"Pivots under the rule {rule}")


def _layers(rule: str, n: int, counts: Sequence[Row]) -> b.Figure:
    found = {int(row["value"]): row for row in counts if row["by"] == "layer"}
    layers = range(max(found, default=0) + 1)
    values = [found[layer]["share"] if layer in found else None for layer in layers]
    notes = [str(found[layer]["n"]) if layer in found else "0" for layer in layers]
    svg = charts.bar_chart(
        f"{plural(n, 'pivot')} by layer, rule {rule}",
        [charts.Bars("pivots", "b-semantic_pivot", values, notes)],
        charts.names_axis("layer", "number, 0 = embeddings", [str(layer) for layer in layers]),
        charts.value_axis("share of pivots", "%", [0.01, *(value for value in values if value)], share=True),
        size=(300.0, 90.0),
    )
    return b.Figure(f"pivot-layers-{rule}", svg)


def _by_direction(rule: str, summary: Sequence[Row]) -> b.Table:
    return b.Table(
        f"pivot-links-by-direction-{rule}",
        (b.Column("direction"), b.Column("pivots", "number"), b.Column("linked as a word of English", "number"),
         b.Column("most often"), b.Column("median layer", "number")),
        b.lines(
            (b.Pair(parse_direction(row["direction_group"])), b.Value(row["n"], "count"),
             b.Value(row["english"], "share"),
             (row["relation"], b.Soft(f" {percent(row['relation_share'])}")), b.Value(row["layer"], "count"))
            for row in summary
            if row["rule"] == rule and row["direction_group"] not in (_FREE, _ALL, "with_english")
        ),
        b.prose(f"Rule `{rule}`"),
    )  # fmt: skip


def _counts(rule: str, counts: Sequence[Row]) -> tuple[b.Table, ...]:
    def table(by: str, title: str) -> b.Table:
        found = [row for row in counts if row["by"] == by]
        order = sorted(found, key=lambda row: int(row["value"]) if by == "layer" else -row["n"])
        return b.Table(
            f"pivot-{by}-{rule}",
            b.columns([title], ["pivots", "share"]),
            b.lines(
                (row["value"] or "no link", b.Value(row["n"], "count"), b.Value(row["share"], "share"))
                for row in order[: None if by == "layer" else _COMBINED]
            ),
            b.prose(f"Rule `{rule}`"),
        )

    return table("languages", "linked as a word of"), table("relation", "relation"), table("layer", "layer")
