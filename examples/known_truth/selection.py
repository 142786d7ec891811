"""The pool that documents are selected from: sentence pairs that bind languages among such as only look like them.

Nothing but their words tells them apart: languages, length, form and source are the same.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from examples.known_truth.arms import draw_arms
from examples.known_truth.chain import DIRECTIONS, Chain, Effort, reading, training
from examples.known_truth.documents import alone, decoys, lists, pairs, shuffled
from examples.known_truth.words import FIRST, HUB, SECOND, make_vocabulary
from examples.known_truth.world import WorldSettings, truth, write_corpus, write_setting

SELECTED = ("top", "matched", "pseudo_pivots", "random")
"""Arms of the selection, the one that is asked about first."""
BASE, REPLAY = "base", "replay"


@dataclass(frozen=True)
class Pool:
    """How the pool is mixed, and how much of it is taken.

    Attributes:
        decoys: How often every sentence stands beside an unlike one.
        budget: Tokens of B, and as many of C, that each arm takes.
    """

    decoys: int = 6
    budget: int = 300_000


def make_pool(settings: WorldSettings, pool: Pool, folder: Path) -> Path:
    """Write two corpora: ``base``, lists and text in the hub, and ``pool``, sentences in two languages.

    Args:
        settings: What makes the world.
        pool: How the pool is mixed.
        folder: Where it goes: both, the base's lists as ``replay``, what `write_setting` writes, and the pool's
            ``truth.parquet``.

    Returns:
        The folder.
    """
    vocabulary = make_vocabulary(settings.words, settings.seed)
    arms = draw_arms(vocabulary, settings.seed)
    random = np.random.default_rng([settings.seed, 3])
    mixed = [*pairs(vocabulary, arms, random)]
    for _ in range(pool.decoys):
        mixed += decoys(vocabulary, arms, random)
    kept = list(lists(vocabulary, arms, settings.amounts, random))
    write_corpus(shuffled([*alone(vocabulary, settings.amounts.alone), *kept], random), folder / BASE)
    write_corpus(shuffled(kept, random), folder / REPLAY)
    write_corpus(shuffled(mixed, random), folder / "pool")
    write_setting(vocabulary, arms, settings.model, folder)
    pq.write_table(truth(vocabulary, arms, mixed), folder / "truth.parquet")
    return folder


def select_and_train(world: Path, run: Path, pool: Pool, effort: Effort, seed: int) -> list[Chain]:
    """Return the chains, in order: select from the pool; train the base model; train it further on each arm, score.

    Before the last one, `mix_arms` puts the base's lists beside what was selected, so that they are not forgotten.

    Args:
        world: As `make_pool` writes it.
        run: Folder of the three run folders.
        pool: How much is taken.
        effort: How much is trained and measured.
        seed: Of the model's weights and the order of the corpora.
    """
    bench = {"words": str(world / "words.tsv")}
    corpus = reading(world / "pool") | {"tokenizer": str(world / "tokenizer"), "unit": "document"}
    asked = {"directions": [*DIRECTIONS, f"{HUB}-{FIRST}", f"{HUB}-{SECOND}"], "shots": 5}
    selecting = {
        "bench": bench,
        "count": corpus,
        "mine": {"directions": asked["directions"]},
        "select": corpus
        | {
            "arms": list(SELECTED),
            "languages": [FIRST, SECOND],
            "budget_tokens": pool.budget,
            "min_tokens": 4,
            "max_repetition": 1.0,
            "sequence_length": effort.sequence_length,
            "formats": ["parquet"],
        },
    }
    base = {"bench": bench, "train": training(world, effort, seed, [f"{BASE}={world / BASE}"])}
    further = training(world, effort, seed, [f"{arm}={run / 'mixed' / arm}" for arm in SELECTED])
    del further["configuration"], further["tokenizer"]
    models = [f"run:train/{arm}" for arm in SELECTED]
    trained = {
        "bench": bench,
        "train": further
        | {
            "model": f"run:{run / BASE}:train/{BASE}",
            "learning_rate": effort.learning_rate / 2,
            "unequal_arms": "cut",
        },
        "score": asked
        | {
            "model": models[0],
            "also_models": [*models[1:], f"run:{run / BASE}:train/{BASE}"],
            "shot_sets": effort.shot_sets,
            "newline": "left",
        },
    }
    return [
        Chain(run / "select", selecting),
        Chain(run / BASE, base),
        Chain(run / "arms", trained),
    ]


def mix_arms(world: Path, run: Path) -> None:
    """Put the base's lists beside the documents of each selected arm."""
    for arm in SELECTED:
        folder = run / "mixed" / arm
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for kind, files in ((REPLAY, world / REPLAY), (arm, run / "select" / "select" / arm)):
            for file in sorted(files.glob("**/*.parquet")):
                shutil.copyfile(file, folder / f"{kind}-{file.name}")
