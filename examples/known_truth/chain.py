"""What is done in a world: the stages of pivotlens, as one small configuration."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.known_truth.words import FIRST, SECOND
from pivotlens import Pipeline
from pivotlens.artifacts import Plan

ARM = "world"
"""Name of the one corpus that a world's model is trained on."""
DIRECTIONS = (f"{FIRST}-{SECOND}", f"{SECOND}-{FIRST}")
"""B→C and C→B: the directions in which nothing but the arms tells what the model has read."""


@dataclass(frozen=True)
class Effort:
    """How much is trained and measured.

    Attributes:
        sequence_length: Tokens of a training sequence.
        batch_sequences: Sequences of a step.
        learning_rate: The highest one.
        checkpoints: Numbers of tokens at which the model is kept and scored, beside the end.
        shot_sets: Sets of examples that items are scored with.
        ablated: Most items of a direction and behaviour in each half that are ablated.
        lens_tokens: Tokens that the affine lens is trained on.
        top_tokens: Tokens kept of every layer: E's word is read among them.
    """

    sequence_length: int = 128
    batch_sequences: int = 8
    learning_rate: float = 2e-3
    checkpoints: tuple[int, ...] = (600_000, 1_200_000, 1_800_000, 2_400_000)
    shot_sets: int = 3
    ablated: int = 400
    lens_tokens: int = 40_000
    top_tokens: int = 50


def reading(corpus: Path) -> dict[str, Any]:
    """Return how every stage reads a corpus: a document is a unit, and its label is believed."""
    return {"corpus": str(corpus), "identify": "label", "boilerplate_share": 0.0}


def training(world: Path, effort: Effort, seed: int, arms: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a training from scratch."""
    return {
        "configuration": str(world / "model.json"),
        "tokenizer": str(world / "tokenizer"),
        "arms": list(arms),
        "seeds": [seed],
        "sequence_length": effort.sequence_length,
        "batch_sequences": effort.batch_sequences,
        "learning_rate": effort.learning_rate,
    }


def steps_of(effort: Effort) -> list[str]:
    """Return the references to a world's checkpoints, in order: those at set tokens; the last has no step."""
    step = effort.sequence_length * effort.batch_sequences
    return [f"run:train/{ARM}@step-{-(-tokens // step)}" for tokens in effort.checkpoints]


@dataclass(frozen=True)
class Chain:
    """Stages with their settings, in the order of work; a stage that is done for the same inputs is not done again.

    Attributes:
        folder: The run folder.
        stages: Settings by stage.
    """

    folder: Path
    stages: Mapping[str, Mapping[str, Any]]

    def run(self) -> None:
        """Do what has to be done, and say it."""
        for name, settings in self.stages.items():
            Pipeline.of_stage(name, self.folder, None, settings).run(self._say)

    def _say(self, plan: Plan[Any]) -> None:
        print(f"{time.strftime('%H:%M:%S')} {self.folder}: {plan.stage} {plan.reason or 'is there'}", flush=True)


READING_LAYERS = ("bench", "train", "score", "trace")
"""Stages of a world in which only transfer and layers are asked for."""


def measure_world(world: Path, run: Path, effort: Effort, seed: int, *, whole: bool = True) -> Chain:
    """Return the chain of a world: read, train, score, trace, ablate, count, mine, attribute.

    Args:
        world: As `make_world` writes it.
        run: The run folder.
        effort: How much is trained and measured.
        seed: Of the model's weights and the order of the corpus.
        whole: Whether every instrument is used, and not `READING_LAYERS` alone.
    """
    model = f"run:train/{ARM}"
    asked = {"directions": list(DIRECTIONS), "shots": 5}
    stages: dict[str, dict[str, Any]] = {
        "bench": {"words": str(world / "words.tsv")},
        "count": reading(world / "corpus") | {"tokenizer": str(world / "tokenizer"), "unit": "document"},
        "mine": {"directions": list(DIRECTIONS)},
        "train": training(world, effort, seed, [f"{ARM}={world / 'corpus'}"])
        | {"checkpoint_tokens": list(effort.checkpoints)},
        "score": asked
        | {"model": model, "also_models": steps_of(effort), "shot_sets": effort.shot_sets, "newline": "left"},
        "lens": reading(world / "corpus") | {"model": model, "tokens": effort.lens_tokens},
        "trace": asked | {"model": model, "also_models": steps_of(effort), "top_k": effort.top_tokens},
        "ablate": {"max_items": effort.ablated},
        "attribute": {},
    }
    return Chain(run, {name: of for name, of in stages.items() if whole or name in READING_LAYERS})
