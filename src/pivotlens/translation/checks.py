"""What a stage tries on its own prompts before any work: whether a model takes them, and what can be shared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pivotlens.models.encoding import EncodedAnswer, Ids
from pivotlens.models.limits import check_tokens, length_warnings
from pivotlens.models.prefix import fits_window
from pivotlens.models.scorer import AnswerScorer, Sharing, check_sharing
from pivotlens.text import Direction
from pivotlens.translation.prompts import Pairs, answer_text
from pivotlens.translation.words import WordPrompts

# Prompts that a check of sharing runs together; there are more only where they do not fill a row.
_SPREAD = 20
# Prompts of which the longest is looked for, and tokens generated beyond the longest accepted answer.
_LONGEST, _GENERATED = 8, 2


@dataclass(frozen=True)
class PromptSample:
    """Prompts of one template, direction and shot set that stand for all of them in the checks, encoded once.

    Attributes:
        prompts: The prompt, direction and examples.
        pairs: All source and target words that are run with them.
        spread: Prompts with answers of every length, from the shortest to the longest.
        longest: The longest ones.
    """

    prompts: WordPrompts
    pairs: Pairs
    spread: list[EncodedAnswer]
    longest: list[EncodedAnswer]

    @property
    def length(self) -> int:
        """Tokens of the longest prompt of the spread with its answer."""
        return max(len(one.context) + len(one.answer) for one in self.spread)


def sample_prompts(every: Iterable[WordPrompts], pairs: Mapping[Direction, Pairs]) -> list[PromptSample]:
    """Encode what the checks of a stage try; which those are follows from its settings alone.

    So a resumed run decides and reports as an uninterrupted one.

    Args:
        every: Of each prompt, direction and shot set; all of one model.
        pairs: Source and target words that are run in each direction.

    Raises:
        ModelError: The tokenizer gives an answer no token of its own.
    """
    ordered = {
        direction: sorted(set(own), key=lambda pair: (len("".join(pair).encode()), pair))
        for direction, own in pairs.items()
    }
    return [_sample(prompts, ordered[prompts.direction]) for prompts in every]


def _sample(prompts: WordPrompts, pairs: Sequence[tuple[str, str]]) -> PromptSample:
    spread = [round(place) for place in np.linspace(0, len(pairs) - 1, min(len(pairs), _SPREAD))]
    longest = range(max(0, len(pairs) - _LONGEST), len(pairs))
    wanted = sorted({*spread, *longest})
    encoded = dict(zip(wanted, prompts.encode([pairs[place] for place in wanted]), strict=True))
    return PromptSample(prompts, pairs, [encoded[place] for place in spread], [encoded[place] for place in longest])


def prompt_warnings(
    samples: Sequence[PromptSample], shorter: str, accepted: Mapping[Direction, Iterable[str]] | None = None
) -> list[str]:
    """Check that a model can take all prompts of a stage; of each direction and shot set the longest are tried.

    Args:
        samples: Of all prompts.
        shorter: What makes prompts shorter, for the message.
        accepted: Answers of each direction, by which the model may go on as long by itself.

    Returns:
        Warnings: that prompts are longer than the model was made for.

    Raises:
        ModelError: A prompt is longer than the model can read, or a token is none of those that it embeds.
    """
    loaded = samples[0].prompts.loaded
    generated = {
        direction: max(map(len, loaded.tokenizer([answer_text(word) for word in sorted(set(words))],
                                                 add_special_tokens=False)["input_ids"]))
        for direction, words in (accepted or {}).items()
    }  # fmt: skip
    longest: list[Ids] = []
    for sample in samples:
        for one in sample.longest:
            more = max(0, generated.get(sample.prompts.direction, 0) - len(one.answer)) + _GENERATED
            longest.append(one.context + one.answer + one.answer[-1:] * more)
    words = sorted({f" {word}" for sample in samples for pair in sample.pairs for word in pair})
    encoded = loaded.tokenizer(words, add_special_tokens=False)["input_ids"] if words else []
    check_tokens(loaded, encoded)
    return [
        *_unknown_warnings(loaded.tokenizer, words, encoded),
        *length_warnings(loaded, longest, "a prompt with its answer", shorter),
    ]


def _unknown_warnings(tokenizer: Any, words: Sequence[str], encoded: Iterable[Sequence[int]]) -> list[str]:
    """Warn of words of which the tokenizer lacks a part: what is read is then the token that stands for anything."""
    model = tokenizer.backend_tokenizer.model
    named = getattr(model, "unk_token", None)
    unknown = {tokenizer.unk_token_id, getattr(model, "unk_id", None), named and tokenizer.convert_tokens_to_ids(named)}
    lost = [word.strip() for word, ids in zip(words, encoded, strict=True) if not unknown.isdisjoint(ids)]
    if not lost:
        return []
    return [
        f"{len(lost):,} of {len(words):,} words hold what the tokenizer does not know, such as {lost[0]!r}: their "
        "figures are of its token for anything unknown"
    ]


def longest_prompts(samples: Sequence[PromptSample]) -> list[EncodedAnswer]:
    """Return the spread that holds the longest sequence of a stage."""
    return max(samples, key=lambda sample: sample.length).spread


def make_scorer(
    samples: Sequence[PromptSample], batch_tokens: int, *, packed: bool = True
) -> tuple[AnswerScorer, str | None]:
    """Make the scorer of a stage, after trying on the longest of its prompts whether caches can be shared.

    Args:
        samples: Of all prompts under one prompt.
        batch_tokens: Most tokens held in the cache at once.
        packed: Whether answers will be scored; a stage that only reads and generates needs no packing.

    Returns:
        The scorer, and why it does not share caches the fastest way, or not for all prompts; None where it does.
    """
    loaded = samples[0].prompts.loaded
    ordered = sorted(samples, key=lambda sample: sample.length)

    def check(sample: PromptSample) -> tuple[Sharing, str | None]:
        answer = max((one.answer for one in sample.spread), key=len)
        return check_sharing(loaded, [one.context for one in sample.spread], answer, batch_tokens, packed=packed)

    sharing, reason = check(ordered[-1])
    if sharing == "packed" and not fits_window(loaded, ordered[-1].length):
        sharing, reason = check(ordered[0])  # only what lies within the window is packed
        reason = reason or "caches are copied where sequences reach beyond the model's window"
    return AnswerScorer(loaded, batch_tokens, sharing), reason
