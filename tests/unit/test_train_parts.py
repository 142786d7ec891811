"""What the train stage is made of, each against the plainest way to the same."""

import math
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import orjson
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from pivotlens.corpus import CorpusFile, PartStore, Shard, list_corpus, read_documents
from pivotlens.errors import ConfigError, DataError, PrerequisiteError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.train.arms import arm_specs
from pivotlens.train.attention import by_blocks
from pivotlens.train.budget import equal_budget
from pivotlens.train.config import TrainConfig
from pivotlens.train.kept import History, KeptWork
from pivotlens.train.log import StepLog
from pivotlens.train.loop import Loop, Reading, Recipe, adamw
from pivotlens.train.loss import NextTokenLoss
from pivotlens.train.norms import norm_in_few_passes, norm_plainly
from pivotlens.train.packed import Frame, Order, Packed, PackPass, put_together
from pivotlens.train.placement import Placement
from pivotlens.train.schedule import Schedule, checkpoints
from tiny_models import FAMILIES, random_model

pytestmark = pytest.mark.usefixtures("one_thread")

# -- names and budgets


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        (["run:select/top", "run:other:select/top"], "two arms are called 'top'"),
        (["data/*.jsonl"], "has no plain name"),
        (["a b=data"], "has no plain name"),
    ],
)
def test_arms_that_no_reference_could_name_are_refused(arms, message):
    with pytest.raises(ValueError, match=message):
        arm_specs(arms)


def arm(sequences: int, length: int = 10) -> Packed:
    return Packed(None, "uint16", length, sequences, 5, sequences * length + 3, 9)  # type: ignore[arg-type]


def test_all_arms_are_trained_on_equally_many_tokens():
    equal = equal_budget({"a": arm(41), "b": arm(43)}, 4, None, "refuse")
    assert (equal.steps, equal.used) == (10, {"a": 40, "b": 40}), "what does not fill a step is no difference"
    asked = equal_budget({"a": arm(41), "b": arm(80)}, 4, 200, "refuse")
    assert (asked.steps, asked.used) == (5, {"a": 41, "b": 80})
    again = equal_budget({"a": arm(41), "b": arm(80)}, 4, 4000, "cut")
    assert (again.steps, again.used) == (100, {"a": 40, "b": 40}), "both are read ten times"
    for tokens in (None, 4000):
        with pytest.raises(ConfigError, match="different numbers of tokens in whole steps: a 400, b 800"):
            equal_budget({"a": arm(41), "b": arm(80)}, 4, tokens, "refuse")
    with pytest.raises(DataError, match="arm 'b' holds 33 tokens, and a step takes 4 sequences of 10"):
        equal_budget({"a": arm(41), "b": arm(3)}, 4, None, "cut")
    with pytest.raises(ConfigError, match="do not fill a step"):
        equal_budget({"a": arm(41)}, 4, 39, "cut")


@pytest.mark.parametrize("kind", ["cosine", "linear", "wsd"])
def test_the_learning_rate_rises_and_falls_as_told(kind):
    schedule = Schedule(kind, 100, 2.0, 0.1, 0.1, 0.2)
    rates = [schedule.rate(step) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert max(rates) == rates[9] == 2.0
    assert rates[-1] == pytest.approx(0.2)
    assert all(one >= other for one, other in pairwise(rates[9:]))
    if kind == "wsd":
        assert rates[9:80] == [2.0] * 71
        assert rates[89] == pytest.approx(1.1)
    if kind == "cosine":
        assert rates[54] == pytest.approx(0.2 + 1.8 * (1 + math.cos(math.pi / 2)) / 2)


def test_every_sequence_is_read_once_a_pass_and_a_step_finds_its_own_without_those_before():
    order = Order(sequences=20, used=12, seed=3)
    whole = order.numbers(0, 36)
    assert len(set(whole[:12])) == 12
    assert sorted(whole[:12]) == sorted(whole[12:24]) == sorted(whole[24:])
    assert list(whole[:12]) != list(whole[12:24])
    assert [list(order.numbers(first, 5)) for first in (3, 10, 22)] == [list(whole[f : f + 5]) for f in (3, 10, 22)]
    other = Order(sequences=20, used=12, seed=4).numbers(0, 12)
    assert sorted(other) == sorted(whole[:12])
    assert list(other) != list(whole[:12])


@pytest.mark.parametrize(
    ("steps", "tokens", "message"),
    [((4, 11), (), "checkpoint_steps holds 11, and the training ends after step 10 with 1000 tokens"),
     ((), (1100,), "checkpoint_tokens holds 1100")],
)  # fmt: skip
def test_checkpoints_beyond_the_end_are_refused(steps, tokens, message):
    with pytest.raises(ConfigError, match=message):
        checkpoints(10, 100, steps, tokens)


# -- packing


def test_documents_are_packed_as_in_the_plainest_loop(tiny, tmp_path):
    config, frame = TrainConfig(), Frame((7,), 1)
    tokenizer = load_tokenizer(str(tiny.model))
    shards = [Shard.whole(file) for file in list_corpus(str(tiny.corpus))]
    stream: list[int] = []
    for shard in shards:
        for document in read_documents(shard):
            stream += [7, *tokenizer.tokenizer.encode(document.text, add_special_tokens=False).ids, 1]
    for dtype in ("uint16", "uint32"):
        packing = PackPass(config_columns(), str(tiny.model), frame, dtype, None, config.max_bad_share)
        store = PartStore(tmp_path / dtype)
        store.folder.mkdir()
        for shard in reversed(shards):
            packing(shard, store.path(shard))
        packed = put_together(tmp_path / f"{dtype}.tokens", shards, store, 480, packing, 50)
        assert (packed.tokens, packed.sequences, packed.largest) == (len(stream), len(stream) // 50, max(stream))
        assert packed.path.stat().st_size == len(stream) * np.dtype(dtype).itemsize
        assert packed.rows(np.arange(packed.sequences)).ravel().tolist() == stream[: packed.sequences * 50]


def config_columns():
    from pivotlens.corpus import Columns

    return Columns()


# -- the loss


@pytest.mark.parametrize("length", [1, 127, 128, 129, 300])
def test_attention_by_blocks_is_attention(length):
    torch.manual_seed(0)
    query = torch.randn(2, 6, length, 8, requires_grad=True)
    key, value = (torch.randn(2, 3, length, 8, requires_grad=True) for _ in range(2))
    weights = torch.randn(2, 6, length, 8)
    plain = scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    found = by_blocks(query * 8**-0.5, key, value).transpose(1, 2)
    torch.testing.assert_close(found, plain, atol=1e-5, rtol=1e-5)
    expected = torch.autograd.grad((plain * weights).sum(), (query, key, value))
    torch.testing.assert_close(
        torch.autograd.grad((found * weights).sum(), (query, key, value)), expected, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("name", ["llama", "olmo2"])
def test_a_norm_in_few_passes_is_the_norm(name):
    plain, ours = (random_model(FAMILIES[name].config()).train().requires_grad_(True) for _ in range(2))
    ours.load_state_dict(plain.state_dict())
    assert norm_in_few_passes(ours)
    assert not norm_in_few_passes(ours), "they run here already"
    (norm, other), *_ = [
        (module, plain.get_submodule(path))
        for path, module in ours.named_modules()
        if isinstance(getattr(module, "variance_epsilon", None), float)
    ]
    states = [
        torch.randn(3, 5, len(norm.weight), generator=torch.Generator().manual_seed(0), requires_grad=True)
        for _ in range(2)
    ]
    weights = torch.randn(states[0].shape)
    with torch.no_grad():
        for one in (norm, other):
            one.weight.copy_(torch.linspace(0.5, 2, len(norm.weight)))
    found, expected = norm(states[0]), other(states[1])
    torch.testing.assert_close(found, expected)
    torch.autograd.backward([(found * weights).sum(), (expected * weights).sum()])
    torch.testing.assert_close(states[0].grad, states[1].grad)
    torch.testing.assert_close(norm.weight.grad, other.weight.grad)
    with torch.autocast("cpu", torch.bfloat16):
        assert norm(states[0]).dtype == torch.bfloat16, "no product casts it anew"
        torch.testing.assert_close(norm(states[0]), other(states[1]).bfloat16())
    for dtype in (torch.bfloat16, torch.float16):
        assert torch.equal(norm(states[0].to(dtype)), other(states[1].to(dtype))), "left to the module"
    norm_plainly(ours)
    assert torch.equal(norm(states[0]), other(states[1]))
    assert "forward" not in vars(norm)


@pytest.mark.parametrize("name", ["gemma3", "gpt2", "gpt_neox"])
def test_other_norms_are_left_alone(name):
    assert not norm_in_few_passes(random_model(FAMILIES[name].config()))


FASTER = {
    "llama": True,
    "gemma3": False,
    "olmo2": True,
    "gpt2": True,
    "gpt_neox": True,
    "gemma2": False,
    "cohere": False,
}


@pytest.mark.parametrize("family", FASTER)
def test_loss_and_gradient_are_those_of_the_model(family):
    model = random_model(FAMILIES[family].config()).train()
    plain = random_model(FAMILIES[family].config()).train()
    plain.load_state_dict(model.state_dict())
    ids = torch.randint(
        0, model.config.get_text_config().vocab_size, (3, 70), generator=torch.Generator().manual_seed(0)
    )
    for one in (model, plain):
        one.requires_grad_(True)
        for module in one.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    loss = NextTokenLoss(model, bfloat16=False)
    assert loss.by_parts == FASTER[family]
    found, expected = loss(ids), plain(input_ids=ids, labels=ids).loss
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)
    torch.autograd.backward([found, expected])
    for name, weight in model.named_parameters():
        other = plain.get_parameter(name).grad
        torch.testing.assert_close(
            weight.grad, other, atol=1e-5, rtol=1e-3, msg=lambda said, name=name: f"{name}: {said}"
        )


# -- what is told meanwhile


def test_a_line_is_told_now_and_then(tmp_path, monkeypatch):
    now, told = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    steps = StepLog(tmp_path / "one.jsonl", 100, "file", "one", {}, 1000, told.append, _last=0.0)
    for step in range(1, 1001):
        now[0] += 0.125
        steps.step(step, 1000.0 - step, 1e-3, 1.0)
    assert told == [
        "train one: step 1 of 1,000, 100 tokens, loss 999.0000, 800 tokens/s",
        "train one: step 241 of 1,000, 24,100 tokens, loss 878.5000, 800 tokens/s",
        "train one: step 481 of 1,000, 48,100 tokens, loss 638.5000, 800 tokens/s",
        "train one: step 721 of 1,000, 72,100 tokens, loss 398.5000, 800 tokens/s",
        "train one: step 961 of 1,000, 96,100 tokens, loss 158.5000, 800 tokens/s",
        "train one: step 1,000 of 1,000, 100,000 tokens, loss 19.0000, 800 tokens/s",
    ]
    assert len((tmp_path / "one.jsonl").read_bytes().splitlines()) == 1000


def test_a_service_takes_the_steps_and_prints_nothing_on_stdout(tmp_path):
    """A real session of trackio, in a process of its own: it fixes its folder as it is imported."""
    pytest.importorskip("trackio")
    program = (
        "from pathlib import Path; from pivotlens.train.log import StepLog\n"
        f"path = Path({str(tmp_path / 'one.jsonl')!r})\n"
        "log = StepLog(path, 100, 'trackio', 'one', {'arms': ('a', 'b')}, 3, print)\n"
        "for step in range(1, 4): log.step(step, 1 / step, 1e-3, 1.0)\n"
        "log.close()\n"
    )
    environment = os.environ | {"TRACKIO_DIR": str(tmp_path / "trackio")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert [line[:10] for line in done.stdout.splitlines()] == ["train one:"] * 2
    assert "Reserved keys" not in done.stderr
    with closing(sqlite3.connect(tmp_path / "trackio/pivotlens.db")) as found:
        rows = found.execute("SELECT run_name, step, metrics FROM metrics ORDER BY step").fetchall()
    assert [row[:2] for row in rows] == [("one", 1), ("one", 2), ("one", 3)]
    assert orjson.loads(rows[1][2])["loss"] == 0.5


def test_a_service_that_takes_nothing_is_told(tmp_path, monkeypatch):
    def refuses(**_):
        raise RuntimeError("no key")

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=refuses))
    with pytest.raises(PrerequisiteError, match="wandb cannot log the training one: no key"):
        StepLog(tmp_path / "one.jsonl", 100, "wandb", "one", {}, 3, print).step(1, 1.0, 1e-3, 1.0)


# -- the loop


def written(folder, length: int = 32, sequences: int = 60) -> Packed:
    ids = np.random.default_rng(0).integers(0, 320, length * sequences)
    path = folder / "arm.tokens"
    path.write_bytes(ids.astype("<u2").tobytes())
    return Packed(path, "uint16", length, sequences, 1, len(ids), 319)


def trained(folder, steps: int, accumulation: int = 1, keep: float = 0.0, at=None) -> tuple[History, dict]:
    model = random_model(FAMILIES["llama"].config()).requires_grad_(True).train()
    packed = written(folder)
    reading = Reading(packed, Order(packed.sequences, packed.sequences, 0))
    recipe = Recipe(Schedule("cosine", steps, 3e-3, 0.1, 0.2, 0.2), 4, accumulation, 0.1, 0.95, 0.5, False)
    kept = KeptWork(folder / "kept.safetensors", {"plan": "x"})
    loop = Loop("one", model, reading, recipe, Placement.of("cpu"), kept, 0)
    history = loop.run(at or {}, StepLog(None, 0, "file", "", {}, steps, print), keep)
    return history, {name: weight.detach().clone() for name, weight in model.named_parameters()}


def test_the_loop_is_the_plainest_loop(tmp_path):
    history, weights = trained(tmp_path, 8)
    model = random_model(FAMILIES["llama"].config()).requires_grad_(True).train()
    recipe = Recipe(Schedule("cosine", 8, 3e-3, 0.1, 0.2, 0.2), 4, 1, 0.1, 0.95, 0.5, False)
    optimiser = torch.optim.AdamW(
        [{"params": [one for one in model.parameters() if one.dim() > 1], "weight_decay": 0.1},
         {"params": [one for one in model.parameters() if one.dim() == 1], "weight_decay": 0.0}],
        betas=(0.9, 0.95), eps=1e-8, foreach=False,
    )  # fmt: skip
    packed = written(tmp_path)
    order = np.random.default_rng([0, 0]).permutation(60)
    for step in range(1, 9):
        ids = torch.from_numpy(packed.rows(order[(step - 1) * 4 : step * 4]))
        loss = model(input_ids=ids, labels=ids).loss
        optimiser.zero_grad()
        loss.backward()
        norm = torch.sqrt(sum((one.grad**2).sum() for one in model.parameters()))
        for one in model.parameters():
            one.grad *= min(1.0, 0.5 / (norm.item() + 1e-6))
        for group in optimiser.param_groups:
            group["lr"] = recipe.schedule.rate(step)
        optimiser.step()
        assert history.losses[step - 1] == pytest.approx(loss.item(), abs=2e-5)
        assert history.norms[step - 1] == pytest.approx(norm.item(), rel=1e-4)
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weights[name], weight.detach(), atol=2e-4, rtol=1e-3)


def test_parts_of_a_step_add_up_to_it(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole, parts = trained(tmp_path / "whole", 4)[0], trained(tmp_path / "parts", 4, accumulation=4)[0]
    assert parts.losses == pytest.approx(whole.losses, abs=1e-5)
    assert parts.norms == pytest.approx(whole.norms, rel=1e-4)


def test_a_training_that_is_cut_short_goes_on_bit_for_bit(tmp_path):
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    history, weights = trained(tmp_path / "whole", 12)

    def stop(_: History) -> None:
        raise KeyboardInterrupt

    for last in (4, 9):  # what was done in step 4 and 9 is lost, as they are kept only afterwards
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "cut", 12, at={last: stop})
    again, resumed = trained(tmp_path / "cut", 12)
    assert again == history
    assert all(torch.equal(weights[name], resumed[name]) for name in weights)


def test_matrices_decay_and_biases_and_norms_do_not():
    model = random_model(FAMILIES["gpt2"].config())
    recipe = Recipe(Schedule("linear", 1, 1e-3, 0, 0, 1), 1, 1, 0.1, 0.95, 1.0, False)
    groups = adamw(model, recipe).param_groups
    decayed = {id(one) for one in groups[0]["params"]}
    for name, weight in model.named_parameters():
        assert (id(weight) in decayed) == (weight.dim() > 1), name
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]


def test_the_first_version_of_fsdp_is_refused(monkeypatch):
    for name, value in (("WORLD_SIZE", "2"), ("ACCELERATE_USE_FSDP", "true"), ("FSDP_CPU_RAM_EFFICIENT_LOADING", "0")):
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="accelerate is configured for FSDP version 1"):
        Placement.of("cpu")


def test_a_shard_is_named_by_its_training():
    assert Shard.whole(CorpusFile("top-0", "x", 1, "")).key != Shard.whole(CorpusFile("top-1", "x", 1, "")).key
