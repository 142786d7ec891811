"""Do the pivots of the model stand among those of the corpus?"""

from __future__ import annotations

from pivotlens.report import blocks as b
from pivotlens.report.names import GROUP_NAMES
from pivotlens.report.run_tables import RunTables, first_rows
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.shares import DEFAULT_RULE
from pivotlens.text import parse_direction


def mined_recall(run: RunTables) -> b.Section | None:
    """Build the section from ``trace/mined_recall``: the first model and prompt."""
    shown = [row for row in first_rows(run.trace, "mined_recall") if row["recall"] is not None]
    if not shown:
        return None
    depths = sorted({row["depth"] for row in shown})
    fields = (
        p.text("directions", lambda group: _directions(p.any_of(group)["direction_group"])),
        p.GROUP_ITEMS,
        *(p.across(f"among the first {depth}", depth, "recall", "share") for depth in depths),
        p.across(f"others' first {depths[-1]}", depths[-1], "recall_others", "share"),
    )

    def table(name: str, rule: str) -> b.Table:
        groups = p.spread((row for row in shown if row["rule"] == rule), lambda row: row["direction_group"], "depth")
        return p.table(name, f"Lens pivots among the mined pivots of their pair: rule {rule}", groups.values(), fields)

    others = [rule for rule in dict.fromkeys(row["rule"] for row in shown) if rule != DEFAULT_RULE]
    blocks = (
        p.lede(
            "Of the items whose layers show a semantic pivot, and whose words have pivots mined from the corpus: how "
            "often the lens's pivot is one of the strongest mined ones, beside how often it is one of those of the "
            "other items, as a token that goes with everything would be. Intervals resample concepts."
        ),
        table("mined-recall", DEFAULT_RULE),
        *p.folded("Other rules", *(table(f"mined-recall-{rule}", rule) for rule in others)),
    )
    return b.Section("mined-recall", "Are the layers' pivots those of the corpus?", blocks, "Recall")


def _directions(name: str) -> b.Cell:
    return GROUP_NAMES[name] if name in GROUP_NAMES else b.Pair(parse_direction(name))
