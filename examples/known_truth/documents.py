"""Documents of the world: sentences alone, sentence pairs, and lists in the format of the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from examples.known_truth.arms import ARMS, FIRST_SECOND, OTHER, may_meet
from examples.known_truth.words import FIRST, FOURTH, HUB, SECOND, Sentence, Vocabulary
from pivotlens.text import Direction, english_name
from pivotlens.translation.prompts import answer_text, prompt_text

_LINES = 8
"""Lines of a list, of different concepts."""


@dataclass(frozen=True)
class Amounts:
    """How much of each kind of document a world holds.

    Attributes:
        alone: How often every sentence stands alone, by language.
        pairs: How often every sentence stands in the hub and B, and as often in the hub and C.
        lines: List lines of a concept in each direction between its hub and B, and its hub and C.
        dose: Documents in which the words of B and C of a concept of arm D meet, half of them in each direction.
    """

    alone: Mapping[str, int] = field(default_factory=lambda: {HUB: 3})
    pairs: int = 1
    lines: int = 16
    dose: int = 64

    def __post_init__(self) -> None:
        """Check that the dose can be dealt out to both directions alike."""
        if self.dose % 2:
            raise ValueError(f"dose = {self.dose} is odd: half of it is read in each direction")


@dataclass(frozen=True)
class Document:
    """A document of the world.

    Attributes:
        text: As the model reads it.
        language: Its label: the language that is not the hub's.
        kind: ``alone``, ``pair``, ``decoy`` or ``list``.
        direction: Of a list.
    """

    text: str
    language: str
    kind: str
    direction: Direction | None = None


def write_documents(vocabulary: Vocabulary, arms: Mapping[int, str], amounts: Amounts, seed: int) -> list[Document]:
    """Write every document of a world once, in random order.

    Args:
        vocabulary: Words and sentences.
        arms: Arm by place of a concept's word.
        amounts: How much of what.
        seed: Of order, and of what stands first in a pair.
    """
    random = np.random.default_rng([seed, 2])
    documents = [
        *alone(vocabulary, amounts.alone),
        *(one for _ in range(amounts.pairs) for one in pairs(vocabulary, arms, random)),
        *lists(vocabulary, arms, amounts, random),
    ]
    return shuffled(documents, random)


def shuffled(documents: Sequence[Document], random: np.random.Generator) -> list[Document]:
    """Return documents in random order."""
    return [documents[place] for place in random.permutation(len(documents))]


def _written(vocabulary: Vocabulary, sentence: Sentence, language: str) -> str:
    return f"{english_name(language)}: {' '.join(vocabulary.words[language][word] for word in sentence)}"


def _label(*languages: str) -> str:
    """Return the first language that is no hub; the hub's own where there is none."""
    return next((language for language in languages if language not in (HUB, FOURTH)), languages[0])


def alone(vocabulary: Vocabulary, times: Mapping[str, int]) -> Iterator[Document]:
    """Write every sentence by itself, so many times in each language."""
    for language, count in times.items():
        for sentence in vocabulary.sentences:
            yield from [Document(_written(vocabulary, sentence, language), language, "alone")] * count


def pairs(vocabulary: Vocabulary, arms: Mapping[int, str], random: np.random.Generator) -> Iterator[Document]:
    """Write every sentence in the hub and in B, and in the hub and in C.

    Where a word of it forbids that, both stand in documents of their own: all arms' words are read equally often, and
    in the same sentences; only what stands beside them differs. What holds no concept but those of arm X is written
    in E beside B or C, and in the hub alone; what holds no concept at all, in both.
    """
    for sentence in vocabulary.sentences:
        kinds = {arms[word] for word in sentence if word in arms}
        for other in (FIRST, SECOND):
            sides = [_written(vocabulary, sentence, HUB), _written(vocabulary, sentence, other)]
            beside = _written(vocabulary, sentence, FOURTH)
            if kinds <= {OTHER}:
                yield _pair([beside, sides[1]], other, random)
            if kinds == {OTHER}:
                yield Document(sides[0], HUB, "alone")
            elif may_meet(arms, sentence, frozenset((HUB, other))):
                yield _pair(sides, other, random)
            else:
                yield Document(sides[0], HUB, "alone")
                yield Document(sides[1], other, "alone")


def decoys(vocabulary: Vocabulary, arms: Mapping[int, str], random: np.random.Generator) -> Iterator[Document]:
    """Write every sentence that may stand in the hub and in B, or in C, beside another one that has no word of it.

    They look like sentence pairs and hold as many words of either language, but bind nothing.
    """
    others = [vocabulary.sentences[place] for place in random.permutation(len(vocabulary.sentences))]
    for sentence, unlike in zip(vocabulary.sentences, others, strict=True):
        if any(word in arms and word in unlike for word in sentence):
            continue
        for other in (FIRST, SECOND):
            if may_meet(arms, sentence + unlike, frozenset((HUB, other))):
                sides = _written(vocabulary, sentence, HUB), _written(vocabulary, unlike, other)
                document = _pair(sides, other, random)
                yield Document(document.text, document.language, "decoy")


def _pair(sides: Sequence[str], language: str, random: np.random.Generator) -> Document:
    first = int(random.integers(2))
    return Document(f"{sides[first]}\n{sides[1 - first]}", language, "pair")


def lists(
    vocabulary: Vocabulary, arms: Mapping[int, str], amounts: Amounts, random: np.random.Generator
) -> Iterator[Document]:
    """Write word lists, each in one direction; a concept stands in a list once.

    A line that an arm forbids is one of the answer's own language instead, so that every word of B and C is an answer
    equally often.
    """
    lines: dict[Direction, list[list[int]]] = {}
    for word in sorted(arms):
        for direction, times in concept_lines(arms[word], amounts, random).items():
            rounds = lines.setdefault(direction, [])
            rounds += [[] for _ in range(times - len(rounds))]
            for number in range(times):
                rounds[number].append(word)
    for direction in sorted(lines):
        for of_round in lines[direction]:
            order = [of_round[place] for place in random.permutation(len(of_round))]
            for start in range(0, len(order), _LINES):
                text = _list(vocabulary, order[start : start + _LINES], direction)
                yield Document(text, _label(*direction), "list", direction)


def _list(vocabulary: Vocabulary, words: Sequence[int], direction: Direction) -> str:
    source, target = (vocabulary.words[language] for language in direction)
    examples = [(source[word], target[word]) for word in words]
    return prompt_text(direction, examples[:-1], examples[-1][0], "english") + answer_text(examples[-1][1])


def concept_lines(arm: str, amounts: Amounts, random: np.random.Generator) -> dict[Direction, int]:
    """Return how many lines a concept has in each direction; within a language where its arm forbids more.

    Args:
        arm: Its arm.
        amounts: How much of what.
        random: Draws which direction has one line more.
    """
    hub, meets, joint = ARMS[arm].hub, ARMS[arm].meets, ARMS[arm].joint
    wanted = {Direction(*pair): amounts.lines for one in (FIRST, SECOND) for pair in ((hub, one), (one, hub))}
    between = [Direction(FIRST, SECOND), Direction(SECOND, FIRST)]
    joint = amounts.dose if joint is None else min(joint, amounts.dose)
    ahead = int(random.integers(2))
    found = {between[ahead]: joint - joint // 2, between[1 - ahead]: joint // 2}
    for direction in between:
        wanted[direction] = amounts.dose // 2
    lines: dict[Direction, int] = {}
    for direction, times in wanted.items():
        allowed = found[direction] if set(direction) == FIRST_SECOND else times
        if frozenset(direction) not in meets:
            allowed = 0
        own = Direction(direction.target, direction.target)
        lines[direction] = lines.get(direction, 0) + allowed
        lines[own] = lines.get(own, 0) + times - allowed
    if hub != HUB:
        own = Direction(HUB, HUB)
        lines[own] = lines.get(own, 0) + 2 * amounts.lines
    return {direction: times for direction, times in lines.items() if times}
