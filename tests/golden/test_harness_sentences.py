"""lm-evaluation-harness, run on the sentence tasks, against plain sums of log-probabilities of the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pivotlens.harness.sentence_translation import make_documents
from pivotlens.text import Direction

pytest.importorskip("lm_eval")
TASKS = Path(__file__).parents[2] / "src" / "pivotlens" / "harness" / "tasks"
LIMIT = 5


def evaluate(model: Path, **more: Any) -> Any:
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    return simple_evaluate(
        model="hf", model_args={"pretrained": str(model), "dtype": "float32"}, tasks=["pivotlens_sentences_en_fr"],
        task_manager=TaskManager(include_path=str(TASKS), include_defaults=False), device="cpu", batch_size=4,
        limit=LIMIT, log_samples=True, bootstrap_iters=0, **more,
    )  # fmt: skip


def plain_logprob(model: Any, tokenizer: Any, prompt: str, answer: str) -> float:
    import torch

    before, whole = tokenizer(prompt)["input_ids"], tokenizer(prompt + answer)["input_ids"]
    with torch.no_grad():
        logprobs = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return sum(float(logprobs[place - 1, whole[place]]) for place in range(len(before), len(whole)))


def test_a_tiny_model_chooses_what_plain_sums_choose(tiny):
    import transformers as hf

    model, tokenizer = hf.AutoModelForCausalLM.from_pretrained(tiny.model), hf.AutoTokenizer.from_pretrained(tiny.model)
    found = evaluate(tiny.model)
    documents = [one for one in make_documents(Direction("en", "fr")) if one["split"] == "test"][:LIMIT]
    samples = sorted(found["samples"]["pivotlens_sentences_en_fr"], key=lambda sample: sample["doc_id"])
    for document, sample in zip(documents, samples, strict=True):
        assert sample["doc"]["id"] == document["id"]
        sums = [plain_logprob(model, tokenizer, document["prompt"], f" {one}") for one in document["choices"]]
        assert [float(one[0][0]) for one in sample["resps"]] == pytest.approx(sums, abs=1e-3)
        each = [value / len(choice) for value, choice in zip(sums, document["choices"], strict=True)]
        assert sample["acc_norm"] == float(each.index(max(each)) == document["gold"])
        assert sample["acc"] == float(sums.index(max(sums)) == document["gold"])


def test_examples_are_of_groups_kept_apart(tiny):
    found = evaluate(tiny.model, num_fewshot=2)
    shots = [one for one in make_documents(Direction("en", "fr")) if one["split"] == "shots"][:2]
    begins = "\n\n".join(f"{one['prompt']} {one['choices'][one['gold']]}" for one in shots)
    for sample in found["samples"]["pivotlens_sentences_en_fr"]:
        assert sample["arguments"][0][0].startswith(begins)
