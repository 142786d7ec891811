"""English lemmas with their dominant part of speech and their most frequent WordNet 3.0 sense."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_INDEX = {"n": "index.noun", "v": "index.verb", "a": "index.adj", "r": "index.adv"}
_DATA = {"n": "data.noun", "v": "data.verb", "a": "data.adj", "r": "data.adv"}
_SENSE_TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}


@dataclass(frozen=True)
class Lemma:
    """An English lemma in one part of speech.

    `share` is the part of the sense tags of SemCor that the first sense has, and `pos_share` the part of all tags of
    the spelling that this part of speech has; both are 1 where nothing is tagged and there is one sense.
    """

    word: str
    pos: str
    synset: str
    gloss: str
    share: float
    pos_share: float
    instance: bool


def read_lemmas(folder: Path) -> list[Lemma]:
    """Single-word lemmas; `instance` says that the first sense is a proper name or an instance."""
    counts = _tag_counts(folder / "cntlist.rev")
    glosses = {pos: _glosses(folder / name, pos) for pos, name in _DATA.items()}
    rows: list[tuple[str, str, str, int]] = []
    for pos, name in _INDEX.items():
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                continue
            fields = line.split()
            if re.fullmatch(r"[a-z]{2,}", fields[0]):
                n_senses = int(fields[2])
                rows.append((fields[0], pos, f"{fields[-n_senses]}-{pos}", n_senses))
    # A part of speech without any tag counts half a tag.
    of_word: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for word, pos, _, _ in rows:
        of_word[word][pos] = sum(counts.get((word, pos), {}).values()) or 0.5
    lemmas = []
    for word, pos, synset, n_senses in rows:
        gloss, spellings, instance = glosses[pos][synset]
        instance = instance or word not in spellings  # a proper name has a capital there
        tags = counts.get((word, pos), {})
        share = tags.get(1, 0) / sum(tags.values()) if tags else 1 / n_senses
        lemmas.append(
            Lemma(word, pos, synset, gloss, share, of_word[word][pos] / sum(of_word[word].values()), instance)
        )
    return lemmas


def _tag_counts(path: Path) -> dict[tuple[str, str], dict[int, int]]:
    counts: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        key, number, count = line.split()
        lemma, rest = key.split("%")
        counts[lemma, _SENSE_TYPES[rest[0]]][int(number)] = int(count)
    return dict(counts)


def _glosses(path: Path, pos: str) -> dict[str, tuple[str, frozenset[str], bool]]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        head, gloss = line.split(" | ", maxsplit=1)
        fields = head.split()
        n_words = int(fields[3], 16)
        lemmas = frozenset(fields[4 + 2 * i].split("(")[0] for i in range(n_words))
        instance = "@i" in fields[4 + 2 * n_words :]
        found[f"{fields[0]}-{pos}"] = (gloss.strip().split('; "')[0], lemmas, instance)
    return found
