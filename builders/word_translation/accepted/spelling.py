"""Other standard spellings of the same word in English, French and Spanish.

German needs none: ``ß`` and ``ss`` compare as equal wherever words are compared.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_ENGLISH = (  # British, American
    ("our", "or"), ("ise$", "ize"), ("yse$", "yze"), ("tre", "ter"), ("bre", "ber"), ("ogue", "og"), ("ence", "ense"),
    ("ae", "e"), ("oe", "e"), ("ller", "ler"), ("lled", "led"), ("lling", "ling"), ("ould", "old"),
    ("ewellery", "ewelry"), ("kilful", "killful"), ("grey", "gray"), ("plough", "plow"), ("axe", "ax"),
    ("pyj", "paj"), ("sc", "sk"), ("yog", "yogh"), ("mou", "mu"), ("programme", "program"), ("inium", "inum"),
    ("artefact", "artifact"), ("whisky", "whiskey"), ("doughnut", "donut"), ("gement", "gment"), ("cosy", "cozy"),
)  # fmt: skip
_FRENCH_GRAVE = ("évènement", "règlementaire", "crèmerie", "cèleri", "allègement", "sècheresse", "règlementation")
_FRENCH_PAIRS = {"oignon": "ognon", "nénuphar": "nénufar", "week-end": "weekend", "clé": "clef", "paie": "paye"}
_FRENCH_CIRCUMFLEX = frozenset({"dû", "mûr", "sûr", "jeûne", "fût", "crû", "mûre"})  # without it they are other words
_SPANISH_PAIRS = {
    "vídeo": "video", "fútbol": "futbol", "icono": "ícono", "período": "periodo", "cóctel": "coctel",
    "chófer": "chofer", "quizá": "quizás", "septiembre": "setiembre", "guion": "guión", "olimpiada": "olimpíada",
    "cardíaco": "cardiaco", "policíaco": "policiaco", "maníaco": "maniaco", "zodíaco": "zodiaco",
    "amoníaco": "amoniaco", "austríaco": "austriaco", "élite": "elite", "reemplazar": "remplazar",
    "psicología": "sicología", "psicólogo": "sicólogo", "psiquiatra": "siquiatra", "psiquiatría": "siquiatría",
    "oscuro": "obscuro", "oscuridad": "obscuridad", "sustancia": "substancia", "sustituir": "substituir",
    "sustituto": "substituto", "suscribir": "subscribir", "suscripción": "subscripción", "solo": "sólo",
    "transportar": "trasportar", "trasplante": "transplante", "trasplantar": "transplantar", "hierba": "yerba",
    "pijama": "piyama", "váter": "wáter", "kilogramo": "quilogramo", "quiosco": "kiosco",
    "beisbol": "béisbol", "omóplato": "omoplato", "reúma": "reuma", "póster": "poster", "champú": "shampoo",
    "yogur": "yogurt", "zinc": "cinc", "bumerán": "bumerang",
    "carné": "carnet", "chalé": "chalet", "eslogan": "slogan", "güisqui": "whisky",
    "folclore": "folklore", "termostato": "termóstato", "dinamo": "dínamo", "alveolo": "alvéolo", "aureola": "auréola",
    "karate": "kárate", "tictac": "tic-tac",
}  # fmt: skip


def english_spellings(word: str, synset: Collection[str]) -> list[str]:
    """Return the British spellings of an American word and the American ones of a British word.

    Args:
        word: The word.
        synset: Words of its WordNet sense, case-folded: what does not stand there is no spelling of it.
    """
    found = [
        word[: match.start()] + new + word[match.end() :]
        for pair in _ENGLISH
        for old, new in (pair, (pair[1] + "$" * pair[0].endswith("$"), pair[0].rstrip("$")))
        for match in re.finditer(old, word)
    ]
    return [form for form in dict.fromkeys(found) if form != word and form in synset]


def french_spellings(word: str) -> list[str]:
    """Return the spelling of 1990 of a French word, or the older one, and œ and oe for one another."""
    found = [new for old, new in (("œ", "oe"), ("æ", "ae")) if old in word for new in (word.replace(old, new),)]
    if re.search("[îû]", word) and word not in _FRENCH_CIRCUMFLEX:
        found.append(word.replace("î", "i").replace("û", "u"))
    for new in _FRENCH_GRAVE:
        old = re.sub("è", "é", new, count=1)
        found += [new] if word == old else [old] if word == new else []
    return found + _paired(word, _FRENCH_PAIRS)


def spanish_spellings(word: str) -> list[str]:
    """Return the other spelling of a Spanish word that the Academy gives two."""
    return _paired(word, _SPANISH_PAIRS)


def _paired(word: str, pairs: dict[str, str]) -> list[str]:
    both = pairs | {other: one for one, other in pairs.items()}
    return [both[word]] if both.get(word) else []
