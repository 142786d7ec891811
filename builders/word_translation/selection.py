"""Select the candidate concepts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from everyday_nouns.table import Concept
from everyday_nouns.wordnet import WordNet
from word_translation.frequency import zipf
from word_translation.propose import TARGETS, Candidate, Proposal, Proposer

WANTED = {"n": 1790, "v": 610, "a": 560, "r": 110}
MIN_ZIPF = 3.2
# The second batch: rarer words, of which things one can see and touch come first, because they have one meaning.
WANTED_MORE = {"n": 1250, "v": 180, "a": 320, "r": 0}
MIN_ZIPF_MORE = 2.6
_CONCRETE = frozenset({"05", "06", "08", "13", "17", "18", "19", "20", "27"})

# Words that a benchmark should not show, and verbs that are mostly grammar.
_EXCLUDED_WORDS = """
    are won going let make be have do can may might must shall will should would could ought get
    whore slut bitch bastard nigger negro faggot dyke fag cunt cock dick fuck fucking shit crap piss ass arse asshole
    bullshit damn damned retard retarded rape rapist porn pornography pussy tit tits boob boobs penis vagina anus
    dildo orgasm masturbation masturbate prostitute nazi genocide pedophile incest sperm semen genitals testicle
    gypsy savage cripple lesbian gay homosexual queer jew virgin erection suicide terrorist slave slavery blowjob
    horny naked nude breast sex sexual intercourse hooker nipple condom scrotum fetish lust erotic stripper
    color honor favor cum
"""
EXCLUDED = frozenset(_EXCLUDED_WORDS.split())


def propose(proposer: Proposer, everyday: list[Concept], wordnet: WordNet) -> list[list[Candidate]]:
    """Choose about three thousand concepts, then a second batch of rarer ones.

    A spelling is used in one part of speech only and a synset once; a concept whose best words are taken by a more
    frequent one comes last, because displayed words must not be shared.
    """
    fixed = {concept.words["en"][0]: concept for concept in everyday}
    pool: list[Candidate] = []
    for lemma in proposer.lemmas():
        concept = fixed.get(lemma.word)
        frequency = zipf("en", lemma.word)
        if concept is None:
            if frequency < MIN_ZIPF_MORE or lemma.word in EXCLUDED or len(lemma.word) < 3:
                continue
            if lemma.share < 0.4 or lemma.pos_share < 0.5 or (lemma.pos in "vr" and _other_form(lemma.word)):
                continue
        elif lemma.pos != "n":
            continue
        if lemma.instance and concept is None:
            continue
        cells = proposer.cells(lemma.word, lemma.pos)
        if concept is None and not _supported(cells):
            continue
        pool.append(Candidate(lemma, frequency, cells))
    selection = _Selection(fixed)
    frequent = [one for one in pool if one.zipf >= MIN_ZIPF or one.lemma.word in fixed]
    first = selection.select(frequent, WANTED, _merit)
    rarer = [one for one in pool if not one.lemma.instance]
    second = selection.select(
        rarer, WANTED_MORE, lambda one: _merit(one) + 0.8 * (wordnet.synsets[one.lemma.synset].lexname in _CONCRETE)
    )
    return [first, second]


def _supported(cells: dict[str, tuple[Proposal, ...]]) -> bool:
    """Whether four languages have a proposal and two of them one with two sources."""
    best = [cells[language][0] for language in TARGETS if cells[language]]
    return len(best) >= 4 and sum(len(one.sources) >= 2 for one in best) >= 2


def _other_form(word: str) -> bool:
    return word.endswith("ing") and len(word) > 5


class _Selection:
    """What the batches chosen so far have taken."""

    def __init__(self, fixed: dict[str, Concept]) -> None:
        self._fixed = fixed
        self._taken: defaultdict[str, set[str]] = defaultdict(set)
        self._words: set[str] = set()
        self._synsets: set[str] = set()

    def select(
        self, pool: list[Candidate], wanted: dict[str, int], merit: Callable[[Candidate], float]
    ) -> list[Candidate]:
        """Choose a batch; the everyday nouns come first and beside the bound."""
        ordinary = [one for one in pool if not one.lemma.instance]
        ordered = sorted(
            ordinary, key=lambda one: (one.lemma.word not in self._fixed, -round(merit(one), 6), one.concept_id)
        )
        chosen: list[Candidate] = []
        reserve: list[Candidate] = []
        count: defaultdict[str, int] = defaultdict(int)
        for strict in (True, False):
            for one in ordered if strict else reserve:
                everyday = one.lemma.word in self._fixed
                if one.lemma.word in self._words or synset_of(one, self._fixed) in self._synsets:
                    continue
                if not everyday and count[one.lemma.pos] >= wanted[one.lemma.pos]:
                    continue
                clashes = sum(_clash(one.cells[language], self._taken[language]) for language in TARGETS)
                if strict and clashes and not everyday:
                    if clashes <= 2:
                        reserve.append(one)
                    continue
                chosen.append(one)
                count[one.lemma.pos] += 1
                self._take(one)
        # Everyday nouns that WordNet files as proper names, such as the sun, come beside the bound.
        instances = [one for one in pool if one.lemma.instance]
        self._words |= {one.lemma.word for one in instances}
        return sorted([*chosen, *instances], key=lambda one: one.concept_id)

    def _take(self, one: Candidate) -> None:
        self._words.add(one.lemma.word)
        self._synsets.add(synset_of(one, self._fixed))
        for language in TARGETS:
            if one.cells[language]:
                self._taken[language].add(one.cells[language][0].word)


def _clash(cell: tuple[Proposal, ...], taken: set[str]) -> bool:
    """Whether every proposal of some weight is displayed by another concept."""
    good = [one.word for one in cell if len(one.sources) >= 2] or [one.word for one in cell[:1]]
    return bool(good) and good[0] in taken and all(word in taken for word in good[:2])


def synset_of(candidate: Candidate, fixed: dict[str, Concept]) -> str:
    """Return the sense of a candidate; an everyday noun, found by its word in `fixed`, keeps its own."""
    concept = fixed.get(candidate.lemma.word)
    return concept.synset if concept else candidate.lemma.synset


def _merit(candidate: Candidate) -> float:
    """Frequent words with well attested cells first."""
    attested = sum(
        min(len(candidate.cells[language][0].sources), 3) for language in TARGETS if candidate.cells[language]
    )
    return candidate.zipf + 0.12 * attested + 0.5 * candidate.lemma.share
