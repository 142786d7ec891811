"""docs/results/behaviour-rules.md: the rules of `pivotlens trace` against labelled items."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pyarrow.parquet as pq

from pivotlens.trace.behaviours import ItemView, rules
from pivotlens.trace.config import TraceConfig
from tools.behaviour_labels.draw import SHOWN_PROBABILITY
from tools.behaviour_labels.evaluate import Found, Rule, found_by, views
from tools.behaviour_labels.labels import CODES, agreement, item_labels, read_pass, read_shown, settled, third_judge
from tools.behaviour_labels.languages import languages_section
from tools.results_pages import RESULTS, markdown_table

LABELLED = Path(__file__).parent / "labelled"
PAGE = RESULTS / "behaviour-rules.md"

Item = tuple[int, int]
Judged = dict[tuple[Item, str], str]

RATIOS = (3.0, 10.0, 30.0, 50.0, 100.0)
THRESHOLDS = (0.1, 0.15, 0.2, 0.3)
_MEANING = {
    "T": "target", "S": "source", "E": "English equivalent", "O": "equivalent in another language", "R": "related",
    "J": "junk",
}  # fmt: skip

# Figures of a code that is gone: they cannot be computed again.
_CHANGED = (
    "## What changed since the held-out items were looked at",
    "",
    "A token that writes a complete source word is the source's now, where it was the target's because a target word "
    "begins with it or is a form of it (*banane* → *banana*, *lampe* → *lamp*, *guitar* → *guitare*). No kept token of "
    "the held-out items is one, so that all of their figures are as they were first published: `calibrated` "
    "precision 0.897, recall 0.908 before and after. Looked at once more only to report this. Of the items to tune on, "
    "tokens of 7 changed sides; the judges call the token the source's in 4 of them and the target's in 2, one was not "
    "judged. No item became or ceased to be a pivot; between `direct` and `copy`, `calibrated` agrees with the labels "
    "on 1,199 items before and after (one better: *ange*; one worse: *ballet*), `onset` on one fewer.",
    "",
    "What each kept token is to its item follows from the words of `word-translation` 1.0. By those of 1.1 "
    "(`python -m tools.behaviour_labels roles` with a run of 1.1, on a copy) 501 of the 36,624 held-out tokens are "
    "something else to it, most of them now of a side, and `calibrated` has precision 0.926 [0.886, 0.953] and recall "
    "0.904 [0.861, 0.935]. Looked at only to report this.",
    "",
)


class LabelledSet:
    """Judged draws; an item is known by the number of its draw and its own.

    Args:
        folders: Of the draws, each with two passes and the third judge's decisions.
    """

    def __init__(self, *folders: Path) -> None:
        self.first: Judged = {}
        self.second: Judged = {}
        self.judged: Judged = {}
        self.labels: dict[Item, str] = {}
        self.labels_of_passes: tuple[dict[Item, str], dict[Item, str]] = ({}, {})
        self.views: dict[Item, ItemView] = {}
        self.directions: dict[str, set[Item]] = {}
        for draw, folder in enumerate(folders):
            shown = read_shown(folder)
            first, second = (read_pass(folder / f"pass_{number}.tsv", shown) for number in (1, 2))
            judged = settled(first, second, third_judge(folder))
            for mine, of_draw in ((self.first, first), (self.second, second), (self.judged, judged)):
                mine |= {((draw, item), token): code for (item, token), code in of_draw.items()}
            for labels, codes in ((self.labels, judged), *zip(self.labels_of_passes, (first, second), strict=True)):
                labels |= {(draw, item): label for item, label in item_labels(folder, codes, SHOWN_PROBABILITY).items()}
            self.views |= {(draw, item): view for item, view in views(folder).items()}
            for row in pq.read_table(folder / "items.parquet").to_pylist():
                name = f"{row['source_language']}→{row['target_language']}"
                self.directions.setdefault(name, set()).add((draw, row["item"]))

    def describe(self) -> str:
        """Name the directions and their numbers of items."""
        return ", ".join(f"{name} {len(items)}" for name, items in self.directions.items())

    def agreement(self) -> str:
        """Say how the passes agree."""
        tokens, alike, kappa = agreement(self.first, self.second)
        names = sorted(set(self.labels_of_passes[0].values()) | set(self.labels_of_passes[1].values()))
        codes = {name: chr(ord("a") + number) for number, name in enumerate(names)}
        one, other = ({(item, ""): codes[label] for item, label in side.items()} for side in self.labels_of_passes)
        _, items_alike, items_kappa = agreement(one, other, "".join(codes.values()))
        return (
            f"over {tokens:,} tokens the passes agree on {alike:.1%}, Cohen's kappa {kappa:.2f}; "
            f"over the items' labels on {items_alike:.1%}, kappa {items_kappa:.2f}"
        )

    def found(self, name: str, rule: Rule, chosen: Collection[Item] | None = None) -> Found:
        """Hold a rule against the labels of chosen items, all of them unless given."""
        return found_by(name, rule, self.views, self.labels, self.views.keys() if chosen is None else chosen)


def page(folder: Path = LABELLED) -> str:
    """Return the page."""
    tuning, held_out = LabelledSet(folder / "first", folder / "second"), LabelledSet(folder / "held_out")
    n_second = len(read_shown(folder / "second"))
    both = {"to tune on": tuning, "held out": held_out}
    defaults = TraceConfig(model="none")
    by_name = rules(defaults.ratio, defaults.threshold)
    lines = [
        "# The rules of behaviour against labelled items",
        "<!-- Written by `python -m tools.behaviour_labels page`; do not edit. -->",
        "",
        f"Items that Gemma-3-270M translated, drawn at random among those spelled differently in both languages. The "
        f"rule `calibrated` was given its form and thresholds on {len(tuning.views):,} of them ({tuning.describe()}). "
        f"{len(held_out.views):,} others ({held_out.describe()}), of concepts that the first do not hold, were drawn "
        f"and judged after that, and looked at once. The second {n_second:,} of the items to tune on had been "
        f"held out in the same way for an earlier form of the rule.",
        "",
        f"Every token that came to a probability of {SHOWN_PROBABILITY:g} at a layer between the embeddings and the "
        "last was judged by itself, blind to layer, probability and rule, in two independent passes by language models "
        "under one [guideline](../../tools/behaviour_labels/GUIDELINE.md); where they differ, a third one decided. "
        "Passes of language models are not as independent as people would be.",
        "",
        "An item's label is what its most probable judged token is, junk left out: an equivalent or a related word "
        "makes a semantic pivot. The rules answer the same question without a judge.",
        "",
        "## Semantic pivots found, held-out items",
        "",
        "Intervals are Wilson's, 95 %. `calibrated` and `onset` at their defaults "
        f"(ratio {defaults.ratio:g}, threshold {defaults.threshold:g}).",
        "",
        *_found_table(held_out.found(name, rule) for name, rule in by_name.items()),
        "",
        "By direction, rule `calibrated`:",
        "",
        *_found_table(
            (held_out.found(name, by_name["calibrated"], items) for name, items in held_out.directions.items()),
            "direction",
        ),
        "",
        *_CHANGED,
        "## The same on the items that the rule was made on",
        "",
        *_found_table(tuning.found(name, rule) for name, rule in by_name.items()),
        "",
        "Thresholds of `calibrated`, precision / recall of semantic pivots:",
        "",
        *markdown_table(
            ["ratio", *(f"threshold {threshold:g}" for threshold in THRESHOLDS)],
            (
                [
                    f"{ratio:g}",
                    *(_short(tuning.found("", rules(ratio, threshold)["calibrated"])) for threshold in THRESHOLDS),
                ]
                for ratio in RATIOS
            ),
        ),
        "",
        *languages_section(folder / "languages"),
        "## The judges",
        "",
        *(f"- Items {name}: {one.agreement()}." for name, one in both.items()),
        "",
        *markdown_table(
            ["judged", *(f"{name}, {which}" for name in both for which in ("pass 1", "pass 2", "settled"))],
            (
                [
                    _MEANING[code],
                    *(
                        f"{sum(found == code for found in judged.values()):,}"
                        for one in both.values()
                        for judged in (one.first, one.second, one.judged)
                    ),
                ]
                for code in CODES
            ),
        ),
        "",
        *markdown_table(
            ["label", *both],
            (
                [
                    name.replace("_", " "),
                    *(f"{sum(label == name for label in one.labels.values())}" for one in both.values()),
                ]
                for name in sorted({*tuning.labels.values(), *held_out.labels.values()})
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


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
