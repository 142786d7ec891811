"""Tables of ``train``: losses by step, checkpoints, and what each could do."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    CODE,
    DIRECTION_OR_ALL,
    INTEGER,
    NATS,
    NONE,
    NUMBER,
    SHARE,
    STRING,
    Column,
    estimate,
    table,
)

_TRAINING = (
    Column("arm", STRING, NONE, "What it was trained on."),
    Column("seed", INTEGER, "seed", "Seed of the order of its sequences, and of new weights."),
)
_AT = (
    *_TRAINING,
    Column("step", INTEGER, "number from 1", "Steps taken; 0 is the model before the first."),
    Column("tokens", INTEGER, "tokens", "Tokens read by then."),
)
_LOSS = "Mean negative log-probability of a token given those before it in its sequence"

TABLES = {
    "steps": table(
        "A step of a training.",
        *_AT,
        Column("loss", NUMBER, NATS, f"{_LOSS}, over the step's sequences, before its update."),
        Column("learning_rate", NUMBER, "rate", "Learning rate of the step."),
        Column("gradient_norm", NUMBER, "norm", "Euclidean norm of the gradient before it was clipped."),
    ),
    "checkpoints": table(
        "A checkpoint of a training.",
        *_AT,
        Column("model", STRING, NONE, "How a model spec names it."),
        Column("loss", NUMBER, NATS, f"{_LOSS}, over the steps since the checkpoint before; empty at step 0."),
        Column("bytes", INTEGER, "bytes", "Size of its folder."),
    ),
    "evaluations": table(
        "A direction of the benchmark at a checkpoint.",
        *_AT,
        *DIRECTION_OR_ALL,
        Column("n", INTEGER, "items", "Items scored."),
        estimate("score", "score, −1–1", "Mean Score, as of `pivotlens score` with one shot set.", "concepts"),
        Column("probability_share", NUMBER, SHARE, "Mean probability share of the right source word."),
        Column("accuracy_10way", NUMBER, SHARE, "Share of items whose right source word is first; ties count 1/k."),
    ),
    "held_out": table(
        "A language of the held-out corpus at a checkpoint; `all` is over all its languages.",
        *_AT,
        Column("language", STRING, CODE, "Language of the documents; `all` for all of them."),
        Column("n", INTEGER, "units", "Pieces of documents read."),
        Column("bytes", INTEGER, "bytes", "Their text in UTF-8."),
        estimate("bits_per_byte", "bits per byte", "−log2 P of the text over its bytes.", "units"),
    ),
    "summary": table(
        "A training.",
        *_TRAINING,
        Column("steps", INTEGER, "steps", "Steps taken."),
        Column("tokens", INTEGER, "tokens", "Tokens read."),
        Column("arm_tokens", INTEGER, "tokens", "Tokens of the arm's sequences that were read, each counted once."),
        Column("passes", NUMBER, "passes", "`tokens` / `arm_tokens`: how often each was read."),
        Column("documents", INTEGER, "documents", "Documents of the arm."),
        Column("model", STRING, NONE, "How a model spec names the last checkpoint."),
        Column("loss_first", NUMBER, NATS, f"{_LOSS}, over the first tenth of the steps."),
        Column("loss_last", NUMBER, NATS, f"{_LOSS}, over the last tenth of the steps."),
        Column("score", NUMBER, "score, −1–1", "Score of the last checkpoint over all directions; empty unscored."),
        Column("bits_per_byte", NUMBER, "bits per byte", "Of the last checkpoint over all languages; empty unread."),
    ),
}
