"""Yes-or-no votes for a translation: FreeDict, CLDR and Concepticon."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections import defaultdict
from functools import cache
from pathlib import Path

from everyday_nouns.dictionaries import heads, read_freedict
from everyday_nouns.sources import FREEDICT_PAIRS

_ASIDE = re.compile(r"^\s*(see:|Synonyms?:|Note:|\")|^\s{3,}")


class FreeDictVotes:
    """The words of the FreeDict articles of a headword, case-folded."""

    def __init__(self, folder: Path, pairs: tuple[str, ...] = FREEDICT_PAIRS) -> None:
        """Read the dictd files of some directions."""
        self._articles = read_freedict(folder, pairs)
        self.translations = cache(self._translations)  # asked for again and again

    def _translations(self, source: str, target: str, headword: str) -> frozenset[str]:
        """Every translation that an article of the headword gives; a verb may stand as "to eat"."""
        articles = self._articles[source, target]
        found: set[str] = set()
        spellings = (headword, f"to {headword}") if source == "en" else (headword,)
        for spelling in spellings:
            for article in articles.of(spelling.casefold()):
                for line in article.splitlines()[1:]:
                    if not _ASIDE.match(line):
                        found |= heads(re.sub(r"^\s*\d+\.\s*|/[^/]*/", "", line))
        return frozenset(found)

    def has(self, source: str, target: str) -> bool:
        """Whether a direction was read."""
        return (source, target) in self._articles

    def links(self, source: str, words: frozenset[str], target: str, others: frozenset[str]) -> bool:
        """Whether an article of any direction between two languages links two words, given case-folded."""
        for one, ones, two, twos in ((source, words, target, others), (target, others, source, words)):
            if self.has(one, two) and any(self.translations(one, two, word) & twos for word in sorted(ones)):
                return True
        return False

    def directions(self, english: str, language: str, word: str) -> int:
        """Number of directions, 0 to 2, in which FreeDict links the two words."""
        forward = word.casefold() in self.translations("en", language, english)
        backward = english in {head.removeprefix("to ") for head in self.translations(language, "en", word)}
        return forward + backward


def read_cldr_names(path: Path, languages: tuple[str, ...]) -> dict[str, dict[str, set[str]]]:
    """English emoji name -> language -> names of the same emoji, case-folded."""
    names: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    with tarfile.open(path) as tar:
        for language in languages:
            member = tar.extractfile(f"package/annotations/{language}/annotations.json")
            if member is None:
                raise ValueError(f"{path.name} has no names for {language}")
            for emoji, one in json.load(member)["annotations"]["annotations"].items():
                names[emoji][language] = [name.casefold() for name in one.get("tts", ())]
    found: defaultdict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for by_language in names.values():
        for english in by_language.get("en", ()):
            for language, ones in by_language.items():
                found[english][language].update(ones)
    return dict(found)


def read_concepticon(path: Path, languages: tuple[str, ...]) -> dict[tuple[str, str], dict[str, set[str]]]:
    """(Part of speech, English gloss) -> language -> glosses of the same Concepticon set, case-folded.

    Glosses that the mapping rates as poor (the third number) are kept: one vote among several.
    """
    kinds = {"noun": "n", "verb": "v", "adjective": "a", "adverb": "r"}
    with zipfile.ZipFile(path) as archive:
        data = json.loads(archive.read("concepticon.json"))
    sets: defaultdict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    english: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for language in languages:
        for gloss, ones in data.get(language, {}).items():
            for one in ones:
                for head in heads(gloss):
                    sets[one[0]][language].add(head)
                    if language == "en" and one[3] in kinds:
                        english[kinds[one[3]], head].add(one[0])
    found: defaultdict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key, ids in english.items():
        for one in ids:
            for language, words in sets[one].items():
                found[key][language] |= words
    return dict(found)


def concepticon_sets(path: Path, languages: tuple[str, ...]) -> list[dict[str, frozenset[str]]]:
    """Glosses of each Concepticon set by language, case-folded."""
    with zipfile.ZipFile(path) as archive:
        data = json.loads(archive.read("concepticon.json"))
    sets: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for language in languages:
        for gloss, ones in data.get(language, {}).items():
            for one in ones:
                sets[one[0]][language] |= heads(gloss)
    return [{language: frozenset(words) for language, words in sets[key].items()} for key in sorted(sets)]
