"""Made-up ablations of the report's test run: harm that grows with the dose, and sums of the stage's own making."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pivotlens.ablate.effects import all_contrasts, conditions, dose_curves, side_effects
from pivotlens.text import Direction

DOSES = (0.5, 1.0, 2.0)
_CHANGE = {
    "random": -0.05, "matched": -0.1, "other": -0.2, "early": -0.1, "synonym": -0.8, "last_layer": -0.1, "swap": 0.6,
    "swap_unrelated": 0.0, "unrelated_item": -0.02, "unrelated_text": 0.01,
}  # fmt: skip
Row = dict[str, Any]


def ablation_tables(pairs: Sequence[Direction], concepts: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    """Rows of the tables of `ablate`."""
    rows: list[Row] = []
    for pair in pairs:
        for number, concept in enumerate(concepts):
            behaviour = "semantic_pivot" if number % 2 else "direct"
            base = {"model": "demo:gemma-3-270m", "prompt": "english", "source_language": pair.source}
            base |= {"target_language": pair.target, "concept_id": concept, "behaviour": behaviour, "half": "test"}
            base |= {"correct": number % 4 < 2, "pivot_id": 9, "english_pivot": "en" not in pair, "repeat": 0}
            base |= {"first_layer": 9, "last_layer": 11, "norm": 4.0, "relative_norm": 0.01, "kl": 0.02}
            base |= {"clean_logprob": -3.0 - 0.1 * number, "dose": 1.0}
            changes = [("own", dose, -dose * (1.0 if number % 2 else 0.2)) for dose in DOSES]
            kinds = _CHANGE if number % 2 else {"random": _CHANGE["random"]}
            changes += [(name, 1.0, change) for name, change in kinds.items()]
            for condition, dose, mean in changes:
                change = mean + float(rng.normal(0, 0.05))
                rows.append(base | {"condition": condition, "dose": dose, "change": change})
    effects = all_contrasts(rows, DOSES, 50, 0)
    return {
        "items": rows,
        "windows": [
            {"first_layer": 9, "last_layer": 11, "n": 12, "own": -0.4, "other": -0.1, "chosen": True},
            {"first_layer": 8, "last_layer": 12, "n": 12, "own": -0.4, "other": -0.2, "chosen": False},
        ],
        "effects": [vars(one) for one in effects],
        "conditions": [vars(one) for one in conditions(effects, DOSES)],
        "doses": dose_curves(rows, DOSES, 50, 0),
        "side_effects": side_effects(rows, 50, 0),
    }
