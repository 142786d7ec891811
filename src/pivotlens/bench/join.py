"""Joining dictionaries into concepts: one word a language, each the other's first translation."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pivotlens.bench.lexicon import Lexicon
from pivotlens.bench.links import UNRANKED, Links
from pivotlens.bench.wordlist import Form, ListedConcept
from pivotlens.errors import ConfigError


@dataclass(frozen=True)
class Joined:
    """Concepts that were joined from dictionaries.

    Attributes:
        concepts: The most frequent ones first, each with one displayed word a language.
        related: By concept, all that its displayed words are linked with in any sense and direction, phrases
            included, as ``(language, folded form)``; two concepts that share one have a translation link.
        path: The joins in their order, such as ``("en", "fr")``: the first language's words lead to the second's.
        ranked: Whether a dictionary gives the order of frequency.
        lost: How many words of the first language have no counterpart, by the language that lacks it.
    """

    concepts: tuple[ListedConcept, ...]
    related: dict[str, frozenset[Form]]
    path: tuple[tuple[str, str], ...]
    ranked: bool
    lost: dict[str, int]


def join_lexicons(lexicons: Sequence[Lexicon], languages: Sequence[str], senses: str = "first") -> Joined:
    """Join dictionaries.

    A concept begins with a word of the language that the others hang on. Along each join, the displayed word is the
    best translation in the first sense whose own best translation is the word before it. So no two concepts share a
    displayed word, and every one survives the round trip.

    Args:
        lexicons: The dictionaries.
        languages: Languages wanted; all when empty.
        senses: ``first``: accepted are the words of a first sense and of the same part of speech alone; ``all``: every
            linked word.

    Raises:
        ConfigError: A language is in none of the dictionaries, or they do not hang together.
    """
    edges = _edges(lexicons)
    known = list(dict.fromkeys(code for edge in edges for code in edge))
    wanted = list(dict.fromkeys(languages)) or known
    for code in wanted:
        if code not in known:
            raise ConfigError(f"language {code!r} (languages) is in no lexicon", f"They have {', '.join(known)}.")
    if len(wanted) < 2:
        raise ConfigError(
            f"languages = {wanted} is one language", f"Translation needs two; the lexicons have {', '.join(known)}."
        )
    path = _path(edges, known, wanted)
    nodes = list(dict.fromkeys(code for edge in path for code in edge))
    links = Links(lexicons, nodes)
    lost: Counter[str] = Counter()
    found: list[dict[str, str]] = []
    for word in links.words(*path[0]):
        words = {path[0][0]: word}
        for before, after in path:
            counterpart = _counterpart(links, before, after, words[before])
            if counterpart is None:
                lost[after] += 1
                break
            words[after] = counterpart
        else:
            found.append(words)
    ranking = next((code for code in nodes if links.is_ranked(code)), None)
    found.sort(key=lambda words: _frequency(links, ranking, words))
    concepts = []
    related = {}
    for words in found:
        concept = _concept(links, path, words, wanted, senses)
        concepts.append(concept)
        related[concept.concept_id] = _related(links, nodes, words) | concept.forms()
    return Joined(tuple(concepts), related, path, ranking is not None, dict(sorted(lost.items())))


def _edges(lexicons: Iterable[Lexicon]) -> list[tuple[str, str]]:
    edges: dict[tuple[str, str], None] = {}
    for lexicon in lexicons:
        pairs = {(entry.language, code) for entry in lexicon.entries for _, code, _ in entry.senses}
        order = {code: place for place, code in enumerate(lexicon.languages)}
        edges.update(dict.fromkeys(sorted(pairs, key=lambda pair: (order[pair[0]], order[pair[1]]))))
    return list(edges)


def _path(edges: Sequence[tuple[str, str]], known: Sequence[str], wanted: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the joins from the language that is nearest to all wanted ones; of two, the one that stands first.

    Raises:
        ConfigError: There is none that leads to all of them.
    """
    neighbours: dict[str, list[str]] = {code: [] for code in known}
    for a, b in edges:
        for one, other in ((a, b), (b, a)):
            if other not in neighbours[one]:
                neighbours[one].append(other)
    best: tuple[int, bool, int] | None = None
    parents: dict[str, str] = {}
    for place, start in enumerate(dict.fromkeys((*known,))):
        came_from, distance = _reach(start, neighbours)
        if all(code in distance for code in wanted):
            key = (sum(distance[code] for code in wanted), start not in wanted, place)
            if best is None or key < best:
                best, parents = key, came_from
    if best is None:
        raise ConfigError(
            f"the lexicons do not join {', '.join(wanted)}: {', '.join('–'.join(edge) for edge in edges)}",
            "Add a lexicon that shares a language with both sides, or choose other `languages`.",
        )
    path: dict[tuple[str, str], None] = {}
    for code in wanted:
        steps = []
        while code in parents:
            steps.append((parents[code], code))
            code = parents[code]
        path.update(dict.fromkeys(reversed(steps)))
    return tuple(path)


def _reach(start: str, neighbours: dict[str, list[str]]) -> tuple[dict[str, str], dict[str, int]]:
    came_from: dict[str, str] = {}
    distance = {start: 0}
    waiting = [start]
    for code in waiting:
        for other in neighbours[code]:
            if other not in distance:
                distance[other] = distance[code] + 1
                came_from[other] = code
                waiting.append(other)
    return came_from, distance


def _counterpart(links: Links, before: str, after: str, word: str) -> str | None:
    candidates = links.translations(before, after, word)
    if not candidates:
        return None
    candidate = candidates[0]
    if links.direct(before, after, word)[candidate].sense > 0:
        return None
    back = links.translations(after, before, candidate)[0]
    return candidate if back == word and links.direct(after, before, candidate)[word].sense == 0 else None


def _frequency(links: Links, ranking: str | None, words: dict[str, str]) -> tuple[int, int, float, bytes]:
    """Return a key that puts common concepts first: by rank, else by the word that the fewest phrases hold.

    Ties are broken by a hash: the alphabet would fill a list with words in A.
    """
    rank = UNRANKED if ranking is None else links.rank(ranking, words[ranking])
    held = [links.held(code, word) for code, word in words.items()]
    evenly = hashlib.sha256(next(iter(words.values())).encode()).digest()
    return rank, -min(held), -math.fsum(math.log1p(count) for count in held), evenly


def _concept(
    links: Links, path: Sequence[tuple[str, str]], words: dict[str, str], wanted: Sequence[str], senses: str
) -> ListedConcept:
    accepted: dict[str, dict[str, str]] = {code: {word: links.spelling(code, word)} for code, word in words.items()}
    kinds = [links.every(before, after, words[before])[words[after]].pos for before, after in path]
    pos = next((kind for kind in kinds if kind), "")
    for before, after in path:
        for one, other in ((before, after), (after, before)):
            found = links.every(one, other, words[one])
            for word in sorted(found, key=lambda word: (found[word][:3], word)):
                same_kind = not pos or found[word].pos in ("", pos)
                if senses == "all" or (found[word].sense == 0 and same_kind):
                    accepted[other].setdefault(word, links.spelling(other, word))
    for code, word in words.items():
        for variant in links.variants(code, word):
            accepted[code].setdefault(variant, variant)
    first = next(iter(words))
    return ListedConcept(
        concept_id=links.spelling(first, words[first]),
        split="",
        calibration=None,
        pos=pos,
        synset="",
        words={code: tuple(dict.fromkeys(accepted[code].values())) for code in wanted},
    )


def _related(links: Links, nodes: Sequence[str], words: dict[str, str]) -> frozenset[Form]:
    forms = set(words.items())
    for code, word in words.items():
        for other in nodes:
            if other != code:
                forms.update((other, translation) for translation in links.every(code, other, word))
                forms.update((other, phrase) for phrase in links.phrases(code, other, word))
    return frozenset(forms)
