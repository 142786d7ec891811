"""The raw lens against the tuned one, layer by layer, on the items and on the text kept apart."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, first_rows, interval_of, rows
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import plural
from pivotlens.statistics.bootstrap import Interval

_BY_LAYER = {
    "same_top": "same most probable token", "kl_to_final_raw": "KL raw", "kl_to_final_tuned": "KL tuned",
    "target_prob_raw": "target raw", "target_prob_tuned": "target tuned", "mass_english_raw": "English raw",
    "mass_english_tuned": "English tuned",
}  # fmt: skip
_NAMES = {"raw": "raw lens", "tuned": "tuned lens", "both": "both lenses"}


def lenses(run: RunTables) -> b.Section | None:
    """Build the section from ``lens/layers``, ``trace/lens_layers`` and ``trace/lens_shares``."""
    held_out = sorted(rows(run.lens, "layers"), key=lambda row: row["layer"])
    items = sorted(first_rows(run.trace, "lens_layers"), key=lambda row: row["layer"])
    figures = [*_held_out(held_out), *_of_items(items)]
    if not figures:
        return None
    blocks: list[b.Block] = [
        b.Paragraph(
            b.prose(
                "The raw lens reads every layer through the model's own head; the tuned lens first passes it through a "
                "map trained for that layer, so that it comes closer to the last one. What only the tuned lens sees "
                "may come from its training."
            ),
            "lede",
        ),
        b.Grid(tuple(figures), "multiples wide-charts"),
    ]
    shares = first_rows(run.trace, "lens_shares")
    # Those of directions with neither side English, where there are any.
    shares = [row for row in shares if row["direction_group"] == "neither_english"] or shares
    if shares:
        blocks += [b.Heading(b.prose("Semantic pivots through each lens")), _shares(shares)]
    if items:
        blocks.append(b.Details(b.prose("Means over directions, by layer"), (_by_layer(items),)))
    return b.Section("lenses", "Raw against tuned lens", tuple(blocks), "Lenses")


def _chart(
    name: str, title: str, curves: dict[str, Sequence[Interval | None]], layers: Sequence[int], of: str
) -> b.Figure:
    share = "KL" not in title
    drawn = [charts.Line(_NAMES[lens], f"s-{lens}", layers, values, "band") for lens, values in curves.items()]
    ends = [end for values in curves.values() for value in values if value for end in value]
    spread = sorted({layers[0], layers[len(layers) // 2], layers[-1]})
    x = charts.Axis("layer", "0 = embeddings", spread)
    y = charts.value_axis("share" if share else "KL to the last layer", "%" if share else "nats", ends, share=share)
    return b.Figure(name, charts.line_chart(title, drawn, x, y), (title, " ", b.Soft(of)))


def _held_out(found: Sequence[Row]) -> list[b.Figure]:
    if not found:
        return []
    layers, of = [row["layer"] for row in found], plural(found[0]["n"], "document")

    def curves(figure: str) -> dict[str, Sequence[Interval | None]]:
        return {
            lens: [
                interval_of(row, f"{figure}_{lens}", f"{figure}_{lens}_low", f"{figure}_{lens}_high") for row in found
            ]
            for lens in ("raw", "tuned")
        }

    return [
        _chart("lens-kl-text", "KL to the last layer, on text kept apart", curves("kl"), layers, of),
        _chart("lens-same-text", "same most probable token as the last layer, on text kept apart", curves("agrees"),
               layers, of),
    ]  # fmt: skip


def _of_items(found: Sequence[Row]) -> list[b.Figure]:
    if not found:
        return []
    layers, of = [row["layer"] for row in found], plural(found[0]["n"], "reading")

    def curve(column: str) -> list[Interval | None]:
        nan = float("nan")
        return [None if row[column] is None else Interval(row[column], nan, nan) for row in found]

    distance: dict[str, Sequence[Interval | None]] = {
        "raw": curve("kl_to_final_raw"),
        "tuned": curve("kl_to_final_tuned"),
    }
    return [
        _chart("lens-kl-items", "KL to the last layer, on the items", distance, layers, of),
        _chart("lens-same-items", "both lenses name the same token, on the items", {"both": curve("same_top")},
               layers, of),
    ]  # fmt: skip


def _shares(found: Sequence[Row]) -> b.Table:
    axis = charts.share_axis("semantic pivots")
    by_rule = {row["rule"]: row for row in found}

    def ends(row: Row) -> tuple[Interval | None, Interval | None]:
        return interval_of(row, "raw", "raw_low", "raw_high"), interval_of(row, "tuned", "tuned_low", "tuned_high")

    return b.Table(
        "pivots-through-each-lens",
        (b.Column("rule"), b.Column("semantic pivots", "plot", charts.column_axis(axis)),
         b.Column("raw (filled)", "number"),
         b.Column("tuned (open)", "number"), b.Column("items", "number")),
        b.lines(
            (
                b.Code(rule),
                b.Plot(charts.interval_cell([charts.Row("raw", raw), charts.Row("tuned", tuned, "second")], axis)),
                b.Value.of(raw, "share"), b.Value.of(tuned, "share"), b.Value(by_rule[rule]["n"], "count"),
            )
            for rule in in_order(by_rule)
            for raw, tuned in [ends(by_rule[rule])]
        ),
        b.prose("{group}, first shot set", group=GROUP_NAMES.get(found[0]["direction_group"], "all directions")),
        kind="bars",
    )  # fmt: skip


def _by_layer(found: Sequence[Row]) -> b.Table:
    return b.Table(
        "lenses-by-layer",
        b.columns([], ["layer", *_BY_LAYER.values()]),
        b.lines((str(row["layer"]), *(b.Value(row[name], "short") for name in _BY_LAYER)) for row in found),
        b.prose("Means over directions and shot sets; KL to the last layer in nats"),
    )  # fmt: skip
