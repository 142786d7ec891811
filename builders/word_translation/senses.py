"""JMdict and CC-CEDICT sense by sense, as far as proposing words needs them."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from everyday_nouns.dictionaries import heads

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LANGUAGES = {"fre": "fr", "ger": "de", "spa": "es"}
# A sense with one of these marks never proposes a word.
_MARKS = "arch obs obsc vulg X derog sl net-sl m-sl rare poet hon hum joc sens dated fam chn proverb id abbr quote"
_SHUNNED = frozenset(_MARKS.split())
_RARE_SPELLINGS = frozenset({"oK", "ok", "iK", "ik", "io", "sK", "sk", "rK"})
_VERB = re.compile(r"v[15s]|vk|vz|vn|vr")


@dataclass(frozen=True)
class JapaneseSense:
    """One English sense of a JMdict entry.

    `glosses` maps (part of speech, English word) to the position of the gloss; `words` holds the glosses of the whole
    entry in the other languages, because JMdict does not align them with the English senses.
    """

    spelling: str
    kana: bool
    number: int
    common: bool
    glosses: dict[tuple[str, str], int]
    words: dict[str, dict[str, int]]
    entry: int


def read_japanese(path: Path) -> dict[tuple[str, str], list[JapaneseSense]]:
    """Index the English senses of JMdict by part of speech and English word."""
    codes = _entity_codes(path)
    found: defaultdict[tuple[str, str], list[JapaneseSense]] = defaultdict(list)
    with gzip.open(path, "rb") as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag == "entry":
                for sense in _entry_senses(element, codes):
                    for key in sense.glosses:
                        found[key].append(sense)
                element.clear()  # keeps a 100 MB file from becoming a 1 GB tree
    return dict(found)


def _entity_codes(path: Path) -> dict[str, str]:
    """Map the text of an entity, which the XML parser inserts, back to its short code."""
    codes = {}
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            match = re.match(r'<!ENTITY (\S+) "(.*)">', line)
            if match:
                codes[match[2]] = match[1]
            if line.startswith("<JMdict>"):
                break
    return codes


def _entry_senses(element: ElementTree.Element, codes: dict[str, str]) -> list[JapaneseSense]:
    written = [e.findtext("keb", "") for e in element.iter("k_ele") if not _unusual(e, "ke_inf", codes)]
    read = [e.findtext("reb", "") for e in element.iter("r_ele") if not _unusual(e, "re_inf", codes)]
    if not read:
        return []
    common = any(True for tag in ("ke_pri", "re_pri") for _ in element.iter(tag))
    words: dict[str, dict[str, int]] = {language: {} for language in _LANGUAGES.values()}
    english: list[tuple[list[str], frozenset[str], list[str]]] = []
    pos: list[str] = []
    for sense in element.iter("sense"):
        pos = [codes[one.text or ""] for one in sense.iter("pos")] or pos
        glosses = []
        for gloss in sense.iter("gloss"):
            code = gloss.get(_XML_LANG, "eng")
            if code == "eng":
                glosses.append(gloss.text or "")
            elif code in _LANGUAGES:
                known = words[_LANGUAGES[code]]
                for cased in sorted(cased_heads(gloss.text or "")):
                    known.setdefault(cased, len(known))
        if glosses:
            english.append((pos, frozenset(codes[one.text or ""] for one in sense.iter("misc")), glosses))
    senses = []
    for number, (codes_of_pos, misc, glosses) in enumerate(english):
        kana = "uk" in misc or not written
        if misc & _SHUNNED:
            continue
        for suru in (False, True):
            kinds = {"v"} & _kinds(codes_of_pos) if suru else _kinds(codes_of_pos) - {"v"}
            if not suru and any(_VERB.match(code) for code in codes_of_pos if code != "vs"):
                kinds = {"v"}
            elif suru and "vs" not in codes_of_pos:
                continue
            keys: dict[tuple[str, str], int] = {}
            for position, english_gloss in enumerate(glosses):
                for head in sorted(heads(english_gloss)):
                    for kind in sorted(kinds):
                        keys.setdefault((kind, head), position)
            spelling = (read if kana else written)[0] + ("する" if suru else "")
            entry = int(element.findtext("ent_seq", "0"))
            senses.append(JapaneseSense(spelling, kana, number, common, keys, words, entry))
    return senses


def _unusual(element: ElementTree.Element, tag: str, codes: dict[str, str]) -> bool:
    return any(codes.get(info.text or "") in _RARE_SPELLINGS for info in element.iter(tag))


def _kinds(codes: list[str]) -> set[str]:
    kinds = set()
    for code in codes:
        if code == "n":
            kinds.add("n")
        elif code in {"adj-i", "adj-na", "adj-no", "adj-ix"}:
            kinds.add("a")
        elif code in {"adv", "adv-to"}:
            kinds.add("r")
        elif code == "vs" or _VERB.match(code):
            kinds.add("v")
    return kinds


def cased_heads(gloss: str) -> set[str]:
    """Take the bare words of a gloss as `heads` does, but with their capitals."""
    folded = heads(gloss)
    spellings = {word.strip("()[]{},;.!?:…") for word in gloss.split()}
    return {next((word for word in sorted(spellings) if word.casefold() == head), head) for head in folded}


@dataclass(frozen=True)
class ChineseSense:
    """A gloss of a CC-CEDICT headword."""

    traditional: str
    simplified: str
    position: int


_SKIPPED = re.compile(
    r"\b(variant of|surname|CL:|see |abbr\.|old |\(archaic\)|\(literary\)|\(slang\)|\(coll\.\)|Taiwan)"
)


def read_chinese(path: Path) -> dict[tuple[str, str], list[ChineseSense]]:
    """Index CC-CEDICT by part of speech, as far as the gloss shows it, and English word."""
    found: defaultdict[tuple[str, str], list[ChineseSense]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            match = re.match(r"(\S+) (\S+) \[([^]]*)\] /(.*)/", line)
            if not match or match[3][:1].isupper():
                continue
            for position, gloss in enumerate(match[4].split("/")):
                if _SKIPPED.search(gloss):
                    continue
                for part in re.split(r"[;,]", re.sub(r"\([^()]*\)", "", gloss)):
                    kinds = ("v",) if part.strip().startswith("to ") else ("n", "a", "r")
                    for head in sorted(heads(part)):
                        for kind in kinds:
                            found[kind, head].append(ChineseSense(match[1], match[2], position))
    return dict(found)


def traditional_characters(path: Path) -> frozenset[str]:
    """Characters that CC-CEDICT uses in traditional headwords and never in simplified ones."""
    traditional: set[str] = set()
    simplified: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            fields = line.split(" ", maxsplit=2)
            if len(fields) == 3 and not line.startswith("#"):
                traditional |= set(fields[0])
                simplified |= set(fields[1])
    return frozenset(traditional - simplified)
