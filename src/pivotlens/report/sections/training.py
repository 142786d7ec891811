"""Trained models: losses, and what their checkpoints could do, by tokens and arm."""

from __future__ import annotations

from collections.abc import Sequence

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.run_tables import Row, RunTables, rows
from pivotlens.report.sections import parts as p
from pivotlens.report.wording import language_name

# Roles of the arms, in their order; more of them begin again.
_ROLES = ("s-both", "s-raw", "s-tuned", "c-english", "c-random", "c-mined")
# Steps that a loss curve shows: of more, evenly spaced ones.
_SHOWN_STEPS = 120


def training(run: RunTables) -> b.Section | None:
    """Build the section from ``train/steps``, ``train/evaluations``, ``train/held_out`` and ``train/summary``."""
    found = rows(run.train, "summary")
    if not found:
        return None
    steps = p.by(rows(run.train, "steps"), _training)
    thinned = [row for own in steps.values() for row in own[:: max(1, len(own) // _SHOWN_STEPS)]]
    scored = [row for row in rows(run.train, "evaluations") if row["source_language"] == "all"]
    read = [row for row in rows(run.train, "held_out") if row["language"] == "all"]
    figures = [
        _chart("training-loss", "Loss of each step", thinned, "loss", ("loss", "nats a token")),
        *([_chart("training-score", "Score of each checkpoint", scored, "score", ("Score", "at most 1"))]
          if scored else []),
        *([_chart("training-bits", "Held-out text", read, "bits_per_byte", ("held-out text", "bits a byte"))]
          if read else []),
    ]  # fmt: skip
    said = p.lede(
        "Each arm trained a model of its own, on equally many tokens, in the same order of steps and at the same "
        "learning rates. Checkpoints are models for `score` and `trace`."
    )
    fields = (
        p.text("arm", "arm"),
        p.number("seed", lambda row: str(row["seed"])),
        *(p.value(name, column, "count") for name, column in (
            ("steps", "steps"), ("tokens", "tokens"), ("documents of the arm", "documents"),
        )),
        p.value("loss, first tenth", "loss_first"), p.value("loss, last tenth", "loss_last"),
        *(p.value(title, name) for title, name in (("score", "score"), ("bits a byte", "bits_per_byte"))
          if any(row[name] is not None for row in found)),
        p.code("checkpoint", "model"),
    )  # fmt: skip
    blocks: list[b.Block] = [
        said, b.Grid(tuple(figures), "multiples wide-charts"), p.table("training", "Trainings", found, fields)
    ]  # fmt: skip
    blocks += p.folded("By direction and language, at the last checkpoint", *_details(run))
    return b.Section("training", "Training", tuple(blocks))


def _training(row: Row) -> tuple[str, int]:
    return row["arm"], row["seed"]


def _chart(name: str, title: str, found: Sequence[Row], column: str, axis: tuple[str, str]) -> b.Figure:
    """Draw a column over the tokens read, a line for each training."""
    by_training = p.by(found, _training)
    arms, several = list(dict.fromkeys(arm for arm, _ in by_training)), len({seed for _, seed in by_training}) > 1
    lines = []
    for (arm, seed), own in by_training.items():
        values = [p.interval(row, column) for row in own]
        mark = "band" if column == "loss" or several else "spots"
        named = f"{arm}, seed {seed}" if several else arm
        lines.append(charts.Line(named, _ROLES[arms.index(arm) % len(_ROLES)], [row["tokens"] for row in own], values,
                                 mark))  # fmt: skip
    x = charts.Axis("tokens read", "tokens", charts.nice_ticks(max(row["tokens"] for row in found) or 1))
    y = charts.value_axis(*axis, p.ends_of(p.interval(row, column) for row in found))
    return b.Figure(name, charts.line_chart(title, lines, x, y), (title,))


def _details(run: RunTables) -> tuple[b.Block, ...]:
    last = {_training(row): row["steps"] for row in rows(run.train, "summary")}

    def at_the_end(table: str, column: str) -> list[Row]:
        return [row for row in rows(run.train, table) if row["step"] == last[_training(row)] and row[column] != "all"]

    which = (p.text("arm", "arm"), p.number("seed", lambda row: str(row["seed"])))
    score = (*which, p.DIRECTION, p.estimate("Score", "score"), p.value("10-way accuracy", "accuracy_10way", "share"),
             p.ITEMS)  # fmt: skip
    read = (*which, p.text("language", lambda row: language_name(row["language"])),
            p.estimate("bits a byte", "bits_per_byte"))  # fmt: skip
    return (
        p.table("training-directions", "Score by direction", at_the_end("evaluations", "source_language"), score),
        p.table("training-languages", "Held-out text by language", at_the_end("held_out", "language"), read),
    )
