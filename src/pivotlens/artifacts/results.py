"""The finished results of the stages, by what the field asks of them; `pivotlens.artifacts.tables` has every column.

A table is a `pyarrow.Table`: ``.to_pandas()`` makes a data frame of it, ``.to_pylist()`` rows. In the examples, ``run``
is a run folder.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from pivotlens.artifacts.result import StageResult
from pivotlens.errors import ArtifactError, did_you_mean

ALL = "all"
_PARQUET_ROWS = 512


@dataclass(frozen=True)
class SweepResult(StageResult):
    """A result of several models or prompts: its properties are of the first of them, its tables of all."""

    @property
    def first(self) -> dict[str, str]:
        """The first model and the first prompt: what `table` takes to leave out all others."""
        return {name: self.manifest.config[name] for name in ("model", "prompt")}

    def first_rows(self, name: str) -> list[dict[str, Any]]:
        """Return a table's rows of the first model under the first prompt, where there are several."""
        return self.rows(name, **self.first)


@dataclass(frozen=True)
class TrainedLens(StageResult):
    """An affine lens for `pivotlens.models.tuned_lens.TunedLens.load`, and its distance from the model: ``layers``."""

    stage: ClassVar[str] = "lens"
    WEIGHTS: ClassVar[str] = "lens.safetensors"

    @property
    def weights(self) -> Path:
        """The translators."""
        return self.folder / self.WEIGHTS

    @property
    def layers(self) -> pa.Table:
        """How far the raw and the trained lens are from the last layer, at each layer."""
        return self.table("layers")


@dataclass(frozen=True)
class Scores(SweepResult):
    """Word-translation scores: tables ``answers``, ``concepts``, ``summary``, ``strata``."""

    stage: ClassVar[str] = "score"

    @property
    def by_direction(self) -> pa.Table:
        """Scores and accuracies of each direction with their intervals, over all items.

        >>> scores = Scores.load(run)
        >>> scores.by_direction.select(["source_language", "target_language", "score"]).to_pylist()[0]
        {'source_language': 'fr', 'target_language': 'zh', 'score': 0.25}
        """
        summary = self.table("summary", item_set=ALL, **self.first)
        return summary.filter(pc.field("source_language") != ALL)

    @property
    def overall(self) -> pa.Table:
        """One row: the mean over the directions, with its interval; of a single direction that one.

        >>> Scores.load(run).overall["score"].to_pylist()
        [0.375]
        """
        summary = self.table("summary", item_set=ALL, **self.first)
        return summary if summary.num_rows == 1 else summary.filter(pc.field("source_language") == ALL)

    @property
    def by_item(self) -> pa.Table:
        """Every concept in every direction: probabilities, score, what the model answered and whether it is right."""
        return self.table("concepts", **self.first)


@dataclass(frozen=True)
class Trace(SweepResult):
    """Layers of a model while it translates: ``items``, ``layers``, ``tokens``, ``behaviours`` and sums of these."""

    stage: ClassVar[str] = "trace"

    @property
    def items(self) -> pa.Table:
        """What was traced: every concept in every direction and shot set."""
        return self.table("items", **self.first)

    @property
    def layers(self) -> pa.Table:
        """Entropy, divergence from the answer, and probability of target, source, English and pivots by layer."""
        return self.table("layers", **self.first)

    def behaviours(self, rule: str = "calibrated") -> pa.Table:
        """Return what a rule calls each item of every shot set, and the layer and token that decided.

        Args:
            rule: Its name (docs/trace.md).

        Raises:
            ArtifactError: There is no such rule.

        >>> trace = Trace.load(run)
        >>> trace.behaviours("calibrated").group_by("behaviour").aggregate([([], "count_all")]).to_pylist()
        [{'behaviour': 'semantic_pivot', 'count_all': 2}, {'behaviour': 'direct', 'count_all': 1}]
        """
        return self._chosen("behaviours", "rule", rule, **self.first)

    def shares(self, rule: str = "calibrated") -> pa.Table:
        """Return the share of each behaviour, means over directions by whether a side is English, with intervals.

        Args:
            rule: Its name (docs/trace.md).

        Raises:
            ArtifactError: There is no such rule.
        """
        return self._chosen("strata", "rule", rule, stratum=ALL, **self.first)


@dataclass(frozen=True)
class Ablation(StageResult):
    """Pivots taken out of the model's states: ``items``, ``windows``, ``effects``, ``conditions``, ``side_effects``."""

    stage: ClassVar[str] = "ablate"

    @property
    def window(self) -> tuple[int, ...]:
        """The layers that the pivot is taken out at; none where there were no items."""
        return tuple(self.manifest.details["window"])

    @property
    def causal(self) -> dict[str, bool | None]:
        """Whether all five conditions hold over all items, by group of directions; None where one could not be tested.

        >>> Ablation.load(run).causal
        {'neither_english': True, 'with_english': None}
        """
        return dict(self.manifest.details["causal"])

    def effect(self, contrast: str = "own", item_set: str = ALL) -> pa.Table:
        """Return the mean change of log P in a contrast, with interval and p: by group and for each direction.

        Args:
            contrast: Its name, such as ``own_minus_random``.
            item_set: ``all``, ``english_pivot`` or ``correct``.

        Raises:
            ArtifactError: There is no such contrast.
        """
        return self._chosen("effects", "contrast", contrast, item_set=item_set)


@dataclass(frozen=True)
class Counts(StageResult):
    """Corpus counts: ``languages``, ``words``, ``tokens``, ``pairs``, ``word_tokens``, ``pair_tokens``."""

    stage: ClassVar[str] = "count"

    @property
    def languages(self) -> pa.Table:
        """How much text there is in each language of the corpus."""
        return self.table("languages")

    @property
    def pairs(self) -> pa.Table:
        """How many units hold each concept's words, alone and together, in every direction.

        >>> Counts.load(run).pairs["df_both"].to_pylist()
        [3, 0]
        """
        return self.table("pairs")

    @property
    def units(self) -> int:
        """Units of the corpus, in all languages.

        >>> Counts.load(run).units
        140
        """
        return int(pc.sum(self.table("languages")["units"]).as_py() or 0)


@dataclass(frozen=True)
class IndexCounts(StageResult):
    """Occurrences in an infini-gram index: ``words``, ``forms``, ``pairs``, and how they agree with ``count``."""

    stage: ClassVar[str] = "query"

    @property
    def pairs(self) -> pa.Table:
        """How often each concept's words occur, alone and near each other, in every direction.

        >>> IndexCounts.load(run).pairs["co_occurrences"].to_pylist()
        [2, 0]
        """
        return self.table("pairs")

    @property
    def tokens(self) -> int:
        """Tokens of the index."""
        return int(self.manifest.details["tokens"])


@dataclass(frozen=True)
class Attribution(StageResult):
    """How well counts predict behaviour: ``auc``, ``predictors``, ``tests``."""

    stage: ClassVar[str] = "attribute"

    @property
    def predictors(self) -> pa.Table:
        """Every item with its counts, what follows from them, and its behaviour."""
        return self.table("predictors")

    def auc(self, predictor: str = "log_joint", rule: str = "calibrated", item_set: str = "correct") -> pa.Table:
        """Return how well a predictor tells direct from semantic-pivot items: each direction, and their mean (`all`).

        Args:
            predictor: ``log_joint``, ``log_target``, ``npmi`` or ``llr``.
            rule: Of behaviour.
            item_set: ``correct`` or ``all``.

        Raises:
            ArtifactError: There is no such predictor.

        >>> Attribution.load(run).auc("npmi")["auc"].to_pylist()
        [0.75, 0.75]
        """
        return self._chosen("auc", "predictor", predictor, rule=rule, item_set=item_set)


@dataclass(frozen=True)
class Pivots(StageResult):
    """Semantic pivots of pairs and of the corpus: ``pair_pivots``, ``pivots``."""

    stage: ClassVar[str] = "mine"

    def best(self, n: int) -> pa.Table:
        """Return the best pivots of the corpus: those of most pairs beyond what shuffled pairs give, the best first.

        Args:
            n: How many, at most.

        >>> Pivots.load(run).best(1)["token"].to_pylist()
        [' water']
        """
        return self.table("pivots").slice(0, n)

    def of_pair(self, concept_id: str, source_language: str, target_language: str) -> pa.Table:
        """Return the pivots of a concept in a direction, the strongest first; no row where there are none.

        >>> Pivots.load(run).of_pair("water", "fr", "zh")["token"].to_pylist()
        [' water', ' drink']
        """
        sides = {"source_language": source_language, "target_language": target_language}
        return self.table("pair_pivots", concept_id=concept_id, **sides)


@dataclass(frozen=True)
class Arm:
    """The documents that one arm of a selection holds.

    Iterating over it reads them one after the other, each a dictionary with ``id``, ``text``, ``language`` (found),
    ``label``, ``document_type``, ``group``, ``source``, ``file``, ``row``, ``unit`` and the counts and scores of the
    table ``scores``.

    Attributes:
        name: Of the arm.
        paths: Its files of documents, JSON lines compressed with zstd, or Parquet where there are none; one after
            another they stand in the order of the corpus.
        documents: How many they hold.
        summary: What it holds in each language: the rows of ``select/summary``.
    """

    name: str
    paths: tuple[Path, ...]
    documents: int
    summary: pa.Table

    def __len__(self) -> int:
        return self.documents

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for path in self.paths:
            try:
                yield from _parquet_rows(path) if path.suffix == ".parquet" else _json_rows(path)
            except (OSError, zstandard.ZstdError, orjson.JSONDecodeError, pa.ArrowException) as error:
                raise ArtifactError(
                    f"{path} is missing or damaged: {error}", "Run `pivotlens select` again with `--replace`."
                ) from error


def _json_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        content = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        for line in io.BufferedReader(content):
            yield orjson.loads(line)


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
            yield from batch.to_pylist()


@dataclass(frozen=True)
class Selection(StageResult):
    """A rebuilt corpus: ``scores``, ``summary`` and one folder of documents an arm."""

    stage: ClassVar[str] = "select"

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms."""
        return tuple(dict.fromkeys(self.manifest.config["arms"]))

    def arm(self, name: str) -> Arm:
        """Return the documents of an arm.

        Args:
            name: Such as ``top`` or ``matched``, where it was made.

        Raises:
            ArtifactError: There is no such arm.

        >>> top = Selection.load(run).arm("top")
        >>> len(top), [document["text"] for document in top]
        (2, ['eau 水 water', 'livre 书 book'])
        >>> top.summary["tokens"].to_pylist()
        [8]
        """
        if name not in self.arms:
            raise ArtifactError(f"{self.folder} has no arm {name!r}", did_you_mean(name, self.arms))
        documents = [file for file in self.manifest.outputs if file.startswith(f"{name}/documents-")]
        lines = [file for file in documents if not file.endswith(".parquet")]
        # By length first: after documents-99999 comes documents-100000.
        files = sorted(lines or documents, key=lambda file: (len(file), file))
        return Arm(
            name=name,
            paths=tuple(self.folder / file for file in files),
            documents=sum(self.manifest.outputs[file].rows or 0 for file in files),
            summary=self.table("summary", arm=name),
        )


@dataclass(frozen=True)
class TrainedModels(StageResult):
    """Checkpoints with ``steps``, ``checkpoints``, ``evaluations``, ``held_out``, ``summary``; a folder a training."""

    stage: ClassVar[str] = "train"

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Every checkpoint as a model spec names it, those of a training together, the last one last.

        >>> TrainedModels.load(run).checkpoints
        ('run:train/top@step-4', 'run:train/top@step-8')
        """
        return tuple(self.table("checkpoints")["model"].to_pylist())

    def losses(self, arm: str, seed: int = 0) -> pa.Table:
        """Return the steps of a training.

        Args:
            arm: What it was trained on.
            seed: Its seed.
        """
        return self.table("steps", arm=arm, seed=seed)


@dataclass(frozen=True)
class Evaluation(StageResult):
    """Models in tasks of lm-evaluation-harness: ``results``, ``samples``, ``differences``, and the harness's files."""

    stage: ClassVar[str] = "evaluate"

    @property
    def models(self) -> tuple[str, ...]:
        """The models, the first one first."""
        return tuple(self.manifest.details["folders"])

    def samples(self, model: str) -> Path:
        """Return the folder with the harness's own files of a model: ``samples_TASK_TIME.jsonl`` and its results.

        Args:
            model: Its spec.

        Raises:
            ArtifactError: It was not evaluated.
        """
        folders = self.manifest.details["folders"]
        if model not in folders:
            raise ArtifactError(f"{self.folder} has no model {model!r}", did_you_mean(model, folders))
        return self.folder / str(folders[model])

    def differences(self, metric: str = "acc") -> pa.Table:
        """Return how far each model is from the first one in a metric, with interval and p: each task and family.

        Args:
            metric: Its name.

        Raises:
            ArtifactError: There is no such metric.

        >>> Evaluation.load(run).differences("acc")["difference"].to_pylist()
        [0.125]
        """
        return self._chosen("differences", "metric", metric)


@dataclass(frozen=True)
class Report(StageResult):
    """The HTML report."""

    stage: ClassVar[str] = "report"
