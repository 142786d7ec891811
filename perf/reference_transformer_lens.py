"""TransformerLens' own logit lens, run by an interpreter that has it: `perf.trace` starts this file as a program.

It takes the form that favours it: prompts of one length run together, without padding, and logits of earlier positions
are spared. It needs transformer-lens, torch and numpy, and nothing of this project.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformer_lens.model_bridge import TransformerBridge


def read(bridge: Any, contexts: Sequence[torch.Tensor], top_k: int, batch_tokens: int) -> dict[str, Any]:
    """Return the most probable tokens of each prompt and layer, and their probabilities."""
    last = bridge.cfg.n_layers - 1
    names = [f"blocks.{layer}.hook_resid_pre" for layer in range(last + 1)] + [f"blocks.{last}.hook_resid_post"]
    token_ids = np.zeros((len(contexts), last + 2, top_k), dtype=np.int64)
    probs = np.zeros(token_ids.shape)
    by_length: dict[int, list[int]] = {}
    for row, context in enumerate(contexts):
        by_length.setdefault(len(context), []).append(row)
    for length, every in by_length.items():
        size = max(1, batch_tokens // length)
        for start in range(0, len(every), size):
            rows = every[start : start + size]
            tokens = torch.stack([contexts[row] for row in rows])
            _, cache = bridge.run_with_cache(tokens, names_filter=names, logits_to_keep=1)
            found = cache.logit_lens(top_k=top_k, return_type="probs").readout
            token_ids[rows] = found.top_ids.transpose(0, 1).numpy()
            probs[rows] = found.values.transpose(0, 1).numpy()
    return {"token_ids": token_ids, "probs": probs}


def main(folder: str, prompts: str, found: str, top_k: str, batch_tokens: str, threads: str) -> None:
    torch.set_num_threads(int(threads))
    bridge = TransformerBridge.boot_transformers(folder, device="cpu", dtype=torch.float32)
    with np.load(prompts) as arrays:
        contexts = list(torch.from_numpy(arrays["ids"]).split(arrays["lengths"].tolist()))
    with torch.inference_mode():
        read(bridge, contexts[:2], int(top_k), int(batch_tokens))  # warm
        start = time.perf_counter()
        arrays = read(bridge, contexts, int(top_k), int(batch_tokens))
        np.savez(Path(found), seconds=time.perf_counter() - start, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
