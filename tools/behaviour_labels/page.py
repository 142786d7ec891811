"""docs/results/behaviour-rules.md: the rules of `pivotlens trace` against labelled items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq

from pivotlens.trace.behaviours import rules
from pivotlens.trace.config import TraceConfig
from tools.behaviour_labels.draw import SHOWN_PROBABILITY
from tools.behaviour_labels.evaluate import Found, found_by, halves, views
from tools.behaviour_labels.labels import CODES, agreement, item_labels, read_pass, read_shown, settled
from tools.results_pages import RESULTS, markdown_table

LABELLED = Path(__file__).parent / "labelled"
PAGE = RESULTS / "behaviour-rules.md"
RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0)
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3)
SPLIT_SEED = 0
_MEANING = {
    "T": "target", "S": "source", "E": "English equivalent", "O": "equivalent in another language", "R": "related",
    "J": "junk",
}  # fmt: skip


def page(folder: Path = LABELLED) -> str:
    """Return the page."""
    shown = read_shown(folder)
    first, second = (read_pass(folder / f"pass_{number}.tsv", shown) for number in (1, 2))
    third = _third(folder)
    judged = settled(first, second, third)
    labels = item_labels(folder, judged, SHOWN_PROBABILITY)
    by_pass = [item_labels(folder, one, SHOWN_PROBABILITY) for one in (first, second)]
    names = sorted(set(labels.values()) | set(by_pass[0].values()) | set(by_pass[1].values()))
    items = pq.read_table(folder / "items.parquet").to_pylist()
    tuning, held_out = halves(folder, SPLIT_SEED)
    read = views(folder)
    defaults = TraceConfig(model="none")
    tokens, alike, kappa = agreement(first, second)
    _, items_alike, items_kappa = _item_agreement(by_pass[0], by_pass[1], names)
    directions = Counter(f"{row['source_language']}→{row['target_language']}" for row in items)
    lines = [
        "# The rules of behaviour against labelled items",
        "<!-- Written by `python -m tools.behaviour_labels page`; do not edit. -->",
        "",
        f"{len(items)} items that Gemma-3-270M translated "
        f"({', '.join(f'{name} {n}' for name, n in directions.items())}), "
        "drawn at random among those spelled differently in both languages. Every token that came to a probability of "
        f"{SHOWN_PROBABILITY:g} at a layer between the embeddings and the last was judged by itself, blind to layer, "
        "probability and rule, in two independent passes by language models under one "
        "[guideline](../../tools/behaviour_labels/GUIDELINE.md); where they differ, a third one decided.",
        "",
        "An item's label is what its most probable judged token is, junk left out: an equivalent or a related word "
        "makes a semantic pivot. The rules answer the same question without a judge.",
        "",
        "## The judges",
        "",
        f"Over {tokens:,} tokens the passes agree on {alike:.1%}, Cohen's kappa {kappa:.2f}; over the items' labels on "
        f"{items_alike:.1%}, kappa {items_kappa:.2f}.",
        "",
        *markdown_table(
            ["judged", *(f"pass {number}" for number in (1, 2)), "settled"],
            (
                [
                    _MEANING[code],
                    *(f"{sum(found == code for found in one.values()):,}" for one in (first, second, judged)),
                ]
                for code in CODES
            ),
        ),
        "",
        *markdown_table(
            ["label", "items", "to tune on", "held out"],
            (
                [
                    name.replace("_", " "),
                    f"{sum(label == name for label in labels.values())}",
                    *(f"{sum(labels[item] == name for item in half)}" for half in (tuning, held_out)),
                ]
                for name in names
            ),
        ),
        "",
        "## Semantic pivots found, on the held-out half",
        "",
        "The halves share no concept. Intervals are Wilson's, 95 %. "
        f"`calibrated` and `onset` at their defaults (ratio {defaults.ratio:g}, threshold {defaults.threshold:g}).",
        "",
        *_found_table(
            found_by(name, rule, read, labels, held_out)
            for name, rule in rules(defaults.ratio, defaults.threshold).items()
        ),
        "",
        "By direction, rule `calibrated`, both halves:",
        "",
        *_found_table(
            (
                found_by(
                    name,
                    rules(defaults.ratio, defaults.threshold)["calibrated"],
                    read,
                    labels,
                    {row["item"] for row in items if f"{row['source_language']}→{row['target_language']}" == name},
                )
                for name in directions
            ),
            "direction",
        ),
        "",
        "## Thresholds of `calibrated`, on the half to tune on",
        "",
        "Precision / recall of semantic pivots.",
        "",
        *markdown_table(
            ["ratio", *(f"threshold {threshold:g}" for threshold in THRESHOLDS)],
            (
                [
                    f"{ratio:g}",
                    *(
                        _short(found_by("", rules(ratio, threshold)["calibrated"], read, labels, tuning))
                        for threshold in THRESHOLDS
                    ),
                ]
                for ratio in RATIOS
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


def _third(folder: Path) -> dict[tuple[int, str], str]:
    found: dict[tuple[int, str], str] = {}
    for line in (folder / "third.tsv").read_text(encoding="utf-8").splitlines():
        item, token, code = line.split("\t")
        found[int(item), token] = code
    return found


def _item_agreement(first: dict[int, str], second: dict[int, str], names: list[str]) -> tuple[int, float, float]:
    codes = {name: chr(ord("a") + number) for number, name in enumerate(names)}
    one, other = ({(item, ""): codes[label] for item, label in side.items()} for side in (first, second))
    return agreement(one, other, "".join(codes.values()))


def _found_table(rows: Iterable[Found], first: str = "rule") -> list[str]:
    return markdown_table(
        [first, "labelled", "called", "both", "precision", "recall", "F1"],
        (
            [
                f"`{row.rule}`" if first == "rule" else row.rule,
                f"{row.labelled}",
                f"{row.called}",
                f"{row.both}",
                *(f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in (row.precision, row.recall)),
                f"{row.f1:.3f}",
            ]
            for row in rows
        ),
    )


def _short(found: Found) -> str:
    return f"{found.precision[0]:.2f} / {found.recall[0]:.2f}"
