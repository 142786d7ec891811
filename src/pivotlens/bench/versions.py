"""Versions of the bundled word lists: an older one is made out of the present one and a list of what changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pivotlens.errors import DataError

VERSIONS = {"everyday-nouns": ("1.0",), "word-translation": ("1.1", "1.0")}
"""Of each bundled list, the present version first."""


REVIEW, KANA = "review", "kana"
"""Rules of added words that are right as answers but too often another word to be looked for in text."""


def split_version(words: str) -> tuple[str, str]:
    """Split ``word-translation@1.0`` into the list and its version; without one, it is the present version.

    Anything that names no bundled list is returned as it is, with an empty version.

    Raises:
        DataError: The list has no such version.
    """
    name, _, version = words.partition("@")
    if name not in VERSIONS:
        return words, ""
    version = version or VERSIONS[name][0]
    if version not in VERSIONS[name]:
        raise DataError(
            f"the bundled list {name!r} has no version {version!r}",
            f"Give {' or '.join(f'{name}@{known}' for known in VERSIONS[name])}.",
        )
    return name, version


def answers_only(changes: bytes) -> dict[tuple[str, str], frozenset[str]]:
    """Return the words of each concept and language that are accepted as answers and not counted in a corpus.

    A wide choice of answers is fair to a model; in text, many of them mostly mean something else (Japanese *nara* is an
    oak, and "if").

    Args:
        changes: As `restored` takes them.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for line in changes.decode().splitlines()[1:]:
        concept, language, change, _, word, rule = line.split("\t")
        if change == "added" and (rule.startswith(REVIEW) or rule == KANA):
            found.setdefault((concept, language), set()).add(word)
    return {key: frozenset(words) for key, words in found.items()}


def restored(content: Mapping[str, bytes], changes: bytes) -> dict[str, bytes]:
    """Return the files of the version before a list of changes, byte for byte.

    Args:
        content: The word list as ``words``, its distractors and its links; distractors never changed.
        changes: Lines ``concept_id, language, change, place, word, rule``. ``added`` is a word that the older version
            does not accept, ``removed`` one that it accepts at a place of its cell, and ``unlinked`` a linked word
            with its relation as the rule.
    """
    added: dict[tuple[str, str], set[str]] = {}
    removed: dict[tuple[str, str], list[tuple[int, str]]] = {}
    unlinked: list[str] = []
    for line in changes.decode().splitlines()[1:]:
        concept, language, change, place, word, rule = line.split("\t")
        if change == "added":
            added.setdefault((concept, language), set()).add(word)
        elif change == "removed":
            removed.setdefault((concept, language), []).append((int(place), word))
        else:
            unlinked.append("\t".join((concept, language, word, rule)))
    header, *rows = (line.split("\t") for line in content["words"].decode().splitlines())
    for row in rows:
        for column, language in enumerate(header):
            key = (row[0], language)
            if key in added or key in removed:
                row[column] = _cell(row[column], added.get(key, set()), removed.get(key, ()))
    first, *links = content["links"].decode().splitlines()
    words = "".join("\t".join(row) + "\n" for row in (header, *rows))
    linked = "".join(line + "\n" for line in (first, *sorted([*links, *unlinked])))
    return {**content, "words": words.encode(), "links": linked.encode()}


def _cell(cell: str, added: set[str], removed: Sequence[tuple[int, str]]) -> str:
    words = [word for word in cell.split("|") if word not in added]
    for place, word in sorted(removed):
        words.insert(place, word)
    return "|".join(words)
