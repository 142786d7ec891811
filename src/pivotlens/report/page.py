"""A report as a whole: one or several runs, each with its findings, what to know before relying on it, its sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from pivotlens.report import blocks as b
from pivotlens.report.config import ReportConfig
from pivotlens.report.names import (
    ABLATED_NAMES,
    BEHAVIOUR_NAMES,
    COARSE_GROUP_NAMES,
    GROUP_NAMES,
    ITEM_NAMES,
)
from pivotlens.report.notes import parse
from pivotlens.report.payload import payload
from pivotlens.report.run_tables import Row, RunTables
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.attribution import attribution
from pivotlens.report.sections.behaviours import behaviours
from pivotlens.report.sections.causality import VERDICTS, causality, conditions, own_effect, tested_groups
from pivotlens.report.sections.corpus import corpus
from pivotlens.report.sections.evaluation import compared, evaluation
from pivotlens.report.sections.findings import findings
from pivotlens.report.sections.header import Caution, Tile, cautions, deck, facts, tiles
from pivotlens.report.sections.index import index
from pivotlens.report.sections.items import Traced, cards, items, traced
from pivotlens.report.sections.layers import layers, profiles
from pivotlens.report.sections.lenses import lenses
from pivotlens.report.sections.mined_recall import mined_recall
from pivotlens.report.sections.pivots import MinedPivots, mined_pivots, pivots
from pivotlens.report.sections.provenance import provenance
from pivotlens.report.sections.scores import pooled_table, score_rows, scores
from pivotlens.report.sections.selection import selection
from pivotlens.report.sections.shares import ShareGroup, headline, in_order
from pivotlens.report.sections.training import training

SIDE_BY_SIDE = "side-by-side"


@dataclass(frozen=True)
class Chapter:
    """What a report says of a run; the name is empty where it is the only one."""

    name: str
    facts: dict[str, b.Prose]
    tiles: tuple[Tile, ...]
    findings: tuple[b.Prose, ...]
    examples: tuple[b.Block, ...]
    cautions: tuple[Caution, ...]
    sections: tuple[b.Section, ...]


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        deck: What it is about, in a sentence.
        introduction: What was written by hand to stand before everything else, up to its first heading.
        method: The rest of it, which stands behind what was found.
        beside: Runs side by side; None where there is one.
        data: What the page's script reads, of the first run.
        n_items: Items that were traced in the first run; ``n_layered`` of them have their layers in the data.
    """

    title: str
    deck: str
    introduction: tuple[b.Block, ...]
    method: tuple[b.Block, ...]
    beside: b.Section | None
    chapters: tuple[Chapter, ...]
    data: dict[str, Any]
    n_items: int
    n_layered: int


def build_page(config: ReportConfig, runs: Sequence[tuple[str, RunTables]], comparisons: Sequence[Row] = ()) -> Page:
    """Build a report.

    Args:
        config: Its settings.
        runs: The runs with their names, the first one first.
        comparisons: What ``pivotlens compare --json`` said of pairs of them.

    Raises:
        ArtifactError: A table of a stage is damaged.
        DataError: The introduction cannot be read.
    """
    several, first = len(runs) > 1, runs[0][1]
    items_of = [traced(run, config.items) for _, run in runs]
    pairs_of = [mined_pivots(run, found.layered, config.items) for (_, run), found in zip(runs, items_of, strict=True)]
    written = parse(config.introduction) if config.introduction else ()
    cut = next((place for place, block in enumerate(written) if isinstance(block, b.Heading)), len(written))
    return Page(
        title=config.title,
        deck=deck(first),
        introduction=written[:cut],
        method=written[cut:],
        beside=_beside(runs, comparisons) if several or comparisons else None,
        chapters=tuple(
            _chapter(name if several else "", run, found, pairs)
            for (name, run), found, pairs in zip(runs, items_of, pairs_of, strict=True)
        ),
        data=payload(items_of[0].items, pairs_of[0], profiles(first)),
        n_items=len(items_of[0].items),
        n_layered=items_of[0].n_layered,
    )


def _chapter(name: str, run: RunTables, found: Traced, pairs: MinedPivots | None) -> Chapter:
    sections = (
        scores(run), layers(run), lenses(run), behaviours(run), causality(run), items(found), corpus(run), index(run),
        attribution(run), pivots(run, pairs), mined_recall(run), selection(run), training(run), evaluation(run),
        provenance(run),
    )  # fmt: skip
    shown = tuple(section for section in sections if section is not None)
    told = findings(run, found, pairs)
    return Chapter(name, facts(run), tiles(run), told, cards(found), tuple(cautions(run)), shown)


# -- several runs


def _beside(runs: Sequence[tuple[str, RunTables]], comparisons: Sequence[Row]) -> b.Section | None:
    blocks: list[b.Block] = []
    scored = [
        (f"{name}, {ITEM_NAMES[items]}", row)
        for name, run in runs
        for items in ("all", "different_spelling")
        for row in score_rows(run, items)[:1]
    ]
    if scored:
        said = b.prose(
            "Score averages over tokens: it is not comparable between models with different tokenizers; probability "
            "share, margin and the accuracies are."
        )
        blocks += [b.Paragraph(said, "lede"), pooled_table(scored, "run")]
    blocks += [*map(compared, comparisons), *_shares(runs), *_causal(runs)]
    return b.Section(SIDE_BY_SIDE, "Side by side", tuple(blocks)) if blocks else None


def _shares(runs: Sequence[tuple[str, RunTables]]) -> list[b.Block]:
    found = [(name, groups[0]) for name, run in runs if (groups := headline(run))]
    there = in_order((group.direction_group for _, group in found), GROUP_NAMES)
    return [_shares_of(of, [one for one in found if one[1].direction_group == of]) for of in there]


def _shares_of(directions: str, groups: Sequence[tuple[str, ShareGroup]]) -> b.Table:
    """Return the shares of the runs whose headline is of these directions, a key of `GROUP_NAMES`."""
    names = in_order((one for _, group in groups for one in group.behaviours), BEHAVIOUR_NAMES)
    rules = in_order(rule for _, group in groups for rule in group.rules)
    found = [
        {key: row | {"run": name} for key, row in group.rules[rule].items()}
        for rule in rules
        for name, group in groups
        if rule in group.rules
    ]
    shares = (p.across(BEHAVIOUR_NAMES.get(name, name), name, "share", "share") for name in names)
    fields = (p.text("run", lambda one: p.any_of(one)["run"]), p.GROUP_RULE, *shares, p.GROUP_ITEMS)
    return p.table(f"shares-of-runs-{directions}", f"Shares of items, {GROUP_NAMES[directions]}", found, fields)


def _causal(runs: Sequence[tuple[str, RunTables]]) -> list[b.Block]:
    tested = {name: (run, tested_groups(run)[0]) for name, run in runs if run.ablate is not None}
    there = in_order((group for _, group in tested.values()), COARSE_GROUP_NAMES)
    return [
        table for of in there for table in _causal_of(of, {name: one for name, one in tested.items() if one[1] == of})
    ]


def _causal_of(directions: str, tested: dict[str, tuple[RunTables, str]]) -> tuple[b.Table, b.Table]:
    """Return conditions and effects of the runs tested in these directions, a key of `COARSE_GROUP_NAMES`."""
    by_run = {name: conditions(*one) for name, one in tested.items()}
    # The first run that has a condition says what it asks.
    texts = {
        number: f"{number}. {p.any_of(rows)['condition']}"
        for found in reversed(by_run.values())
        for number, rows in found.items()
    }

    def verdict(number: int, name: str) -> str:
        return VERDICTS[by_run[name].get(number, {}).get("all", {"holds": None})["holds"]]

    where = COARSE_GROUP_NAMES[directions]
    fields = [p.text("a causal pivot asks that", texts.__getitem__)]
    fields += [p.text(name, partial(verdict, name=name)) for name in by_run]
    numbers = dict.fromkeys(number for found in by_run.values() for number in found)
    caption = f"Over {ABLATED_NAMES['all']}, {where}"
    asked = p.table(f"conditions-of-runs-{directions}", caption, numbers, fields, kind="conditions")
    effects = [(name, *own_effect(*one)) for name, one in tested.items()]
    fields = [
        p.text("run", itemgetter(0)),
        p.number("own pivot taken out, nats", lambda one: b.Value.of(one[2], signed=True)),
        p.number("items", lambda one: b.Value(one[1], "count")),
    ]
    return asked, p.table(f"own-of-runs-{directions}", f"Change of log P of the answer, {where}", effects, fields)
