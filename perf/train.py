"""The training loop beside a plain Trainer of transformers, on the same model and tokens in the same run.

    python -m perf.train                    # SmolLM2-135M and two tiny Llamas: about 12 minutes on one core
    python -m perf.train --models tiny words

Both train in bfloat16 autocast with one thread, the same fused AdamW, schedule, clipping and order of sequences. They
take turns, and time is what the processor spent on this process: others that run beside it do not count. The last line
is one JSON object:

- ``vs_trainer``: tokens a second of ours over those of the Trainer, by model: the median over rounds
- ``max_loss_difference``: largest difference between their losses at a step, in nats, by model
- ``tokens_per_second``: ours and the Trainer's, by model
- ``resume_equal``: whether a training that was killed by SIGKILL and run again left the bytes of an uninterrupted one
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from torch.utils.data import Dataset
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from pivotlens.corpus import Document, Shard, list_corpus, read_documents
from pivotlens.models.load import load_model
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.train.kept import KeptWork
from pivotlens.train.log import StepLog
from pivotlens.train.loop import Loop, Reading, Recipe
from pivotlens.train.packed import Order, Packed
from pivotlens.train.placement import Placement
from pivotlens.train.schedule import Schedule


class Sequences(Dataset[dict[str, torch.Tensor]]):
    """Sequences as the Trainer reads them."""

    def __init__(self, ids: torch.Tensor) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.ids[number], "labels": self.ids[number]}


class Times:
    """Processor time at the end of every step."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.losses: list[float] = []

    def mark(self, loss: float) -> None:
        self.ends.append(time.process_time())
        self.losses.append(loss)

    def seconds_a_step(self) -> float:
        """Return the median time of a step but the first, in which memory is taken."""
        return float(np.median(np.diff(self.ends)))


def tiny(vocabulary: int = 4096) -> PreTrainedModel:
    """Return a Llama of 3.4M parameters with random weights."""
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary, hidden_size=192, intermediate_size=512, num_hidden_layers=6, num_attention_heads=6,
            num_key_value_heads=6, max_position_embeddings=256, tie_word_embeddings=True,
        )
    )  # fmt: skip


def smollm2() -> PreTrainedModel:
    """Return SmolLM2-135M, to be trained further."""
    model = load_model("demo:smollm2-135m", device="cpu").model
    return model.requires_grad_(True).train()


MODELS: dict[str, Any] = {
    # model, sequence length, sequences of a step, steps, rounds, learning rate
    "tiny": (tiny, 256, 4, 12, 7, 1e-3),
    # The same with a vocabulary of whole words: 3.2M parameters.
    "words": (partial(tiny, 3000), 256, 4, 12, 7, 1e-3),
    "smollm2": (smollm2, 512, 4, 3, 1, 2e-5),
}


def packed(folder: Path, vocabulary: int, length: int, sequences: int) -> Packed:
    """Write the bundled sample as SmolLM2's tokenizer cuts it; for a smaller vocabulary, modulo its size."""
    tokenizer, wanted = load_tokenizer("demo:smollm2-135m"), length * sequences
    ids: list[int] = []
    for file in list_corpus("demo:tatoeba"):
        for document in read_documents(Shard.whole(file)):
            if isinstance(document, Document) and len(ids) < wanted:
                ids += [*tokenizer.encode_batch([document.text])[0].tolist(), 0]
    path = folder / "arm.tokens"
    path.write_bytes((np.array(ids[:wanted]) % vocabulary).astype("<u2").tobytes())
    return Packed(path, "uint16", length, sequences, 1, wanted, vocabulary - 1)


def ours(model: PreTrainedModel, reading: Reading, steps: int, batch: int, rate: float, folder: Path) -> Times:
    """Train with the loop of `pivotlens train`."""
    times = Times()
    recipe = Recipe(Schedule("linear", steps, rate, 1.0, 0.0, 1.0), batch, 1, 0.1, 0.95, 1.0, True)
    kept = KeptWork(folder / "kept.safetensors", {})
    loop = Loop("perf", model, reading, recipe, Placement.of("cpu"), kept, 0)

    class Log(StepLog):
        def step(self, step: int, loss: float, rate: float, norm: float) -> None:
            times.mark(loss)

    loop.run({}, Log(None, 0, "file", "", {}, steps, print), keep_seconds=1e9)
    return times


def trainers(model: PreTrainedModel, reading: Reading, steps: int, batch: int, rate: float, folder: Path) -> Times:
    """Train with a plain Trainer."""
    times = Times()
    ids = torch.from_numpy(reading.packed.rows(reading.order.numbers(0, steps * batch)))
    arguments = TrainingArguments(
        str(folder / "trainer"), max_steps=steps, per_device_train_batch_size=batch, learning_rate=rate,
        lr_scheduler_type="constant", weight_decay=0.1, adam_beta2=0.95, max_grad_norm=1.0, bf16=True, use_cpu=True,
        optim="adamw_torch_fused", train_sampling_strategy="sequential", logging_steps=1, save_strategy="no",
        report_to="none", disable_tqdm=True, seed=0,
    )  # fmt: skip

    class Log(TrainerCallback):
        def on_log(self, *_: Any, logs: dict[str, float] | None = None, **__: Any) -> None:
            if logs and "loss" in logs:
                times.mark(float(logs["loss"]))

    Trainer(model=model, args=arguments, train_dataset=Sequences(ids), callbacks=[Log()]).train()
    return times


def compared(name: str, folder: Path) -> dict[str, float]:
    """Let both train, in turns, and return how fast they are and how far apart their losses."""
    make, length, batch, steps, rounds, rate = MODELS[name]
    seconds: dict[str, list[float]] = {"ours": [], "trainer": []}
    losses: dict[str, list[float]] = {}
    for round_ in range(rounds):
        for who, train in (("ours", ours), ("trainer", trainers)):
            model = make()
            arm = packed(folder, model.config.vocab_size, length, steps * batch)
            own = folder / f"{name}-{who}-{round_}"
            own.mkdir()
            times = train(model, Reading(arm, Order(arm.sequences, arm.sequences, 0)), steps, batch, rate, own)
            seconds[who].append(times.seconds_a_step())
            losses[who] = times.losses
            told = " ".join(f"{loss:.3f}" for loss in times.losses)
            print(f"{name} {who}: {length * batch / seconds[who][-1]:,.0f} tokens/s, losses {told}", flush=True)
    speed = {who: length * batch / float(np.median(found)) for who, found in seconds.items()}
    ratio = float(np.median(np.array(seconds["trainer"]) / np.array(seconds["ours"])))
    difference = float(np.abs(np.array(losses["ours"]) - np.array(losses["trainer"])).max())
    return speed | {"ratio": ratio, "difference": difference}


COMMAND = (
    "train", "--arms", "demo:tatoeba", "--limit-documents", "400", "--sequence-length", "128", "--tokens", "40960",
    "--learning-rate", "0.002", "--checkpoint-steps", "20", "40", "--device", "cpu", "--keep-minutes", "0.001",
)  # fmt: skip


def resume_equal(folder: Path) -> bool:
    """Kill a training by SIGKILL some steps after its first checkpoint, run it again, and compare every byte."""
    tokenizer, configuration = folder / "tokenizer", folder / "llama.json"
    tokenizer.mkdir()
    words = sorted({word for text in "abcdefghijklmnopqrstuvwxyzäöüéèêáíóúñç .,!?¿¡'-" for word in text})
    vocabulary = {token: number for number, token in enumerate(["<unk>", "</s>", *words])}
    whole = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    whole.pre_tokenizer = Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=whole, eos_token="</s>", unk_token="<unk>").save_pretrained(tokenizer)
    configuration.write_text(
        '{"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, '
        '"num_attention_heads": 2, "max_position_embeddings": 128, "tie_word_embeddings": true}'
    )
    given = ("--tokenizer", str(tokenizer), "--configuration", str(configuration))

    def start(run: str) -> subprocess.Popen[bytes]:
        program = "from pivotlens.cli.main import main; raise SystemExit(main())"
        return subprocess.Popen([sys.executable, "-c", program, *COMMAND, *given, "--run", str(folder / run)])

    if start("whole").wait():
        raise SystemExit("the uninterrupted training failed")
    killed = start("killed")
    log = folder / "killed/logs/train/tatoeba.jsonl"
    while killed.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") >= 30):
        time.sleep(0.01)
    if killed.poll() is not None:
        raise SystemExit("the training ended before it could be killed")
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    resumed = not start("killed").wait()
    print(f"killed after {log.read_bytes().count(bytes([10]))} lines of the log, both processes together", flush=True)
    return resumed and _content(folder / "whole/train") == _content(folder / "killed/train")


def _content(folder: Path) -> dict[str, bytes]:
    """Return what a result holds but for run.json, which tells of times."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=[*MODELS], default=[*MODELS])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = {name: compared(name, Path(folder)) for name in arguments.models}
        equal = resume_equal(Path(folder))
    print(json.dumps({
        "vs_trainer": {name: round(one["ratio"], 2) for name, one in found.items()},
        "max_loss_difference": {name: round(one["difference"], 4) for name, one in found.items()},
        "tokens_per_second": {name: [round(one["ours"]), round(one["trainer"])] for name, one in found.items()},
        "resume_equal": equal,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
