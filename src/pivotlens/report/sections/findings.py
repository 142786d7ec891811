"""The findings in a few sentences: only what was measured, each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report.names import BEHAVIOUR_NAMES, COARSE_GROUP_NAMES, GROUP_NAMES
from pivotlens.report.run_tables import Row, RunTables, first_rows, is_pooled, rows
from pivotlens.report.sections.attribution import (
    CLASSES,
    ENOUGH,
    PRIMARY_RULE,
    AucRow,
    AucTable,
    auc_tables,
    shared_pairs,
)  # fmt: skip
from pivotlens.report.sections.behaviours import PivotShares, overall_share, pivot_shares
from pivotlens.report.sections.causality import own_effect, tested_groups, verdicts
from pivotlens.report.sections.header import mixed_settings
from pivotlens.report.sections.items import TellingItem, Traced
from pivotlens.report.sections.pivots import MinedPivots
from pivotlens.report.sections.scores import figure, pair_of, score_rows
from pivotlens.report.sections.shares import ShareGroup, Split, headline, splits, written_in
from pivotlens.report.wording import direction_name, number, percent, plural, whole
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import ENGLISH

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
        headline_sentence(groups, written)
        or share_sentence(first_rows(run.trace, "labels"), pivot_shares(first_rows(run.trace, "summary"))),
        examples_sentence(found.examples),
        causality_sentence(run) if run.ablate else (),
        auc_sentence(auc_tables(rows(run.attribute, "auc")), rows(run.attribute, "joint")),
        mined_sentence(mined) if mined else (),
        arms_sentence(rows(run.select, "arms")),
    )
    return tuple(sentence for sentence in sentences if sentence)


def _share(interval: Interval) -> b.Value:
    return b.Value.of(interval, "share")


def _named(row: Row) -> str:
    direction = pair_of(row)
    return direction_name(direction) if direction else "all directions"


def score_sentence(found: Sequence[Row]) -> b.Prose:
    """Say the mean score, and the best and worst direction."""
    single = [row for row in found if not is_pooled(row) and row["score"] is not None]
    if not single:
        return ()
    best, worst = max(single, key=lambda row: row["score"]), min(single, key=lambda row: row["score"])
    parts: list[b.Inline] = []
    pooled = next((row for row in found if is_pooled(row) and row["score"] is not None), None)
    if pooled is not None:
        parts += b.prose(
            f"The translation score is {{score}} over {plural(len(single), 'direction')}", score=figure(pooled, "score")
        )
        if pooled["accuracy_generated"] is not None:
            parts += b.prose(
                "; the generated answer is an accepted one for {share} of items",
                share=figure(pooled, "accuracy_generated"),
            )
        parts.append(". ")
    if len(single) == 1:
        return (*parts, *b.prose("{name} scores {score}.", name=_named(best), score=figure(best, "score")))
    return (
        *parts,
        *b.prose(
            "It is highest for {best}, {high}, and lowest for {worst}, {low}.",
            best=_named(best), high=figure(best, "score"), worst=_named(worst), low=figure(worst, "score"),
        ),
    )  # fmt: skip


def headline_sentence(groups: Sequence[ShareGroup], written: Sequence[Split]) -> b.Prose:
    """Say the shares of the headline's directions under the calibrated rule, and of pivots under the onset rule."""
    found = groups[0].rule("calibrated") if groups else None
    pivot = found.shares.get("semantic_pivot") if found else None
    if found is None or pivot is None:
        return ()
    group = groups[0].direction_group
    among = (
        "between languages other than English"
        if group == "neither_english"
        else f"of directions with {GROUP_NAMES[group]}"
    )
    parts: list[b.Inline] = [
        *b.prose(
            f"Under the calibrated rule {{pivot}} of {plural(found.n, 'item')} {among} go through a semantic pivot"
            "{written}",
            pivot=_share(pivot), written=written_in(written, group, "calibrated"),
        )
    ]  # fmt: skip
    for name, text in _OTHERWISE.items():
        share = found.shares.get(name)
        if share is not None and (share.value or name in ("direct", "copy")):
            parts += b.prose(f", {{share}} {text}", share=_share(share))
    onset = groups[0].rule("onset")
    early = onset.shares.get("semantic_pivot") if onset else None
    if early is not None:
        parts += b.prose(
            "; under the onset rule, which does not favour late targets, {share} go through one{written}",
            share=_share(early), written=written_in(written, group, "onset"),
        )  # fmt: skip
    return (*parts, ".")


def share_sentence(labels: Sequence[Row], shares: PivotShares) -> b.Prose:
    """Say the shares of pivots by direction, where no mean over directions was made."""
    found = {
        direction: (n, share)
        for (rule, direction, items), (n, share) in shares.items()
        if (rule, items) == ("calibrated", "all") and share is not None and n
    }
    free = {direction: one for direction, one in found.items() if ENGLISH not in direction}
    chosen = free or found
    if not chosen:
        return ()
    among = "between languages other than English" if free else "here, where every direction has English on a side"
    overall = overall_share(labels, "calibrated", "neither_english" if free else "all")
    if overall is None:
        return ()
    order = sorted(chosen, key=lambda direction: chosen[direction][1].value)
    start = b.prose(
        f"Under the calibrated rule **{percent(overall[0])}** of {plural(overall[1], 'item')} {among} go through a "
        "semantic pivot"
    )
    low, high = order[0], order[-1]
    if len(order) == 1:
        interval = _share(chosen[low][1]).ends()
        return (*start, f" ({direction_name(low)}, 95% interval {interval}).")
    return (
        *start,
        *b.prose(
            f": from {direction_name(low)}, {{low}}, to {direction_name(high)}, {{high}}.",
            low=_share(chosen[low][1]), high=_share(chosen[high][1]),
        ),
    )  # fmt: skip


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
    parts: list[b.Inline] = [
        *b.prose(
            f"Taking the pivot out ({COARSE_GROUP_NAMES[group]}) changes the log-probability of the answer by {{own}} "
            f"nats in {plural(n, 'item')}; of the {total} conditions of causality "
            f"**{held or 'none'} {'holds' if held < 2 else 'hold'}**",
            own=b.Value.of(own),
        )
    ]
    if failed and len(failed) < total:
        names = "; ".join(f"{row['number']}. {row['condition']}" for row in failed)
        parts.append(f", {len(failed)} {'fails' if len(failed) == 1 else 'fail'} ({names})")
    if untested:
        parts.append(f", {untested} could not be tested")
    if failed or untested:
        parts.append("; a pivot counts as causal only where all hold")
    return (*parts, ".")


# -- AUC


def auc_sentence(tables: Sequence[AucTable], joint: Sequence[Row]) -> b.Prose:
    """Say how well joint frequency predicts behaviour, over how many directions, and on what that rests."""
    table = tables[0] if tables else None
    if table is None or "log_joint" not in table.predictors:
        return ()
    column = table.predictors.index("log_joint")
    chosen = next((row for row in (*filter(None, [table.pooled]), *table.single) if row.aucs[column] is not None), None)
    what = "how often both words share a unit of the corpus"
    if chosen is None:
        why = _reasons(table.single, column, counted=True)
        return (f"Whether {what} predicts the behaviour cannot be said: {why or 'no AUC'}.",)
    auc = chosen.aucs[column]
    assert auc is not None
    reading = "no better than chance" if auc.low <= 0.5 <= auc.high else "associated with it"
    rests = shared_pairs(joint, table.item_set) if table.rule == PRIMARY_RULE else {}
    return b.prose(
        f"As a predictor of direct against semantic-pivot behaviour, {what} has an AUC of {{auc}} "
        f"{_where(table.single, chosen, column)}{_verdict(rests, reading)}.",
        auc=b.Value.of(auc),
    )


def _verdict(rests: dict[str, tuple[int, int]], reading: str) -> str:
    """Return what the AUC rests on and what it says; nothing is said where few items have any joint frequency."""
    if not rests:
        return f": {reading}"
    shared = {name: rests.get(name, (0, 0))[1] for name in CLASSES}
    of = plural(sum(n for n, _ in rests.values()), "item")
    said = f"of its {of} {whole(sum(shared.values()))} have both words in any unit at all"
    if min(shared.values()) < ENOUGH:
        each = ", ".join(f"{whole(shared[name])} {BEHAVIOUR_NAMES[name]}" for name in CLASSES)
        return f"; {said} ({each}), too few to say what it means"
    return f"; {said}: {reading}"


def _reasons(found: Sequence[AucRow], column: int, *, counted: bool = False) -> str:
    """Return why directions have no AUC: each reason once, with how many it holds in where they are not all.

    Args:
        found: The directions.
        column: Of the predictor.
        counted: Whether to write the number where it holds in all of several too.
    """
    counts = Counter(reason for one in found for reason in one.reasons[column])
    return "; ".join(
        f"{reason} in {count} of {plural(len(found), 'direction')}"
        if count < len(found) or (counted and len(found) > 1)
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


# -- the corpus


def mined_sentence(found: MinedPivots) -> b.Prose:
    """Say how many pivots the corpus yields, against shuffled pairs, and the most widespread ones."""
    if not found.n_pivots:
        return ("The corpus alone yields no pivot for any pair.",)
    parts: list[b.Inline] = [
        *b.prose(
            f"The corpus alone yields **{plural(found.n_pivots, 'pivot')}** for {plural(found.n_pairs, 'pair')}, "
            f"{whole(found.linked)} of them linked to the concept in a dictionary or WordNet"
        )
    ]
    if found.share is not None and found.share_shuffled is not None:
        parts += b.prose(
            f"; **{percent(found.share)}** of the pairs have one, against **{percent(found.share_shuffled)}** of "
            "shuffled pairs"
        )
    named = [b.Word(pivot.token.strip(), kind="pivot") for pivot in found.corpus if not pivot.grammar][:3]
    if named:
        parts += ["; the most widespread, words of grammar left out, are ", *b.joined(named)]
    return (*parts, ".")


def arms_sentence(arms: Sequence[Row]) -> b.Prose:
    """Say how rich in pivots the rebuilt corpus is, against a random choice."""
    by_mode = {row["mode"]: row for row in arms}
    top, control = by_mode.get("top"), by_mode.get("random")
    if top is None or control is None or not control["pivot_share"]:
        return ()
    return b.prose(
        f"In the rebuilt corpus **{percent(top['pivot_share'])}** of the tokens are pivots, against "
        f"**{percent(control['pivot_share'])}** in a random choice at the same budget."
    )
