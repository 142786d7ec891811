"""Ways to choose without translating: none of them may find the right sentence more often than chance."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex
from pivotlens.harness.sentences import SentenceGroup
from pivotlens.text import fold

from sentence_translation.sentences import LANGUAGES, content, jaccard, units

CHOICES = 4
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True)
class WordFrequencies:
    """How often words (or characters) are met in a language, with one added to each.

    Attributes:
        counts: By word.
        total: Of all words, the added ones too.
    """

    counts: Counter[str]
    total: int

    @classmethod
    def of(cls, sentences: Iterable[tuple[str, str]]) -> dict[str, WordFrequencies]:
        """Count the words of sentences, given with their languages."""
        counts: dict[str, Counter[str]] = {language: Counter() for language in LANGUAGES}
        for language, sentence in sentences:
            counts[language].update(units(sentence, language))
        return {code: cls(found, found.total() + len(found) + 1) for code, found in counts.items()}

    def logprob(self, words: Sequence[str]) -> float:
        """Return the mean log-probability of words."""
        return sum(math.log((self.counts[word] + 1) / self.total) for word in words) / max(1, len(words))


def figures(
    sources: Mapping[str, str], choices: Sequence[str], language: str, frequencies: WordFrequencies
) -> dict[str, list[float]]:
    """Return what each baseline that looks at one choice at a time thinks of each: it takes the largest.

    Args:
        sources: What is to be translated, by language; each is a baseline of its own, marked by its code.
        choices: Sentences to choose from.
        language: Of the choices.
        frequencies: Of that language's words.
    """
    logprob = [frequencies.logprob(units(choice, language)) for choice in choices]
    found = {
        "longest": [float(len(choice)) for choice in choices],
        "shortest": [-float(len(choice)) for choice in choices],
        "common words": logprob,
        "rare words": [-value for value in logprob],
        "common words, summed": [
            value * len(units(choice, language)) for value, choice in zip(logprob, choices, strict=True)
        ],
    }
    for code, source in sources.items():
        words = frozenset(_WORD.findall(fold(source)))
        found[f"words of the source:{code}"] = [len(words & frozenset(_WORD.findall(fold(one)))) for one in choices]
        found[f"spelled like the source:{code}"] = [spelled_alike(source, choice) for choice in choices]
        found[f"as long as the source:{code}"] = [-abs(math.log(len(choice) / len(source))) for choice in choices]
    return found


def spelled_alike(first: str, second: str) -> float:
    """Return how many three-letter pieces two sentences share, 0–1."""
    return jaccard(_trigrams(first), _trigrams(second))


@functools.lru_cache(maxsize=1 << 18)
def _trigrams(sentence: str) -> frozenset[str]:
    folded = fold(sentence)
    return frozenset(folded[place : place + 3] for place in range(len(folded) - 2))


def central(choices: Sequence[str], language: str) -> list[float]:
    """Return how much each choice has in common with the other ones."""
    about = [content(choice, language) for choice in choices]
    return [
        sum(jaccard(mine, other) for place, other in enumerate(about) if place != own) for own, mine in enumerate(about)
    ]


def hit(values: Sequence[float], right: int) -> float:
    """Return 1 where the right choice has the largest value, 1/k where k have it, else 0."""
    best = max(values)
    return (values[right] == best) / sum(value == best for value in values)


def accuracies(
    groups: Sequence[SentenceGroup], source: str, target: str, frequencies: WordFrequencies
) -> tuple[int, dict[str, float]]:
    """Return the items of a direction, and how often each baseline is right."""
    items = [group for group in groups if source in group.sentences and target in group.sentences]
    hits: dict[str, list[float]] = {}
    for group in items:
        choices, right = group.choices(target)
        alike = central(choices, target)
        of_choices = figures({source: group.sentences[source]}, choices, target, frequencies)
        of_choices |= {"like the other choices": alike, "unlike the other choices": [-value for value in alike]}
        for name, values in of_choices.items():
            hits.setdefault(name.partition(":")[0], []).append(hit(values, right))
    return len(items), {name: sum(found) / len(found) for name, found in hits.items()}
