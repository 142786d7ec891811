"""The part of WordNet 3.0 that the checks need."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILES = {"n": "data.noun", "v": "data.verb", "a": "data.adj", "r": "data.adv"}
_TOPS = "03"  # lexicographer file noun.Tops, the top ontology
# Everyday words of noun.Tops that still say something about a concept.
_KEPT_TOPS = frozenset({"animal", "food", "person", "plant"})
# Top-ontology words that WordNet files elsewhere.
_VAGUE = frozenset({"instrumentality", "instrumentation", "unit", "part", "portion", "piece"})


@dataclass(frozen=True)
class Pointer:
    """A typed link; word numbers are 0 where whole synsets are linked."""

    symbol: str
    target: str
    source_word: int
    target_word: int


@dataclass(frozen=True)
class Synset:
    """A synset under an id such as 14845743-n."""

    lexname: str
    lemmas: tuple[str, ...]
    pointers: tuple[Pointer, ...]
    gloss: str = ""

    def targets(self, *symbols: str) -> list[str]:
        """Ids of the synsets that pointers with these symbols lead to."""
        # Pointers write satellite adjectives as "s"; they live in data.adj.
        return [
            pointer.target[:-1] + pointer.target[-1].replace("s", "a")
            for pointer in self.pointers
            if pointer.symbol in symbols
        ]


class WordNet:
    """Synsets by id, and the senses of words."""

    def __init__(self, folder: Path) -> None:
        """Read the four data files."""
        self.synsets: dict[str, Synset] = {}
        self._senses: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for pos, name in _FILES.items():
            for line in (folder / name).read_text(encoding="utf-8").splitlines():
                if not line.startswith(" "):  # the licence stands in indented lines
                    self._add(pos, line)
        self.closure = cache(self._closure)

    def _add(self, pos: str, line: str) -> None:
        fields = line.split(" | ", maxsplit=1)[0].split()
        n_words = int(fields[3], 16)
        # Adjectives carry a syntactic marker: "alive(p)".
        lemmas = tuple(fields[4 + 2 * i].split("(")[0] for i in range(n_words))
        start = 4 + 2 * n_words
        pointers = []
        for i in range(int(fields[start])):
            symbol, offset, target_pos, words = fields[start + 1 + 4 * i : start + 5 + 4 * i]
            pointers.append(Pointer(symbol, f"{offset}-{target_pos}", int(words[:2], 16), int(words[2:], 16)))
        synset_id = f"{fields[0]}-{pos}"
        gloss = line.split(" | ", maxsplit=1)[1].strip().split('; "')[0]
        self.synsets[synset_id] = Synset(fields[1], lemmas, tuple(pointers), gloss)
        for lemma in lemmas:
            self._senses[pos, lemma.casefold()].add(synset_id)

    def senses(self, words: frozenset[str], pos: str = "n") -> frozenset[str]:
        """Every sense of any of the words in one part of speech."""
        return frozenset(sense for word in words for sense in self._senses.get((pos, word.casefold()), ()))

    def above(self, synset_id: str, distance: int) -> frozenset[str]:
        """Hypernyms, of classes and of instances, at most `distance` steps up."""
        found: set[str] = set()
        level = {synset_id}
        for _ in range(distance):
            level = {target for one in level for target in self.synsets[one].targets("@", "@i")}
            found |= level
        return frozenset(found)

    def _closure(self, synset_id: str) -> frozenset[str]:
        found: set[str] = set()
        stack = [synset_id]
        while stack:
            for target in self.synsets[stack.pop()].targets("@", "@i"):
                if target not in found:
                    found.add(target)
                    stack.append(target)
        return frozenset(found)

    def tier(self, first: str, second: str) -> int:
        """0 for co-hyponyms, 1 for cousins, 2 for second cousins, 3 for farther."""
        for tier in range(3):
            if self.above(first, tier + 1) & self.above(second, tier + 1):
                return tier
        return 3

    def links(self, synset_id: str, words: frozenset[str]) -> list[tuple[str, str]]:
        """Pairs (lemma, relation) linked with a synset, nearest relation first.

        Args:
            synset_id: the chosen sense.
            words: its words whose derived forms are wanted.
        """
        synset = self.synsets[synset_id]
        parents = synset.targets("@")
        grandparents = [target for parent in parents for target in self.synsets[parent].targets("@")]
        groups = [
            ("synonym", [synset_id]),
            ("hypernym", [*parents, *grandparents]),
            ("hyponym", synset.targets("~")),
            ("meronym", synset.targets("%m", "%s", "%p")),
            ("holonym", synset.targets("#m", "#s", "#p")),
        ]
        found = [(lemma, name) for name, ids in groups for one in ids for lemma in self._lemmas(one, name)]
        for pointer in synset.pointers:
            if pointer.symbol == "+" and synset.lemmas[pointer.source_word - 1].casefold() in words:
                found.append((self._target(pointer).lemmas[pointer.target_word - 1].lower(), "derived"))
        # Single words only; two letters are mostly symbols and titles, such as the H of water or the MD of a doctor.
        return [(lemma, name) for lemma, name in found if lemma.isalpha() and len(lemma) > 2]

    def derived(self, words: frozenset[str], pos: str) -> frozenset[str]:
        """Words that any sense of the words is derived from, or that are derived from it, case-folded.

        An adverb or a relational adjective counts as derived from what it pertains to.
        """
        found = set()
        for sense in self.senses(words, pos):
            synset = self.synsets[sense]
            for pointer in synset.pointers:
                if pointer.symbol in {"+", "\\"} and synset.lemmas[pointer.source_word - 1].casefold() in words:
                    found.add(self._target(pointer).lemmas[pointer.target_word - 1].casefold())
        return frozenset(found)

    def _target(self, pointer: Pointer) -> Synset:
        # Pointers write satellite adjectives as "s"; they live in data.adj.
        return self.synsets[pointer.target[:-1] + pointer.target[-1].replace("s", "a")]

    def _lemmas(self, synset_id: str, relation: str) -> list[str]:
        synset = self.synsets[synset_id]
        lemmas = [lemma.lower() for lemma in synset.lemmas]
        if relation == "hypernym":
            top = synset.lexname == _TOPS
            return [lemma for lemma in lemmas if (lemma in _KEPT_TOPS if top else lemma not in _VAGUE)]
        return lemmas
