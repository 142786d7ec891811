"""The findings in a few sentences: only what was measured, each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pivotlens.report import blocks as b
from pivotlens.report.names import BEHAVIOUR_NAMES, COARSE_GROUP_NAMES, GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, is_pooled, rows
from pivotlens.report.sections.attribution import CLASSES, ENOUGH, PRIMARY_RULE, AucRows, auc_tables, shared_pairs
from pivotlens.report.sections.causality import own_effect, tested_groups, verdicts
from pivotlens.report.sections.evaluation import evaluation_lines
from pivotlens.report.sections.header import mixed_settings
from pivotlens.report.sections.items import TellingItem, Traced
from pivotlens.report.sections.parts import interval, shown
from pivotlens.report.sections.pivots import MinedPivots
from pivotlens.report.sections.scores import figure, score_rows
from pivotlens.report.sections.shares import (
    DEFAULT_RULE,
    PIVOT,
    ShareGroup,
    Splits,
    headline,
    shares_of,
    splits,
    written_in,
)
from pivotlens.report.wording import direction_name, number, percent, plural, whole
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction

FREE, _MOST_TASKS = "neither_english", 3
_OTHERWISE = {
    "direct": "are direct",
    "copy": "are copies of the source word",
    "source_or_english": "are copies of the English source word",
    "other": "are other words",
    "none": "are none of these",
}
"""What the items of the headline are that do not go through a pivot."""


def findings(run: RunTables, found: Traced, mined: MinedPivots | None) -> tuple[b.Prose, ...]:
    """Return the sentences, in the order of the method; what was not measured is not mentioned.

    The examples are semantic pivots of the directions that the share before them is of.
    """
    mixed = mixed_settings(run.score, run.trace)
    groups, written = headline(run), splits(first_rows(run.trace, "pivot_languages"))
    sentences = (
        (b.Strong(f"{mixed[0].upper()}{mixed[1:]}"),) if mixed else (),
        score_sentence(score_rows(run)),
        headline_sentence(groups, written),
        examples_sentence(found.examples),
        causality_sentence(run) if run.ablate else (),
        auc_sentence(auc_tables(rows(run.attribute, "auc")), rows(run.attribute, "joint")),
        mined_sentence(mined) if mined else (),
        arms_sentence(rows(run.select, "arms")),
        evaluation_sentence(run),
    )
    return tuple(sentence for sentence in sentences if sentence)


def _share(interval: Interval) -> b.Value:
    return b.Value.of(interval, "share")


def score_sentence(found: Sequence[Row]) -> b.Prose:
    """Say the mean score, and the best and worst direction."""
    there = [row for row in found if row["score"] is not None]
    single = [row for row in there if not is_pooled(row)]
    if not single:
        return ()
    best, worst = max(single, key=lambda row: row["score"]), min(single, key=lambda row: row["score"])
    said: b.Prose = ()
    for row in [row for row in there if is_pooled(row)][:1]:
        share = figure(row, "accuracy_generated")
        asked = "Asked for a translation, the model writes an accepted word for {share} of the items. "
        asked = "" if share.value is None else asked
        said = b.prose(
            f"{asked}Its score, of at most 1, is {{score}} over {plural(len(single), 'direction')}. ",
            score=figure(row, "score"), share=share,
        )  # fmt: skip
    values: dict[str, b.Inline] = {
        "best": direction_name(direction_of(best)), "high": figure(best, "score"),
        "worst": direction_name(direction_of(worst)), "low": figure(worst, "score"),
    }  # fmt: skip
    several = "The score is highest for {best}, {high}, and lowest for {worst}, {low}."
    return (*said, *b.prose("{best} scores {high}." if len(single) == 1 else several, **values))


def headline_sentence(groups: Sequence[ShareGroup], written: Splits) -> b.Prose:
    """Say the shares of the headline's directions under the calibrated rule, and of pivots under the onset rule."""
    found = groups[0].rules.get(DEFAULT_RULE, {}) if groups else {}
    if not found:
        return ()
    # Where no rule finds a pivot the table has no row of them.
    share = shares_of(list(found.values()), (PIVOT,))[PIVOT]
    if share["share"] is None:
        return ()
    group, n = groups[0].direction_group, plural(share["n"], "item")
    among = "between languages other than English" if group == FREE else f"of directions with {GROUP_NAMES[group]}"

    def in_brackets(rule: str) -> str:
        split = written_in(written, group, rule)
        return f" (written in: {split})" if split else ""

    said = b.prose(
        f"Under the calibrated rule {{pivot}} of {n} {among} go through a semantic pivot, a third word that leads "
        f"in the layers before the answer{in_brackets(DEFAULT_RULE)}",
        pivot=shown(share, "share", "share"),
    )
    for name, text in _OTHERWISE.items():
        other = interval(found.get(name), "share")
        if other and (other.value or name in ("direct", "copy")):
            said += b.prose(f", {{share}} {text}", share=_share(other))
    if early := interval(groups[0].rules.get("onset", {}).get(PIVOT), "share"):
        said += b.prose(
            "; under the onset rule, which does not favour late targets, {share} go through one"
            f"{in_brackets('onset')}",
            share=_share(early),
        )
    return (*said, ".")


def examples_sentence(shown: Sequence[TellingItem]) -> b.Prose:
    """Name the clearest pivots."""
    if not shown:
        return ()

    def example(item: TellingItem) -> b.Prose:
        wrong = "" if item.correct else ", the answer is wrong"
        return (
            b.Word(item.source_word, item.direction.source), " → ",
            b.Word((item.peak_token or "").strip(), kind="pivot"),
            " → ", b.Word(item.target_word, item.direction.target),
            f" (layer {item.peak_layer}, p = {number(item.peak_prob, 2)}{wrong})",
        )  # fmt: skip

    start = "The clearest: " if len(shown) > 1 else "The clearest is "
    return (start, *b.joined(map(example, shown), "; "), ".")


def causality_sentence(run: RunTables) -> b.Prose:
    """Say what taking the pivot out does, and how many conditions of causality hold."""
    group = tested_groups(run)[0]
    found = verdicts(run, group)
    n, own = own_effect(run, group)
    total = sum(map(len, found.values()))
    if own is None or len(found[None]) == total:
        return ("Whether the pivot is causal cannot be said: too few pivot items could be tested.",)
    held, failed, untested = len(found[True]), found[False], len(found[None])
    said = (
        f"That the model needs its pivot is **{'shown' if held == total else 'not shown'}**: taking it out "
        f"({COARSE_GROUP_NAMES[group]}) changes the log-probability of the answer by {{own}} nats in "
        f"{plural(n, 'item')}; of the {total} conditions of causality **{held or 'none'} "
        f"{'holds' if held < 2 else 'hold'}**"
    )
    named: b.Prose = ()
    if failed and len(failed) < total:
        named = ("; ".join(f"{row['number']}. {row['condition']}" for row in failed),)
        said += f", {len(failed)} {'fails' if len(failed) == 1 else 'fail'} ({{named}})"
    if untested:
        said += f", {untested} could not be tested"
    return b.prose(f"{said}.", own=b.Value.of(own), named=named)


# -- AUC


def auc_sentence(tables: dict[tuple[str, str], AucRows], joint: Sequence[Row]) -> b.Prose:
    """Say how well joint frequency predicts behaviour, over how many directions, and on what that rests."""
    (rule, items), table = next(iter(tables.items()), (("", ""), AucRows()))
    found = {direction: by_name.get("log_joint") for direction, by_name in table.items()}
    if not any(found.values()):
        return ()
    single = {direction: row for direction, row in found.items() if direction is not None}
    aucs = {direction: auc for direction, row in found.items() if (auc := interval(row, "auc"))}
    what = "the number of units of the corpus with both words"
    if not aucs:
        why = _reasons(single.values(), len(single), counted=True)
        return (f"Whether {what} predicts the behaviour cannot be said: {why or 'no AUC'}.",)
    direction, auc = next(iter(aucs.items()))
    towards = BEHAVIOUR_NAMES["direct" if auc.value > 0.5 else PIVOT]
    chance = auc.low <= 0.5 <= auc.high
    reading = "no better than chance" if chance else f"more shared units go with {towards} behaviour"
    rests = shared_pairs(joint, items) if rule == PRIMARY_RULE else {}
    return b.prose(
        f"Does the corpus tell direct from semantic-pivot items? For that {what} has an AUC of {{auc}}, where 0.5 is "
        f"chance, {_where(single, direction)}{_verdict(rests, reading)}.",
        auc=b.Value.of(auc),
    )


def _verdict(rests: dict[str, tuple[int, int]], reading: str) -> str:
    """Return what the AUC rests on and what it says; nothing is said where few items have any joint frequency."""
    if not rests:
        return f": {reading}"
    shared = {name: rests.get(name, (0, 0))[1] for name in CLASSES}
    of = plural(sum(n for n, _ in rests.values()), "item")
    said = f"{whole(sum(shared.values()))} of its {of} have both words in some unit"
    if min(shared.values()) < ENOUGH:
        each = ", ".join(f"{whole(shared[name])} {BEHAVIOUR_NAMES[name]}" for name in CLASSES)
        return f"; {said} ({each}), too few to say what it means"
    return f"; {said}; {reading}"


def _reasons(found: Iterable[Row | None], n: int, *, counted: bool = False) -> str:
    """Return why ``n`` directions have no AUC: each reason once, with how many it holds in where they are not all.

    ``counted``: also where it holds in all of several.
    """
    counts = Counter(reason for row in found if row and row["note"] for reason in row["note"].split("; "))
    return "; ".join(
        f"{reason} in {count} of {plural(n, 'direction')}" if count < n or (counted and n > 1) else reason
        for reason, count in counts.items()
    )


def _where(single: dict[Direction, Row | None], direction: Direction | None) -> str:
    """Say over how many directions a figure is, and why others have none."""
    there = [one for one, row in single.items() if interval(row, "auc")]
    others = [row for one, row in single.items() if one not in there]
    why = f" (no AUC in the others: {_reasons(others, len(others)) or 'not computed'})" if others else ""
    if direction is None and len(there) > 1:
        return f"within {len(there)} of {plural(len(single), 'direction')}, on average{why}"
    direction = direction or next(iter(there), None)
    if direction is None:
        return "within directions, on average"
    return f"in {direction_name(direction)}" + (f", 1 of {len(single)} directions{why}" if len(single) > 1 else "")


# -- the corpus


def mined_sentence(found: MinedPivots) -> b.Prose:
    """Say how many pivots the corpus yields, against shuffled pairs, and the most widespread ones."""
    figures = found.summary
    if not figures["pair_pivots"]:
        return ("The corpus alone yields no pivot for any pair.",)
    said = (
        f"The corpus alone yields **{plural(figures['pair_pivots'], 'pivot')}** for "
        f"{plural(figures['pairs'], 'pair')}, {whole(figures['linked'])} of them linked to the concept in a dictionary "
        "or WordNet"
    )
    if found.shares:
        share, shuffled = map(percent, found.shares)
        said += f"; **{share}** of all mined pairs have a pivot, against **{shuffled}** of shuffled pairs"
    named = [b.Word(row["token"].strip(), kind="pivot") for row in found.corpus if row["token_id"] not in found.grammar]
    widespread = "; the most widespread, words of grammar left out, are {named}" if named else ""
    return b.prose(f"{said}{widespread}.", named=b.joined(named[:3]))


def arms_sentence(arms: Sequence[Row]) -> b.Prose:
    """Say how rich in pivots the rebuilt corpus is, against a random choice."""
    shares = {row["arm"]: row["pivot_share"] for row in arms}
    if "top" not in shares or not shares.get("random"):
        return ()
    return b.prose(
        f"In the rebuilt corpus **{percent(shares['top'])}** of the tokens are pivots, against "
        f"**{percent(shares['random'])}** in a random choice at the same budget."
    )


def evaluation_sentence(run: RunTables) -> b.Prose:
    """Say the first results in the harness's tasks, and how the other models differ."""
    lines = evaluation_lines(run)[:_MOST_TASKS] if run.evaluate else []
    return (f"In tasks of lm-evaluation-harness: {'. '.join(lines)}.",) if lines else ()
