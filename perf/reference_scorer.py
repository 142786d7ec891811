"""The authors' algorithm: every prompt in full, ten choices and five shot sets an item.

It takes the form that favours it: the ten choices of an item run as one batch, without a cache. Where the authors'
script breaks the rules of the measure (joint tokenisation, label mask, fp32) it keeps them, or the numbers could not be
compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pivotlens.arrays import Floats
from pivotlens.models.encoding import EncodedAnswer
from pivotlens.models.load import LoadedModel


def score_in_full(loaded: LoadedModel, items: Sequence[Sequence[EncodedAnswer]]) -> Floats:
    """Return the log-probability of each answer, a batch an item, every prompt from its first token.

    Args:
        loaded: The model.
        items: For each item its choices.

    Returns:
        Natural-log probabilities of whole answers, shape ``(items, choices)``.
    """
    scores = []
    for choices in items:
        texts = [choice.context + choice.answer for choice in choices]
        width = max(len(text) for text in texts)
        ids = torch.zeros(len(texts), width, dtype=torch.long, device=loaded.device)
        mask, labelled = torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.bool)
        for row, (text, choice) in enumerate(zip(texts, choices, strict=True)):
            ids[row, : len(text)] = torch.tensor(text, device=loaded.device)
            mask[row, : len(text)] = 1
            labelled[row, len(choice.context) : len(text)] = True
        with torch.inference_mode():
            logits = loaded.model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        scores.append(-(losses.view(len(texts), -1).double() * labelled[:, 1:]).sum(dim=1).cpu().numpy())
    return np.stack(scores)
