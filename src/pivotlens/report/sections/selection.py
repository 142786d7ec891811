"""The rebuilt corpus: its arms by language, what they are made of, and what was lost."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import clean, language_name

_SOURCES = 5
_FACETS = {
    "text_language": "language of the text",
    "label": "label",
    "document_type": "document type",
    "length_decile": "length, in tenths of the corpus",
    "source": "source",
}


def selection(run: RunTables) -> b.Section | None:
    """Build the section from the tables of ``select``."""
    arms, summary = rows(run.select, "arms"), rows(run.select, "summary")
    if not arms:
        return None
    said = p.lede(
        "The rebuilt corpus: units rich in bridges, each a word beside one of its own pivots, and controls at the same "
        "budget, by the language found."
    )
    matched = (_LANGUAGE, p.text("matched on", "matched_on"), p.value("taken by top", "taken", "count"), _SHARE)
    shared = (p.text("arm", lambda row: _arm(row["arm"])), p.text("other arm", lambda row: _arm(row["other"])), _UNITS,
              p.value("of the arm's units", "share", "share"))  # fmt: skip
    lost = (_LANGUAGE, p.text("reason", "reason"), _UNITS, p.value("tokens", "tokens", "count"))
    folded = (
        ("What units of `top` were matched on", "matching", "What arm top takes, by what it was matched on", matched),
        ("What the arms share", "overlap", "Units that two arms share", shared),
        ("What was lost", "losses",
         "Units that no arm takes, and mislabelled ones, which count for the language found", lost),
    )  # fmt: skip
    blocks: list[b.Block] = [said, _arms(arms, summary)]
    blocks += p.folded("What the arms are made of", *_composition(rows(run.select, "composition")))
    for title, name, caption, fields in folded:
        found = [row for row in rows(run.select, name) if row.get("units", 1)]
        blocks += p.folded(title, p.table(name, caption, found, fields))
    return b.Section("selection", "Selection", tuple(blocks))


_LANGUAGE = p.text("language", lambda row: language_name(row["language"]))
_UNITS, _SHARE = p.value("units", "units", "count"), p.value("share", "share", "share")


def _arm(name: str) -> str:
    return name.replace("_", " ")


def _arms(arms: Sequence[Row], summary: Sequence[Row]) -> b.Table:
    most = max((row["bridges"] or 0.0 for row in (*arms, *summary)), default=0.0)
    ticks = charts.nice_ticks(most or 1.0)
    axis = charts.Axis("bridges", "per 1,000 tokens", (0, ticks[-1]))

    def bar(row: Row) -> Markup:
        return charts.plain_bar(row["bridges"], ticks[-1], "r-mined" if row["arm"] == "top" else "r-common")

    def count(name: str) -> p.Field:
        return p.number(name, lambda row: b.Value(row[name], "count") if name in row else "")

    fields = (
        p.text("arm", lambda row: "" if "language" in row else _arm(row["arm"])),
        p.text("language", lambda row: language_name(row["language"]) if "language" in row else "all"),
        *map(count, ("units", "tokens", "budget", "available")),
        p.plot("bridges", bar, charts.column_axis(axis, 0.0)),
        p.number("bridges per 1,000 tokens", lambda row: b.Value(row["bridges"] or 0.0, "short")),
        p.number("pivot share", lambda row: b.Value(row["pivot_share"] or 0.0, "share")),
    )
    every = [row for arm in arms for row in (arm, *(one for one in summary if one["arm"] == arm["arm"]))]
    return p.table("arms", "Arms by language", every, fields, unseen=True,
                 style=lambda row: "" if "language" in row else "pooled")  # fmt: skip


def _composition(found: Sequence[Row]) -> list[b.Table]:
    """Return a table a facet: a part of the corpus a row, its share in each arm a column."""
    arms = list(dict.fromkeys(row["arm"] for row in found))
    tables = []
    for facet, title in _FACETS.items():
        of_facet = [row for row in found if row["facet"] == facet]
        groups = p.spread(of_facet, lambda row: (row["language"], row["value"]), "arm")
        if facet == "source":
            groups = _largest(groups)
        fields = (
            p.text("language", lambda group: language_name(p.any_of(group)["language"])),
            p.text(title, lambda group: clean(p.any_of(group)["value"])),
            *(p.across(_arm(arm), arm, "share", "share") for arm in arms),
        )
        tables.append(p.table(f"composition-{facet}", f"Tokens by {title}", groups.values(), fields))
    return tables


def _largest(groups: dict[tuple[str, str], dict[str, Row]]) -> dict[tuple[str, str], dict[str, Row]]:
    """Return of each language the sources that hold the most of any arm."""
    kept: dict[tuple[str, str], dict[str, Row]] = {}
    for language in dict.fromkeys(language for language, _ in groups):
        of_language = [key for key in groups if key[0] == language]
        of_language.sort(key=lambda key: -max(row["share"] for row in groups[key].values()))
        kept |= {key: groups[key] for key in of_language[:_SOURCES]}
    return kept
