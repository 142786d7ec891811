"""Plain sentences that have nothing to do with translating: does taking a pivot out disturb the model elsewhere?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pivotlens.ablate.contexts import encode_contexts
from pivotlens.models.encoding import encode_answers
from pivotlens.models.lens import LogitLens

TEXTS = (
    "The meeting was moved to Thursday because half of the team was still on the train.",
    "She closed the window, put the kettle on and waited for the rain to stop.",
    "Le musée est fermé le lundi, mais les jardins restent ouverts toute l'année.",
    "Mon frère a réparé son vélo avant de partir en vacances avec ses amis.",
    "Der Zug nach Hamburg fährt heute zehn Minuten später von Gleis sieben ab.",
    "Wir haben gestern lange gekocht und danach noch einen alten Film gesehen.",
    "El mercado abre temprano y los vecinos compran fruta y pan cada mañana.",
    "Ayer llegamos tarde a casa porque perdimos el último autobús de la noche.",
    "他每天早上七点起床,先跑步,然后吃早饭去上班。",
    "这家书店不大,但是老板对每一本书都很熟悉。",
    "週末は友達と山に登って、夜は温泉に入りました。",
    "この町には古い神社があり、春には桜がきれいです。",
)
"""Two in each language of the bundled benchmark."""


def known_texts(tokenizer: Any) -> tuple[str, ...]:
    """Return the texts that a tokenizer cuts into known tokens alone; of a language of one's own there may be none."""
    return tuple(
        text
        for text in TEXTS
        if tokenizer.unk_token_id is None
        or tokenizer.unk_token_id not in tokenizer(text, add_special_tokens=False)["input_ids"]
    )


class PlainTexts:
    """Plain sentences, read up to their last third.

    Args:
        texts: Two or more.
        lens: Of the model.
        batch_tokens: Most tokens held in the cache at once.
        share_cache: Whether caches can be shared.
    """

    def __init__(self, texts: Sequence[str], lens: LogitLens, batch_tokens: int, *, share_cache: bool) -> None:
        cuts = [len(text) * 2 // 3 for text in texts]
        encoded = encode_answers(
            lens.loaded.tokenizer,
            [text[:cut] for text, cut in zip(texts, cuts, strict=True)],
            [text[cut:] for text, cut in zip(texts, cuts, strict=True)],
        )
        self.following = [one.answer[:1] for one in encoded]
        self.encoded = [
            next(encode_contexts(lens, [one.context], batch_tokens, share_cache=share_cache)) for one in encoded
        ]
        states = [one.states(range(1, lens.n_layers)) for one in self.encoded]
        self._states = {layer: torch.cat([one[layer] for one in states]) for layer in states[0]}

    def states(self, text: int, layer: int) -> torch.Tensor:
        """Return a text's state at a layer, shape ``(hidden,)``."""
        return self._states[layer][text]

    def mean_of_others(self, text: int, layer: int) -> torch.Tensor:
        """Return the mean state of all other texts at a layer, shape ``(hidden,)``."""
        found = self._states[layer]
        return (found.sum(0) - found[text]) / (len(found) - 1)
