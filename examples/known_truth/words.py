"""Words of the world: real English sentences, and clones of their vocabulary in languages that are made up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from pivotlens.bench.wordlist import parse_word_list
from pivotlens.corpus.columns import BadRow
from pivotlens.corpus.documents import read_documents
from pivotlens.corpus.files import list_corpus
from pivotlens.corpus.shards import Shard
from pivotlens.text.forms import stems
from pivotlens.text.function_words import is_function_word

HUB, FIRST, SECOND, FOURTH = "en", "qaa", "qab", "qac"
"""The hub A, whose words are English; B and C, which meet or do not; E, the other neighbour. Codes of private use."""
LANGUAGES = (HUB, FIRST, SECOND, FOURTH)

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_SHORTEST, _LONGEST = 3, 12
_RAREST, _MOST_FREQUENT = 10, 450
# No ending of a word in any language, so that no clone is a form of another one.
_FINALS = "bfklp"
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
# Words that name a language or stand in the instruction of a prompt.
_PROMPT_WORDS = frozenset({"english", "please", "translate", "words", "from", "to"})

Sentence = tuple[int, ...]
"""A sentence, as places of its words in the vocabulary."""


@dataclass(frozen=True)
class Vocabulary:
    """The common vocabulary of all languages.

    Attributes:
        words: Of each language, in the same order: the hub's most common ones first.
        sentences: Distinct sentences that these words alone make up, sorted.
        counts: How often each word stands in the sentences.
        candidates: Places of the words that may be concepts, the most common first.
        parts_of_speech: Of each word, where the bundled word list tells it; else empty.
    """

    words: dict[str, tuple[str, ...]]
    sentences: tuple[Sentence, ...]
    counts: tuple[int, ...]
    candidates: tuple[int, ...]
    parts_of_speech: tuple[str, ...]


def make_vocabulary(size: int, seed: int) -> Vocabulary:
    """Take the most common words of the bundled sample's English, and make up their clones.

    Args:
        size: Words.
        seed: Of the spelling of the clones.
    """
    sentences = _english_sentences()
    common = Counter(word for sentence in sentences for word in sentence)
    hub = [word for word, _ in sorted(common.items(), key=lambda found: (-found[1], found[0]))[:size]]
    places = {word: place for place, word in enumerate(hub)}
    kept = sorted(
        tuple(places[word] for word in sentence)
        for sentence in sentences
        if _SHORTEST <= len(sentence) <= _LONGEST and all(word in places for word in sentence)
    )
    counts = Counter(place for sentence in kept for place in sentence)
    clones = _clones(len(hub) * (len(LANGUAGES) - 1), np.random.default_rng([seed, 0]))
    words = {HUB: tuple(hub)}
    for number, language in enumerate(LANGUAGES[1:]):
        words[language] = tuple(clones[number * len(hub) : (number + 1) * len(hub)])
    tags = _parts_of_speech()
    return Vocabulary(
        words,
        tuple(kept),
        tuple(counts[place] for place in range(len(hub))),
        tuple(_candidates(hub, counts)),
        tuple(tags.get(word, "") for word in hub),
    )


def _english_sentences() -> list[tuple[str, ...]]:
    """Return the bundled sample's English sentences: alone, or below the sentence that they translate."""
    found = set()
    for file in list_corpus("demo:tatoeba"):
        for document in read_documents(Shard(file)):
            if isinstance(document, BadRow):
                raise ValueError(f"the bundled sample is damaged: {document}")
            at = 0 if document.language == HUB else 1
            for pair in document.text.split("\n\n"):
                found.add(tuple(_WORD.findall(pair.split("\n")[at].lower().replace("’", "'"))))
    return sorted(found)


def _parts_of_speech() -> dict[str, str]:
    content = (resources.files("pivotlens.bench") / "data" / "word_translation.tsv").read_bytes()
    tags: dict[str, str] = {}
    for concept in parse_word_list(content, "word_translation.tsv", (HUB, "fr")):
        for word in concept.words.get(HUB, ()):
            tags.setdefault(word.lower(), concept.pos)
    return tags


def _candidates(hub: Sequence[str], counts: Counter[int]) -> list[int]:
    """Return content words of which none is a form of another; each stands in ten sentences or more.

    What is far more frequent than all others (*tom*) would outweigh the rest of its arm: it is no concept.
    """
    taken: set[str] = set()
    kept = []
    for place, word in enumerate(hub):
        forms = stems(word)
        if (
            len(word) < 3
            or "'" in word
            or word in _PROMPT_WORDS
            or is_function_word(word)
            or not _RAREST <= counts[place] <= _MOST_FREQUENT
            or forms & taken
        ):
            continue
        taken |= forms
        kept.append(place)
    return kept


def _clones(count: int, random: np.random.Generator) -> list[str]:
    """Make up distinct words of seven letters, of which none begins another or is a form of it."""
    made: dict[str, None] = {}
    while len(made) < count:
        letters = [random.choice(list(kind)) for kind in (_CONSONANTS, _VOWELS) * 3]
        made["".join(letters) + str(random.choice(list(_FINALS)))] = None
    return list(made)
