"""What the run is about, what its stages found in a glance, and what its reader must know before relying on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from pivotlens.artifacts import Scores, StageResult, Trace
from pivotlens.artifacts.results import SweepResult
from pivotlens.artifacts.verification import outdated
from pivotlens.report.blocks import Pair, Prose, Value, joined
from pivotlens.report.names import COARSE_GROUP_NAMES, GROUP_NAMES
from pivotlens.report.run_tables import DEMO_CORPUS, Row, RunTables, direction_of, first_table, has, is_pooled, rows
from pivotlens.report.sections.attribution import auc_tables, predictors_of
from pivotlens.report.sections.causality import tested_groups, verdicts
from pivotlens.report.sections.parts import shown
from pivotlens.report.sections.scores import figure, score_rows
from pivotlens.report.sections.shares import DEFAULT_RULE, PIVOT, headline
from pivotlens.report.wording import plural, whole
from pivotlens.text import Direction

SAMPLE_NOTE = (
    "The corpus is the bundled sample. It shows the mechanics; it is no evidence about what the model was trained on."
)
_MOST_PAIRS = 6


@dataclass(frozen=True)
class Caution:
    """Something the reader must know, and the stage that says so."""

    stage: str
    text: str


@dataclass(frozen=True)
class Tile:
    """A stage in a glance: its main figure, what it is, and the section that has more."""

    stage: str
    figure: Value | str
    text: str
    section: str = ""


def model_name(model: str) -> str:
    """Return a model without the folders before it."""
    return model.rstrip("/").rsplit("/", 1)[-1] if model.startswith(("/", ".", "~")) else model


def facts(run: RunTables) -> dict[str, Prose]:
    """Return what the run is of, by name."""
    directions, n = _directions(run), _concepts(run)
    words = run.bench.manifest.details if run.bench else {}
    prompts = dict.fromkeys(str(stage.manifest.config["prompt"]) for stage in (run.score, run.trace) if stage)
    pairs = joined(map(Pair, directions))
    if len(directions) > _MOST_PAIRS:
        languages = dict.fromkeys(code for direction in directions for code in direction)
        pairs = (f"{len(directions)} between {', '.join(languages)}",)
    version = words.get("word_list_version")
    found: dict[str, str | Prose] = {
        "Model": model_name(run.model),
        "Corpus": run.corpus,
        "Words": f"{words['word_list']}@{version}" if version else "",
        "Directions": pairs,
        "Concepts": whole(n) if n else "",
        "Prompt": ", ".join(prompts),
    }
    return {name: (text,) if isinstance(text, str) else text for name, text in found.items() if text}


def deck(run: RunTables) -> str:
    """Say in a sentence what the report is about."""
    model, languages = model_name(run.model), len({code for direction in _directions(run) for code in direction})
    if model and run.trace is not None:
        return f"How {model} carries words between {languages} languages, layer by layer."
    if model:
        return f"How well {model} translates words between {languages} languages."
    return f"What {run.corpus} holds for {languages} languages." if run.corpus else ""


def tiles(run: RunTables) -> tuple[Tile, ...]:
    """Return a tile for every stage that is there, with its main figure where it has one."""
    return tuple(_tile(run, stage) for stage in run.stages())


def _tile(run: RunTables, stage: StageResult) -> Tile:
    name, details = stage.stage, stage.manifest.details
    if name == "bench" and "test_concepts" in details:
        return Tile(name, whole(details["test_concepts"]), "test concepts")
    if name == "score" and (found := score_rows(run)):
        of = "all directions" if is_pooled(found[0]) else "→".join(direction_of(found[0]))
        return Tile(name, figure(found[0], "accuracy_generated"), f"of answers are accepted words, {of}", "score")
    if name == "trace" and (groups := headline(run)) and (rule := groups[0].rules.get(DEFAULT_RULE)):
        share = shown(rule.get(PIVOT), "share", "share")
        return Tile(
            name, share, f"of items go through a semantic pivot, {GROUP_NAMES[groups[0].direction_group]}", "behaviours"
        )
    if name == "ablate" and rows(stage, "conditions"):
        group = tested_groups(run)[0]
        found_ = verdicts(run, group)
        held = f"{len(found_[True])} of {sum(map(len, found_.values()))}" if found_[True] or found_[False] else "–"
        return Tile(name, held, f"conditions of a causal pivot hold, {COARSE_GROUP_NAMES[group]}", "causality")
    if name == "count" and "units" in details:
        return Tile(name, whole(details["units"]), f"units of {plural(details['documents'], 'document')}", "corpus")
    if name == "query":
        return Tile(name, Value(details["tokens"], "count"), "tokens of an infini-gram index", "index")
    if name == "attribute" and (mean := next(iter(auc_tables(rows(stage, "auc")).values()), {}).get(None)):
        auc = shown(mean.get(predictors_of({None: mean})[0]), "auc")
        return Tile(name, auc, "AUC of joint frequency for direct against pivot; 0.5 is chance", "attribution")
    if name == "mine" and (mined := rows(stage, "summary")):
        return Tile(
            name, Value(mined[0]["share_with_pivots"], "share"), "of word pairs have a pivot in the corpus", "pivots"
        )
    if name == "select" and (top := [row for row in rows(stage, "arms") if row["arm"] == "top"]):
        return Tile(name, Value(top[0]["pivot_share"], "share"), "of the tokens of arm top are pivots", "selection")
    if name == "train" and (trained := rows(stage, "summary")):
        said = f"tokens for each of {plural(len({row['arm'] for row in trained}), 'arm')}"
        return Tile(name, Value(trained[0]["tokens"], "count"), said, "training")
    if name == "evaluate" and "tasks" in details:
        return Tile(name, whole(len(details["tasks"])), "tasks of lm-evaluation-harness", "evaluate")
    return Tile(name, "✓", {"lens": "a tuned lens is trained"}.get(name, "finished"), {"lens": "lenses"}.get(name, ""))


def _directions(tables: RunTables) -> tuple[Direction, ...]:
    found: dict[Direction, None] = {}
    asked = (tables.score, tables.trace)
    for stage, name in (*((one, "summary") for one in asked), (tables.mine, "pair_pivots"), (tables.count, "pairs")):
        if found and stage not in asked:
            break  # every pair is counted, whatever is asked of the model
        if stage is not None and has(stage, name):
            columns = ["source_language", "target_language"]
            distinct = _distinct(stage.table(name), columns)
            found.update(dict.fromkeys(direction_of(row) for row in distinct if not is_pooled(row)))
    return tuple(found)


def _distinct(table: pa.Table, columns: list[str]) -> list[Row]:
    rows: list[Row] = table.select(columns).group_by(columns, use_threads=False).aggregate([]).to_pylist()
    return rows


def _concepts(tables: RunTables) -> int:
    for stage, name in ((tables.trace, "items"), (tables.score, "concepts"), (tables.count, "pairs")):
        if stage is not None and has(stage, name):
            return len(stage.table(name).column("concept_id").unique())
        if stage is not None and "concepts" in stage.manifest.details:
            return int(stage.manifest.details["concepts"])
    return int(tables.bench.manifest.details.get("test_concepts", 0)) if tables.bench else 0


def cautions(tables: RunTables) -> Iterable[Caution]:
    """Yield what the reader must know before relying on the figures."""
    for stage in filter(None, (tables.count, tables.select)):
        if (stage.manifest.details.get("corpus") or stage.manifest.config.get("corpus")) == DEMO_CORPUS:
            yield Caution(stage.stage, SAMPLE_NOTE)
            break
    manifests = {stage.stage: stage.manifest for stage in tables.stages()}
    for name, manifest in manifests.items():
        for other in outdated(manifest, manifests):
            said = f"made from another result of {other} than the one on this page: run {name} again before you read"
            yield Caution(name, f"{said} the two together.")
        for limit, of, end in (("limit_concepts", "concept", ""), ("limit_documents", "document", " a file")):
            found = manifest.config.get(limit)
            # A stage that warns of its limit itself says it better.
            if found is not None and not any("limit" in message for message in manifest.warnings):
                yield Caution(name, f"limited to the first {plural(int(found), of)}{end}.")
        yield from (Caution(name, message) for message in manifest.warnings)
    models = [str(manifests[name].config["model"]) for name in ("score", "trace") if name in manifests]
    if len(set(models)) > 1:
        yield Caution("score", f"score used {models[0]}, trace used {models[1]}: two models on one page.")
    if mixed := mixed_settings(tables.score, tables.trace):
        yield Caution("score", mixed)


_SHARED = ("prompt", "shots", "seed")


def mixed_settings(score: Scores | None, trace: Trace | None) -> str:
    """Say in what the score and the trace differ, where their figures are not of the same items; else nothing."""
    if score is None or trace is None or not (has(score, "concepts") and has(trace, "items")):
        return ""
    asked = [_asked(score, "concepts"), _asked(trace, "items")]
    differing = [name for name in asked[0] if asked[0][name] != asked[1][name]]
    if not differing:
        return ""
    said = [f"{name} is of {', '.join(one[each] for each in differing)}"
            for name, one in zip(("score", "trace"), asked, strict=True)]  # fmt: skip
    return f"figures of score and trace are not of the same items: {'; '.join(said)}."


def _asked(stage: SweepResult, table: str) -> dict[str, str]:
    rows = _distinct(first_table(stage, table), ["source_language", "target_language", "concept_id"])
    config = stage.manifest.config
    return {
        "directions": ", ".join(sorted({str(direction_of(row)) for row in rows})),
        "concepts": plural(len({row["concept_id"] for row in rows}), "concept"),
        "model": str(config["model"]),
        **{name: f"{name} {config.get(name)}" for name in _SHARED},
    }
