"""The rows of the benchmark, their file, and the shape of a word."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from everyday_nouns.table import LANGUAGES, Concept, parse_cells

HEADER = ("concept_id", "split", "calibration", "pos", "synset", "band", "flags", "flags_note", *LANGUAGES)
BANDS = ("high", "middle", "low")
POS = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb"}
FLAG = re.compile(r"(en|fr|de|es|zh|ja):(kana|multiple_scripts|plural_only|shared)")

_SCRIPTS = {
    "zh": ("CJK UNIFIED",),
    "ja": ("CJK UNIFIED", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC ITERATION"),
}
_INFINITIVES = {
    "fr": re.compile(r".+(er|ir|ïr|re|oir)"),
    "de": re.compile(r".+(en|eln|ern|tun|sein)|sein|tun"),
    "es": re.compile(r".*[aeiíu]r(se)?"),
    # A dictionary form ends in the u row.
    "ja": re.compile(r".+[うくぐすつぬぶむる]"),
}


@dataclass(frozen=True)
class Row(Concept):
    """A concept of the benchmark; `flags` holds marks such as ``ja:kana``."""

    band: str = ""
    flags: tuple[str, ...] = ()


def write_rows(rows: list[Row]) -> str:
    """Write the table as it is shipped."""
    lines = ["\t".join(HEADER)]
    for row in sorted(rows, key=lambda one: one.concept_id):
        fixed = (row.concept_id, row.split, "1" if row.calibration else "0", row.pos, row.synset, row.band)
        notes = (";".join(row.flags), row.flags_note)
        lines.append("\t".join((*fixed, *notes, *("|".join(row.words[language]) for language in LANGUAGES))))
    return "\n".join(lines) + "\n"


def read_rows(path: Path) -> list[Row]:
    """Read the shipped table.

    Raises:
        ValueError: a line does not have the columns of the header.
    """
    return parse_rows(path.read_text(encoding="utf-8"), path.name)


def parse_rows(text: str, name: str) -> list[Row]:
    """Parse the shipped table.

    Raises:
        ValueError: a line does not have the columns of the header.
    """
    rows = []
    for cell in parse_cells(text, name, HEADER):
        rows.append(
            Row(
                concept_id=cell["concept_id"],
                split=cell["split"],
                calibration=cell["calibration"] == "1",
                pos=cell["pos"],
                synset=cell["synset"],
                flags_note=cell["flags_note"],
                words={language: tuple(cell[language].split("|")) for language in LANGUAGES},
                band=cell["band"],
                flags=tuple(filter(None, cell["flags"].split(";"))),
            )
        )
    return rows


def is_one_word(language: str, word: str) -> bool:
    """Whether all characters are letters of the script of the language; French writes many nouns with a hyphen."""
    scripts = _SCRIPTS.get(language, ("LATIN",))
    if language == "fr" and re.fullmatch(r"\w+(?:-\w+)+", word):
        word = word.replace("-", "")
    # The long-vowel mark is a letter of the kana block: "KATAKANA-HIRAGANA PROLONGED SOUND MARK".
    return bool(word) and all(unicodedata.name(char, "").startswith(scripts) for char in word)


def shape_problem(language: str, pos: str, word: str) -> str:
    """Say what is wrong with the shape of a word, or ''."""
    if unicodedata.normalize("NFC", word) != word:
        return "is not NFC"
    if not is_one_word(language, word):
        return "is not one word in the script of its language"
    capitals = word != word.lower()
    if language == "de" and pos == "n":
        if not word[:1].isupper():
            return "is a German noun without its capital"
    elif capitals and not (word == word.upper() and len(word) > 1 and pos == "n"):  # TV keeps its capitals
        return "has a capital"
    if pos == "v" and language in _INFINITIVES and not _INFINITIVES[language].fullmatch(word):
        return "is no verb in its dictionary form"
    if pos == "a" and language == "ja" and word.endswith(("な", "の")) and len(word) > 2:
        return "is an adjective with its ending な or の"
    return ""


def accepted_problem(language: str, pos: str, word: str) -> str:
    """Say what is wrong with the shape of an accepted word that is not displayed, or ''.

    It may be a phrase or have a hyphen, as *petit pois* and *grown-up*; a Japanese adjective may have its ending.
    """
    if (language, pos) == ("ja", "a"):
        return shape_problem(language, "", word)
    parts = re.split("[ '’-]", word)
    if len(parts) == 1 or language in _SCRIPTS:
        return shape_problem(language, pos, word)
    if unicodedata.normalize("NFC", word) != word or not all(is_one_word(language, part) for part in parts):
        return "is no phrase in the script of its language"
    return "has a capital" if language != "de" and word != word.lower() else ""


def stems(language: str, pos: str, word: str) -> frozenset[str]:
    """Forms under which dictionaries list a word, case-folded, itself included.

    Dictionaries list 勉強する under 勉強, 静かに under 静か, 红色的 under 红色 and arrepentirse under arrepentir.
    """
    folded = word.casefold()
    endings = {
        ("ja", "v"): ("する",),
        ("ja", "r"): ("に", "と"),
        ("zh", "a"): ("的",),
        ("zh", "r"): ("地",),
        ("es", "v"): ("se",),
    }.get((language, pos), ())
    found = {folded}
    for ending in endings:
        stem = folded.removesuffix(ending)
        if stem and stem != folded and not (language == "es" and not stem.endswith("r")):
            found.add(stem)
    return frozenset(found)
