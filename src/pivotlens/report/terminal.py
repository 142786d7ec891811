"""The run on a terminal: its most telling items layer by layer, and its headline as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pivotlens.artifacts import Ablation, Scores, Trace
from pivotlens.errors import PrerequisiteError
from pivotlens.report.build import trace_sweeps, trace_tables
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, rows
from pivotlens.report.sections.behaviours import DEFAULT_RULE, PIVOT, BehaviourRow, behaviours
from pivotlens.report.sections.causality import causality
from pivotlens.report.sections.header import mixed_settings
from pivotlens.report.sections.items import LayerReading, LensToken, TellingItem, read_items, telling_keys
from pivotlens.report.sections.pivot_languages import Split, split_of, splits
from pivotlens.report.sections.scores import ScoreRow, ScoreTable, score_table
from pivotlens.report.sections.shares import GROUP_NAMES, ShareGroup, Shares, group_of, share_groups
from pivotlens.report.wording import (
    BEHAVIOUR_NAMES,
    MISSING,
    direction_name,
    interval_text,
    number,
    percent,
    probability,
    visible,
    whole,
)
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction, truncate_graphemes

SHOWN_TOKENS = 3
_WORD_CELLS = 14
_BAR_CELLS = 16
_MOST_MODELS = 6
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
    title = Text.assemble(
        (direction_name(item.direction), "dim"),
        "  ",
        (visible(item.source_word), "bold yellow"),
        " → ",
        (visible(item.target_word), "bold cyan"),
        (f"  {BEHAVIOUR_NAMES.get(item.behaviour, item.behaviour)}", "dim"),
        ("" if item.correct else "  (the answer is wrong)", "dim"),
    )
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1), pad_edge=False, header_style="dim")
    table.add_column("layer", justify="right", style="dim")
    table.add_column("most probable token", no_wrap=True)
    table.add_column("p", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("then", no_wrap=True, overflow="ellipsis")
    for reading in item.layers:
        if reading.tokens:
            at_peak = reading.layer == item.peak_layer
            layer = Text(f"▸ {reading.layer}" if at_peak else str(reading.layer), "bold" if at_peak else "")
            table.add_row(layer, *_cells(reading))
    return table


def _cells(reading: LayerReading) -> tuple[Text, Text, Text, Text]:
    first, *others = reading.tokens
    style = _style(first)
    then = Text("  ").join(
        Text.assemble((_short(token), _style(token)), (f" {probability(token.prob)}", "dim")) for token in others
    )
    bar = "━" * max(1, round(_BAR_CELLS * min(first.prob, 1.0)))
    return Text(_short(first), style), Text(probability(first.prob), style), Text(bar, style), then


def _short(token: LensToken) -> str:
    text = truncate_graphemes(visible(token.token).lstrip("␣") or "␣", _WORD_CELLS)
    # Wide characters take two cells: the columns line up only if cells are counted.
    return set_cell_size(text, _WORD_CELLS)


def _style(token: LensToken) -> str:
    return _STYLES.get(token.role, "" if token.specific else "dim")


def render_summary(run: Path | str) -> RenderableType:
    """Return the headline of a run as a table: one row a direction, and what holds over them below it.

    Below stand the shares over the directions with neither side English, by rule and, where several were traced, by
    model and wording; and how many conditions of causality hold, where pivots were taken out.

    Raises:
        PrerequisiteError: Neither a score nor a trace is in the folder.
    """
    score, trace = Scores.load_if_there(run), Trace.load_if_there(run)
    if score is None and trace is None:
        raise PrerequisiteError(
            f"{run} has neither a finished 'score' nor a finished 'trace' stage",
            f"Run `pivotlens score --run {run}` or `pivotlens trace --run {run}` first.",
        )
    scored = score_table(score.first_rows("summary")) if score else ScoreTable((), 0.0, 1.0)
    labelled = _pivot_rows(trace) if trace else {}
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("direction")
    if score:
        for name in ("score", "share", "10-way", "generated"):
            table.add_column(name, justify="right", no_wrap=True)
    if trace:
        table.add_column("semantic pivot", justify="right", no_wrap=True)
    table.add_column("items", justify="right")
    by_direction = {row.direction: row for row in scored.rows}
    for direction in dict.fromkeys([*by_direction, *labelled]):
        found, label = by_direction.get(direction), labelled.get(direction) if direction else None
        cells = ["mean" if direction is None else str(direction)]
        if score:
            cells += _score_cells(found)
        if trace:
            cells.append(_figure(label.pivot_all if label else None, share=True))
        counts = dict.fromkeys(each.n for each in (found, label) if each)
        table.add_row(*cells, " / ".join(map(whole, counts)) or MISSING, style="bold" if direction is None else "")
    mixed = mixed_settings(score, trace)
    said = [
        *([mixed] if mixed else ()),
        *(headline_lines(trace) if trace else ()),
        *_causality_lines(Ablation.load_if_there(run)),
    ]
    # Text, not a string: a name of a model may look like markup.
    return Group(table, Text("\n".join(said))) if said else table


def headline_lines(trace: Trace) -> list[str]:
    """Return the shares of a trace in a few lines for each group of directions.

    Of a group, the shares of all labels by rule, each with what its pivots are written in; for the headline's group
    also by model and wording.
    """
    written = splits(first_rows(trace, "pivot_languages"))
    members: dict[str, list[str]] = {}
    for direction in dict.fromkeys(map(direction_of, first_rows(trace, "summary"))):
        members.setdefault(group_of(direction), []).append(str(direction))
    lines = []
    for place, group in enumerate(share_groups(first_rows(trace, "strata"))):
        of_group = members.get(group.directions, [])
        lines += [f"mean over directions, {GROUP_NAMES[group.directions]}:"]
        for rule in _told(group):
            lines += [
                f"  {rule.rule}: {_shares_text(rule, group.directions)}",
                *_written_line(written, group.directions, rule.rule),
            ]
        lines += _swept_lines(trace) if place == 0 else []
        if len(of_group) > 1:
            for one in of_group:
                lines += _written_line(written, one, DEFAULT_RULE, f"{one}, {DEFAULT_RULE}: ")
    return lines


def _swept_lines(trace: Trace) -> list[str]:
    lines = []
    for sweep in trace_sweeps(trace)[:1]:
        models = sweep.by_model[1:]
        # Of many checkpoints the last one tells where they lead; the page has them all.
        shown = [*(models if len(models) <= _MOST_MODELS else models[-1:]), *sweep.by_prompt[1:]]
        lines += [
            f"  {sweep.rule}, {visible(point.short)}, {point.prompt} prompt: {BEHAVIOUR_NAMES[PIVOT]} "
            f"{_figure(point.shares.shares[PIVOT], share=True)}"
            for point in shown
        ]
    return lines


def _written_line(written: Sequence[Split], directions: str, rule: str, of: str = "") -> list[str]:
    split = split_of(written, directions, rule)
    return [f"    {of}semantic pivots are written in: {split.text}"] if split else []


def _told(group: ShareGroup) -> list[Shares]:
    return [rule for rule in (group.rule(DEFAULT_RULE), group.rule("onset")) if rule is not None]


def _shares_text(shares: Shares, directions: str) -> str:
    """Return the share of every label, those that no item has among them: what is written adds up to all items."""
    copy = "source_or_english" if directions == "source_english" else "copy"
    own = ("direct", copy, PIVOT, "other", "none")
    found = ((name, shares.shares.get(name)) for name in dict.fromkeys((*own, *shares.shares)))
    return ", ".join(
        f"{BEHAVIOUR_NAMES.get(name, name)} {_figure(each, share=True) if each and each.value else percent(0.0)}"
        for name, each in found
        if name in own or (each and each.value)
    )


def _causality_lines(ablation: Ablation | None) -> list[str]:
    if ablation is None:
        return []
    found = causality(*(rows(ablation, name) for name in ("conditions", "effects", "side_effects", "windows", "doses")))
    counts = ((found.count(holds), said) for holds, said in ((True, "hold"), (False, "fail"), (None, "not tested")))
    verdict = ", ".join(f"{count} of {len(found.verdicts)} {said}" for count, said in counts if count)
    failed = ", ".join(str(one.number) for one in found.verdicts if one.holds.get("all") is False)
    verdict += f" (those that fail: {failed})" if failed else ""
    own = f"; own pivot taken out {_figure(found.own.interval)} nats" if found.own and found.own.interval else ""
    return [f"conditions of a causal pivot: {verdict or 'none tested'}{own}"]


def _pivot_rows(trace: Trace) -> dict[Direction, BehaviourRow]:
    def chosen(name: str) -> list[Row]:
        return [row for row in first_rows(trace, name) if row["rule"] == DEFAULT_RULE]

    result = behaviours(chosen("labels"), (), chosen("summary"), (), float(trace.manifest.config["ratio"])).rule(
        DEFAULT_RULE
    )
    return {row.direction: row for row in result.rows} if result else {}


def _score_cells(row: ScoreRow | None) -> list[str]:
    if row is None:
        return [MISSING] * 4
    values = [each.value if each else None for each in (row.share, row.accuracy_10way, row.accuracy_generated)]
    return [_figure(row.score), number(values[0]), percent(values[1]), percent(values[2])]


def _figure(interval: Interval | None, *, share: bool = False) -> str:
    if interval is None:
        return MISSING
    return f"{(percent if share else number)(interval.value)} {interval_text(interval, share=share)}".rstrip()
