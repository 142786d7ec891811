"""WordNet relations that forbid a distractor, and the distance tiers, for all parts of speech."""

from __future__ import annotations

from functools import cache

from everyday_nouns.wordnet import WordNet
from word_translation.table import Row

_CLUSTER_RELATIONS = {"v": ("*", ">", "$"), "a": ("&", "!"), "r": ("!",)}


class Relations:
    """Questions to WordNet, answered once."""

    def __init__(self, wordnet: WordNet) -> None:
        """Remember WordNet."""
        self._wordnet = wordnet
        self.above = cache(wordnet.above)
        self.cluster = cache(self._cluster)
        self._adjectives = cache(self._adjectives_of)
        self._attributes = cache(self._attributes_of)
        self._see_also = cache(self._see_also_of)

    def senses(self, row: Row) -> frozenset[str]:
        """All senses, in the part of speech, of every accepted English word."""
        return self._wordnet.senses(row.forms("en"), row.pos) | {row.synset}

    def forbidden(self, row: Row) -> frozenset[str]:
        """Synsets that no sense of a distractor may be in.

        Nouns and verbs: every sense and everything above one; verbs also what they entail, cause or are grouped with.
        Adjectives: every sense, what is similar to it or shares its head, its antonyms and what is similar to those.
        Adverbs: every sense and its antonyms, and every adverb made from an adjective that is forbidden so.
        """
        senses = self.senses(row)
        found = set(senses)
        for sense in senses:
            if row.pos in "nv":
                found |= self._wordnet.closure(sense)
            if row.pos != "n":
                found |= self.cluster(sense)
        return frozenset(found)

    def linked(self, first: Row, second: Row) -> bool:
        """Whether WordNet links any senses of two concepts."""
        return bool(self.forbidden(first) & self.marks(second) or self.forbidden(second) & self.marks(first))

    def marks(self, row: Row) -> frozenset[str]:
        """Synsets a concept stands for when another one forbids them."""
        senses = self.senses(row)
        if row.pos == "r":  # an adverb stands for the adjectives it is made from, too
            return senses | frozenset().union(*(self._adjectives(sense) for sense in senses))
        return senses

    def _cluster(self, sense: str) -> frozenset[str]:
        synsets = self._wordnet.synsets
        pos = sense[-1]
        if pos != "a":
            near = set(synsets[sense].targets(*_CLUSTER_RELATIONS[pos]))
            if pos == "r":
                for adjective in self._adjectives(sense):
                    near |= self.cluster(adjective)
            return frozenset(near | {sense})
        heads = {sense, *synsets[sense].targets("&")} if self._is_satellite(sense) else {sense}
        heads |= {target for head in tuple(heads) for target in synsets[head].targets("!")}
        return frozenset(heads.union(*(synsets[head].targets("&") for head in heads)))

    def _is_satellite(self, sense: str) -> bool:
        # A satellite is similar to one head and has no antonym of its own.
        synset = self._wordnet.synsets[sense]
        return len(synset.targets("&")) == 1 and not synset.targets("!")

    def _adjectives_of(self, adverb: str) -> frozenset[str]:
        return frozenset(target for target in self._wordnet.synsets[adverb].targets("\\") if target.endswith("a"))

    def tier(self, first: str, second: str) -> int:
        """Distance of two synsets.

        Nouns and verbs: 0 share a direct hypernym, 1 one within two steps, 2 within three, 3 are farther. Adjectives,
        and adverbs through the adjectives they are made from: 1 describe the same attribute, 2 have a see-also link
        between their clusters, 3 are farther.
        """
        if first[-1] in "nv":
            for tier in range(3):
                if self.above(first, tier + 1) & self.above(second, tier + 1):
                    return tier
            return 3
        if self._attributes(first) & self._attributes(second):
            return 1
        if self._see_also(first) & self._heads(second) or self._see_also(second) & self._heads(first):
            return 2
        return 3

    def _heads(self, sense: str) -> frozenset[str]:
        adjectives = self._adjectives(sense) if sense.endswith("r") else frozenset({sense})
        similar = (self._wordnet.synsets[one].targets("&") for one in adjectives if self._is_satellite(one))
        return adjectives.union(*similar)

    def _attributes_of(self, sense: str) -> frozenset[str]:
        return frozenset(target for head in self._heads(sense) for target in self._wordnet.synsets[head].targets("="))

    def _see_also_of(self, sense: str) -> frozenset[str]:
        return frozenset(target for head in self._heads(sense) for target in self._wordnet.synsets[head].targets("^"))
