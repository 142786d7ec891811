"""The train stage: what it leaves behind, how it goes on, and what it refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from pivotlens.artifacts import RunFolder, TrainedModels
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.errors import ArtifactError, ConfigError, DataError, ModelError, PrerequisiteError
from pivotlens.models.load import load_model
from pivotlens.report.config import ReportConfig
from pivotlens.report.stage import write_report
from pivotlens.train import checkpoint, kept, loop
from pivotlens.train.config import TrainConfig
from pivotlens.train.stage import train_model

pytestmark = pytest.mark.usefixtures("one_thread")

STEPS, SEQUENCES, LENGTH = 8, 4, 32
LLAMA = {"model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
         "num_attention_heads": 2, "max_position_embeddings": 64, "tie_word_embeddings": True}  # fmt: skip


def config(tiny, **more) -> TrainConfig:
    values = {
        "model": str(tiny.model), "arms": (f"one={tiny.corpus}",), "sequence_length": LENGTH, "device": "cpu",
        "batch_sequences": SEQUENCES, "tokens": STEPS * SEQUENCES * LENGTH, "learning_rate": 1e-2, "bootstrap": 100,
        "precision": "float32",
    }  # fmt: skip
    return TrainConfig(**values | more)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def arms(tiny, tmp_path_factory) -> tuple[str, str]:
    """Two corpora of one size, in two languages."""
    folder = tmp_path_factory.mktemp("arms")
    for name, words in (("red", ["rouge", "feu"]), ("blue", ["bleu", "mer"])):
        rows = [{"text": f"{words[number % 2]} " * 12, "language": "fr"} for number in range(120)]
        (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return str(folder / "red.jsonl"), str(folder / "blue.jsonl")


@pytest.fixture(scope="module")
def benchmark(tiny, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("bench") / "run"
    build_benchmark(BenchConfig(words=str(tiny.words), distractors=4, shot_pool=8, calibration=20), run)
    return run


def everything(tiny, arms, **more) -> TrainConfig:
    """Two arms with two seeds, checkpoints before, between and after, all measured."""
    values = {
        "arms": arms, "seeds": (0, 3), "checkpoint_steps": (0,), "checkpoint_tokens": (300,), "score_concepts": 4,
        "directions": ("en-fr",), "shots": 2, "held_out": str(tiny.corpus), "held_out_units": 2,
        "unequal_arms": "cut",
    }  # fmt: skip
    return config(tiny, **values | more)


@pytest.fixture(scope="module")
def trained(tiny, arms, benchmark):
    return train_model(everything(tiny, arms), benchmark)


# -- what is left behind


def test_every_arm_and_seed_is_a_training_whose_loss_falls(trained):
    assert trained.manifest.details["trainings"] == ["red-0", "red-3", "blue-0", "blue-3"]
    steps = trained.rows("steps")
    assert len(steps) == 4 * STEPS
    assert [row["tokens"] for row in steps[:STEPS]] == [SEQUENCES * LENGTH * step for step in range(1, STEPS + 1)]
    for row in trained.rows("summary"):
        own = trained.losses(row["arm"], row["seed"])["loss"].to_pylist()
        assert (row["loss_first"], row["loss_last"]) == (own[0], own[-1])
        assert own[-1] < own[0] - 0.2
        assert (row["steps"], row["tokens"], row["documents"]) == (STEPS, STEPS * SEQUENCES * LENGTH, 120)
        assert row["bits_per_byte"] > 0
        assert -1 <= row["score"] <= 1
    assert steps[0]["loss"] != steps[STEPS]["loss"], "seeds read in another order"


def test_checkpoints_stand_where_they_were_asked_for_and_are_models(trained, tiny, benchmark):
    rows = trained.rows("checkpoints")
    assert [row["step"] for row in rows[:3]] == [0, 3, 8]
    assert trained.checkpoints[:3] == tuple(f"run:train/red-0@step-{step}" for step in (0, 3, 8))
    assert rows[0]["loss"] is None
    losses = trained.losses("red", 0)["loss"].to_pylist()
    assert rows[1]["loss"] == pytest.approx(sum(losses[:3]) / 3)
    begun, source = (
        AutoModelForCausalLM.from_pretrained(path) for path in (trained.folder / "red-0/step-0", tiny.model)
    )
    assert all(torch.equal(one, other) for one, other in zip(begun.parameters(), source.parameters(), strict=True))
    last = load_model(trained.checkpoints[2], device="cpu", near=RunFolder(benchmark))
    assert not torch.equal(last.model.lm_head.weight, source.lm_head.weight)
    tokenizers = [folder / "tokenizer.json" for folder in (trained.folder / "red-0/step-8", tiny.model)]
    assert tokenizers[0].read_bytes() == tokenizers[1].read_bytes()
    assert rows[2]["bytes"] == sum(path.stat().st_size for path in (trained.folder / "red-0/step-8").iterdir())
    assert "_attn_implementation" not in (trained.folder / "red-0/step-8/config.json").read_text()


def test_checkpoints_are_scored_and_read_held_out_text(trained, benchmark):
    scores = [row for row in trained.rows("evaluations") if row["source_language"] == "all"]
    assert [(row["arm"], row["seed"], row["step"]) for row in scores[:3]] == [
        ("red", 0, 0),
        ("red", 0, 3),
        ("red", 0, 8),
    ]
    assert {row["n"] for row in scores} == {4}
    first = [row for row in trained.rows("evaluations") if row["step"] == 0 and row["source_language"] == "all"]
    assert len({row["score"] for row in first}) == 1, "all begin with the same model"
    held = [row for row in trained.rows("held_out") if (row["arm"], row["seed"], row["step"]) == ("red", 0, 8)]
    assert [row["language"] for row in held] == ["de", "en", "es", "fr", "ja", "zh", "all"]
    total = sum(row["bits_per_byte"] * row["bytes"] for row in held[:-1]) / sum(row["bytes"] for row in held[:-1])
    assert held[-1]["bits_per_byte"] == pytest.approx(total)
    for row in held:
        assert row["bits_per_byte_low"] <= row["bits_per_byte"] <= row["bits_per_byte_high"]


def test_bits_per_byte_are_those_of_a_plain_pass(trained, tiny, tmp_path):
    """One short piece: its tokens after the end of a document, and nothing else."""
    (tmp_path / "held.jsonl").write_bytes(orjson.dumps({"text": "la mer bleue", "language": "fr"}))
    found = train_model(
        config(tiny, tokens=SEQUENCES * LENGTH, held_out=str(tmp_path / "held.jsonl")), tmp_path / "run"
    )
    loaded = load_model(str(found.folder / "one/step-1"), device="cpu")
    ids = loaded.tokenizer("la mer bleue", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = loaded.model(torch.tensor([[1, *ids]])).logits[0].log_softmax(-1)
    bits = -sum(float(logits[place, token]) for place, token in enumerate(ids)) / 0.6931471805599453
    assert found.rows("held_out")[0]["bits_per_byte"] == pytest.approx(bits / 12, rel=1e-5)


def test_the_card_says_what_the_model_was_trained_on(trained, arms):
    card = (trained.folder / "blue-3/step-8/README.md").read_text()
    assert f"| corpus | `{arms[1]}` |" in card
    assert "read 1,024 tokens in\n8 steps, in the order of seed 3" in card
    assert "| learning_rate | `0.01` |" in card
    assert "its licence holds" in card
    assert not (trained.folder / "blue-3/step-3/README.md").exists()


def test_the_log_has_a_line_a_step(trained, benchmark):
    lines = [json.loads(line) for line in (benchmark / "logs/train/red-0.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    assert lines[-1]["loss"] == trained.losses("red", 0)["loss"][STEPS - 1].as_py()
    assert lines[0]["tokens_per_second"] > 0


@pytest.mark.slow
def test_workers_change_no_byte(tiny, arms, tmp_path):
    one, two = (
        train_model(config(tiny, arms=arms, unequal_arms="cut", workers=count), tmp_path / str(count))
        for count in (1, 2)
    )
    assert content(two.folder) == content(one.folder)


def test_the_report_shows_what_was_trained(trained, benchmark):
    page = write_report(ReportConfig(), benchmark).folder / "report.html"
    text = page.read_text(encoding="utf-8")
    assert 'id="training"' in text
    for told in (
        "Loss of each step",
        "Score of each checkpoint",
        "Held-out text",
        "red, seed 0",
        "run:train/blue-3@step-8",
    ):
        assert told in text


# -- from scratch


def whole_words(folder: Path) -> Path:
    vocabulary = {word: number for number, word in enumerate(["<unk>", "</s>", "rouge", "feu", "bleu", "mer"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>").save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["json", "toml"])
def test_a_model_from_scratch_learns_with_a_tokenizer_of_whole_words(tiny, arms, tmp_path, kind):
    configuration = tmp_path / f"llama.{kind}"
    lines = (f"{key} = {json.dumps(value)}" for key, value in LLAMA.items())
    configuration.write_text(json.dumps(LLAMA) if kind == "json" else "\n".join(lines))
    tokenizer = whole_words(tmp_path / "tokenizer")
    values = {"model": "", "configuration": str(configuration), "tokenizer": str(tokenizer), "seeds": (0, 1)}
    found = train_model(config(tiny, arms=(arms[0],), learning_rate=0.05, **values), tmp_path / "run")
    assert [row["loss_first"] > row["loss_last"] + 0.5 for row in found.rows("summary")] == [True, True]
    first, second = (AutoModelForCausalLM.from_pretrained(found.folder / f"red-{seed}/step-8") for seed in (0, 1))
    assert first.config.vocab_size == 6
    assert first.config.eos_token_id == 1
    assert not torch.equal(first.lm_head.weight, second.lm_head.weight), "each seed draws its own weights"
    loaded = load_model(str(found.folder / "red-0/step-8"), device="cpu")
    assert loaded.tokenizer("rouge feu mer")["input_ids"] == [2, 3, 5]
    told = found.manifest.details["arms"]["red"]
    assert told["tokens"] == told["documents"] * (12 + 1), "nothing but its end stands around a document"
    assert "follow from the documents alone" in (found.folder / "red-0/step-8/README.md").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read the configuration"),
        ("[1]", "is no table"),
        ("{}", "does not say which model it is of"),
        ('{"model_type": "llamma"}', "no model can be made"),
        (json.dumps(LLAMA | {"num_attention_heads": "two"}), "no model can be made"),
        (json.dumps(LLAMA | {"vocab_size": 4}), "has a vocabulary of 4, and the tokenizer gives ids up to 5"),
        (json.dumps({"model_type": "t5"}), "no model can be made"),
    ],
)
def test_a_configuration_that_is_none_is_refused(tiny, arms, tmp_path, text, message):
    path = tmp_path / "model.json"
    path.write_text(text)
    tokenizer = whole_words(tmp_path / "tokenizer")
    given = config(tiny, model="", configuration=str(path), tokenizer=str(tokenizer), arms=(arms[0],))
    with pytest.raises(ConfigError, match=message):
        train_model(given, tmp_path / "run")


GPT2 = {"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}


def test_a_model_reads_no_more_positions_than_it_has(tiny, arms, tmp_path):
    path = tmp_path / "gpt2.json"
    path.write_text(json.dumps(GPT2))
    values = {"model": "", "configuration": str(path), "tokenizer": str(whole_words(tmp_path / "tokenizer"))}
    given = {**values, "arms": (arms[0],), "tokens": 2 * SEQUENCES * 16, "sequence_length": 16}
    assert train_model(config(tiny, **given), tmp_path / "short").rows("summary")[0]["steps"] == 2
    with pytest.raises(ConfigError, match="reads 32 tokens at most, and sequence_length is 64"):
        train_model(config(tiny, **given | {"sequence_length": 64, "tokens": 512}), tmp_path / "long")
    path.write_text(json.dumps(LLAMA | {"max_position_embeddings": 8}))
    found = train_model(config(tiny, **given), tmp_path / "beyond")
    assert any("was made for 8 tokens" in warning for warning in found.manifest.warnings)


def test_a_tokenizer_that_cuts_nothing_is_refused(tiny, arms, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(LLAMA))
    tokenizer = Tokenizer(models.WordLevel({"</s>": 0, "rouge": 1}, unk_token="<unk>"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>").save_pretrained(tmp_path / "tokenizer")
    given = config(tiny, model="", configuration=str(path), tokenizer=str(tmp_path / "tokenizer"), arms=(arms[0],))
    with pytest.raises(ModelError, match="cannot be used"):
        train_model(given, tmp_path / "run")


# -- going on


def test_nothing_is_lost_where_a_loss_is_no_number(tiny, tmp_path):
    run = tmp_path / "run"
    given = config(tiny, learning_rate=1e30, warmup=0.0, gradient_clip=1e30, checkpoint_steps=(1,))
    with pytest.raises(ModelError, match=r"training one: at step \d the loss is .*(nan|inf)") as caught:
        train_model(given, run)
    assert "Give a lower learning_rate (now 1e+30)" in str(caught.value)
    (good,) = run.glob(".work/*/parts/trainings/checkpoints/one/step-1")
    assert load_model(str(good), device="cpu")
    assert not (run / "train").exists()


def test_a_full_disk_is_told_and_loses_nothing(tiny, tmp_path, monkeypatch):
    whole = train_model(config(tiny, checkpoint_steps=(4,)), tmp_path / "whole")
    given, run = config(tiny, checkpoint_steps=(4,), keep_minutes=0.0), tmp_path / "run"

    def full(*_, **__):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    for place, name in ((kept, "save_file"), (checkpoint.PreTrainedModel, "save_pretrained")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, full)
            with pytest.raises(ArtifactError, match="no space left while writing"):
                train_model(given, run)
        assert not (run / "train").exists()
    assert content(train_model(given, run).folder) == content(whole.folder)


def test_kept_work_of_another_training_is_refused(tiny, tmp_path, monkeypatch):
    given, run = config(tiny, keep_minutes=0.0), tmp_path / "run"

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop.StepLog, "step", lambda self, step, *_: stop() if step == 3 else None)
    with pytest.raises(KeyboardInterrupt):
        train_model(given, run)
    monkeypatch.undo()
    (file,) = run.glob(".work/*/parts/trainings/kept/one.safetensors")
    good = file.read_bytes()
    other = tmp_path / "other"
    with pytest.raises(ModelError, match="lower learning_rate"):
        train_model(config(tiny, learning_rate=1e30, warmup=0.0, gradient_clip=1e30), other)
    (foreign,) = other.glob(".work/*/parts/trainings/kept/one.safetensors")
    for bad, message in ((foreign.read_bytes(), "is kept work of another training: plan"), (good[:1000], "is damaged")):
        file.write_bytes(bad)
        with pytest.raises(ArtifactError, match=message):
            train_model(given, run)
    file.write_bytes(good)
    assert content(train_model(given, run).folder) == content(train_model(given, tmp_path / "whole").folder)


_LAUNCHED = """
import sys
from pathlib import Path
from pivotlens.train import loop
from pivotlens.train.config import TrainConfig
from pivotlens.train.stage import train_model

step = loop.Loop._step

def killed(self, number, *given):
    if number == 6 and not Path(sys.argv[2], "killed").exists():
        self.placement.wait()
        if self.placement.rank == 0:
            Path(sys.argv[2], "killed").touch()
        self.placement.wait()
        raise KeyboardInterrupt
    return step(self, number, *given)

if __name__ == "__main__":
    if len(sys.argv) > 3:
        loop.Loop._step = killed
    train_model(TrainConfig.model_validate_json(sys.argv[1]), sys.argv[2])
    print("the first process goes on")
"""
_FSDP = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
         "FSDP_CPU_RAM_EFFICIENT_LOADING": "true", "ACCELERATE_MIXED_PRECISION": "bf16",
         "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "3"}  # fmt: skip


def launched(folder: Path, given: TrainConfig, run: str, more: dict[str, str], *flags: str):
    """Two processes of a launcher, with gloo, that train into a run folder."""
    script = folder / "launched.py"
    script.write_text(_LAUNCHED)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command = [*launcher, str(script), given.model_dump_json(), str(folder / run), *flags]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | more
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, _FSDP], ids=["DDP", "FSDP"])
def test_two_processes_of_a_launcher_train_as_one(tiny, benchmark, tmp_path, more):
    """Each runs half of every part of a step, and holds all weights, or half of each; the first one alone goes on."""
    for name in ("one", "two"):
        shutil.copytree(benchmark / "bench", tmp_path / name / "bench")
    given = config(
        tiny, accumulation=2, seeds=(0, 1), checkpoint_steps=(0, 4), keep_minutes=0.0, score_concepts=4,
        directions=("en-fr",), shots=2, held_out=str(tiny.corpus), held_out_units=2,
    )  # fmt: skip
    done = launched(tmp_path, given, "two", more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the first process goes on") == 1
    one, two = train_model(given, tmp_path / "one"), TrainedModels.load(tmp_path / "two")
    assert [row["model"] for row in two.rows("checkpoints")] == [row["model"] for row in one.rows("checkpoints")]
    for row, other in zip(one.rows("steps"), two.rows("steps"), strict=True):
        assert other["loss"] == pytest.approx(row["loss"], abs=1e-4)
        assert other["gradient_norm"] == pytest.approx(row["gradient_norm"], rel=1e-3)
    for table, column in (("evaluations", "score"), ("held_out", "bits_per_byte")):
        values = [[row[column] for row in found.rows(table)] for found in (one, two)]
        assert values[1] == pytest.approx(values[0], abs=1e-3)
    for name in ("one-0/step-0", "one-1/step-8"):
        own, other = (AutoModelForCausalLM.from_pretrained(found.folder / name) for found in (one, two))
        for (key, weight), beside in zip(own.named_parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(weight, beside, atol=1e-3, rtol=1e-3, msg=key)
        names = [sorted(path.name for path in (found.folder / name).iterdir()) for found in (one, two)]
        assert names[0] == names[1]
        assert len({(found.folder / name / "model.safetensors").stat().st_size for found in (one, two)}) == 1
    assert not (tmp_path / "two/.work").exists()
    if more:  # what is sharded goes on bit for bit where it was cut short
        shutil.copytree(benchmark / "bench", tmp_path / "cut/bench")
        assert launched(tmp_path, given, "cut", more, "kill").returncode != 0
        assert not (tmp_path / "cut/train").exists()
        assert launched(tmp_path, given, "cut", more, "kill").returncode == 0
        assert content(tmp_path / "cut/train") == content(tmp_path / "two/train")


# -- what is refused


def test_a_half_written_model_is_refused(tiny, tmp_path):
    for number, damage in enumerate((lambda path: path.write_bytes(path.read_bytes()[:9000]), Path.unlink)):
        folder = shutil.copytree(tiny.model, tmp_path / f"half-{number}")
        damage(folder / "model.safetensors")
        with pytest.raises(ModelError, match="cannot be loaded as a causal language model"):
            train_model(config(tiny, model=str(folder)), tmp_path / "run")


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        ({"arms": ()}, ConfigError, "no arms given"),
        ({"model": ""}, ConfigError, "no model given"),
        ({"configuration": "nowhere.json"}, ConfigError, "both model = .* and configuration"),
        ({"model": "", "configuration": "nowhere.json"}, ConfigError, "needs a tokenizer"),
        ({"model": "", "configuration": "nowhere.json", "tokenizer": "x"}, ConfigError, "there is no configuration"),
        ({"tokenizer": "demo:smollm2-135m"}, ConfigError, "is not that of model"),
        ({"end_of_document": "<|nothing|>"}, ConfigError, "has no token '<|nothing|>'"),
        ({"arms": ("run:select/top",)}, PrerequisiteError, "needs the result of 'select'"),
        ({"score_concepts": 4}, PrerequisiteError, "needs the result of 'bench'"),
        ({"tokens": 10}, ConfigError, "do not fill a step"),
        ({"checkpoint_steps": (9,)}, ConfigError, "checkpoint_steps holds 9, and the training ends after step 8"),
        ({"sequence_length": 100_000}, DataError, "arm 'one' holds"),
        ({"log_to": "wandb"}, PrerequisiteError, "log_to = 'wandb' needs wandb"),
    ],
)
def test_what_cannot_be_trained_is_refused(tiny, tmp_path, more, kind, message):
    with pytest.raises(kind, match=message.replace("|", r"\|") if "<|" in message else message):
        train_model(config(tiny, **more), tmp_path / "run")


def test_what_the_benchmark_lacks_is_refused_before_any_step(tiny, benchmark, tmp_path):
    shutil.copytree(benchmark / "bench", tmp_path / "run/bench")
    for more, message in (({"directions": ("en-de",)}, "'de' of en-de"), ({"shots": 9}, "shots = 9")):
        with pytest.raises(ConfigError, match=message):
            train_model(config(tiny, score_concepts=4, **more), tmp_path / "run")
    assert not (tmp_path / "run/logs").exists()


def test_unequal_arms_are_refused_unless_they_are_cut(tiny, arms, tmp_path):
    given = {"arms": (arms[0], f"more={tiny.corpus}"), "tokens": None}
    with pytest.raises(ConfigError, match="the arms hold different numbers of tokens") as caught:
        train_model(config(tiny, **given), tmp_path / "run")
    assert "--unequal-arms cut" in str(caught.value)
    found = train_model(config(tiny, unequal_arms="cut", **given), tmp_path / "run")
    rows = found.rows("summary")
    assert rows[0]["tokens"] == rows[1]["tokens"] == rows[1]["arm_tokens"]
    assert isinstance(found, TrainedModels)


def test_impossible_settings_are_refused():
    for more, message in (
        ({"batch_sequences": 4, "accumulation": 3}, "cannot be run in accumulation"),
        ({"seeds": (-1,)}, "seeds holds -1"),
        ({"arms": ("a=x", "a=y")}, "two arms are called"),
    ):
        with pytest.raises(ConfigError, match=message):
            TrainConfig.build({"test": more})
