"""The evaluate stage: tasks of lm-evaluation-harness on local data, several models, kills, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest

from evaluation_files import write_flores, write_lines, write_xcopa, write_xnli
from pivotlens import Evaluation
from pivotlens.cli.main import main
from pivotlens.comparison.harness_samples import sample_side
from pivotlens.errors import ConfigError, DataError, ModelError, PivotLensError, PrerequisiteError
from pivotlens.evaluate.chosen import chosen_tasks, local_data, named_tasks
from pivotlens.evaluate.config import EvaluateConfig
from pivotlens.evaluate.stage import STAGE, evaluate_model
from pivotlens.select.config import SelectConfig
from stage_by_hand import writing
from tiny_inputs import write_model

pytest.importorskip("lm_eval")
datasets = pytest.importorskip("datasets")
FLORES = "spanish_bench_flores_en-es"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Two models that differ, and local data."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path_factory.mktemp("evaluate")
    write_xnli(folder / "xnli" / "en.jsonl")
    write_xnli(folder / "xnli" / "fr.jsonl", "fr")
    write_xcopa(folder / "xcopa.jsonl")
    write_flores(folder / "flores" / "devtest.jsonl")
    for name in ("a", "b"):
        write_model(folder / name)
    weights = load_file(folder / "b" / "model.safetensors")
    torch.manual_seed(1)
    noisy = {name: values + torch.randn_like(values) * 0.05 for name, values in weights.items()}
    save_file(noisy, folder / "b" / "model.safetensors", {"format": "pt"})
    return folder


def settings(base: Path, **more) -> EvaluateConfig:
    values = {
        "model": str(base / "a"),
        "also_models": (str(base / "b"),),
        "tasks": ("xnli", "xcopa_it", FLORES, "pivotlens_en_fr"),
        "languages": ("en", "fr"),
        "data": (f"xnli={base}/xnli/{{language}}.jsonl", f"xcopa_it={base}/xcopa.jsonl", f"{FLORES}={base}/flores"),
        "options": ("shot_sets=1", "limit_concepts=4", "shots=2"),
        "device": "cpu",
        "bootstrap": 100,
    }
    return EvaluateConfig(**{**values, **more})


@pytest.fixture(scope="module")
def evaluated(base):
    return evaluate_model(settings(base), base / "run")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


def test_figures_are_those_of_the_harness_itself(base, evaluated):
    import lm_eval
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    original = Path(lm_eval.__file__).parent / "tasks" / "xnli" / "xnli_fr.yaml"
    folder = base / "by_hand"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        f"include: {original}\ntask: mine\ndataset_path: json\ndataset_name: null\ntraining_split: null\n"
        f"dataset_kwargs:\n  data_files:\n    validation: {base}/xnli/fr.jsonl\n  cache_dir: {base}/cache\n"
    )
    found = simple_evaluate(
        model="hf",
        model_args={"pretrained": str(base / "b"), "dtype": "float32"},
        tasks=["mine"],
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        device="cpu",
        batch_size=8,
        bootstrap_iters=100,
    )
    (row,) = evaluated.rows("results", model=str(base / "b"), task="xnli_fr")
    assert row["value"] == found["results"]["mine"]["acc,none"]
    assert row["stderr"] == found["results"]["mine"]["acc_stderr,none"]
    assert (row["n"], row["clusters"], row["version"], row["shots"], row["tasks"]) == (36, 12, "1.0", 0, 1)
    ours = evaluated.rows("samples", model=str(base / "b"), task="xnli_fr")
    assert [one["value"] for one in ours] == [one["acc"] for one in found["samples"]["mine"]]
    assert [one["doc_hash"] for one in ours] == [one["doc_hash"] for one in found["samples"]["mine"]]
    assert [one["prompt_hash"] for one in ours] == [one["prompt_hash"] for one in found["samples"]["mine"]]


def test_examples_in_prompts_are_those_of_the_harness_itself(base, evaluated, tmp_path):
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    config = settings(
        base, also_models=(), tasks=("xnli_fr",), data=(f"xnli_fr={base}/xnli/fr.jsonl",), shots=2, seed=5
    )
    ours = evaluate_model(config, tmp_path).rows("samples")
    found = simple_evaluate(
        model="hf",
        model_args={"pretrained": str(base / "a"), "dtype": "float32"},
        tasks=["mine"],
        num_fewshot=2,
        fewshot_random_seed=5,
        task_manager=TaskManager(include_path=str(base / "by_hand"), include_defaults=False),
        device="cpu",
        bootstrap_iters=0,
    )
    assert [row["prompt_hash"] for row in ours] == [one["prompt_hash"] for one in found["samples"]["mine"]]
    assert [row["value"] for row in ours] == [one["acc"] for one in found["samples"]["mine"]]
    assert {row["prompt_hash"] for row in ours}.isdisjoint(
        row["prompt_hash"] for row in evaluated.rows("samples", task="xnli_fr")
    )


def test_samples_are_saved_as_the_harness_saves_them(base, evaluated):
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    found = simple_evaluate(
        model="hf",
        model_args={"pretrained": str(base / "a"), "dtype": "float32"},
        tasks=["mine"],
        task_manager=TaskManager(include_path=str(base / "by_hand"), include_defaults=False),
        device="cpu",
        batch_size=8,
        bootstrap_iters=0,
    )
    tracker = EvaluationTracker(output_path=str(base / "saved"))
    tracker.general_config_tracker.model_name_sanitized = "a"
    samples = found.pop("samples")
    tracker.save_results_aggregated(results=found, samples=samples)
    tracker.save_results_samples("xnli_fr", samples["mine"])
    (theirs,) = (base / "saved" / "a").glob("samples_*.jsonl")
    (ours,) = evaluated.samples(str(base / "a")).glob("samples_xnli_fr_*.jsonl")
    assert ours.read_bytes() == theirs.read_bytes()
    # And so one is compared with the other, whoever made it.
    theirs_side, our_side = sample_side(str(theirs), "theirs"), sample_side(str(ours), "ours")
    assert theirs_side.tasks["xnli_fr"].documents == our_side.tasks["xnli_fr"].documents


def test_results_of_every_model_task_and_family(base, evaluated):
    rows = evaluated.rows("results")
    found = {(row["model"], row["task"], row["metric"]): row for row in rows}
    assert len(found) == len(rows)
    for name in "ab":
        model = str(base / name)
        one, two, both = (found[model, task, "acc"] for task in ("xnli_en", "xnli_fr", "xnli"))
        assert both["value"] == pytest.approx((one["value"] + two["value"]) / 2)
        assert (both["n"], both["clusters"], both["tasks"]) == (72, 12, 2)
        assert one["ci_low"] <= one["value"] <= one["ci_high"]
        assert found[model, FLORES, "chrf"]["ci_low"] is None
        sentences = found[model, FLORES, "chrf_sentence"]
        assert (sentences["n"], sentences["clusters"]) == (8, 4)
        assert sentences["ci_low"] <= sentences["value"] <= sentences["ci_high"]
        words = found[model, "pivotlens_en_fr", "accuracy_10way"]
        assert words["n"] == 4
        values = evaluated.rows("samples", model=model, task="pivotlens_en_fr", metric="accuracy_10way")
        assert words["value"] == pytest.approx(np.mean([row["value"] for row in values]))
    assert not [warning for warning in evaluated.manifest.warnings if "other" in warning]
    assert evaluated.models == (str(base / "a"), str(base / "b"))


def test_differences_are_what_compare_gives(base, evaluated, capsys):
    sides = [str(base / name) for name in "ab"]
    assert main(["compare", "--run", str(base / "run"), *sides, "--bootstrap", "100", "--json"]) == 0
    by_run = json.loads(capsys.readouterr().out)["rows"]
    folders = [str(evaluated.samples(side)) for side in sides]
    assert main(["compare", *folders, "--bootstrap", "100", "--json"]) == 0
    by_files = json.loads(capsys.readouterr().out)["rows"]
    assert by_run == by_files
    key = ("task", "metric")
    ours = {tuple(row[name] for name in key): row for row in evaluated.rows("differences")}
    for row in by_files:
        mine = ours[tuple(row[name] for name in key)]
        assert mine == {"model": sides[1], **row}
    assert len(ours) == len(by_files)
    assert evaluated.differences("acc").num_rows == 4
    assert ours["xcopa_it", "acc"]["test"] == "mcnemar"
    assert ours["xnli", "acc"]["test"] == "sign_flip"


def test_a_model_is_the_same_as_itself_and_alone(base, evaluated):
    """The first model evaluated alone, in fewer tasks, has the figures that it has beside others."""
    alone = evaluate_model(
        settings(base, also_models=(), tasks=("xcopa_it",), data=settings(base).data[1:2]), base / "x"
    )
    assert alone.rows("results") == evaluated.rows("results", model=str(base / "a"), task="xcopa_it")
    assert alone.rows("differences") == []


def test_a_kill_loses_no_finished_task(base, evaluated, monkeypatch):
    from lm_eval import evaluator

    real, calls = evaluator.evaluate, []

    def killed(**arguments):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(arguments)
        return real(**arguments)

    config = settings(base, tasks=("xnli", "xcopa_it"), data=settings(base).data[:2])
    whole = evaluate_model(config, base / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(evaluator, "evaluate", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate_model(config, base / "killed")
        assert STAGE.plan(config, base / "killed").reason == "finished parts of an interrupted run go on"
        calls.clear()
        evaluate_model(config, base / "killed")
    assert len(calls) == 3
    assert contents(base / "killed" / "evaluate") == contents(whole.folder)
    assert STAGE.plan(config, base / "killed").reason is None


def test_what_is_told_makes_the_fingerprint(base, evaluated):
    same = STAGE.plan(settings(base), base / "run")
    assert same.reason is None
    (base / "other").mkdir()
    shutil.copy(base / "xcopa.jsonl", base / "other" / "xcopa.jsonl")
    data = settings(base).data
    moved = settings(base, data=(data[0], f"xcopa_it={base}/other/xcopa.jsonl", data[2]))
    assert STAGE.plan(moved, base / "run").inputs == same.inputs
    write_lines(base / "other" / "xcopa.jsonl", [])
    assert "input data of xcopa_it changed" in str(STAGE.plan(settings(base, data=moved.data), base / "run").reason)
    assert same.inputs["lm-evaluation-harness"] == evaluated.manifest.details["harness"]


def test_the_report_shows_it(base, evaluated, capsys):
    assert main(["report", "--run", str(base / "run"), "--format", "md"]) == 0
    capsys.readouterr()
    text = (base / "run" / "report" / "report.md").read_text(encoding="utf-8")
    assert "### Evaluation" in text or "## Evaluation" in text
    assert "xnli, mean of 2 tasks" in text


# -- choosing


def test_families_languages_and_single_tasks():
    def names(**given):
        return chosen_tasks(EvaluateConfig(model="m", **given))

    chosen = names(tasks=("xnli", "arc_easy"), languages=("fr", "zh"))
    assert (chosen.tasks, chosen.folders, chosen.others) == (
        ("xnli_fr", "xnli_zh", "arc_easy"), ("xnli",), ("arc_easy",)
    )  # fmt: skip
    assert len(names().tasks) == 30
    assert names(tasks=("belebele_fra_Latn",)).folders == ("belebele",)
    with pytest.raises(ConfigError, match="xcopa has no task in languages = fr"):
        names(tasks=("xcopa",), languages=("fr",))
    with pytest.raises(ConfigError, match=r"languages = fr: each of its tasks is a direction, and needs two languages"):
        names(tasks=("pivotlens",), languages=("fr",))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("xcopa_it=x.jsonl", ConfigError, "data is given for 'xcopa_it', which is not evaluated"),
        ("xnli=x.jsonl", ConfigError, "would be the same for 2 tasks"),
        ("xnli_fr=nothing.jsonl", DataError, "there is no file"),
    ],
)
def test_local_data_that_fits_nothing(data, error, message):
    config = EvaluateConfig(model="m", tasks=("xnli",), languages=("en", "fr"), data=(data,))
    with pytest.raises(error, match=message):
        local_data(config, chosen_tasks(config).tasks)


def refused(base, run, error, message, **more):
    with pytest.raises(error, match=message) as caught:
        evaluate_model(settings(base, also_models=(), **more), run)
    assert isinstance(caught.value, PivotLensError)
    assert not (Path(run) / "evaluate").exists()


def unreachable(*_, **__):
    raise ConnectionError("the hub cannot be reached")


def test_bad_input_is_refused_before_a_model_is_loaded(base, tmp_path, monkeypatch):
    monkeypatch.setattr("pivotlens.evaluate.run.load_model", None)
    none = {"data": (), "options": ()}
    with monkeypatch.context() as patched:
        patched.setattr(datasets, "load_dataset", unreachable)
        message = "the task xnli_fr cannot be loaded: the hub cannot be reached"
        refused(base, tmp_path, PrerequisiteError, message, tasks=("xnli_fr",), **none)
    refused(base, tmp_path, ConfigError, "no_such", tasks=("pivotlens_en_fr",), data=(), options=("no_such=1",))
    refused(base, tmp_path, ConfigError, "is no folder", tasks=("xnli",), include_path=str(tmp_path / "none"), **none)
    write_lines(tmp_path / "bad.jsonl", [{"premise": "x"}] * 3)
    (tmp_path / "cut.jsonl").write_text('{"premise": "x"}\n{"premise": "x')
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    (tmp_path / "splits").mkdir()
    write_xnli(tmp_path / "splits" / "train.jsonl")
    for path, message in (
        ("cut.jsonl", r"xnli_en cannot be read: .*/cut.jsonl, line 2 is no JSON, and is cut off: Unterminated string"),
        ("torn.parquet", r"cannot be read: .*/torn.parquet: .*[Pp]arquet"),
        ("splits", "has no split 'validation'"),
    ):
        data = (f"xnli_en={tmp_path / path}",)
        refused(base, tmp_path / "run", DataError, message, tasks=("xnli_en",), data=data, options=())


def test_a_plan_knows_the_tasks_that_there_are(base, tmp_path):
    import lm_eval
    from lm_eval.tasks import TaskManager

    def plan(*tasks, **more):
        return STAGE.plan(settings(base, tasks=tasks, data=(), options=(), **more), tmp_path / "run")

    for name, hint in (("xnli_frr", "did you mean 'xnli_fr'?"), ("q" * 9, "`lm_eval ls tasks` lists them all.")):
        with pytest.raises(ConfigError, match=f"tasks = '{name}': neither a family nor a task of lm-eval") as caught:
            plan("xnli", name)
        assert caught.value.hint == hint
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "own.yaml").write_text("task: own  # mine\ntag:\n  - of_mine\n")
    for name in ("own", "of_mine", "arc_easy", "ai2_arc", "mmlu"):
        assert plan(name, include_path=str(tmp_path / "tasks")).reason == "no result yet"
    with pytest.raises(ConfigError, match="tasks = 'mine'"):
        plan("mine", include_path=str(tmp_path / "tasks"))
    # The slow twin, over a folder of the harness with templates, groups and tags.
    folder = Path(lm_eval.__file__).parent / "tasks" / "arc"
    listed = set(TaskManager(include_path=str(folder), include_defaults=False).all_tasks)
    assert {"arc_easy", "ai2_arc"} <= listed <= named_tasks(folder)


def test_other_columns_and_nan_are_refused(base, tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    write_lines(tmp_path / "bad.jsonl", [{"premise": "x", "label": 0}] * 3)
    data = (f"xnli_en={tmp_path / 'bad.jsonl'}",)
    refused(base, tmp_path / "run", DataError, "xnli_en", tasks=("xnli_en",), data=data, options=())
    shutil.copytree(base / "a", tmp_path / "nan")
    weights = load_file(tmp_path / "nan" / "model.safetensors")
    for values in weights.values():
        values.fill_(torch.nan)
    save_file(weights, tmp_path / "nan" / "model.safetensors", {"format": "pt"})
    refused(base, tmp_path / "run", ModelError, "NaN", model=str(tmp_path / "nan"), tasks=("xcopa_it",),
            data=settings(base).data[1:2], options=())  # fmt: skip


def test_prompts_that_the_harness_cuts_are_told(base, tmp_path):
    rows = [json.loads(line) for line in (base / "xcopa.jsonl").read_text().splitlines()]
    rows[3]["premise"] = "molto " * 1000 + rows[3]["premise"]
    data = (f"xcopa_it={write_lines(tmp_path / 'x.jsonl', rows)}",)
    config = settings(base, also_models=(), tasks=("xcopa_it",), data=data, options=())
    warnings = evaluate_model(config, tmp_path / "run").manifest.warnings
    what = "2 prompts of xcopa_it are longer than the model's context: the harness cut their beginnings off"
    assert warnings == [f"{base / 'a'}: {what}"]


def test_a_model_that_a_stage_made(base, tmp_path):
    with writing(tmp_path, SelectConfig(), {}) as stage:
        for path in (base / "b").iterdir():
            shutil.copy(path, stage.staged(f"top/{path.name}"))
        stage.finish({})
    config = settings(
        base, also_models=("run:select/top",), tasks=("xcopa_it",), data=settings(base).data[1:2], options=()
    )
    found = evaluate_model(config, tmp_path)
    assert found.models == (str(base / "a"), "run:select/top")
    assert found.samples("run:select/top").name == "run__select__top"
    by_path = evaluate_model(settings(base, tasks=("xcopa_it",), data=config.data, options=()), tmp_path / "other")
    (ours,), (theirs,) = found.rows("differences"), by_path.rows("differences")
    assert {**ours, "model": ""} == {**theirs, "model": ""}


def test_a_task_of_ones_own(base, tmp_path):
    (tmp_path / "tasks").mkdir()
    write_lines(tmp_path / "own.jsonl", [{"text": f"{at} is", "right": at % 2} for at in range(6)])
    (tmp_path / "tasks" / "own.yaml").write_text(
        "task: own\ndataset_path: json\n"
        f"dataset_kwargs:\n  data_files:\n    test: {tmp_path}/own.jsonl\n  cache_dir: {tmp_path}/cache\n"
        'test_split: test\noutput_type: multiple_choice\ndoc_to_text: "{{text}}"\ndoc_to_choice: ["even", "odd"]\n'
        "doc_to_target: right\nmetric_list:\n  - metric: acc\n    aggregation: mean\n    higher_is_better: true\n"
    )
    config = settings(
        base, tasks=("own",), data=(), options=(), include_path=str(tmp_path / "tasks"), limit_documents=5
    )
    found = evaluate_model(config, tmp_path / "run")
    assert [(row["task"], row["n"]) for row in found.rows("results")] == [("own", 5)] * 2
    assert "only the first 5 documents of each task were evaluated (--limit-documents)" in found.manifest.warnings


def test_sentences_are_clusters_over_directions(base, tmp_path):
    config = settings(base, tasks=("pivotlens_sentences",), data=(), options=(), limit_documents=5)
    found = {
        (row["model"], row["task"], row["metric"]): row for row in evaluate_model(config, tmp_path).rows("results")
    }
    both = found[str(base / "a"), "pivotlens_sentences", "acc"]
    assert (both["tasks"], both["n"], both["clusters"]) == (2, 10, 5)
    assert found[str(base / "b"), "pivotlens_sentences_en_fr", "acc"]["n"] == 5


def test_the_verb_and_its_json(base, evaluated, capsys):
    arguments = ["evaluate", "--run", str(base / "run"), "--model", str(base / "a"), "--also-models", str(base / "b"),
                 "--tasks", *settings(base).tasks, "--languages", "en", "fr", "--data", *settings(base).data,
                 "--options", *settings(base).options, "--device", "cpu", "--bootstrap", "100", "--json"]  # fmt: skip
    assert main(arguments) == 0
    shown = orjson.loads(capsys.readouterr().out)
    assert shown["reused"] is True
    assert shown["outputs"]["samples.parquet"] == evaluated.table("samples").num_rows
    assert main(["evaluate", "--run", str(base / "run"), "--tasks"]) == 2
    assert Evaluation.load(base / "run").manifest == evaluated.manifest
