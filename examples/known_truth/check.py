"""A second implementation that shares no code with pivotlens: the Score of an arm, and the precision of a rule.

`python examples/known_truth/check.py WORLD RUN [ARM]`: the final model of a world, read with transformers alone.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def prompt(source: str, target: str, examples: list[tuple[str, str]], word: str) -> str:
    """Return the prompt up to the answer."""
    blocks = [f"Please translate words from {source.title()} to {target.title()}."]
    blocks += [f"{source.title()}: {one}\n{target.title()}: {other}" for one, other in examples]
    return "\n\n".join([*blocks, f"{source.title()}: {word}\n{target.title()}:"])


def read(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """Return log-probabilities of the next token at every layer, shape ``(layers, prompts, vocabulary)``."""
    with torch.inference_mode():
        states = [state[:, -1] for state in model(ids, output_hidden_states=True).hidden_states]
        normed = [model.model.norm(state) for state in states[:-1]] + [states[-1]]
        return torch.stack([model.lm_head(state).log_softmax(-1) for state in normed])


def check(world: Path, run: Path, asked: str = "P") -> dict[str, float]:
    """Return ``score`` of an arm, and ``precision`` of `authors_threshold` where half of the items are bound."""
    torch.set_num_threads(1)
    folder = run / "train" / "world"
    folder = max(folder.glob("step-*"), key=lambda path: int(path.name[5:])) if folder.is_dir() else folder
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).train(False)
    lines = [line.split("\t") for line in (world / "words.tsv").read_text(encoding="utf-8").splitlines()]
    words = {line[0]: dict(zip(lines[0][2:], line[2:], strict=True)) for line in lines[1:]}
    arms = {row["concept_id"]: row["arm"] for row in pq.read_table(world / "truth.parquet").to_pylist()}
    distractors: dict[str, list[str]] = {}
    for row in pq.read_table(run / "bench" / "distractors.parquet").to_pylist():
        distractors.setdefault(row["concept_id"], []).append(row["distractor_id"])
    settings = json.loads((run / "score" / "manifest.json").read_text())["config"]
    pool = sorted(line[0] for line in lines[1:] if line[1] == "shot")
    token = {word: tokenizer(f" {word}")["input_ids"][0] for row in words.values() for word in row.values()}
    scores: dict[str, list[float]] = {}
    pivots: dict[str, list[bool]] = {}
    for source, target in (("qaa", "qab"), ("qab", "qaa")):
        for number in range(settings["shot_sets"]):
            order = np.random.default_rng([settings["seed"], number]).permutation(len(pool))
            examples = [(words[pool[at]][source], words[pool[at]][target]) for at in order[: settings["shots"]]]
            shown = [prompt(source, target, examples, words[concept][source]) for concept in words]
            parts = [torch.tensor(tokenizer(shown[at : at + 64])["input_ids"]) for at in range(0, len(shown), 64)]
            layers = torch.cat([read(model, part) for part in parts], 1)
            final, row_of = layers[-1].exp(), {concept: row for row, concept in enumerate(words)}
            for concept, others in distractors.items():
                answer = token[words[concept][target]]
                given = np.mean([final[row_of[other], answer].item() for other in others])
                scores.setdefault(concept, []).append(final[row_of[concept], answer].item() - float(given))
                if number == 0 and final[row_of[concept]].argmax() == answer:
                    sides = [token[words[concept][source]], answer]
                    best, at = layers[1:, row_of[concept]].max(-1)
                    foreign = [p for p, one in zip(best.tolist(), at.tolist(), strict=True) if one not in sides]
                    pivots.setdefault(concept, []).append(max(foreign, default=-np.inf) >= np.log(0.1))
    called = [[np.mean(found) for one, found in pivots.items() if arms[one] in kind] for kind in ("PX", "DN")]
    share = [np.mean(found) if found else np.nan for found in called]
    return {
        "score": float(np.mean([np.mean(found) for one, found in scores.items() if arms[one] == asked])),
        "precision": float(share[0] / sum(share)) if sum(share) else float("nan"),
    }


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    print(json.dumps(check(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])))
