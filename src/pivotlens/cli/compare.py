"""`pivotlens score --compare`: two scored models, item by item."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rich.table import Table

from pivotlens.artifacts import Scores
from pivotlens.cli.terminal import print_json, results_console
from pivotlens.errors import ConfigError
from pivotlens.score.comparison import Comparison, compare_scores, find_scored

_HOW = (
    "95 % interval: bootstrap of the difference, {:,} resamples of concepts (in all directions at once) and shot sets. "
    "p: two-sided sign-flip test, which flips a concept's differences in all directions at once."
)


def compare(names: list[str], run: Path | None, *, bootstrap: int, seed: int, as_json: bool) -> None:
    """Print the paired comparison of two scored models.

    Args:
        names: Two run folders, or two models scored in ``run``.
        run: The run folder given beside them, or None.
        bootstrap: Resamples of the intervals.
        seed: Of all that is drawn.
        as_json: Whether to print one JSON object instead of a table.

    Raises:
        ConfigError: They are not two, or one of them is unknown.
    """
    if len(names) != 2:
        raise ConfigError(
            f"--compare takes two names, not {len(names)}", "Give two run folders, or two models of --run."
        )
    scores = None if run is None else Scores.load(run)
    first, second = (find_scored(name, scores, Scores.load_if_there(name)) for name in names)
    result: Comparison = compare_scores(first, second, bootstrap=bootstrap, seed=seed)
    if as_json:
        print_json(dataclasses.asdict(result))
        return

    table = Table(
        title=f"second: {names[1]}, {_side(result.second)}; first: {names[0]}, {_side(result.first)}",
        title_justify="left",
    )
    for heading in ("direction", "item set", "figure", "n", "first", "second", "difference", "95 % interval", "p"):
        table.add_column(heading, justify="left" if heading in ("direction", "item set", "figure") else "right")
    for row in result.rows:
        pair = "all" if row.source_language == "all" else f"{row.source_language}→{row.target_language}"
        numbers = (f"{value:.4f}" for value in (row.first, row.second))
        table.add_row(
            pair,
            row.item_set.replace("_", " "),
            row.figure if row.comparable else f"incomparable {row.figure}",
            str(row.n),
            *numbers,
            f"{row.difference:+.4f}",
            f"[{row.ci_low:+.4f}, {row.ci_high:+.4f}]".replace("[", r"\["),
            f"{row.p_value:.2g}" if row.p_value >= 1e-3 else f"{row.p_value:.0e}",
        )
    console = results_console()
    console.print(table)
    for note in (*result.notes, _HOW.format(bootstrap)):
        console.print(note, markup=False, soft_wrap=True)


def _side(side: tuple[str, str]) -> str:
    return f"{side[0]} ({side[1]} prompt)"
