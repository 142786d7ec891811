"""The dictionaries, reduced to normalised words."""

from __future__ import annotations

import gzip
import json
import re
import string
import tarfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from everyday_nouns.sources import FREEDICT_PAIRS
from everyday_nouns.table import LANGUAGES

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_JMDICT_LANGUAGES = {"eng": "en", "fre": "fr", "ger": "de", "spa": "es"}
_ISO3 = {"eng": "en", "fra": "fr", "deu": "de", "spa": "es", "jpn": "ja"}
_ARTICLE = re.compile(
    r"(?:(?:a|an|the|to|le|la|les|un|une|des|der|die|das|ein|eine|el|los|las|una|unos|unas)\s+|l'|l’)+(?=\w)"
)
KANA_NAME = "has a name in kana beside its kanji"
"""The tag of entries with a reading that is no reading of their kanji: モモ beside 桃."""
_USUALLY_KANA = "word usually written using kana alone"
_UNUSUAL = re.compile("irregular|out-dated|rarely|search")
_BRACKETS = str.maketrans("[{<（", "((((") | str.maketrans("]}>）", "))))")


def heads(gloss: str) -> set[str]:
    """Take the bare words or phrases of a gloss, without brackets, articles and case.

    Brackets nest, and hold commas, so they go before the gloss is split.
    """
    kept = []
    depth = 0
    for char in unicodedata.normalize("NFC", gloss).translate(_BRACKETS):
        if char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(char)
    parts = (" ".join(part.split()) for part in re.split(r"[,;/]", "".join(kept).casefold()))
    stripped = (part.strip(" .!?:…") for part in parts)
    return {_ARTICLE.sub("", part, count=1) if _ARTICLE.match(part) else part for part in stripped} - {""}


@dataclass(frozen=True)
class Entry:
    """One dictionary entry.

    Attributes:
        words: By language.
        kana: Those of its Japanese words that are readings.
        reading: The first of its readings.
        common: Those of its Japanese words that are marked as common.
        unusual: Those that are irregular or outdated.
        in_kana: English words of the senses in which it is usually written in kana.
        tags: What JMdict says of any of its senses, in its words: ``noun (common) (futsuumeishi)``.
        traditional: Its Chinese word in traditional characters.
    """

    words: dict[str, frozenset[str]]
    kana: frozenset[str] = frozenset()
    reading: str = ""
    common: frozenset[str] = frozenset()
    unusual: frozenset[str] = frozenset()
    in_kana: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    traditional: str = ""


class Dictionary:
    """Entries of one dictionary, found by any of their words."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Index the entries."""
        self._by_word: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in entries:
            for language, words in entry.words.items():
                for word in words:
                    self._by_word[language, word].append(entry)

    def entries(self, language: str, words: frozenset[str]) -> list[Entry]:
        """Entries that hold one of the (case-folded) words in this language."""
        return [entry for word in sorted(words) for entry in self._by_word.get((language, word), ())]

    def attests(self, language: str, word: str, english: frozenset[str]) -> bool:
        """Whether one entry holds both the word and one of the English words."""
        entries = self.entries(language, frozenset({word.casefold()}))
        return any(entry.words.get("en", frozenset()) & english for entry in entries)


def read_jmdict(path: Path) -> Dictionary:
    """Read JMdict: Japanese spellings with English, French, German and Spanish glosses."""
    entries = []
    with gzip.open(path, "rb") as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag != "entry":
                continue
            words: defaultdict[str, set[str]] = defaultdict(set)
            words["ja"] = {form.text or "" for form in (*element.iter("keb"), *element.iter("reb"))}
            for gloss in element.iter("gloss"):
                language = _JMDICT_LANGUAGES.get(gloss.get(_XML_LANG, "eng"))
                if language:
                    words[language] |= heads(gloss.text or "")
            kana = frozenset(form.text or "" for form in element.iter("reb"))
            by_language = {language: frozenset(found) for language, found in words.items()}
            entries.append(Entry(by_language, kana, **_japanese(element)))
            element.clear()  # keeps a 100 MB file from becoming a 1 GB tree
    return Dictionary(entries)


def _japanese(entry: ElementTree.Element) -> dict[str, Any]:
    """Take what JMdict says of the words of an entry."""
    forms = [(form, form.findtext(f"{kind}eb") or "", kind) for kind in "kr" for form in entry.iter(f"{kind}_ele")]
    tags = {tag.text or "" for name in ("pos", "misc") for tag in entry.iter(name)}
    return {
        "reading": entry.findtext("r_ele/reb") or "",
        "common": frozenset(word for form, word, kind in forms if form.find(f"{kind}e_pri") is not None),
        "unusual": frozenset(
            word for form, word, kind in forms if any(_UNUSUAL.search(x.text or "") for x in form.iter(f"{kind}e_inf"))
        ),
        "in_kana": frozenset(
            head
            for sense in entry.iter("sense")
            if any((misc.text or "").startswith(_USUALLY_KANA) for misc in sense.iter("misc"))
            for gloss in sense.iter("gloss")
            if gloss.get(_XML_LANG, "eng") == "eng"
            for head in heads(gloss.text or "")
        ),
        "tags": frozenset(tags | {KANA_NAME for _ in entry.iter("re_nokanji")}),
    }


def read_cedict(path: Path, alternatives: bool = False) -> Dictionary:
    """Read CC-CEDICT: simplified headwords with English glosses.

    Args:
        path: Of the gzipped text.
        alternatives: Whether "actor or actress" also stands for each of the two.
    """
    entries = []
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            match = re.match(r"(\S+) (\S+) \[[^]]*\] /(.*)/", line)
            if match:
                english = frozenset(head for gloss in match[3].split("/") for head in heads(gloss))
                if alternatives:
                    english |= {part for head in english for part in head.split(" or ")}
                words = {"zh": frozenset({match[2].casefold()}), "en": english}
                entries.append(Entry(words, traditional=match[1]))
    return Dictionary(entries)


def read_cldr(path: Path) -> Dictionary:
    """Read the CLDR names of emoji: one entry an emoji, in all six languages."""
    names: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    with tarfile.open(path) as tar:
        for language in LANGUAGES:
            member = tar.extractfile(f"package/annotations/{language}/annotations.json")
            if member is None:
                raise ValueError(f"{path.name} has no names for {language}")
            annotations = json.load(member)["annotations"]["annotations"]
            for emoji, annotation in annotations.items():
                names[emoji][language] = frozenset(name.casefold() for name in annotation.get("tts", ()))
    return Dictionary(Entry(words) for words in names.values())


@dataclass(frozen=True)
class Articles:
    """A dictd dictionary: where the articles of each case-folded headword stand, and the text of all of them."""

    index: dict[str, list[tuple[int, int]]]
    text: bytes

    def of(self, headword: str) -> list[str]:
        """Return the articles of a headword."""
        spans = self.index.get(headword, ())
        return [self.text[offset : offset + length].decode("utf-8") for offset, length in spans]


def read_freedict(folder: Path, pairs: Iterable[str]) -> dict[tuple[str, str], Articles]:
    """Read the FreeDict files of some directions, such as ``eng-fra``, by source and target language."""
    found = {}
    for pair in pairs:
        index: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for line in (folder / f"freedict-{pair}.index").read_text(encoding="utf-8").splitlines():
            headword, offset, length = line.split("\t")[:3]
            index[headword.casefold()].append((_number(offset), _number(length)))
        source, target = (_ISO3[code] for code in pair.split("-"))
        text = gzip.decompress((folder / f"freedict-{pair}.dict.dz").read_bytes())
        found[source, target] = Articles(dict(index), text)
    return found


class FreeDict:
    """Say yes or no: a FreeDict article of one word holds the other word."""

    def __init__(self, folder: Path) -> None:
        """Read the dictd files of the six directions."""
        self._articles = read_freedict(folder, FREEDICT_PAIRS)

    def attests(self, language: str, word: str, english: frozenset[str]) -> bool:
        """Whether the word stands in an article of an English word, or the other way round."""
        if ("en", language) not in self._articles:
            return False
        return any(
            self._holds("en", language, one, word.casefold()) or self._holds(language, "en", word.casefold(), one)
            for one in english
        )

    def _holds(self, source: str, target: str, headword: str, word: str) -> bool:
        articles = self._articles[source, target].of(headword)
        return any(re.search(rf"\b{re.escape(word)}\b", article.casefold()) for article in articles)


_DIGITS = {digit: i for i, digit in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/")}


@cache
def _number(digits: str) -> int:
    """Read a number in dictd's base 64, which is big-endian and not padded."""
    value = 0
    for digit in digits:
        value = value * 64 + _DIGITS[digit]
    return value
