"""The run on a terminal: its most telling items layer by layer, and its headline as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pivotlens.artifacts import StageResult, Trace
from pivotlens.errors import PrerequisiteError
from pivotlens.report.blocks import Value, plain
from pivotlens.report.names import BEHAVIOUR_NAMES, GROUP_NAMES, group_of
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows
from pivotlens.report.sections import shares
from pivotlens.report.sections.behaviours import pivot_shares
from pivotlens.report.sections.causality import own_effect, tested_groups, verdicts
from pivotlens.report.sections.evaluation import evaluation_lines
from pivotlens.report.sections.header import mixed_settings
from pivotlens.report.sections.items import LensToken, TellingItem, read_items, telling_keys, trace_tables
from pivotlens.report.sections.parts import any_of, pair_of, shown
from pivotlens.report.sections.scores import figure, score_lines, score_rows
from pivotlens.report.wording import MISSING, direction_name, percent, probability, visible, whole
from pivotlens.text import Direction, truncate_graphemes

SHOWN_TOKENS = 3
_WORD_CELLS = 14
_BAR_CELLS = 16
_MOST_MODELS = 6
_SHARES = ("probability_share", "accuracy_10way", "accuracy_generated")
_STYLES = {"source": "yellow", "target": "bold cyan", "english": "bold magenta", "pivot": "magenta"}


def most_telling_items(run: Path | str, count: int = 5) -> list[TellingItem]:
    """Return the items that show most, each with the three most probable tokens of every layer.

    First come semantic pivots (calibrated rule) of right answers, by the pivot's probability; one item a concept, the
    directions in turn.

    Raises:
        PrerequisiteError: Nothing was traced in the folder.
    """
    Trace.load(run)
    tables = trace_tables(RunTables.load(run))
    assert tables is not None
    return read_items(tables, telling_keys(tables.labels, count), SHOWN_TOKENS)


def render_items(items: Sequence[TellingItem]) -> list[RenderableType]:
    """Return what a rich console prints for these items: one table each."""
    return [_item_table(item) for item in items]


def _item_table(item: TellingItem) -> Table:
    answer = "" if item.correct else "  (the answer is wrong)"
    title = Text.assemble(
        (f"{direction_name(item.direction)}  ", "dim"),
        (visible(item.source_word), "bold yellow"),
        " → ",
        (visible(item.target_word), "bold cyan"),
        (f"  {BEHAVIOUR_NAMES.get(item.behaviour, item.behaviour)}{answer}", "dim"),
    )
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1), pad_edge=False, header_style="dim")
    table.add_column("layer", justify="right", style="dim")
    table.add_column("most probable token", no_wrap=True)
    table.add_column("p", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("then", no_wrap=True, overflow="ellipsis")
    for reading in item.layers:
        if reading.tokens:
            first, *others = reading.tokens
            peak = reading.layer == item.peak_layer
            layer = Text("▸ " * peak + str(reading.layer), "bold" if peak else "")
            bar = "━" * max(1, round(_BAR_CELLS * min(first.prob, 1.0)))
            told = [((_short(each), _style(each)), (f" {probability(each.prob)}", "dim")) for each in others]
            then = Text("  ").join(Text.assemble(*parts) for parts in told)
            cells = (Text(text, _style(first)) for text in (_short(first), probability(first.prob), bar))
            table.add_row(layer, *cells, then)
    return table


def _short(token: LensToken) -> str:
    text = truncate_graphemes(visible(token.token).lstrip("␣") or "␣", _WORD_CELLS)
    # Wide characters take two cells: the columns line up only if cells are counted.
    return set_cell_size(text, _WORD_CELLS)


def _style(token: LensToken) -> str:
    return _STYLES.get(token.role, "" if token.specific else "dim")


def render_summary(run: Path | str) -> RenderableType:
    """Return the headline of a run as a table: one row a direction, and what holds over them below it.

    Below stand the shares over the directions with neither side English, by rule and, where several were traced, by
    model and prompt; and how many conditions of causality hold, where pivots were taken out.

    Raises:
        PrerequisiteError: Neither a score nor a trace is in the folder.
    """
    tables = RunTables.load(run)
    score, trace = tables.score, tables.trace
    if score is None and trace is None:
        raise PrerequisiteError(
            f"{run} has neither a finished 'score' nor a finished 'trace' stage",
            f"Run `pivotlens score --run {run}` or `pivotlens trace --run {run}` first.",
        )
    scored: dict[Direction | None, Row] = {pair_of(row): row for row in score_rows(tables)}
    found, wanted = pivot_shares(first_rows(trace, "summary")), (shares.DEFAULT_RULE, "all")
    labelled = {direction: one for (rule, direction, items), one in found.items() if (rule, items) == wanted}
    table = Table(box=None, header_style="dim", pad_edge=False)
    names = ("score", "prob.\nshare", "10-way", "generated") if score else ()
    table.add_column("direction")
    for name in (*names, *(["semantic pivot"] if trace else []), "items"):
        table.add_column(name, justify="right", no_wrap=name != "items")
    for direction in dict.fromkeys([*scored, *labelled]):
        row, (n, pivots) = scored.get(direction), labelled.get(direction, (None, None)) if direction else (None, None)
        cells = [plain(figure(row, "score")), *(figure(row, name).text() for name in _SHARES)] if row else ()
        shown = [*(cells or [MISSING] * len(names)), *([plain(Value.of(pivots, "share"))] if trace else [])]
        counts = " / ".join(map(whole, dict.fromkeys(filter(None, (row["n"] if row else None, n))))) or MISSING
        style = "" if direction else "bold"
        table.add_row(str(direction or "mean"), *shown, counts, style=style)
    mixed = mixed_settings(score, trace)
    said = [*([mixed] if mixed else ()), *(_trace_lines(tables) if trace else ()), *_causality_lines(tables)]
    # Text, not a string: a name of a model may look like markup.
    return Group(table, Text("\n".join(said))) if said else table


def headline_lines(result: StageResult) -> list[str]:
    """Say in a few lines what the reader of a finished stage came for; nothing for a stage without a headline."""
    tables, details = RunTables.of(result), result.manifest.details
    if tables.bench is not None:
        languages = ", ".join(details["languages"])
        return [
            f"{details['test_concepts']:,} test concepts and {details['shot_concepts']} for examples in {languages}"
        ]
    if tables.score is not None:
        found = [row for row in tables.score.rows("summary") if row["item_set"] == "all"]
        who = [f"{row['model']} ({row['prompt']})" for row in found]
        return score_lines(found, who if len(set(who)) > 1 else ())
    if tables.evaluate is not None:
        return evaluation_lines(tables)
    return _trace_lines(tables) if tables.trace is not None else _causality_lines(tables)


def _trace_lines(tables: RunTables) -> list[str]:
    """Return the shares of a trace in a few lines for each group of directions.

    Of a group, the shares of all labels by rule, each with what its pivots are written in; for the headline's group
    also by model and prompt.
    """
    written = shares.splits(first_rows(tables.trace, "pivot_languages"))
    members: dict[str, list[str]] = {}
    for direction in dict.fromkeys(map(direction_of, first_rows(tables.trace, "summary"))):
        members.setdefault(group_of(direction), []).append(str(direction))
    lines = []
    for place, group in enumerate(shares.headline(tables)):
        of_group = members.get(group.direction_group, [])
        lines += [f"mean over directions, {GROUP_NAMES[group.direction_group]}:"]
        for rule in filter(group.rules.get, (shares.DEFAULT_RULE, "onset")):
            lines += [f"  {rule}: {_shares_text(group.rules[rule], group.direction_group)}"]
            lines += _written_line(written, group.direction_group, rule)
        lines += _swept_lines(tables) if place == 0 else []
        if len(of_group) > 1:
            for one in of_group:
                lines += _written_line(written, one, shares.DEFAULT_RULE, f"{one}, {shares.DEFAULT_RULE}: ")
    return lines


def _swept_lines(tables: RunTables) -> list[str]:
    lines = []
    for sweep in shares.sweeps(tables)[:1]:
        models = sweep.along("model")
        # Of many checkpoints the last one tells where they lead; the page has them all.
        for point in (*models[1 if len(models) <= _MOST_MODELS + 1 else -1 :], *sweep.along("prompt")[1:]):
            of, share = any_of(point), plain(shown(point[shares.PIVOT], "share", "share"))
            name = f"{sweep.rule}, {visible(of['short'])}, {of['prompt']} prompt"
            lines.append(f"  {name}: {BEHAVIOUR_NAMES[shares.PIVOT]} {share}")
    return lines


def _written_line(written: shares.Splits, directions: str, rule: str, of: str = "") -> list[str]:
    split = shares.written_in(written, directions, rule)
    return [f"    {of}semantic pivots are written in: {split}"] if split else []


def _shares_text(found: shares.Shares, directions: str) -> str:
    """Return the share of every label, those that no item has among them: what is written adds up to all items."""
    copy = "source_or_english" if directions == "source_english" else "copy"
    own = ("direct", copy, shares.PIVOT, "other", "none")
    values = {name: shown(row, "share", "share") for name, row in found.items()}
    there = {name: plain(value) for name, value in values.items() if value.value}
    texts = dict.fromkeys(own, percent(0.0)) | there
    return ", ".join(f"{BEHAVIOUR_NAMES.get(name, name)} {text}" for name, text in texts.items())


def _causality_lines(tables: RunTables) -> list[str]:
    if tables.ablate is None:
        return []
    group = tested_groups(tables)[0]
    found, (_, own) = verdicts(tables, group), own_effect(tables, group)
    total, said = sum(map(len, found.values())), {True: "hold", False: "fail", None: "not tested"}
    verdict = ", ".join(f"{len(found[holds])} of {total} {word}" for holds, word in said.items() if found[holds])
    failed = ", ".join(str(row["number"]) for row in found[False])
    verdict += f" (those that fail: {failed})" if failed else ""
    effect = f"; own pivot taken out {plain(Value.of(own))} nats" if own else ""
    return [f"conditions of a causal pivot: {verdict or 'none tested'}{effect}"]
