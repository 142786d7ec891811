"""Prompts that a model has no positions for, or was not made for, and tokens that it does not embed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import transformers as hf
from tokenizers import AddedToken, Tokenizer, models

from pivotlens.artifacts import Ablation, Scores, Trace, TrainedLens
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.cli.main import main
from pivotlens.text import Direction
from pivotlens.translation.words import WordPrompts
from tiny_models import llama_like, loaded_of, random_model, save

MODEL = 5
_LENS = ("--tokens", "500", "--steps", "2", "--held-out", "4", "--candidates", "64", "--sequence-length", "40")


def run_stage(stage: str, run: Path, tiny, model: Path, *more: str) -> int:
    arguments = [stage, "--run", run, "--config", tiny.config, "--model", model, "--device", "cpu", *more]
    return main([str(argument) for argument in arguments])


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return " ".join(err[err.index("Error: ") :].split())


def learned(name: str, positions: int) -> hf.PreTrainedConfig:
    """Families that keep a row a position, a table of them, or a bias a distance."""
    small = {"vocab_size": 1024, "bos_token_id": 0, "eos_token_id": 1}
    return {
        "gpt2": lambda: hf.GPT2Config(n_positions=positions, n_embd=32, n_layer=2, n_head=4, **small),
        "gptj": lambda: hf.GPTJConfig(n_positions=positions, n_embd=32, n_layer=2, n_head=4, rotary_dim=4, **small),
        "opt": lambda: hf.OPTConfig(
            max_position_embeddings=positions, hidden_size=32, word_embed_proj_dim=32, ffn_dim=48, num_hidden_layers=2,
            num_attention_heads=4, pad_token_id=0, **small,
        ),
        "mpt": lambda: hf.MptConfig(max_seq_len=positions, d_model=32, n_layers=2, n_heads=4, **small),
    }[name]()  # fmt: skip


@pytest.mark.parametrize("name", ["gpt2", "gptj", "opt", "mpt"])
@pytest.mark.parametrize("stage", ["score", "trace", "lens"])
def test_a_prompt_longer_than_the_positions_of_a_model(name, stage, tiny, tmp_path, run_until, capsys):
    run = run_until("report" if stage == "lens" else stage)
    model = random_model(learned(name, 20))
    save(model, tmp_path / "model", hf.AutoTokenizer.from_pretrained(tiny.model))
    assert run_stage(stage, run, tiny, tmp_path / "model", *(_LENS if stage == "lens" else ())) == MODEL
    error = error_of(capsys)
    assert re.search(rf"'{tmp_path / 'model'}' reads 20 tokens at most, and a \w+ .*has \d+", error), error
    assert re.search(r" → (Use fewer `shots`|Lower `sequence_length`)", error)
    assert not list(run.glob(f".work/{stage}-*/parts/*.parquet"))
    assert not (run / stage).exists()


_PHRASE = "l'eau de la rivière"
_WORDS = f"""concept	split	en	fr
dog	test	dog	chien
water	test	water	eau|{_PHRASE}
book	test	book	livre
bank	shot	bank	banque
"""


@pytest.mark.parametrize("stage", ["score", "trace"])
def test_what_a_model_writes_by_itself_may_be_as_long_as_any_accepted_answer(stage, tmp_path, capsys):
    """The displayed words fit; an accepted phrase, by which the model may go on as long, does not."""
    (tmp_path / "words.tsv").write_text(_WORDS, encoding="utf-8")
    build_benchmark(BenchConfig(words=str(tmp_path / "words.tsv"), distractors=2, shot_pool=5), tmp_path / "run")
    loaded = loaded_of(random_model(learned("gpt2", 20)))
    prompts = WordPrompts(loaded, Direction("en", "fr"), [("bank", "banque")], "english")
    pairs = [(source, target) for source in ("dog", "water", "book") for target in ("chien", "eau", "livre")]
    longest = max(len(one.context + one.answer) for one in prompts.encode(pairs))
    save(random_model(learned("gpt2", longest + 2)), tmp_path / "model")
    arguments = [stage, "--run", tmp_path / "run", "--model", tmp_path / "model", "--device", "cpu", "--shots", "1",
                 "--shot-sets", "1", "--directions", "en-fr", "--bootstrap", "100"]  # fmt: skip
    assert main([str(argument) for argument in arguments]) == MODEL
    assert f"reads {longest + 2} tokens at most" in error_of(capsys)


def test_a_model_beyond_its_training_is_named_everywhere(tiny, tmp_path, run_until):
    run = run_until("score")
    model = tmp_path / "model"
    save(
        random_model(hf.LlamaConfig(**llama_like(vocab_size=1024, max_position_embeddings=20))),
        model,
        hf.AutoTokenizer.from_pretrained(tiny.model),
    )
    assert run_stage("lens", run, tiny, model, *_LENS) == 0
    for stage in ("score", "trace"):
        assert run_stage(stage, run, tiny, model) == 0
    assert run_stage("ablate", run, tiny, model) == 0
    for result in (TrainedLens, Scores, Trace, Ablation):
        (warning,) = (one for one in result.load(run).manifest.warnings if "was made for 20" in one)
        assert re.search(r"has up to \d\d+ tokens", warning)


@pytest.mark.parametrize("stage", ["score", "trace"])
def test_a_word_with_a_token_that_the_model_does_not_embed(stage, tiny, tmp_path, run_until, capsys):
    run = run_until(stage)
    tokenizer = hf.AutoTokenizer.from_pretrained(tiny.model)
    benchmark_word = "eau"
    tokenizer.add_tokens([AddedToken(benchmark_word, lstrip=False)])
    save(random_model(hf.LlamaConfig(**llama_like(vocab_size=1024))), tmp_path / "model", tokenizer)
    assert run_stage(stage, run, tiny, tmp_path / "model") == MODEL
    assert "gives token 1024 ('eau'), but the model embeds only 1024 tokens" in error_of(capsys)
    assert not (run / stage).exists()


def test_a_tokenizer_that_transformers_makes_otherwise_than_its_file(tiny, tmp_path, run_until):
    run = run_until("trace")
    for prefixed in (False, True):
        model = tmp_path / f"model-{prefixed}"
        shutil.copytree(tiny.model, model)
        settings = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": prefixed, "bos_token": "<s>"}
        (model / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        assert run_stage("trace", run, tiny, model, "--replace") == 0
        warnings = Trace.load(run).manifest.warnings
        assert any("cuts text otherwise than the tokenizer.json" in one for one in warnings) == prefixed


@pytest.mark.parametrize("stage", ["score", "trace"])
def test_words_of_which_the_tokenizer_lacks_a_part_are_named(stage, tiny, tmp_path, run_until, capsys):
    """As XGLM's lacks many Chinese characters: they are one token for whatever is unknown."""
    run = run_until(stage)
    characters = sorted(set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .:'\"\n-"))
    vocabulary = {piece: number for number, piece in enumerate(["<unk>", "<s>", "</s>", *characters])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    save(
        random_model(hf.LlamaConfig(**llama_like(vocab_size=1024))),
        tmp_path / "model",
        hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>"),
    )
    assert run_stage(stage, run, tiny, tmp_path / "model") == 0
    assert re.search(r"\d+ of \d+ words hold what the tokenizer does not know, such as '", capsys.readouterr().out)
