"""Comparing two scored models item by item (docs/method.md#comparing-models)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pivotlens.arrays import Floats
from pivotlens.artifacts import Benchmark, Scores
from pivotlens.errors import ConfigError, did_you_mean
from pivotlens.score.items import ScoredDirection, ScoredItems, scored_items
from pivotlens.score.summary import FIGURES, ITEM_SETS, groups, kept_items, stacked
from pivotlens.statistics.bootstrap import bootstrap_mean
from pivotlens.statistics.sign_flip import sign_flip_p


@dataclass(frozen=True)
class Scored:
    """One side of a comparison: a model under a prompt in a finished run.

    Attributes:
        scores: The run's score stage.
        model: Its spec.
        prompt: The prompt.
    """

    scores: Scores
    model: str
    prompt: str

    def items(self) -> ScoredItems:
        """Return its items, read back from the run's tables."""
        import pyarrow.compute as pc

        benchmark = Benchmark.load(self.scores.folder.parent)
        chosen = {}
        for name in ("answers", "concepts"):
            table = self.scores.table(name)
            chosen[name] = table.filter(
                pc.and_(pc.equal(table["model"], self.model), pc.equal(table["prompt"], self.prompt))
            )
        ids = list(dict.fromkeys(chosen["concepts"]["concept_id"].to_pylist()))
        key = ("source_language", "target_language", "concept_id")
        generated = {tuple(row[name] for name in key): row["generated"] for row in chosen["concepts"].to_pylist()}
        texts = [generated[row] for row in zip(*(chosen["answers"][name].to_pylist() for name in key), strict=True)]
        return scored_items(
            chosen["answers"].append_column("generated", [texts]),
            [benchmark.concepts[name] for name in ids],
            list(benchmark.concepts.values()),
            self.model,
            self.prompt,
        )


@dataclass(frozen=True)
class Difference:
    """How much better the second model does in a figure: the second one's mean minus the first one's.

    Attributes:
        source_language: Of the direction, or ``all``.
        target_language: Likewise.
        item_set: ``all`` or ``different_spelling``.
        figure: score, probability_share, margin, accuracy_10way or accuracy_generated.
        n: Items that both scored.
        first: The first model's mean.
        second: The second one's.
        difference: ``second - first``.
        ci_low: Lower end of its 95 % interval.
        ci_high: Upper end.
        p_value: Of the two-sided sign-flip test over concepts.
        comparable: Whether the figure means the same for both: ``score`` does not where their tokenizers differ.
    """

    source_language: str
    target_language: str
    item_set: str
    figure: str
    n: int
    first: float
    second: float
    difference: float
    ci_low: float
    ci_high: float
    p_value: float
    comparable: bool = True


@dataclass(frozen=True)
class Comparison:
    """Two scored models, compared on the items that both have.

    Attributes:
        first: Model and prompt of the first one.
        second: Of the second one.
        rows: A row a direction (and all of them), item set and figure.
        notes: What the reader must know.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    rows: tuple[Difference, ...]
    notes: tuple[str, ...]


def find_scored(name: str, run_scores: Scores | None, folder_scores: Scores | None) -> Scored:
    """Return the scored model that a name means: a run folder's first model, or a model of the given run.

    Args:
        name: As the user wrote it.
        run_scores: The score stage of the run given beside it, or None.
        folder_scores: The score stage of the folder of that name, or None.

    Raises:
        ConfigError: It is neither.
    """
    if folder_scores is not None:
        config = folder_scores.manifest.config
        return Scored(folder_scores, str(config["model"]), str(config["prompt"]))
    if run_scores is None:
        raise ConfigError(
            f"{name!r} is no run folder with a finished score stage",
            "Give two run folders, or `--run RUN` and two of the models that were scored in it.",
        )
    config = run_scores.manifest.config
    models = list(dict.fromkeys((config["model"], *config["also_models"])))
    prompts = list(dict.fromkeys((config["prompt"], *config["also_prompts"])))
    model, _, prompt = name.rpartition(":") if name.rpartition(":")[2] in prompts else (name, "", prompts[0])
    if model not in models:
        raise ConfigError(
            f"{name!r} is neither a run folder with scores nor a model scored in {run_scores.folder.parent}",
            did_you_mean(name, models) + " Write MODEL:PROMPT for another prompt.",
        )
    return Scored(run_scores, model, prompt)


def compare_scores(first: Scored, second: Scored, *, bootstrap: int = 1000, seed: int = 0) -> Comparison:
    """Compare two scored models on the items and directions that both have, with the same examples.

    Intervals resample concepts jointly over directions, and shot sets; the p-value flips the sign of a concept's
    differences in all directions at once.

    Args:
        first: The model to compare with.
        second: The model that is compared.
        bootstrap: Resamples of the intervals.
        seed: Of all that is drawn.

    Raises:
        ConfigError: They have no items in common, or other examples in their prompts.
    """
    manifests = [side.scores.manifest for side in (first, second)]
    if manifests[0].inputs["bench"] != manifests[1].inputs["bench"]:
        raise ConfigError(
            "the two were scored on different benchmarks", "A paired comparison needs the same one: score one again."
        )
    if manifests[0].details["shot_sets"] != manifests[1].details["shot_sets"]:
        raise ConfigError(
            "the two were scored with different examples",
            "A paired comparison needs the same `shots`, `shot_sets` and `seed`: score one again.",
        )
    pairs = _common(first.items(), second.items())
    other_tokens = any(not np.array_equal(one.n_tokens, other.n_tokens) for one, other in pairs)
    rows = []
    for item_set in ITEM_SETS:
        for group, (source, target) in groups(pairs):
            kept = [kept_items(one, item_set) for one, _ in group]
            for figure, values in FIGURES.items():
                before, after = (stacked([values(pair[side]) for pair in group], kept) for side in (0, 1))
                change = bootstrap_mean(after - before, bootstrap, seed)
                rows.append(
                    Difference(
                        source_language=source,
                        target_language=target,
                        item_set=item_set,
                        figure=figure,
                        n=int(sum(mask.sum() for mask in kept)),
                        first=bootstrap_mean(before, 1, seed).value,
                        second=bootstrap_mean(after, 1, seed).value,
                        difference=change.value,
                        ci_low=change.low,
                        ci_high=change.high,
                        p_value=sign_flip_p(_concept_parts(after - before), seed),
                        comparable=figure != "score" or not other_tokens,
                    )
                )
    notes = _left_out(first, second, pairs)
    if other_tokens:
        notes.append(
            "The two cut words into different tokens. Score averages over tokens, so it is not comparable between "
            "them: read probability share, margin and the accuracies."
        )
    return Comparison((first.model, first.prompt), (second.model, second.prompt), tuple(rows), tuple(notes))


def _concept_parts(differences: Floats) -> Floats:
    """Return what each concept adds to the mean over directions of the means over concepts, shape ``(concepts,)``."""
    counts = np.isfinite(differences[..., 0]).sum(axis=0)
    parts: Floats = (np.nan_to_num(differences.mean(axis=2)) / np.maximum(counts, 1)).sum(axis=1)
    return parts


def _common(left: ScoredItems, right: ScoredItems) -> list[tuple[ScoredDirection, ScoredDirection]]:
    """Pair the directions of both sides, cut to the concepts of both."""
    places = [{concept.concept_id: row for row, concept in enumerate(side.concepts)} for side in (left, right)]
    ids = [name for name in places[0] if name in places[1]]
    others = {one.direction: one for one in right.directions}
    pairs = [
        (
            one.of_items([places[0][name] for name in ids]),
            others[one.direction].of_items([places[1][name] for name in ids]),
        )
        for one in left.directions
        if one.direction in others
    ]
    if not pairs or not ids:
        raise ConfigError(
            "the two have no direction or no concept in common", "Score both on the same benchmark and directions."
        )
    return pairs


def _left_out(first: Scored, second: Scored, pairs: Sequence[tuple[ScoredDirection, ScoredDirection]]) -> list[str]:
    """Say what only one side has."""
    notes = []
    for name, side in (("first", first), ("second", second)):
        details = side.scores.manifest.details
        directions = len(details["directions"]) - len(pairs)
        concepts = details["concepts"] - len(pairs[0][0].generated)
        if directions or concepts:
            notes.append(
                f"Left out, as the other has them not: {directions} directions and {concepts} concepts of the {name}."
            )
    return notes
