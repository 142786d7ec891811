"""The bundled sentences of the task *which is the translation?*: reading them, and telling them from training text."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import orjson
import regex

from pivotlens.text import fold

DATA = "sentence_translation.jsonl"
_UNHEARD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True)
class SentenceGroup:
    """Sentences that translate one another.

    Attributes:
        group_id: Its id.
        split: ``test``, or ``shots`` for the examples in a prompt.
        sentences: By language.
        distractors: By language, three other sentences of that language, none a translation of any sentence here.
    """

    group_id: str
    split: str
    sentences: Mapping[str, str]
    distractors: Mapping[str, tuple[str, ...]]

    def choices(self, language: str) -> tuple[tuple[str, ...], int]:
        """Return the sentence of a language among its distractors, in a fixed order, and its place in it."""
        right = self.sentences[language]
        ordered = sorted(
            (right, *self.distractors[language]),
            key=lambda sentence: hashlib.sha256(f"{self.group_id}\n{sentence}".encode()).digest(),
        )
        return tuple(ordered), ordered.index(right)


@functools.cache
def bundled_groups() -> tuple[SentenceGroup, ...]:
    """Return the bundled groups, in the order of the file; ``harness/data`` has a datasheet."""
    text = (resources.files("pivotlens.harness") / "data" / DATA).read_bytes()
    return tuple(read_groups(text))


def read_groups(lines: bytes) -> list[SentenceGroup]:
    """Read groups as the data file holds them: of each language the sentence, then its distractors."""
    rows = [orjson.loads(line) for line in lines.splitlines()]
    return [
        SentenceGroup(
            row["id"],
            row["split"],
            {language: right for language, (right, *_) in row["sentences"].items()},
            {language: tuple(others) for language, (_, *others) in row["sentences"].items()},
        )
        for row in rows
    ]


def sentence_key(sentence: str) -> str:
    """Return what a sentence is recognised by in other text: its letters and digits, whatever the case and signs.

    >>> sentence_key("Let's go!") == sentence_key("let’s go")
    True
    """
    key: str = _UNHEARD.sub("", fold(sentence))
    return key


def held_out_keys() -> frozenset[str]:
    """Return the keys of all sentences of the task, distractors and examples too: none may be in training text."""
    return frozenset(
        sentence_key(sentence)
        for group in bundled_groups()
        for language, right in group.sentences.items()
        for sentence in (right, *group.distractors[language])
    )
