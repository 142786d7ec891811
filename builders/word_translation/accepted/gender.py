"""Feminine forms of French, Spanish and German words that were reviewed in the masculine."""

from __future__ import annotations

import re
from collections.abc import Callable

Frequency = Callable[[str], float]
"""Zipf frequency of a word of the language; 0 where nobody wrote it."""

# The longest endings first; of the forms that an ending allows, the one that is written most is taken.
_FRENCH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("eux", ("euse",)),
    ("teur", ("trice", "teuse", "teure")),
    ("ieur", ("ieure",)),
    ("eur", ("euse", "eure", "eresse")),
    ("eau", ("elle",)),
    ("er", ("ère",)),
    ("et", ("ète", "ette")),
    ("if", ("ive",)),
    ("ef", ("ève",)),
    ("uf", ("uve",)),
    ("el", ("elle",)),
    ("eil", ("eille",)),
    ("en", ("enne",)),
    ("on", ("onne",)),
    ("an", ("ane", "anne")),
    ("s", ("se",)),
    ("x", ("se",)),
    ("c", ("que", "che", "cque")),
    ("g", ("gue",)),
    ("gu", ("guë", "güe")),
)
_FRENCH_IRREGULAR = {
    "frais": "fraîche", "fou": "folle", "mou": "molle", "vieux": "vieille", "favori": "favorite", "malin": "maligne",
    "bénin": "bénigne", "gentil": "gentille", "traître": "traîtresse", "prophète": "prophétesse", "nul": "nulle",
    "bas": "basse", "gros": "grosse", "gras": "grasse", "las": "lasse", "épais": "épaisse",
    "sot": "sotte", "sec": "sèche", "pâlot": "pâlotte", "doux": "douce", "roux": "rousse", "faux": "fausse",
}  # fmt: skip
_SPANISH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("o", ("a",)),
    ("or", ("ora",)),
    ("án", ("ana",)),
    ("ón", ("ona",)),
    ("ín", ("ina",)),
    ("és", ("esa",)),
    ("ol", ("ola",)),
)
_SPANISH_IRREGULAR = {
    "sirviente": "sirvienta", "cliente": "clienta", "alcalde": "alcaldesa", "profeta": "profetisa",
    "presidente": "presidenta", "jefe": "jefa", "dependiente": "dependienta",
}  # fmt: skip
# One form for both, though the ending looks otherwise; or what looks like a feminine form is another word or no word:
# asistenta is a maid, gourmette a bracelet, matelote a dish, soldada a pay.
_NO_FEMININE = {
    "fr": frozenset(
        {"marron", "chic", "médecin", "marin", "matelot", "gourmet", "coach", "supporter", "leader", "designer"}
    )
    | frozenset({"vainqueur", "voyou"}),
    "es": frozenset({"marrón", "cortés", "superior", "inferior", "anterior", "posterior", "interior", "exterior"})
    | frozenset({"mayor", "menor", "mejor", "peor", "ulterior", "soldado", "miembro", "piloto", "genio", "músico"}),
    "de": frozenset({"gast", "star", "kind", "genie", "opfer", "mitglied", "teenager", "zimmermann", "landsmann"}),
}
_WRITTEN = 1.0  # the least Zipf frequency of a form that is taken for a word
_UMLAUTS = (("au", "äu"), ("a", "ä"), ("o", "ö"), ("u", "ü"))
_GERMAN_WOMEN = {"kaufmann": "Kauffrau", "feuerwehrmann": "Feuerwehrfrau"}


def feminine(language: str, word: str, frequency: Frequency) -> str:
    """Return the feminine form of a French or Spanish adjective or noun or a German noun, or ''.

    Args:
        language: Of the word.
        word: In the masculine; a word of both genders, or in the feminine, has no other form.
        frequency: Of a word of the language: a form that nobody writes is none.
    """
    if word.casefold() in _NO_FEMININE[language]:
        return ""
    forms = {"fr": _french, "es": _spanish, "de": _german}[language](word)
    for group in forms:
        written = [form for form in group if form != word and frequency(form) >= _WRITTEN]
        if written:
            return max(written, key=frequency)
    return ""


def _french(word: str) -> list[list[str]]:
    if word in _FRENCH_IRREGULAR:
        return [[_FRENCH_IRREGULAR[word]]]
    for ending, feminines in _FRENCH:
        if word.endswith(ending):
            return [[word.removesuffix(ending) + feminine for feminine in feminines]]
    return [[word + "e"]] if re.search(r"[^eaoy]$", word) else []


def _spanish(word: str) -> list[list[str]]:
    if word in _SPANISH_IRREGULAR:
        return [[_SPANISH_IRREGULAR[word]]]
    for ending, feminines in _SPANISH:
        if word.endswith(ending):
            return [[word.removesuffix(ending) + feminine for feminine in feminines]]
    return []


def _german(word: str) -> list[list[str]]:
    """Return forms in *-in*, with an umlaut or without; where there is none, that of a noun made of an adjective."""
    if word.casefold() in _GERMAN_WOMEN:
        return [[_GERMAN_WOMEN[word.casefold()]]]
    if word.endswith(("in", "ling")):
        return []
    stems = [word.removesuffix("e"), word.removesuffix("er") if word.endswith("erer") else ""]
    feminines = [f"{one}in" for stem in stems for one in (stem, _umlauted(stem)) if one]
    return [feminines, [word[:-1]] if re.search(r"(?:nd|t|en|ell)er$", word) else []]


def _umlauted(stem: str) -> str:
    """Return a stem with its last vowel changed, or '' where it cannot be."""
    last = max((stem.casefold().rfind(vowel) for vowel in "aou"), default=-1)
    if last < 0:
        return ""
    begin = last - 1 if stem.casefold()[last - 1 : last + 1] == "au" else last
    vowel = stem[begin : last + 1]
    changed = dict(_UMLAUTS)[vowel.casefold()]
    return stem[:begin] + (changed.capitalize() if vowel[0].isupper() else changed) + stem[last + 1 :]
