"""A report as a whole: one or several runs, each with its findings, what to know before relying on it, its sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pivotlens.report import blocks as b
from pivotlens.report.config import ReportConfig
from pivotlens.report.names import ABLATED_NAMES, BEHAVIOUR_NAMES, FIGURE_NAMES, GROUP_NAMES, ITEM_NAMES, SCOPE_NAMES
from pivotlens.report.notes import parse
from pivotlens.report.payload import payload
from pivotlens.report.run_tables import Row, RunTables
from pivotlens.report.sections.attribution import attribution
from pivotlens.report.sections.behaviours import behaviours
from pivotlens.report.sections.causality import causality, conditions, own_effect, scopes
from pivotlens.report.sections.corpus import corpus
from pivotlens.report.sections.findings import findings
from pivotlens.report.sections.header import Caution, Tile, cautions, deck, facts, tiles
from pivotlens.report.sections.items import Traced, cards, items, traced
from pivotlens.report.sections.layers import layers, profiles
from pivotlens.report.sections.lenses import lenses
from pivotlens.report.sections.parts import any_of, shown
from pivotlens.report.sections.pivots import MinedPivots, mined_pivots, pivots
from pivotlens.report.sections.provenance import provenance
from pivotlens.report.sections.scores import pooled_table, score_rows, scores
from pivotlens.report.sections.selection import selection
from pivotlens.report.sections.shares import headline, in_order

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
        comparisons: What ``pivotlens score --compare --json`` said of pairs of them.

    Raises:
        ArtifactError: A table of a stage is damaged.
        DataError: The introduction cannot be read.
    """
    read = [(run, *_read(run, config.items)) for _, run in runs]
    first, found, pairs = read[0]
    written = parse(config.introduction) if config.introduction else ()
    cut = next((place for place, block in enumerate(written) if isinstance(block, b.Heading)), len(written))
    names = [name if len(runs) > 1 else "" for name, _ in runs]
    return Page(
        title=config.title,
        deck=deck(first),
        introduction=written[:cut],
        method=written[cut:],
        beside=_beside(runs, comparisons) if len(runs) > 1 or comparisons else None,
        chapters=tuple(_chapter(name, *one) for name, one in zip(names, read, strict=True)),
        data=payload(found.items, pairs, profiles(first)),
        n_items=len(found.items),
        n_layered=found.n_layered,
    )


def _read(run: RunTables, most: int) -> tuple[Traced, MinedPivots | None]:
    found = traced(run, most)
    return found, mined_pivots(run, found.layered, most)


def _chapter(name: str, run: RunTables, found: Traced, pairs: MinedPivots | None) -> Chapter:
    sections = (
        scores(run), layers(run), lenses(run), behaviours(run), causality(run), items(found), corpus(run),
        attribution(run), pivots(run, pairs), selection(run), provenance(run),
    )  # fmt: skip
    return Chapter(
        name=name,
        facts=facts(run),
        tiles=tiles(run),
        findings=findings(run, found, pairs),
        examples=cards(found),
        cautions=tuple(cautions(run)),
        sections=tuple(section for section in sections if section is not None),
    )


# -- several runs


def _beside(runs: Sequence[tuple[str, RunTables]], comparisons: Sequence[Row]) -> b.Section:
    blocks: list[b.Block] = []
    scored = [
        (f"{name}, {ITEM_NAMES[items]}", row)
        for name, run in runs
        for items in ("all", "different_spelling")
        for row in score_rows(run, items)[:1]
    ]
    if scored:
        said = b.prose(
            "Score averages over tokens: it is not comparable between models with different tokenizers; share, margin "
            "and the accuracies are."
        )
        blocks += [b.Paragraph(said, "lede"), pooled_table(scored, "run")]
    blocks += [*map(_comparison, comparisons), *_shares(runs), *_causal(runs)]
    return b.Section(SIDE_BY_SIDE, "Side by side", tuple(blocks))


def _comparison(found: Row) -> b.Table:
    """Return a paired comparison of two scores."""
    kinds = {"share": "share", "accuracy_10way": "share", "accuracy_generated": "share"}
    return b.Table(
        "comparison",
        b.columns(["figure", "items"], [found["first"], found["second"], "difference", "95% interval", "p"]),
        b.lines(
            (
                FIGURE_NAMES.get(row["figure"], row["figure"]), ITEM_NAMES.get(row["items"], row["items"]),
                *(b.Value(row[name], kinds.get(row["figure"], "figure")) for name in ("first", "second")),  # type: ignore[arg-type]
                b.Value(row["difference"], signed=True),
                f"[{b.Value(row['ci_low'], signed=True).text()}, {b.Value(row['ci_high'], signed=True).text()}]",
                b.Value(row["p_value"], "p"),
            )
            for row in found["rows"]
            if row["source_language"] == "all"
        ),
        b.prose(
            "{second} against {first}: paired over the items of both, p of a two-sided sign-flip test over concepts",
            first=found["first"], second=found["second"],
        ),
    )  # fmt: skip


def _shares(runs: Sequence[tuple[str, RunTables]]) -> list[b.Block]:
    groups = [(name, found[0]) for name, run in runs if (found := headline(run))]
    if not groups:
        return []
    rules = in_order(rule for _, group in groups for rule in group.rules)
    behaviours_ = in_order((one for _, group in groups for one in group.behaviours), BEHAVIOUR_NAMES)
    table = b.Table(
        "shares-of-runs",
        b.columns(["run", "rule"], [*(BEHAVIOUR_NAMES.get(name, name) for name in behaviours_), "items"]),
        b.lines(
            (name, b.Code(rule), *(shown(found.get(one), "share", "share") for one in behaviours_),
             b.Value(any_of(found)["n"], "count"))
            for rule in rules
            for name, group in groups
            for found in [group.rules.get(rule)]
            if found
        ),
        b.prose(f"Shares of items, {GROUP_NAMES[groups[0][1].directions]}"),
    )  # fmt: skip
    return [table]


def _causal(runs: Sequence[tuple[str, RunTables]]) -> list[b.Block]:
    tested = [(name, run, scopes(run)[0]) for name, run in runs if run.ablate is not None]
    if not tested:
        return []
    words = {True: "✓ holds", False: "✗ fails", None: "not tested"}
    by_run = {name: conditions(run, scope) for name, run, scope in tested}
    numbers = dict.fromkeys(number for found in by_run.values() for number in found)

    def text(number: int) -> str:
        found = next(found[number] for found in by_run.values() if number in found)
        return f"{number}. {next(iter(found.values()))['condition']}"

    def verdict(name: str, number: int) -> str:
        row = by_run[name].get(number, {}).get("all")
        return words[row["holds"] if row else None]

    table = b.Table(
        "conditions-of-runs",
        b.columns(["a causal pivot asks that", *by_run], []),
        b.lines((text(number), *(verdict(name, number) for name in by_run)) for number in numbers),
        b.prose(f"Over {ABLATED_NAMES['all']}, {SCOPE_NAMES[tested[0][2]]}"),
        kind="conditions",
    )
    own = b.Table(
        "own-of-runs",
        b.columns(["run"], ["own pivot taken out, nats", "items"]),
        b.lines(
            (name, b.Value.of(effect, signed=True), b.Value(n, "count"))
            for name, run, scope in tested
            for n, effect in [own_effect(run, scope)]
        ),
        b.prose("Change of log P of the answer"),
    )
    return [table, own]
