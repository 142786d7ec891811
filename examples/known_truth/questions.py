"""The seven questions, answered from the kept tables (docs/results/known-truth.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from examples.known_truth.arms import DIRECT, NO_HUB, OTHER, PIVOT, SHOT
from examples.known_truth.collect import planted
from examples.known_truth.estimates import Estimate, difference, mean_of, over_seeds
from examples.known_truth.kept import Kept, Row
from examples.known_truth.words import FIRST, FOURTH, HUB, SECOND
from pivotlens.arrays import Floats
from pivotlens.statistics.auc import auc
from pivotlens.statistics.regression import spearman

DOSED = (PIVOT, "D1", "D4", "D16", DIRECT)
"""Arms by the documents in which words of B and C meet: 0, 1, 4, 16 and all; the hub binds them all alike."""
BOUND, MET = (PIVOT, OTHER), (DIRECT, NO_HUB)
"""Arms whose words only a neighbour binds, and arms whose words meet."""
_LARGEST_GAP = 1.0
"""Nats in clean log-probability between an ablated item and the one it is paired with (docs/method.md#ablation)."""


# -- 1: transfer


def transfer(kept: Kept, arm: str, column: str = "score", tokens: int | None = None) -> Estimate:
    """Return an arm's mean, at the end or at a checkpoint."""
    return mean_of(_scores(kept, arm, column, tokens))


def transfer_between(kept: Kept, arm: str, other: str, column: str = "score") -> Estimate:
    """Return how far an arm's mean is above another's, at the end."""
    return difference(list(zip(_scores(kept, arm, column), _scores(kept, other, column), strict=True)))


def transfer_adjusted(kept: Kept, arm: str, other: str) -> Estimate:
    """Return the same net of a common slope by the logarithm of how often a concept's words of B and C are read."""
    found = []
    for seed in kept.seeds:
        read = {row["concept_id"]: row[f"count_{FIRST}"] + row[f"count_{SECOND}"] for row in kept.rows(seed, "truth")}
        kinds = {row["concept_id"]: row["arm"] for row in kept.rows(seed, "truth")}
        last = [row for row in kept.rows(seed, "transfer") if row["tokens"] == end(kept, seed)]
        rows = [row for row in last if kinds[row["concept_id"]] in (arm, other)]
        design = np.array([[1.0, row["arm"] == arm, np.log(read[row["concept_id"]])] for row in rows])
        fitted = np.linalg.lstsq(design, np.array([row["score"] for row in rows]), rcond=None)[0]
        found.append(float(fitted[1]))
    return over_seeds(found)


def met_in_training(kept: Kept, arm: str) -> Estimate:
    """Return the share of an arm's concepts whose words of B and C stood in one sequence of the training."""
    return mean_of(kept.by_concept("together", lambda row: row["together"] > 0, arm=arm))


def right_unmet(kept: Kept, arm: str) -> Estimate:
    """Return the share of rightly answered items, at the end, of an arm's concepts whose words never did."""
    found = []
    for seed in kept.seeds:
        met = {row["concept_id"] for row in kept.rows(seed, "together") if row["together"]}
        last = kept.only(seed).by_concept(
            "transfer",
            lambda row, met=met: None if row["concept_id"] in met else row["correct"],  # type: ignore[misc]
            arm=arm,
            tokens=end(kept, seed),
        )
        found += last
    return mean_of(found)


def imbalance(kept: Kept) -> float:
    """Return the largest relative distance of an arm's mean count, or count of answers, from that of all concepts."""
    largest = 0.0
    for seed in kept.seeds:
        rows = kept.rows(seed, "truth")
        for column in [f"{kind}_{language}" for kind in ("count", "answers") for language in (FIRST, SECOND)]:
            every = np.mean([row[column] for row in rows])
            of_arms = [
                np.mean([row[column] for row in rows if row["arm"] == arm]) for arm in {row["arm"] for row in rows}
            ]
            largest = max(largest, *(float(abs(one / every - 1)) for one in of_arms))
    return largest


def checkpoints(kept: Kept) -> list[int | None]:
    """Return the numbers of tokens at which models were scored; None stands for the end, which differs a little."""
    return [*kept.settings["effort"]["checkpoints"], None]


def end(kept: Kept, seed: int) -> int:
    """Return the tokens that a seed's model has read at the end."""
    return max(int(row["tokens"]) for row in kept.rows(seed, "transfer"))


def _scores(kept: Kept, arm: str, column: str, tokens: int | None = None) -> list[Floats]:
    at = {seed: tokens or end(kept, seed) for seed in kept.seeds}
    return [
        found
        for seed in kept.seeds
        for found in kept.only(seed).by_concept("transfer", lambda row: row[column], arm=arm, tokens=at[seed])
    ]


# -- 2: behaviours


def pivot_share(kept: Kept, rule: str, lens: str, arm: str) -> Estimate:
    """Return the share of an arm's rightly answered items that a rule calls semantic pivot."""
    return mean_of(_is_pivot(kept, rule, lens, arm))


def told_apart(kept: Kept, rule: str, lens: str, *, neighbour: bool = False) -> Estimate:
    """Return the share called semantic pivot where only a neighbour binds, minus that where the words meet.

    Args:
        kept: The tables.
        rule: The rule.
        lens: ``raw`` or ``tuned``.
        neighbour: Whether only pivots count that write the hub's word, or E's.
    """
    both = [_is_pivot(kept, rule, lens, arms, neighbour=neighbour) for arms in (BOUND, MET)]
    return difference(list(zip(*both, strict=True)))


def precision(kept: Kept, rule: str, lens: str) -> Estimate:
    """Return what share of a rule's semantic pivots only a neighbour binds, if half of all items were so."""
    shares = []
    for bound, met in zip(_is_pivot(kept, rule, lens, BOUND), _is_pivot(kept, rule, lens, MET), strict=True):
        found = bound.mean() + met.mean() if bound.size and met.size else 0.0
        shares.append(float(bound.mean() / found) if found else float("nan"))
    return over_seeds(shares)


def rules(kept: Kept) -> list[tuple[str, str]]:
    """Return every rule under every lens, as the tables have them."""
    return list(dict.fromkeys((row["rule"], row["lens"]) for row in kept.rows(kept.seeds[0], "behaviours")))


def _is_pivot(kept: Kept, rule: str, lens: str, arms: str | Sequence[str], *, neighbour: bool = False) -> list[Floats]:
    def called(row: Row) -> bool:
        named = not neighbour or bool({HUB, FOURTH} & set(row["pivot_languages"].split("+")))
        return row["behaviour"] == "semantic_pivot" and named

    return kept.by_concept("behaviours", called, rule=rule, lens=lens, arm=arms, correct=True)


def layers(kept: Kept) -> list[int]:
    """Return the layers between the embeddings and the last."""
    return sorted({row["layer"] for row in kept.rows(kept.seeds[0], "layers")})[1:-1]


def layer_mean(kept: Kept, column: str, arm: str, layer: int) -> Estimate:
    """Return a column's mean over an arm's items at a layer."""
    return mean_of(kept.by_concept("layers", lambda row: row[column], arm=arm, layer=layer))


def stage_means(kept: Kept, arm: str, layer: int, tokens: int | None) -> tuple[Estimate, Estimate]:
    """Return the hub's and the target's mean probability in an arm at a layer of a checkpoint; None is the end."""
    rows = [
        row
        for seed in kept.seeds
        for row in kept.rows(seed, "stages")
        if (row["arm"], row["layer"], row["tokens"]) == (arm, layer, tokens or end(kept, seed))
    ]
    hub, target = ([row[name] for row in rows] for name in ("mass_hub", "target_prob"))
    return over_seeds(hub), over_seeds(target)


def neighbour_above_hub(kept: Kept, layer: int) -> Estimate:
    """Return how far E's word is above the hub's in the items that E binds."""
    return mean_of(kept.by_concept("layers", lambda row: row["mass_fourth"] - row["mass_hub"], arm=OTHER, layer=layer))


def layer_auc(kept: Kept, arm: str, other: str, layer: int, column: str = "ratio") -> Estimate:
    """Return how well a reading of a layer tells the items of two arms apart.

    Args:
        kept: The tables.
        arm: Arm that should read higher.
        other: The other one.
        layer: The layer.
        column: A column, or ``ratio``: the hub's probability over the target's.
    """
    found = []
    for seed in kept.seeds:
        rows = [row for row in kept.rows(seed, "layers") if row["layer"] == layer and row["arm"] in (arm, other)]
        values = np.array([_ratio(row) if column == "ratio" else row[column] for row in rows])
        found.append(auc(values, np.array([row["arm"] == arm for row in rows])))
    return over_seeds(found)


def _ratio(row: Row) -> float:
    return float(np.log(row["mass_hub"] + 1e-12) - np.log(row["target_prob"] + 1e-12))


# -- 3: causality


def removal(kept: Kept, arm: str) -> Estimate:
    """Return what taking the hub's word out changes in an arm's items, net of random vectors, in nats."""
    return mean_of(kept.by_concept("ablation", _net, arm=arm, english_pivot=True))


def moved_from_target(kept: Kept, arm: str) -> Estimate:
    """Return what an equally far move away from the target itself changes: the edit that must harm."""
    return mean_of(kept.by_concept("ablation", lambda row: _net(row, "target"), arm=arm, english_pivot=True))


def removed_items(kept: Kept, arm: str) -> str:
    """Return how many items of an arm were ablated, by seed."""
    counts = [
        sum(row["arm"] == arm and row["english_pivot"] for row in kept.rows(seed, "ablation")) for seed in kept.seeds
    ]
    return ", ".join(map(str, counts))


def removal_between(kept: Kept, arm: str, other: str) -> Estimate:
    """Return the same of an arm minus another one, each item paired with the nearest in clean log-probability."""
    return mean_of([_paired(kept.rows(seed, "ablation"), arm, other) for seed in kept.seeds])


def _net(row: Row, condition: str = "own") -> float | None:
    return None if row[condition] is None or row["random"] is None else row[condition] - row["random"]


def _paired(rows: Sequence[Row], arm: str, other: str) -> Floats:
    found = []
    usable = [row for row in rows if row["english_pivot"] and _net(row) is not None]
    for direction in sorted({row["direction"] for row in usable}):
        free = [row for row in usable if row["arm"] == other and row["direction"] == direction]
        for row in (row for row in usable if row["arm"] == arm and row["direction"] == direction):
            nearest = min(free, key=lambda one: abs(one["clean_logprob"] - row["clean_logprob"]), default=None)
            if nearest is None or abs(nearest["clean_logprob"] - row["clean_logprob"]) > _LARGEST_GAP:
                continue
            free.remove(nearest)
            found.append((_net(row) or 0.0) - (_net(nearest) or 0.0))
    return np.array(found)


# -- 4: attribution


def joint_auc(kept: Kept) -> Estimate:
    """Return how well the true joint counts tell direct from semantic-pivot items among those answered rightly."""
    found = []
    for seed in kept.seeds:
        rows = [
            row
            for row in kept.rows(seed, "attribution")
            if row["correct"] and row["behaviour"] in ("direct", "semantic_pivot")
        ]
        direct = np.array([row["behaviour"] == "direct" for row in rows])
        joint = np.array([row["true_joint"] for row in rows], dtype=np.float64)
        found.append(auc(joint, direct) if direct.any() and not direct.all() else float("nan"))
    return over_seeds(found)


def attributed_items(kept: Kept) -> str:
    """Return how many semantic pivots that AUC rests on, by seed."""
    counts = [
        sum(row["correct"] and row["behaviour"] == "semantic_pivot" for row in kept.rows(seed, "attribution"))
        for seed in kept.seeds
    ]
    return ", ".join(map(str, counts))


def dose_correlation(kept: Kept) -> Estimate:
    """Return Spearman's ρ of the true joint count with the score, over the arms that the hub binds alike."""
    found = []
    for seed in kept.seeds:
        rows = [row for row in kept.rows(seed, "attribution") if row["arm"] in DOSED]
        joint = np.array([row["true_joint"] for row in rows], dtype=np.float64)
        rho = spearman(joint, np.array([row["score"] for row in rows])).statistic
        found.append(float("nan") if rho is None else rho)
    return over_seeds(found)


def counts_equal(kept: Kept) -> tuple[int, int]:
    """Return how many joint counts of `count` are those of the documents themselves, and how many there are."""
    rows = [row for seed in kept.seeds for row in kept.rows(seed, "attribution")]
    return sum(row["df_both"] == row["true_joint"] for row in rows), len(rows)


# -- 5: mining


def mined_first(kept: Kept) -> Estimate:
    """Return the share of planted pivots that are mined first of their pair."""
    return mean_of(_mined(kept, lambda row: row["rank"] == 1, planted=_languages()))


def mined_at_all(kept: Kept) -> Estimate:
    """Return the share of planted pivots that are mined."""
    return mean_of(_mined(kept, lambda row: row["rank"] is not None, planted=_languages()))


def mined_precision(kept: Kept) -> Estimate:
    """Return the share of first pivots that are the planted one, over all pairs that have any."""
    return mean_of(_mined(kept, lambda row: row["rank"] == 1 if row["pivots"] else None))


def mined_falsely(kept: Kept, arm: str) -> Estimate:
    """Return the share of an arm's pairs with any pivot, where none is planted."""
    return mean_of(_mined(kept, lambda row: row["pivots"] > 0, arm=arm))


def _mined(kept: Kept, value: Callable[[Row], float | None], **of: Any) -> list[Floats]:
    """Return a value by concept; the examples of prompts are not mined."""
    return kept.by_concept("mining", lambda row: None if row["arm"] == SHOT else value(row), **of)


def _languages() -> set[str]:
    return {language for arm in (PIVOT, OTHER) if (language := planted(arm))}


# -- 6: selection


def selected_score(kept: Kept, name: str, **of: Any) -> Estimate:
    """Return the mean Score of the model trained on a selected arm."""
    return mean_of(kept.by_concept("selection", lambda row: row["score"], selected=name, **of))


def selected_between(kept: Kept, name: str, other: str, **of: Any) -> Estimate:
    """Return how far the Score of a selected arm's model is above another's, concept by concept."""
    both = [
        kept.by_concept("selection", lambda row: row["score"], selected=selected, **of) for selected in (name, other)
    ]
    return mean_of([first - second for first, second in zip(*both, strict=True)])


BINDING = ("pair", "list")
"""Kinds of documents whose words bind two languages."""


def binding_between(kept: Kept, name: str, other: str) -> Estimate:
    """Return how far the share of a selected arm's tokens that stand in binding documents is above another's."""
    both = [selected_kinds(kept, selected, BINDING).seeds for selected in (name, other)]
    return over_seeds([first - second for first, second in zip(*both, strict=True)])


def selected_kinds(kept: Kept, name: str, kinds: Sequence[str]) -> Estimate:
    """Return the share of a selected arm's tokens that is of some kinds of documents."""
    found = []
    for seed in kept.seeds:
        rows = [row for row in kept.rows(seed, "selected") if row["selected"] == name]
        found.append(sum(row["tokens"] for row in rows if row["kind"] in kinds) / sum(row["tokens"] for row in rows))
    return over_seeds(found)
