"""The raw lens against the tuned one, layer by layer, on the items and on the text kept apart."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, first_rows, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import plural

_BY_LAYER = {
    "same_top": "same most probable token", "kl_to_final_raw": "KL raw", "kl_to_final_tuned": "KL tuned",
    "target_prob_raw": "target raw", "target_prob_tuned": "target tuned", "mass_english_raw": "English raw",
    "mass_english_tuned": "English tuned",
}  # fmt: skip
_NAMES = {"raw": "raw lens", "tuned": "tuned lens", "both": "both lenses"}
_TEXT, _ITEMS = "on text kept apart", "on the items"


def lenses(run: RunTables) -> b.Section | None:
    """Build the section from ``lens/layers``, ``trace/lens_layers`` and ``trace/lens_shares``."""
    text = sorted(rows(run.lens, "layers"), key=lambda row: row["layer"])
    items = sorted(first_rows(run.trace, "lens_layers"), key=lambda row: row["layer"])
    distance, same = "KL to the last layer", "Same most probable token as the last layer"
    agree = "Both lenses name the same token"
    figures: list[b.Block] = []
    if text:
        figures += [
            _chart("lens-kl-text", f"{distance}, {_TEXT}", {"raw": "kl_raw", "tuned": "kl_tuned"}, text),
            _chart("lens-same-text", f"{same}, {_TEXT}", {"raw": "agrees_raw", "tuned": "agrees_tuned"}, text),
        ]
    if items:
        columns = {"raw": "kl_to_final_raw", "tuned": "kl_to_final_tuned"}
        figures += [
            _chart("lens-kl-items", f"{distance}, {_ITEMS}", columns, items),
            _chart("lens-same-items", f"{agree}, {_ITEMS}", {"both": "same_top"}, items),
        ]
    if not figures:
        return None
    blocks: list[b.Block] = [
        p.lede(
            "The raw lens reads every layer through the model's own head; the tuned lens first passes it through a map "
            "trained for that layer, so that it comes closer to the last one. What only the tuned lens sees may come "
            "from its training."
        ),
        b.Grid(tuple(figures), "multiples wide-charts"),
    ]
    shares = first_rows(run.trace, "lens_shares")
    # Those of directions with neither side English, where there are any.
    shares = [row for row in shares if row["direction_group"] == "neither_english"] or shares
    if shares:
        blocks += [p.heading("Semantic pivots through each lens"), _shares(shares)]
    figures_of = (p.value(title, name, "short") for name, title in _BY_LAYER.items())
    fields = (p.number("layer", lambda row: str(row["layer"])), *figures_of)
    caption = "Means over directions and shot sets; KL to the last layer in nats"
    blocks += p.folded("Means over directions, by layer", p.table("lenses-by-layer", caption, items, fields))
    return b.Section("lenses", "Raw against tuned lens", tuple(blocks), "Lenses")


def _chart(name: str, title: str, columns: dict[str, str], found: Sequence[Row]) -> b.Figure:
    """Draw a column of the table for each lens, with its interval where it has one."""
    layers, share = [row["layer"] for row in found], "KL" not in title
    curves = {lens: [p.interval(row, column) for row in found] for lens, column in columns.items()}
    drawn = [charts.Line(_NAMES[lens], f"s-{lens}", layers, values, "band") for lens, values in curves.items()]
    x = charts.Axis("layer", "0 = embeddings", sorted({layers[0], layers[len(layers) // 2], layers[-1]}))
    ends = p.ends_of(one for values in curves.values() for one in values)
    y = charts.value_axis("share" if share else "KL to the last layer", "%" if share else "nats", ends, share=share)
    of = plural(found[0]["n"], "document" if _TEXT in title else "reading")
    return b.Figure(name, charts.line_chart(title, drawn, x, y), (title, " ", b.Soft(of)))


def _shares(found: Sequence[Row]) -> b.Table:
    def marks(row: Row) -> list[charts.Row]:
        return [charts.Row("raw", p.interval(row, "raw")), charts.Row("tuned", p.interval(row, "tuned"), "second")]

    by_rule = {row["rule"]: row for row in found}
    fields = (
        p.code("rule", "rule"), p.intervals("semantic pivots", charts.share_axis("semantic pivots"), marks),
        p.estimate("raw (filled)", "raw", "share"), p.estimate("tuned (open)", "tuned", "share"), p.ITEMS,
    )  # fmt: skip
    caption = f"First shot set, {GROUP_NAMES.get(found[0]['direction_group'], 'all directions')}"
    return p.table(
        "pivots-through-each-lens", caption, [by_rule[rule] for rule in in_order(by_rule)], fields, kind="bars"
    )
