"""From the tables of a run to the sections of the page."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from pivotlens.artifacts import Trace
from pivotlens.report.config import ReportConfig
from pivotlens.report.page import Page
from pivotlens.report.run_tables import Row, RunTables, first_rows, first_table, rows
from pivotlens.report.sections.agreement import agreement
from pivotlens.report.sections.attribution import attribution
from pivotlens.report.sections.behaviours import Behaviours, behaviours
from pivotlens.report.sections.causality import Causality, causality
from pivotlens.report.sections.corpus import corpus
from pivotlens.report.sections.findings import findings
from pivotlens.report.sections.header import header, mixed_settings
from pivotlens.report.sections.items import (
    ItemKey,
    TellingItem,
    TraceTables,
    example_keys,
    fair_keys,
    item_key,
    read_items,
    telling_keys,
)
from pivotlens.report.sections.layers import layer_profiles
from pivotlens.report.sections.lenses import Lenses, lenses
from pivotlens.report.sections.pivot_kinds import pivot_kinds
from pivotlens.report.sections.pivot_languages import splits
from pivotlens.report.sections.pivots import MinedPivots, met_everywhere, mined_pivots
from pivotlens.report.sections.provenance import details, provenance
from pivotlens.report.sections.scores import score_table
from pivotlens.report.sections.selection import arms
from pivotlens.report.sections.shares import Sweep, share_groups, sweeps

TELLING = 10
EXAMPLES = 3
TOP = 5
"""Tokens a layer on the page."""


def build_page(config: ReportConfig, tables: RunTables) -> Page:
    """Build every section that has data.

    Raises:
        ArtifactError: A table of a stage is damaged.
    """
    items: tuple[TellingItem, ...] = ()
    telling: tuple[TellingItem, ...] = ()
    examples: tuple[TellingItem, ...] = ()
    shown: list[ItemKey] = []
    n_items = 0
    headline = share_groups(first_rows(tables.trace, "strata"))
    traced = trace_tables(tables)
    if traced is not None:
        keys = fair_keys(traced.items, config.items)
        best = telling_keys(traced.labels, TELLING)
        named = example_keys(traced.labels, headline[0].directions if headline else "", EXAMPLES)
        # The telling ones and the examples are on the page even where not every item is.
        shown = list(dict.fromkeys((*keys, *best, *named)))
        found = dict(zip(shown, read_items(traced, shown, TOP), strict=True))
        every = fair_keys(traced.items, len(traced.items))
        listed = dict(zip(every, read_items(traced, every, 0), strict=True))
        items, telling = tuple((listed | found).values()), tuple(found[key] for key in best)
        examples = tuple(found[key] for key in named)
        first = min((row["shot_set"] for row in traced.items), default=0)
        n_items = sum(row["shot_set"] == first for row in traced.items)
    scores = score_table(tables.score.first_rows("summary")) if tables.score else None
    labelled = _behaviours(tables)
    attributed = (
        attribution(*(rows(tables.attribute, name) for name in ("auc", "tests", "predictors")))
        if tables.attribute
        else None
    )
    pivots = _pivots(config, tables, shown)
    selected = arms(rows(tables.select, "summary"))
    written = splits(first_rows(tables.trace, "pivot_languages"))
    causal = _causality(tables)
    return Page(
        title=config.title,
        header=header(tables),
        provenance=provenance(tables.stages()),
        findings=findings(
            scores,
            labelled,
            examples,
            attributed,
            pivots,
            selected,
            headline=headline,
            written=written,
            causality=causal,
            mixed=mixed_settings(tables.score, tables.trace),
        ),
        scores=scores,
        n_distractors=tables.bench.manifest.config.get("distractors") if tables.bench else None,
        layers=tuple(layer_profiles(first_table(tables.trace, "layers"))) if tables.trace else (),
        behaviours=labelled,
        headline=headline,
        written=written,
        sweeps=trace_sweeps(tables.trace) if tables.trace else (),
        agreement=agreement(first_rows(tables.trace, "agreement")),
        pivot_kinds=pivot_kinds(first_rows(tables.trace, "pivots")),
        lenses=_lenses(tables),
        causality=causal,
        items=items,
        telling=telling,
        n_items=n_items,
        n_layered=len(shown),
        corpus=corpus(rows(tables.count, "languages"), rows(tables.count, "pairs"), len(rows(tables.count, "problems")))
        if tables.count
        else None,
        attribution=attributed,
        pivots=pivots,
        pivot_details=tuple(details(tables.mine.manifest.details)) if tables.mine else (),
        arms=selected,
    )


def trace_tables(tables: RunTables) -> TraceTables | None:
    """Return what the items are read from, or None where nothing was traced."""
    if tables.trace is None:
        return None
    config = tables.trace.manifest.config
    generated = {
        item_key(row): row["generated"]
        for row in (tables.score.first_rows("concepts") if tables.score else [])
        if row["generated"] is not None
    }
    return TraceTables(
        items=tables.trace.first_rows("items"),
        labels=tables.trace.first_rows("behaviours"),
        tokens=first_table(tables.trace, "tokens"),
        generated=generated,
        threshold=float(config["threshold"]),
        ratio=float(config["ratio"]),
    )


def _behaviours(tables: RunTables) -> Behaviours | None:
    if tables.trace is None:
        return None
    made = behaviours(
        tables.trace.first_rows("behaviours"),
        first_rows(tables.trace, "summary"),
        first_rows(tables.trace, "sensitivity"),
        float(tables.trace.manifest.config["ratio"]),
        tables.trace.manifest.details.get("agreement_between_shot_sets"),
    )
    return made if made.rules else None


def trace_sweeps(trace: Trace) -> tuple[Sweep, ...]:
    """Return the shares by model and by wording; none where one of each was traced."""
    config = trace.manifest.config
    models = list(dict.fromkeys((config["model"], *config.get("also_models", ()))))
    prompts = list(dict.fromkeys((config["prompt"], *config.get("also_prompts", ()))))
    return sweeps(rows(trace, "strata"), models, prompts)


def _lenses(tables: RunTables) -> Lenses | None:
    tuned = first_rows(tables.trace, "tuned_behaviours")
    config = tables.trace.manifest.config if tables.trace else {}
    return lenses(
        rows(tables.lens, "layers"),
        first_rows(tables.trace, "lenses"),
        first_rows(tables.trace, "behaviours") if tuned else (),
        tuned,
        int(config.get("bootstrap", 0)),
        int(config.get("seed", 0)),
    )


def _causality(tables: RunTables) -> Causality | None:
    if tables.ablate is None:
        return None
    names = ("conditions", "effects", "side_effects", "windows", "items")
    return causality(*(rows(tables.ablate, name) for name in names), seed=int(tables.ablate.manifest.config["seed"]))


def _pivots(config: ReportConfig, tables: RunTables, shown: list[ItemKey]) -> MinedPivots | None:
    if tables.mine is None:
        return None
    corpus = rows(tables.mine, "pivots")
    everywhere = met_everywhere(corpus, _tokens(tables, corpus), rows(tables.count, "languages"))
    return mined_pivots(
        rows(tables.mine, "pair_pivots"), corpus, tables.mine.manifest.details, shown, config.items, everywhere
    )


def _tokens(tables: RunTables, pivots: list[Row]) -> list[Row]:
    if tables.count is None:
        return []
    counted = tables.count.table("tokens")
    wanted = pa.array([row["token_id"] for row in pivots], pa.int64())
    found: list[Row] = counted.filter(pc.is_in(counted["token_id"], wanted)).to_pylist()
    return found
