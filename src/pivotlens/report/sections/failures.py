"""What wrong answers are instead, by direction and by behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter

from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, first_rows, is_pooled
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import percent

FAILURE_NAMES = {
    "copied_source": "source copied",
    "english_word": "English word",
    "third_language": "third language",
    "related_word": "related word",
    "other_form": "another form",
    "target_language": "other target word",
    "other": "other",
    "empty": "nothing",
}
"""Kinds of wrong answers, in the order of the bars."""
_COLOURS = {
    "copied_source": "b-copy", "english_word": "b-semantic_pivot", "third_language": "b-source_or_english",
    "related_word": "b-none", "other_form": "b-direct", "target_language": "b-dropped", "other": "b-other",
}  # fmt: skip
_NAMES_IN_BARS = {name: text for name, text in FAILURE_NAMES.items() if name != "empty"} | {"other": "other or nothing"}


def failures(run: RunTables) -> list[b.Block]:
    """Build the part of the scores on wrong answers from ``score/failures`` and ``trace/failures``; none without."""
    rows = [row for row in first_rows(run.score, "failures") if row["item_set"] == "all"]
    blocks: list[b.Block] = []
    if rows:
        found = p.spread(sorted(rows, key=lambda row: not is_pooled(row)), p.pair_of, "failure")
        blocks += [
            p.heading("What wrong answers are"),
            p.lede(
                "Of the words that the model writes by itself and that are not accepted. Shares are of all items: with "
                "the right answers they add up to 100%."
            ),
            b.Legend("Kinds of wrong answers", tuple((_COLOURS[kind], name) for kind, name in _NAMES_IN_BARS.items())),
            p.table(
                "failures", "Wrong answers by kind and direction", found.values(),
                (p.GROUP_DIRECTION, p.bars("wrong answers", _stack), *_kinds(found), _ITEMS),
                unseen=True, kind="bars",
            ),
        ]  # fmt: skip
    return blocks + _by_behaviour(first_rows(run.trace, "failures"))


def _by_behaviour(rows: Sequence[Row]) -> list[b.Block]:
    tables = []
    for group, members in p.by(rows, itemgetter("direction_group")).items():
        first = p.text("behaviour", _behaviour)
        caption = f"Wrong answers by behaviour, {GROUP_NAMES[group]}; shares of the wrong answers"
        found = p.spread(members, itemgetter("behaviour"), "failure")
        fields = (first, p.bars("wrong answers", _stack), *_kinds(found, ends=False), _ITEMS)
        tables.append(p.table(f"failures-{group}", caption, found.values(), fields, kind="bars"))
    return p.folded("Do items that pivot fail otherwise?", *tables)


def _behaviour(found: Mapping[str, Row]) -> str:
    behaviour = str(p.any_of(dict(found))["behaviour"])
    return "all wrong answers" if behaviour == "all" else BEHAVIOUR_NAMES.get(behaviour, behaviour)


def _kinds(found: Mapping[object, dict[str, Row]], *, ends: bool = True) -> list[p.Field]:
    kinds = [kind for kind in FAILURE_NAMES if any(kind in row for row in found.values())]
    return [p.number(FAILURE_NAMES[kind], partial(_share, kind=kind, ends=ends)) for kind in kinds]


def _share(found: Mapping[str, Row], kind: str, *, ends: bool) -> b.Cell:
    if kind not in found:
        return percent(0.0)
    return p.shown(found[kind], "share", "share") if ends else b.Value(found[kind]["share"], "share")


_ITEMS = p.number("items", lambda row: b.Value(p.any_of(row)["items"], "count"))


def _stack(found: Mapping[str, Row]) -> Markup:
    counts = {kind: found[kind]["n"] if kind in found else 0 for kind in FAILURE_NAMES}
    counts["other"] += counts.pop("empty")
    segments = [charts.Segment(_NAMES_IN_BARS[kind], _COLOURS[kind], count) for kind, count in counts.items()]
    return charts.stacked_bar(segments)
