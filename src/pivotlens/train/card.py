"""The model card of a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pivotlens.text import inline_code
from pivotlens.train.arms import Training
from pivotlens.train.kept import History
from pivotlens.train.packed import Packed

# Settings that a reader of the card wants to know, in order.
_SHOWN = (
    "sequence_length", "batch_sequences", "learning_rate", "schedule", "warmup", "decay", "final_rate", "weight_decay",
    "beta2", "gradient_clip", "precision",
)  # fmt: skip


@dataclass(frozen=True)
class Described:
    """What a card tells of.

    Attributes:
        training: The training.
        corpus: Its arm, as the settings name it.
        begun_with: The model or the configuration that it began with, as the settings name it.
        from_scratch: Whether that is a configuration.
        packed: What it read.
        settings: The stage's settings.
        tokens: Tokens read.
    """

    training: Training
    corpus: str
    begun_with: str
    from_scratch: bool
    packed: Packed
    settings: Mapping[str, Any]
    tokens: int


def model_card(of: Described, history: History) -> str:
    """Return the card in Markdown."""
    tenth = max(1, len(history) // 10)
    first, last = (sum(part) / len(part) for part in (history.losses[:tenth], history.losses[-tenth:]))
    arm = inline_code(of.training.arm)
    begun = "weights drawn anew by the configuration" if of.from_scratch else "the weights of"
    rows = "\n".join(f"| {name} | {inline_code(of.settings[name])} |" for name in _SHOWN)
    licence = (
        "The weights follow from the documents alone; whether and how they may be passed on follows from the terms of "
        "the documents."
        if of.from_scratch
        else f"The weights are derived from those of {inline_code(of.begun_with)}: its licence holds for them too, "
        "beside the terms of the documents."
    )
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

# {inline_code(of.training.name)}

A causal language model trained by `pivotlens train` on arm {arm}, to be compared with the models of
the other arms of the same run. It began with {begun} {inline_code(of.begun_with)} and read {of.tokens:,} tokens in
{len(history):,} steps, in the order of seed {of.training.seed}.

| read | |
|---|---|
| corpus | {inline_code(of.corpus)} |
| documents | {of.packed.documents:,} |
| tokens after packing | {of.packed.sequences * of.packed.length:,} |
| loss over the first tenth of the steps | {first:.4f} nats |
| loss over the last tenth of the steps | {last:.4f} nats |

| setting | |
|---|---|
{rows}

## Licence

{licence} Nothing was filtered for safety.
"""
