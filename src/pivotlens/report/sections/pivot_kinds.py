"""What the tokens named as semantic pivots are: words of which language, how linked, at which layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, first_rows
from pivotlens.report.sections import parts as p
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
    relations, of_rules = _shown_relations(counts), p.by(summary, itemgetter("rule"))
    other = (
        "; not the language that the token is written in, which the table of the headline tells and which also knows "
        "tokens that nothing links"
        if first_rows(run.trace, "pivot_languages")
        else ""
    )
    totals = []
    for rule in in_order(of_rules):
        by_directions = {row["direction_group"]: row for row in of_rules[rule]}
        totals.append(by_directions.get(_FREE) or by_directions[_ALL])
    of = itemgetter("rule", "direction_group")
    counts_by, links_by = p.by(counts, of), p.by(links, of)
    groups = tuple(_of_rule(row, counts_by[of(row)], links_by[of(row)], relations) for row in totals)
    return (
        p.heading("The language of a pivot's dictionary link", 3, "pivot-links"),
        p.lede(
            f"The language in which a pivot token is a word linked with the concept, and how it is linked{other}. A "
            "token that is a word of several languages counts in each; forms and first pieces of a word count as the "
            "word."
        ),
        b.Grid(groups),
        *p.folded("By direction", b.Grid(tuple(_by_direction(row["rule"], of_rules[row["rule"]]) for row in totals))),
        *p.folded(
            "Counts by languages, relation and layer", *(_counts(row["rule"], counts_by[of(row)]) for row in totals)
        ),
    )


def _shown_relations(counts: Sequence[Row]) -> list[str]:
    """Return the relations, the most frequent under all rules first: at most five and then ``other``.

    They are the same for every rule, so that a colour means one thing.
    """
    total: Counter[str] = Counter()
    for row in counts:
        if (row["direction_group"], row["by"]) == (_ALL, "relation"):
            total[row["value"]] += row["n"]
    named = sorted(total, key=lambda name: (-total[name], name))
    return named if len(named) <= _KINDS + 1 else [*named[:_KINDS], "other"]


def _of_rule(whole: Row, counts: Sequence[Row], links: Sequence[Row], relations: Sequence[str]) -> b.Group:
    rule, n = whole["rule"], whole["n"]
    kinds: dict[str, Counter[str]] = {code: Counter() for code in p.by(links, itemgetter("language"))}
    for row in links:
        kinds[row["language"]][row["relation"] if row["relation"] in relations else "other"] += row["n"]
    codes = sorted(kinds, key=lambda code: (-kinds[code].total(), code))
    shares = {row["value"]: row["share"] for row in counts if row["by"] == "language"}

    def bar(code: str) -> Markup:
        segments = [charts.Segment(name, f"k-{place}", kinds[code][name]) for place, name in enumerate(relations)]
        return charts.stacked_bar(segments, kinds[codes[0]].total(), height=12.0, figures=False)

    fields = (
        p.text("linked as a word of", lambda code: language_name(code) if code else "no link"),
        p.bars("pivots by relation", bar), p.number("pivots", lambda code: b.Value(kinds[code].total(), "count")),
        p.number("share", lambda code: b.Value(shares.get(code), "share")),
    )  # fmt: skip
    caption = f"Pivots by language of the link, rule `{rule}`"
    made = p.table(f"pivot-links-{rule}", caption, codes[:_LANGUAGES], fields, unseen=True)
    where = GROUP_NAMES.get(whole["direction_group"], "all directions")
    said = f"{plural(n, 'pivot')}, {where}; {percent(whole['english_alone'])} are linked as words of English alone"
    legend = b.Legend("Relations", tuple((f"k-{place}", name) for place, name in enumerate(relations)))
    blocks = (b.Heading((b.Code(rule), " ", b.Soft(said)), 4), legend, made, _layers(rule, n, counts))
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
        charts.value_axis("share of pivots", "%", [0.01, *(one for one in values if one)], share=True),
        size=(300.0, 90.0),
    )
    return b.Figure(f"pivot-layers-{rule}", svg, b.prose("Layers of the pivots, rule {rule}", rule=b.Code(rule)))


def _by_direction(rule: str, summary: Sequence[Row]) -> b.Table:
    fields = (
        p.text("direction", lambda row: b.Pair(parse_direction(row["direction_group"]))),
        p.value("pivots", "n", "count"),
        p.value("linked as a word of English", "english", "share"),
        p.text("most often", lambda row: (row["relation"], b.Soft(f" {percent(row['relation_share'])}"))),
        p.value("median layer", "layer", "count"),
    )  # fmt: skip
    single = [row for row in summary if row["direction_group"] not in (_FREE, _ALL, "with_english")]
    return p.table(f"pivot-links-by-direction-{rule}", f"Pivots by direction, rule `{rule}`", single, fields)


def _counts(rule: str, counts: Sequence[Row]) -> b.Table:
    found = p.by(counts, itemgetter("by"))
    shown = [
        row
        for by in ("languages", "relation")
        for row in sorted(found.get(by, []), key=lambda row: -row["n"])[:_COMBINED]
    ]
    shown += sorted(found.get("layer", []), key=lambda row: int(row["value"]))
    fields = (p.text("by", "by"), p.text("is", lambda row: row["value"] or "no link"), p.value("pivots", "n", "count"),
              p.value("share", "share", "share"))  # fmt: skip
    return p.table(
        f"pivot-counts-{rule}",
        f"Pivots by the languages they are words of, relation and layer, rule `{rule}`",
        shown,
        fields,
    )
