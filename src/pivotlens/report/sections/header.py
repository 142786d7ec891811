"""What the run is about, and what its reader must know first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pivotlens.artifacts import Scores, StageResult, Trace
from pivotlens.artifacts.results import SweepResult
from pivotlens.artifacts.verification import outdated
from pivotlens.report.run_tables import DEMO_CORPUS, RunTables, direction_of, first_table, is_pooled
from pivotlens.report.wording import plural
from pivotlens.text import Direction

SAMPLE_NOTE = (
    "The corpus is the bundled sample. It shows the mechanics; it is no evidence about what the model was trained on."
)


@dataclass(frozen=True)
class Caution:
    """Something the reader must know, and the stage that says so."""

    stage: str
    text: str


@dataclass(frozen=True)
class Header:
    """The head of the page; empty strings and zeros where a stage is absent."""

    model: str
    corpus: str
    prompts: tuple[str, ...]
    directions: tuple[Direction, ...]
    n_concepts: int
    cautions: tuple[Caution, ...]

    @property
    def model_name(self) -> str:
        """The model without the folders before it."""
        return self.model.rstrip("/").rsplit("/", 1)[-1] if self.model.startswith(("/", ".", "~")) else self.model

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the directions, in order of appearance."""
        return tuple(dict.fromkeys(code for direction in self.directions for code in direction))


def header(tables: RunTables) -> Header:
    """Gather the head of the page."""
    prompts = dict.fromkeys(str(stage.manifest.config["prompt"]) for stage in (tables.score, tables.trace) if stage)
    return Header(
        model=tables.model,
        corpus=tables.corpus,
        prompts=tuple(prompts),
        directions=_directions(tables),
        n_concepts=_concepts(tables),
        cautions=tuple(_cautions(tables)),
    )


def _directions(tables: RunTables) -> tuple[Direction, ...]:
    found: dict[Direction, None] = {}
    tables_of = (
        (tables.score, "summary"),
        (tables.trace, "summary"),
        (tables.mine, "pair_pivots"),
        (tables.count, "pairs"),
    )
    for stage, name in tables_of:
        if stage is None or f"{name}.parquet" not in stage.manifest.outputs:
            continue
        if found and stage not in (tables.score, tables.trace):
            break  # every pair is counted, whatever is asked of the model
        columns = ["source_language", "target_language"]
        distinct = stage.table(name).select(columns).group_by(columns, use_threads=False).aggregate([])
        found.update(dict.fromkeys(direction_of(row) for row in distinct.to_pylist() if not is_pooled(row)))
    return tuple(found)


def _concepts(tables: RunTables) -> int:
    for stage, name in ((tables.trace, "items"), (tables.score, "concepts"), (tables.count, "pairs")):
        if stage is not None:
            return len(stage.table(name).column("concept_id").unique())
    return len(tables.bench.test_concepts()) if tables.bench else 0


def _cautions(tables: RunTables) -> Iterable[Caution]:
    corpora = [
        (stage.stage, stage.manifest.details.get("corpus") or stage.manifest.config.get("corpus"))
        for stage in (tables.count, tables.select)
        if stage is not None
    ]
    sampled = [name for name, corpus in corpora if corpus == DEMO_CORPUS]
    if sampled:
        yield Caution(sampled[0], SAMPLE_NOTE)
    manifests = {stage.stage: stage.manifest for stage in tables.stages()}
    for stage in tables.stages():
        for name in outdated(stage.manifest, manifests):
            yield Caution(
                stage.stage,
                f"made from another result of {name} than the one on this page: run {stage.stage} again before you "
                "read the two together.",
            )
        yield from _limit(stage)
        for message in stage.manifest.warnings:
            yield Caution(stage.stage, message)
    models = {name: stage.manifest.config["model"] for name, stage in _modelled(tables)}
    if len(set(models.values())) > 1:
        yield Caution("score", f"score used {models['score']}, trace used {models['trace']}: two models on one page.")
    if mixed := mixed_settings(tables.score, tables.trace):
        yield Caution("score", mixed)


_SHARED = ("prompt", "shots", "seed")


def mixed_settings(score: Scores | None, trace: Trace | None) -> str:
    """Say in what the score and the trace differ, where their figures are not of the same items; else nothing."""
    if score is None or trace is None:
        return ""
    asked = [_asked(score, "concepts"), _asked(trace, "items")]
    differing = [name for name in asked[0] if asked[0][name] != asked[1][name]]
    if not differing:
        return ""
    said = (
        f"{stage} is of {', '.join(one[name] for name in differing)}"
        for stage, one in zip(("score", "trace"), asked, strict=True)
    )
    return f"figures of score and trace are not of the same items: {'; '.join(said)}."


def _asked(stage: SweepResult, table: str) -> dict[str, str]:
    columns = ["source_language", "target_language", "concept_id"]
    keys = first_table(stage, table).select(columns).group_by(columns, use_threads=False).aggregate([])
    rows = keys.to_pylist()
    directions = sorted({str(direction_of(row)) for row in rows})
    concepts = {row["concept_id"] for row in rows}
    config = stage.manifest.config
    return {
        "directions": ", ".join(directions),
        "concepts": plural(len(concepts), "concept"),
        "model": str(config["model"]),
        **{name: f"{name} {config.get(name)}" for name in _SHARED},
    }


def _modelled(tables: RunTables) -> Iterable[tuple[str, StageResult]]:
    if tables.score is not None:
        yield "score", tables.score
    if tables.trace is not None:
        yield "trace", tables.trace


def _limit(stage: StageResult) -> Iterable[Caution]:
    limit = stage.manifest.config.get("limit")
    # A stage that warns of its limit itself says it better.
    if limit is not None and not any("limit" in message for message in stage.manifest.warnings):
        of_what = (
            plural(int(limit), "document") + " a file"
            if stage.stage in ("count", "select")
            else plural(int(limit), "concept")
        )
        yield Caution(stage.stage, f"limited to the first {of_what}.")
