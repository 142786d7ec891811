"""The examples in docstrings give what they say, on a small run written by hand."""

import doctest
import importlib
import pkgutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
import zstandard
from tests.stage_by_hand import writing

from pivotlens import artifacts, comparison, statistics, text, translation
from pivotlens.ablate.config import AblateConfig
from pivotlens.artifacts import SCHEMAS, Ablation, Scores, Selection, Trace
from pivotlens.attribute.config import AttributeConfig
from pivotlens.count.config import CountConfig
from pivotlens.errors import ArtifactError, PivotLensError
from pivotlens.evaluate.config import EvaluateConfig
from pivotlens.mine.config import MineConfig
from pivotlens.query.config import QueryConfig
from pivotlens.score.config import ScoreConfig
from pivotlens.select.config import SelectConfig
from pivotlens.settings import StageConfig
from pivotlens.trace.config import TraceConfig
from pivotlens.train.config import TrainConfig

Row = Mapping[str, Any]
FR_ZH = {"source_language": "fr", "target_language": "zh"}
ZH_FR = {"source_language": "zh", "target_language": "fr"}
ALL = {"source_language": "all", "target_language": "all"}
FIRST = {"model": "m", "prompt": "english"}
OTHER = {"model": "other", "prompt": "english"}
TEXTS = ("eau 水 water", "livre 书 book")


def _write(run: Path, config: StageConfig, tables: Mapping[str, Sequence[Row]], details: Row | None = None) -> None:
    with writing(run, config, {}) as stage:
        for name, rows in tables.items():
            names = SCHEMAS[f"{config.stage}/{name}"].names
            stage.write_table(name, {column: [row.get(column) for row in rows] for column in names})
        if isinstance(config, SelectConfig):
            # In two frames, as shards that were put together are.
            frames = [zstandard.compress(orjson.dumps({"text": text}) + b"\n") for text in TEXTS]
            stage.staged("top/documents-00000.jsonl.zst", rows=len(TEXTS)).write_bytes(b"".join(frames))
        stage.finish(details or {})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    summary = [
        labels | direction | {"item_set": items, "n": 2, "score": score}
        for items in ("all", "different_spelling")
        for labels, scores in ((FIRST, (0.25, 0.5, 0.375)), (OTHER, (0.1, 0.1, 0.1)))
        for direction, score in zip((FR_ZH, ZH_FR, ALL), scores, strict=True)
    ]
    _write(folder, ScoreConfig(model="m"), {"summary": summary, "concepts": [FIRST | FR_ZH, OTHER | FR_ZH]})
    behaviours = [
        labels | FR_ZH | {"shot_set": 0, "concept_id": concept, "rule": rule, "behaviour": behaviour}
        for labels in (FIRST, OTHER)
        for rule in ("calibrated", "peak")
        for concept, behaviour in (("water", "semantic_pivot"), ("book", "direct"), ("cloud", "semantic_pivot"))
    ]
    strata = [
        row | {"direction_group": "neither_english", "stratum": name} for row in behaviours for name in ("all", "pos")
    ]
    tables = {"items": [], "layers": [], "behaviours": behaviours, "strata": strata}
    _write(folder, TraceConfig(model="m", also_models=("other",)), tables)
    effects = [
        {"direction_group": group, "item_set": items, "contrast": contrast, "mean": -1.0}
        for group in ("neither_english", "with_english")
        for items in ("all", "correct")
        for contrast in ("own", "own_minus_random")
    ]
    found = {"window": [9, 10], "causal": {"neither_english": True, "with_english": None}}
    _write(folder, AblateConfig(), {"effects": effects}, found)
    pairs = [FR_ZH | {"concept_id": "water", "df_both": 3}, FR_ZH | {"concept_id": "book", "df_both": 0}]
    languages = [{"language": "fr", "units": 100}, {"language": "zh", "units": 40}]
    _write(folder, CountConfig(), {"languages": languages, "pairs": pairs})
    near = [FR_ZH | {"concept_id": "water", "co_occurrences": 2}, FR_ZH | {"concept_id": "book", "co_occurrences": 0}]
    _write(folder, QueryConfig(), {"pairs": near}, {"tokens": 99})
    auc = [
        direction
        | {"rule": rule, "item_set": items, "predictor": predictor, "auc": 0.75 if rule == "calibrated" else 0.5}
        for predictor in ("log_joint", "npmi")
        for rule in ("calibrated", "peak")
        for items in ("correct", "all")
        for direction in (FR_ZH, ALL)
    ]
    _write(folder, AttributeConfig(), {"auc": auc, "predictors": []})
    pair_pivots = [
        direction | {"concept_id": "water", "token": token, "rank": rank}
        for direction in (FR_ZH, ZH_FR)
        for rank, token in ((1, " water"), (2, " drink"))
    ]
    corpus = [{"token": " water", "score": 2.0}, {"token": " drink", "score": 1.0}]
    _write(folder, MineConfig(), {"pair_pivots": pair_pivots, "pivots": corpus})
    held = [{"arm": arm, "language": "fr", "tokens": tokens} for arm, tokens in (("top", 8), ("random", 7))]
    _write(folder, SelectConfig(), {"scores": [], "summary": held})
    differences = [{"model": "other", "task": "xnli_fr", "metric": name, "difference": 0.125} for name in ("acc", "f1")]
    _write(folder, EvaluateConfig(model="m"), {"differences": differences})
    checkpoints = [{"arm": "top", "seed": 0, "step": step, "model": f"run:train/top@step-{step}"} for step in (4, 8)]
    _write(folder, TrainConfig(), {"steps": [], "checkpoints": checkpoints})
    return folder


_ROOMS = (artifacts, comparison, statistics, text, translation)
_MODULES = ["pivotlens.arrays", *(f"pivotlens.train.{name}" for name in ("arms", "evaluation", "packed", "schedule"))]
_MODULES += [name for room in _ROOMS for _, name, _ in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
_EXAMPLES = [
    example
    for module in _MODULES
    for example in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
    if example.examples
]


def test_there_are_examples():
    of_room = Counter(example.name.split(".")[1] for example in _EXAMPLES)
    least = {"artifacts": 10, "arrays": 3, "statistics": 5, "text": 4, "translation": 1}
    assert {room: min(of_room[room], number) for room, number in least.items()} == least


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda example: example.name.removeprefix("pivotlens."))
def test_the_example_gives_what_it_says(example, run):
    example.globs |= {name: getattr(artifacts, name) for name in artifacts.__all__} | {"run": run}
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert outcome.failed == 0, "".join(said)


def test_what_is_not_there_is_told(run):
    with pytest.raises(ArtifactError, match="no rule 'calibrate'\ndid you mean 'calibrated'"):
        Trace.load(run).behaviours("calibrate")
    with pytest.raises(ArtifactError, match="no contrast 'swap'\nknown: own, own_minus_random"):
        Ablation.load(run).effect("swap")
    with pytest.raises(ArtifactError, match="has no arm 'tops'\ndid you mean 'top'"):
        Selection.load(run).arm("tops")
    with pytest.raises(ArtifactError, match="score/summary has no column 'item_sets'\ndid you mean 'item_set'"):
        Scores.load(run).table("summary", item_sets="all")
    with pytest.raises(pa.ArrowException, match="int64"):
        Scores.load(run).table("summary", n="all")


def test_tables_of_a_sweep_have_all_and_its_properties_the_first(run):
    scores, trace = Scores.load(run), Trace.load(run)
    assert scores.by_item.num_rows == 1
    assert scores.table("concepts").num_rows == 2
    assert scores.table("summary", model="other", item_set="all", source_language="zh").num_rows == 1
    assert trace.shares().num_rows == 3
    assert trace.rows("behaviours", rule="peak", model="m", concept_id="book")[0]["behaviour"] == "direct"
    assert scores.rows("summary", probability_share=None) == scores.rows("summary")
    assert scores.first_rows("summary") == [row for row in scores.rows("summary") if row["model"] == "m"]
    assert list(scores.tables) == ["concepts", "summary"]


def test_every_table_becomes_a_data_frame(run):
    pandas = pytest.importorskip("pandas")
    scores = Scores.load(run)
    frame = scores.to_pandas("summary", item_set="all", model="m")
    assert isinstance(frame, pandas.DataFrame)
    assert frame["score"].tolist() == [0.25, 0.5, 0.375]
    assert scores.by_direction.to_pandas()["target_language"].tolist() == ["zh", "fr"]
    assert Selection.load(run).arm("random").summary.to_pandas()["tokens"].tolist() == [7]
    assert len(Selection.load(run).arm("random")) == 0


def test_a_damaged_arm_is_told(run, tmp_path):
    copy = Selection.load(run).save(tmp_path)
    for damaged in (b"no zstd", zstandard.compress(b"no json\n")):
        (copy.folder / "top" / "documents-00000.jsonl.zst").write_bytes(damaged)
        with pytest.raises(PivotLensError, match="missing or damaged"):
            list(copy.arm("top"))
