"""Scores given to other people's pipelines are those of `select`, number for number."""

from __future__ import annotations

import json
import pickle
import shutil
from functools import partial
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from datasets import Dataset
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from tests.conftest import MinedRun

from pivotlens import score_batch, select_documents
from pivotlens.artifacts import Selection
from pivotlens.corpus import LocalExecutor, list_corpus, open_corpus, unit_batches, unit_plan
from pivotlens.errors import ConfigError, DataError, PrerequisiteError
from pivotlens.integrations.datatrove import PivotFilter, PivotScorer
from pivotlens.select import SelectConfig
from pivotlens.select.unit_scorer import PREFIX, SCORES, unit_scorer


@pytest.fixture(scope="module")
def selection(mined: MinedRun, tmp_path_factory: pytest.TempPathFactory) -> Selection:
    """What select finds in the tiny corpus, in units of few characters."""
    run = tmp_path_factory.mktemp("scorer") / "run"
    run.mkdir()
    for stage in ("bench", "count", "mine"):
        (run / stage).symlink_to(mined.run / stage)
    config = SelectConfig(
        corpus=str(mined.corpus),
        tokenizer=str(mined.model),
        unit_characters=256,
        arms=("random", "top"),
        shortage="take_all",
        min_tokens=8,
    )
    return select_documents(config, run)


@pytest.fixture(scope="module")
def units(selection: Selection, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """The text and label of every unit, in the order of ``select/scores``."""
    settings = SelectConfig(**selection.manifest.config)
    folder = tmp_path_factory.mktemp("parts")

    def parts(name: str) -> Path:
        (folder / name).mkdir(exist_ok=True)
        return folder / name

    opened = open_corpus(list_corpus(settings.corpus), unit_plan(settings), LocalExecutor(), parts)
    batches = [batch for shard in opened.shards for batch in unit_batches(shard, opened.plan)]
    texts, labels = ([value for batch in batches for value in getattr(batch, name)] for name in ("texts", "labels"))
    return pa.table({"text": texts, "language": labels})


def _expected(selection: Selection) -> list[dict]:
    names = list(SCORES)
    return [{PREFIX + name: row[name] for name in names} for row in selection.table("scores").select(names).to_pylist()]


def test_scores_are_those_of_select(selection: Selection, units: pa.Table) -> None:
    run, expected = selection.folder.parent, _expected(selection)
    assert sum(row["pivotlens_n_bridges"] for row in expected) > 20
    scored = score_batch(units, run)
    assert scored.column_names == ["text", "language", *(PREFIX + name for name in SCORES)]
    assert scored.select(scored.column_names[2:]).to_pylist() == expected
    assert score_batch(scored, run).equals(scored)
    pieces = [score_batch(batch, run) for batch in units.to_batches(max_chunksize=7)]
    assert all(isinstance(piece, pa.RecordBatch) for piece in pieces)
    assert pa.Table.from_batches(pieces).to_pylist() == scored.to_pylist()
    empty = score_batch(units.slice(0, 0), run)
    assert (empty.num_rows, empty.schema) == (0, scored.schema)


def test_datasets_map_takes_it(selection: Selection, units: pa.Table) -> None:
    dataset = Dataset(units).with_format("arrow")
    scored = dataset.map(partial(score_batch, run=selection.folder.parent), batched=True, batch_size=50)
    assert [row[f"{PREFIX}bridge"] for row in scored.with_format(None)] == [
        row[f"{PREFIX}bridge"] for row in _expected(selection)
    ]


def test_rows_without_text_or_with_the_language_in_the_settings(selection: Selection) -> None:
    run, tokenizer = selection.folder.parent, selection.manifest.config["tokenizer"]
    rows = pa.table({"body": ["l'eau", None, ""], "lang": ["fr", "fr", None]})
    config = SelectConfig(tokenizer=tokenizer, text_column="body", language_column="lang", language="fr")
    scored = score_batch(rows, run, config).to_pylist()
    assert [row[f"{PREFIX}n_tokens"] for row in scored][1:] == [None, 0]
    assert [row[f"{PREFIX}language"] for row in scored] == ["fr", None, "fr"]
    assert [row[f"{PREFIX}bridge"] for row in scored] == [0, None, 0]
    with pytest.raises(DataError, match="there is no column 'text', only 'body', 'lang'"):
        score_batch(rows, run)
    with pytest.raises(DataError, match="the language of a text is None"):
        score_batch(rows, run, SelectConfig(tokenizer=tokenizer, text_column="body", language_column="lang"))
    with pytest.raises(DataError, match="klingonish"):
        score_batch(pa.table({"text": ["a"], "language": ["klingonish"]}), run)
    with pytest.raises(DataError, match="a text is int"):
        score_batch(pa.table({"text": [1], "language": ["fr"]}), run)


def test_what_a_run_must_have(selection: Selection, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="count"):
        score_batch(pa.table({"text": ["a"], "language": ["fr"]}), tmp_path)
    shutil.copytree(selection.manifest.config["tokenizer"], tmp_path / "other")
    file = tmp_path / "other/tokenizer.json"
    content = orjson.loads(file.read_bytes())
    content["model"] = {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"}
    file.write_bytes(orjson.dumps(content))
    with pytest.raises(ConfigError, match="in the mined pivots but not in the tokenizer"):
        unit_scorer(str(selection.folder.parent), SelectConfig(tokenizer=str(tmp_path / "other")))


def _written(folder: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_a_pipeline_of_datatrove_scores_and_filters(selection: Selection, units: pa.Table, tmp_path: Path) -> None:
    run, rows, expected = selection.folder.parent, units.to_pylist(), _expected(selection)
    (tmp_path / "data").mkdir()
    for part in range(2):
        lines = b"".join(
            orjson.dumps(row | {"id": f"{place}"}) + b"\n" for place, row in enumerate(rows) if place % 2 == part
        )
        (tmp_path / f"data/{part}.jsonl").write_bytes(lines)
    kept, dropped, name = tmp_path / "kept", tmp_path / "dropped", "${rank}.jsonl"
    LocalPipelineExecutor(
        [
            JsonlReader(str(tmp_path / "data")),
            pickle.loads(pickle.dumps(PivotScorer(run, batch_size=10))),
            PivotFilter(
                0.5, run=run, exclusion_writer=JsonlWriter(str(dropped), output_filename=name, compression=None)
            ),
            JsonlWriter(str(kept), output_filename=name, compression=None),
        ],
        tasks=2,
        workers=1,
        logging_dir=str(tmp_path / "logs"),
    ).run()
    by_text = dict(zip(units.column("text").to_pylist(), expected, strict=True))
    for folder, wanted in ((kept, True), (dropped, False)):
        documents = _written(folder)
        assert len(documents) > 10
        for document in documents:
            of_select = by_text[document["text"]]
            assert {key: document["metadata"][key] for key in of_select} == of_select
            assert (of_select["pivotlens_bridge"] >= 0.5) == wanted
    assert len(_written(kept)) + len(_written(dropped)) == sum(bool(row["text"]) for row in rows)
    assert {document["metadata"]["filter_reason"] for document in _written(dropped)} == {"bridge_below_0.5"}


def test_the_filter_scores_what_nobody_scored(selection: Selection, units: pa.Table) -> None:
    run, rows = selection.folder.parent, units.to_pylist()[:40]
    documents = [
        Document(row["text"], str(place), metadata={"language": row["language"]}) for place, row in enumerate(rows)
    ]
    kept = list(PivotFilter(20, "n_tokens", run=run)(documents))
    assert [document.text for document in kept] == [
        row["text"] for row, score in zip(rows, _expected(selection), strict=False) if score["pivotlens_n_tokens"] >= 20
    ]
    assert PivotFilter(20, "n_tokens", run=run).filter(documents[0]) in (True, (False, "n_tokens_below_20"))
    with pytest.raises(ConfigError, match="no score 'brigde'"):
        PivotFilter(1, "brigde")
