"""The findings in a few sentences: only what was measured, each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pivotlens.report.sections.attribution import CLASSES, PRIMARY_RULE, Attribution, AucRow, AucTable
from pivotlens.report.sections.behaviours import BehaviourRow, Behaviours
from pivotlens.report.sections.causality import SCOPE_NAMES, Causality
from pivotlens.report.sections.items import TellingItem
from pivotlens.report.sections.joint_frequency import ENOUGH
from pivotlens.report.sections.pivot_languages import Split, split_of
from pivotlens.report.sections.pivots import MinedPivots
from pivotlens.report.sections.scores import ScoreRow, ScoreTable
from pivotlens.report.sections.selection import Arm
from pivotlens.report.sections.shares import GROUP_NAMES, ShareGroup
from pivotlens.report.wording import (
    BEHAVIOUR_NAMES,
    direction_name,
    interval_text,
    is_missing,
    number,
    percent,
    plural,
    visible,
    whole,
)
from pivotlens.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Part:
    """A piece of a sentence: ``plain``, ``strong`` (a figure) or ``word`` (of ``language``, if known)."""

    text: str
    kind: str = "plain"
    language: str = ""


Sentence = tuple[Part, ...]

_OTHERWISE = {
    "direct": " are direct",
    "copy": " are copies of the source word",
    "source_or_english": " are copies of the English source word",
    "other": " are other words",
    "none": " are none of these",
}
"""What the items of the headline are that do not go through a pivot."""


def findings(
    scores: ScoreTable | None,
    behaviours: Behaviours | None,
    examples: Sequence[TellingItem],
    attribution: Attribution | None,
    pivots: MinedPivots | None,
    arms: Sequence[Arm],
    *,
    headline: Sequence[ShareGroup] = (),
    written: Sequence[Split] = (),
    mixed: str = "",
    causality: Causality | None = None,
) -> tuple[Sentence, ...]:
    """Return the sentences, in the order of the method; what was not measured is not mentioned.

    The examples are semantic pivots of the directions that the share before them is of.
    """
    sentences = (
        (Part(f"{mixed[0].upper()}{mixed[1:]}", "strong"),) if mixed else (),
        _score(scores) if scores else (),
        _headline(headline, written) or (_behaviour(behaviours) if behaviours else ()),
        _examples(examples),
        _causality(causality) if causality else (),
        _attribution(attribution) if attribution else (),
        _mined(pivots) if pivots else (),
        _arms(arms),
    )
    return tuple(sentence for sentence in sentences if sentence)


def _strong(text: str) -> Part:
    return Part(text, "strong")


def _with_interval(interval: Interval, *, share: bool = False) -> tuple[Part, Part]:
    ends = interval_text(interval, share=share)
    return _strong((percent if share else number)(interval.value)), Part(f" {ends}" if ends else "")


def _score(table: ScoreTable) -> Sentence:
    rows = [row for row in table.by_direction if row.score is not None]
    if not rows:
        return ()
    best, worst = max(rows, key=_score_value), min(rows, key=_score_value)
    parts: list[Part] = []
    pooled = table.pooled
    if pooled is not None and pooled.score is not None:
        parts += [Part("The translation score is "), *_with_interval(pooled.score)]
        parts += [Part(f" over {plural(len(rows), 'direction')}")]
        if pooled.accuracy_generated is not None:
            parts += [Part("; the generated answer is an accepted one for ")]
            parts += [*_with_interval(pooled.accuracy_generated, share=True), Part(" of items")]
        parts += [Part(". ")]
    if len(rows) == 1:
        return (*parts, Part(f"{_name(best)} scores "), *_with_interval(_interval(best)), Part("."))
    parts += [Part(f"It is highest for {_name(best)}, "), *_with_interval(_interval(best))]
    parts += [Part(f", and lowest for {_name(worst)}, "), *_with_interval(_interval(worst)), Part(".")]
    return tuple(parts)


def _interval(row: ScoreRow) -> Interval:
    assert row.score is not None
    return row.score


def _score_value(row: ScoreRow) -> float:
    return _interval(row).value


def _name(row: ScoreRow | BehaviourRow) -> str:
    assert row.direction is not None
    return direction_name(row.direction)


def _headline(groups: Sequence[ShareGroup], written: Sequence[Split]) -> Sentence:
    found = groups[0].rule("calibrated") if groups else None
    pivot = found.shares.get("semantic_pivot") if found else None
    if found is None or pivot is None:
        return ()
    among = (
        "between languages other than English"
        if groups[0].directions == "neither_english"
        else f"of directions with {GROUP_NAMES[groups[0].directions]}"
    )
    parts = [Part("Under the calibrated rule "), *_with_interval(pivot, share=True)]
    parts += [Part(f" of {plural(found.n, 'item')} {among} go through a semantic pivot")]
    parts += _written(written, groups[0].directions, "calibrated")
    for name, text in _OTHERWISE.items():
        share = found.shares.get(name)
        if share is not None and (share.value or name in ("direct", "copy")):
            parts += [Part(", "), *_with_interval(share, share=True), Part(text)]
    onset = groups[0].rule("onset")
    early = onset.shares.get("semantic_pivot") if onset else None
    if early is not None:
        parts += [
            Part("; under the onset rule, which does not favour late targets, "),
            *_with_interval(early, share=True),
        ]
        parts += [Part(" go through one"), *_written(written, groups[0].directions, "onset")]
    return (*parts, Part("."))


def _written(written: Sequence[Split], directions: str, rule: str) -> list[Part]:
    split = split_of(written, directions, rule)
    return [Part(f" (written in: {split.text})")] if split else []


def _causality(section: Causality) -> Sentence:
    own, held = section.own, section.count(True)
    if own is None or own.interval is None or section.count(None) == len(section.verdicts):
        return (Part("Whether the pivot is causal cannot be said: too few pivot items could be tested."),)
    parts = [
        Part(f"Taking the pivot out ({SCOPE_NAMES.get(section.scope, section.scope)}) changes the log-probability")
    ]
    parts += [Part(" of the answer by "), *_with_interval(own.interval)]
    parts += [Part(f" nats in {plural(own.n, 'item')}; of the {len(section.verdicts)} conditions of causality ")]
    parts += [_strong(f"{held} {'holds' if held == 1 else 'hold'}")]
    failed = [verdict for verdict in section.verdicts if verdict.holds.get("all") is False]
    if failed and len(failed) < len(section.verdicts):
        names = "; ".join(f"{verdict.number}. {verdict.condition}" for verdict in failed)
        parts += [Part(f", {len(failed)} {'fails' if len(failed) == 1 else 'fail'} ({names})")]
    if section.count(None):
        parts += [Part(f", {section.count(None)} could not be tested")]
    if held and (failed or section.count(None)):
        parts += [Part("; a pivot counts as causal only where all hold")]
    return (*parts, Part("."))


def _behaviour(behaviours: Behaviours) -> Sentence:
    rule = behaviours.rule("calibrated")
    if rule is None:
        return ()
    free = [row for row in rule.rows if not row.has_english]
    rows = free or list(rule.rows)
    rows = [row for row in rows if row.pivot_all is not None and not is_missing(row.pivot_all.value)]
    if not rows:
        return ()
    among = "between languages other than English" if free else "here, where every direction has English on a side"
    share = rule.pivot_share if rule.pivot_share_free is None else rule.pivot_share_free
    parts = [Part("Under the calibrated rule "), _strong(percent(share))]
    parts += [Part(f" of {plural(sum(row.n for row in rows), 'item')} {among} go through a semantic pivot")]
    best, worst = max(rows, key=_pivot_share), min(rows, key=_pivot_share)
    assert best.pivot_all is not None
    assert worst.pivot_all is not None
    if len(rows) > 1:
        parts += [Part(f": from {_name(worst)}, "), *_with_interval(worst.pivot_all, share=True)]
        parts += [Part(f", to {_name(best)}, "), *_with_interval(best.pivot_all, share=True)]
    else:
        parts += [Part(f" ({_name(best)}, 95% interval {interval_text(best.pivot_all, share=True)})")]
    return (*parts, Part("."))


def _pivot_share(row: BehaviourRow) -> float:
    assert row.pivot_all is not None
    return row.pivot_all.value


def _examples(shown: Sequence[TellingItem]) -> Sentence:
    if not shown:
        return ()
    parts = [Part("The clearest: " if len(shown) > 1 else "The clearest is ")]
    for index, item in enumerate(shown):
        parts += [Part("; ")] if index else []
        parts += [Part(item.source_word, "word", item.direction.source), Part(" → ")]
        parts += [Part(visible((item.peak_token or "").strip()), "pivot"), Part(" → ")]
        parts += [Part(item.target_word, "word", item.direction.target)]
        wrong = "" if item.correct else ", the answer is wrong"
        parts += [Part(f" (layer {item.peak_layer}, p = {number(item.peak_prob, 2)}{wrong})")]
    return (*parts, Part("."))


def _attribution(section: Attribution) -> Sentence:
    table = section.tables[0] if section.tables else None
    if table is None or "log_joint" not in table.predictors:
        return ()
    column = table.predictors.index("log_joint")
    rows = ([table.pooled] if table.pooled else []) + [row for row in table.rows if row.direction is not None]
    row = next((row for row in rows if row.aucs[column] is not None), None)
    what = "how often both words share a unit of the corpus"
    single = [one for one in table.rows if one.direction is not None]
    if row is None:
        why = _reasons(single, column, counted=True)
        return (Part(f"Whether {what} predicts the behaviour cannot be said: {why or 'no AUC'}."),)
    auc = row.aucs[column]
    assert auc is not None
    reading = "no better than chance" if auc.low <= 0.5 <= auc.high else "associated with it"
    return (
        Part(f"As a predictor of direct against semantic-pivot behaviour, {what} has an AUC of "),
        *_with_interval(auc),
        Part(f" {_where(single, row, column)}{_verdict(section, table, reading)}."),
    )


def _verdict(section: Attribution, table: AucTable, reading: str) -> str:
    """Return what the AUC rests on and what it says; nothing is said where few items have any joint frequency."""
    found = [one for one in section.shared if one.items == table.items]
    if table.rule != PRIMARY_RULE or not found:
        return f": {reading}"
    shared = {name: sum(one.shared for one in found if one.behaviour == name) for name in CLASSES}
    of = plural(sum(one.n for one in found), "item")
    rests = f"of its {of} {whole(sum(shared.values()))} have both words in any unit at all"
    if min(shared.values()) < ENOUGH:
        each = ", ".join(f"{whole(shared[name])} {BEHAVIOUR_NAMES[name]}" for name in CLASSES)
        return f"; {rests} ({each}), too few to say what it means"
    return f"; {rests}: {reading}"


def _reasons(rows: Sequence[AucRow], column: int, *, counted: bool = False) -> str:
    """Return why directions have no AUC: each reason once, with how many it holds in where they are not all.

    Args:
        rows: The directions.
        column: Of the predictor.
        counted: Whether to write the number where it holds in all of several too.
    """
    counts = Counter(reason for one in rows for reason in one.reasons[column])
    return "; ".join(
        f"{reason} in {count} of {plural(len(rows), 'direction')}"
        if count < len(rows) or (counted and len(rows) > 1)
        else reason
        for reason, count in counts.items()
    )


def _where(single: Sequence[AucRow], row: AucRow, column: int) -> str:
    """Say over how many directions a figure is, and why others have none."""
    there = [one for one in single if one.aucs[column] is not None]
    others = [one for one in single if one.aucs[column] is None]
    why = f" (no AUC in the others: {_reasons(others, column) or 'not computed'})" if others else ""
    if row.direction is None and len(there) > 1:
        return f"within {len(there)} of {plural(len(single), 'direction')}, on average{why}"
    direction = row.direction or (there[0].direction if there else None)
    if direction is None:
        return "within directions, on average"
    return f"in {direction_name(direction)}" + (f", 1 of {len(single)} directions{why}" if len(single) > 1 else "")


def _mined(section: MinedPivots) -> Sentence:
    if not section.n_pivots:
        return (Part("The corpus alone yields no pivot for any pair."),)
    parts = [Part("The corpus alone yields "), _strong(plural(section.n_pivots, "pivot"))]
    parts += [Part(f" for {plural(section.n_pairs, 'pair')}, {whole(section.linked)} of them linked to the concept")]
    parts += [Part(" in a dictionary or WordNet")]
    if section.share is not None and section.share_shuffled is not None:
        parts += [Part("; "), _strong(percent(section.share)), Part(" of the pairs have one, against ")]
        parts += [_strong(percent(section.share_shuffled)), Part(" of shuffled pairs")]
    named = [pivot for pivot in section.corpus if not pivot.grammar][:3]
    for index, pivot in enumerate(named):
        parts += [Part("; the most widespread, words of grammar left out, are " if index == 0 else ", ")]
        parts += [Part(visible(pivot.token.strip()), "pivot")]
    return (*parts, Part("."))


def _arms(arms: Sequence[Arm]) -> Sentence:
    by_mode = {arm.mode: arm for arm in arms}
    top, control = by_mode.get("top"), by_mode.get("random")
    if top is None or control is None or not control.share:
        return ()
    return (
        Part("In the rebuilt corpus "),
        _strong(percent(top.share)),
        Part(" of the tokens are pivots, against "),
        _strong(percent(control.share)),
        Part(" in a random choice at the same budget."),
    )
