"""Lens pivots among mined pivots, against a plain count."""

from __future__ import annotations

import numpy as np
import pytest

from pivotlens.trace.mined_recall import DEPTHS, mined_recall_rows
from pivotlens.trace.summary import TracedItems

DIRECTIONS = [("fr", "zh"), ("zh", "fr"), ("en", "zh")]


def _world(seed: int) -> tuple[TracedItems, list[dict], dict]:
    random = np.random.default_rng(seed)
    concepts = [f"c{number}" for number in range(12)]
    items, behaviours, ranks = [], [], {}
    for source, target in DIRECTIONS:
        for concept in concepts:
            sides = {"source_language": source, "target_language": target, "concept_id": concept}
            labels = {"model": "m", "prompt": "english", "shot_set": 0} | sides
            items.append(labels | {"same_spelling": False, "correct": True})
            label = ["semantic_pivot", "direct"][int(random.integers(2))]
            behaviours.append(labels | {"rule": "calibrated", "behaviour": label, "token_id": int(random.integers(40))})
            behaviours.append(behaviours[-1] | {"shot_set": 1, "behaviour": "semantic_pivot"})
            if random.random() < 0.7:
                tokens = random.permutation(40)[:20].tolist()
                ranks[concept, source, target] = {token: place for place, token in enumerate(tokens, start=1)}
    return TracedItems.of(items, "m", "english"), behaviours, ranks


@pytest.mark.parametrize("seed", range(4))
def test_recall_is_a_plain_count(seed: int) -> None:
    traced, behaviours, ranks = _world(seed)
    found = mined_recall_rows(traced, behaviours, ranks, bootstrap=100, seed=0)
    by_group = {(row["direction_group"], row["depth"]): row for row in found}
    for source, target in DIRECTIONS:
        of_direction = [
            row for row in behaviours
            if (row["source_language"], row["target_language"], row["shot_set"]) == (source, target, 0)
            and row["behaviour"] == "semantic_pivot"
        ]  # fmt: skip
        mined = {key: value for key, value in ranks.items() if key[1:] == (source, target)}
        for depth in DEPTHS:
            own, others = [], []
            for row in of_direction:
                key = (row["concept_id"], source, target)
                if key in mined:
                    own.append(mined[key].get(row["token_id"], 99) <= depth)
                    rest = [ranked for other, ranked in mined.items() if other != key]
                    others.append(np.mean([ranked.get(row["token_id"], 99) <= depth for ranked in rest]))
            row = by_group[f"{source}-{target}", depth]
            assert (row["pivots"], row["n"]) == (len(of_direction), len(own))
            assert row["recall"] == pytest.approx(np.mean(own))
            assert row["recall_others"] == pytest.approx(np.mean(others))
            assert row["recall_low"] <= row["recall"] <= row["recall_high"]
    mean = np.mean([by_group[name, 5]["recall"] for name in ("fr-zh", "zh-fr")])
    assert by_group["neither_english", 5]["recall"] == pytest.approx(mean)


def test_without_a_lens_pivot_that_was_mined_for_there_is_no_figure() -> None:
    traced, behaviours, _ = _world(0)
    rows = mined_recall_rows(traced, behaviours, {}, bootstrap=100, seed=0)
    assert rows
    assert all(row["n"] == 0 and row["recall"] is None and row["recall_others_low"] is None for row in rows)
    assert mined_recall_rows(traced, [], {}, bootstrap=100, seed=0) == []
