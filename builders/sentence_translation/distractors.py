"""Three wrong sentences for a right one: alike in length and words, no translation, and no way to tell but meaning."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pivotlens.harness.sentences import sentence_key

from sentence_translation.baselines import CHOICES, WordFrequencies, figures, hit, spelled_alike
from sentence_translation.sentences import Links, Row, content, is_coarse, is_usable, jaccard, order

LENGTH = 0.2
"""How much longer or shorter than the right sentence a distractor may be, as a share."""
NEAR = 0.5
"""From this share of common content words on, in the language or in English, two sentences may say the same."""
_CANDIDATES = 200
_NEAREST = 24
_NEAREST_TO_SOURCE = 6
_TRIPLES = 250


@dataclass(frozen=True)
class Candidate:
    """A sentence that may stand beside a right one.

    Attributes:
        sentence: In the language of the choices.
        key: What it is recognised by.
        about: Its content words.
        english: Content words of each of its English translations.
    """

    sentence: str
    key: str
    about: frozenset[str]
    english: tuple[frozenset[str], ...]


@dataclass
class Pool:
    """Candidates of a language.

    Attributes:
        language: Of the sentences.
        candidates: In the order of their hashes.
        places: Candidates of each content word, of the language or, marked by a leading space, of English.
        used: Keys of those that stand beside a right sentence already.
        surplus: Of each baseline, how much more often than by chance it has found the right sentence.
    """

    language: str
    candidates: list[Candidate]
    places: dict[str, list[int]]
    used: set[str] = field(default_factory=set)
    surplus: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @classmethod
    def of(cls, language: str, links: Links, excluded: Collection[str]) -> Pool:
        """Return the pool of a language: usable sentences that have an English and are not excluded."""
        sentences = {row[language] for row in links.rows if language in row and "en" in row}
        candidates = []
        for sentence in sorted(sentences, key=order):
            key = sentence_key(sentence)
            english = links.english(sentence)
            if is_usable(sentence, language) and key not in excluded and not any(map(is_coarse, english)):
                meant = tuple(content(one, "en") for one in english)
                candidates.append(Candidate(sentence, key, content(sentence, language), meant))
        places: dict[str, list[int]] = defaultdict(list)
        for number, candidate in enumerate(candidates):
            for word in _words(candidate):
                places[word].append(number)
        return cls(language, candidates, dict(places))

    def choose(self, group: Row, links: Links, frequencies: WordFrequencies) -> tuple[str, str, str] | None:
        """Return three distractors of a group's sentence; None where there are too few.

        Of triples drawn among those that share most, the one is taken that keeps all baselines nearest to chance.
        """
        right = group[self.language]
        sources = {code: one for code, one in group.items() if code != self.language}
        found = self._candidates(group, sources, links)
        if len(found) < 3:
            return None
        every = [right, *(one.sentence for one in found)]
        values = figures(sources, every, self.language, frequencies)
        about = [content(one, self.language) for one in every]
        alike = [[jaccard(one, other) for other in about] for one in about]
        draw = random.Random(order(f"{self.language}\n{group['en']}"))
        best: tuple[float, list[int], dict[str, float]] | None = None
        for _ in range(_TRIPLES):
            places = [0, *draw.sample(range(1, len(every)), 3)]
            hits = {name: hit([of[place] for place in places], 0) for name, of in values.items()}
            central = [sum(alike[one][other] for other in places if other != one) for one in places]
            hits["like the other choices"] = hit(central, 0)
            hits["unlike the other choices"] = hit([-value for value in central], 0)
            cost = sum((self.surplus[name] + value - 1 / CHOICES) ** 2 for name, value in hits.items())
            if best is None or cost < best[0]:
                best = cost, places[1:], hits
        assert best is not None
        for name, value in best[2].items():
            self.surplus[name] += value - 1 / CHOICES
        chosen = [found[place - 1] for place in best[1]]
        self.used.update(one.key for one in chosen)
        first, second, third = (one.sentence for one in chosen)
        return first, second, third

    def _candidates(self, group: Row, sources: Mapping[str, str], links: Links) -> list[Candidate]:
        """Return those that share most content with a group's sentence, and those spelled most like its sources."""
        found = self._sharing(group, links.linked(group.values()), links.english(group[self.language]))
        near, rest = found[:_NEAREST], found[_NEAREST:]
        for source in sources.values():
            rest.sort(key=lambda one: -spelled_alike(one.sentence, source))
            near, rest = near + rest[:_NEAREST_TO_SOURCE], rest[_NEAREST_TO_SOURCE:]
        return near

    def _sharing(self, group: Row, linked: Collection[str], english: Sequence[str]) -> list[Candidate]:
        """Return the candidates that share most with a group's sentence and are none of its translations."""
        right = group[self.language]
        about = content(right, self.language)
        meant = [content(one, "en") for one in {*english, group["en"]}]
        words = {*about, *(f" {word}" for one in meant for word in one)}
        # Names and numbers that the source has too would give the right sentence away.
        shown = {word for code, one in group.items() if code != self.language for word in content(one, code)}
        weights: Counter[int] = Counter()
        for word in sorted(words & self.places.keys()):
            places = self.places[word]
            weight = round(1000 * math.log(len(self.candidates) / len(places))) * (3 if word in shown else 1)
            for number in places:
                weights[number] += weight
        found: list[Candidate] = []
        for number in sorted(weights, key=lambda number: (-weights[number], number)):
            candidate = self.candidates[number]
            if (
                candidate.key not in linked
                and candidate.key not in self.used
                and abs(len(candidate.sentence) - len(right)) <= LENGTH * len(right)
                and jaccard(candidate.about, about) < NEAR
                and all(jaccard(one, other) < NEAR for one in candidate.english for other in meant)
                and not any(_same(candidate, other) for other in found)
            ):
                found.append(candidate)
                if len(found) == _CANDIDATES:
                    break
        return found


def _words(candidate: Candidate) -> Iterator[str]:
    yield from candidate.about
    yield from {f" {word}" for english in candidate.english for word in english}


def _same(one: Candidate, other: Candidate) -> bool:
    return one.key == other.key or jaccard(one.about, other.about) >= NEAR
