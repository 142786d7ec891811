"""Marks on displayed words that an evaluation may want to leave out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace

from everyday_nouns.table import LANGUAGES
from word_translation.lexicons import Lexicons, all_forms
from word_translation.table import Row, stems

_PLURAL_GLOSS = re.compile(r"\((?:usually |used |often )*(?:in the )?plural\b")


def flags(row: Row, lexicons: Lexicons, marks: frozenset[str]) -> tuple[str, ...]:
    """Return the marks of a concept.

    ``ja:kana``: the displayed word is written in kana although JMdict also knows it in kanji. ``ja:multiple_scripts``:
    the cell also accepts the same JMdict entry in another script. ``LANGUAGE:plural_only``: the displayed noun is used
    in the plural, as the WordNet gloss says of an English one or a reviewer noted.

    Args:
        row: The concept.
        lexicons: The sources.
        marks: What the reviewer noted.
    """
    found = []
    displayed = row.words["ja"][0]
    entries = [
        entry
        for entry in lexicons.jmdict.entries("ja", stems("ja", row.pos, displayed))
        if entry.words.get("en", frozenset()) & all_forms(row, "en")
    ]
    if is_kana(displayed) and any(not is_kana(form) for entry in entries for form in entry.words["ja"]):
        found.append("ja:kana")
    others = [word for word in row.words["ja"][1:] if _scripts(word) != _scripts(displayed)]
    if any(stems("ja", row.pos, word) & entry.words["ja"] for word in others for entry in entries):
        found.append("ja:multiple_scripts")
    for language in LANGUAGES:
        noted = f"{language}:plural_only" in marks
        gloss = language == "en" and bool(_PLURAL_GLOSS.match(lexicons.wordnet.synsets[row.synset].gloss))
        if row.pos == "n" and (noted or gloss):
            found.append(f"{language}:plural_only")
    return tuple(sorted(found))


def shared_flags(rows: list[Row]) -> list[Row]:
    """Add ``LANGUAGE:shared`` where another concept displays the same word."""
    uses = Counter((language, row.words[language][0].casefold()) for row in rows for language in LANGUAGES)
    return [
        replace(
            row,
            flags=tuple(
                sorted(
                    {
                        *row.flags,
                        *(f"{one}:shared" for one in LANGUAGES if uses[one, row.words[one][0].casefold()] > 1),
                    }
                )
            ),
        )
        for row in rows
    ]


def is_kana(word: str) -> bool:
    """Whether a word is written in kana only."""
    return all(unicodedata.name(char, "").startswith(("HIRAGANA", "KATAKANA")) for char in word)


def _scripts(word: str) -> frozenset[str]:
    """Scripts of the letters; the する of a verb and other kana beside kanji count as part of a kanji spelling."""
    names = {unicodedata.name(char, "").split()[0].split("-")[0] for char in word if char != "ー"}
    return frozenset({"CJK"}) if "CJK" in names else frozenset(names)
