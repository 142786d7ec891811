"""Prompts of word translation (docs/method.md#prompts): texts only, no tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pivotlens.errors import ConfigError
from pivotlens.settings import PromptTemplate
from pivotlens.text.languages import Direction, english_name, native_name

Pairs = Sequence[tuple[str, str]]
"""Source words, each with its target word."""

# The paper's instruction, in the target language.
_NATIVE_INSTRUCTION = {
    "en": "Please translate words from {source} to {target}.",
    "fr": "Veuillez traduire les mots suivants : {source} → {target}.",
    "de": "Bitte übersetze die folgenden Wörter: {source} → {target}.",
    "es": "Por favor, traduce las siguientes palabras: {source} → {target}.",
    "zh": "请将下列单词从{source}翻译成{target}。",
    "ja": "次の単語を{source}から{target}に翻訳してください。",
}


def draw_shot_sets(pool: Sequence[str], shots: int, sets: int, seed: int) -> list[list[str]]:
    """Draw the examples: the same concepts in every direction and for every model.

    Args:
        pool: Ids of the shot concepts.
        shots: Examples in a prompt.
        sets: How many sets; set ``k`` is the same however many are drawn.
        seed: Seed of the draw.

    Returns:
        ``sets`` lists of ``shots`` concept ids.

    Raises:
        ConfigError: The pool is too small.
    """
    if len(pool) < shots:
        raise ConfigError(
            f"shots = {shots}, but the benchmark's shot pool holds only {len(pool)} concepts",
            "Lower `shots`, or make a benchmark with a larger `shot_pool`.",
        )
    names = sorted(pool)
    return [
        [names[index] for index in np.random.default_rng([seed, number]).permutation(len(names))[:shots]]
        for number in range(sets)
    ]


def shot_examples(
    words: Mapping[str, Mapping[str, str]], shot_set: Sequence[str], direction: Direction
) -> list[tuple[str, str]]:
    """Return the examples of a shot set in a direction; ``words`` holds each concept's word by language."""
    return [(words[concept][direction.source], words[concept][direction.target]) for concept in shot_set]


def prompt_text(direction: Direction, examples: Pairs, word: str, prompt: PromptTemplate) -> str:
    """Return the prompt up to where the answer begins; the answer is `answer_text`.

    Args:
        direction: Source and target language.
        examples: Pairs of source and target word.
        word: The word to translate.
        prompt: Template; `english` is the paper's.
    """
    if prompt == "bare":
        return "".join(f"{source} – {target}\n" for source, target in examples) + f"{word} –"
    if prompt == "native":
        names = tuple(native_name(code, direction.target) for code in direction)
        template = _NATIVE_INSTRUCTION[direction.target]
    else:
        names = tuple(english_name(code) for code in direction)
        template = _NATIVE_INSTRUCTION["en"]
    blocks = [template.format(source=names[0], target=names[1])]
    blocks += [f"{names[0]}: {source}\n{names[1]}: {target}" for source, target in examples]
    blocks.append(f"{names[0]}: {word}\n{names[1]}:")
    return "\n\n".join(blocks)


def answer_text(word: str, *, line: bool = False) -> str:
    """Return the answer as it follows the prompt; with ``line``, the newline that ends it too."""
    return f" {word}\n" if line else f" {word}"
