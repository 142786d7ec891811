"""How counting with the longer words agrees with a segmenter, on the bundled sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import zstandard

from pivotlens.text.longer_words import BUNDLED, read_longer_words
from pivotlens.text.matching import WordMatcher, matching_form
from tools.everyday_nouns.table import Concept

_SAMPLE = Path(__file__).resolve().parent.parent / "src" / "pivotlens" / "corpus" / "sample"
Found = set[tuple[int, str]]


class Agreement(NamedTuple):
    """Pairs of document and concept found, and how many of them the segmenter finds as well."""

    found: int
    shared: int
    segmenter: int

    @property
    def precision(self) -> float:
        """Share of what was found that the segmenter finds."""
        return self.shared / max(self.found, 1)

    @property
    def recall(self) -> float:
        """Share of what the segmenter finds that was found."""
        return self.shared / max(self.segmenter, 1)

    def row(self, name: str) -> str:
        """Return a row of a Markdown table."""
        f1 = 2 * self.shared / max(self.found + self.segmenter, 1)
        return f"| {name} | {self.found:,} | {self.precision:.3f} | {self.recall:.3f} | {f1:.3f} |"


def compare(found: Found, segmented: Found) -> Agreement:
    """Compare pairs of document and concept with the segmenter's."""
    return Agreement(len(found), len(found & segmented), len(segmented))


def whole_words(text: str, forms: Sequence[str], cut: Callable[[str], list[str]]) -> set[str]:
    """Return the forms that stand in a text as a segment, or as several whole ones."""
    pieces = cut(text)
    edges, end = {0}, 0
    for piece in pieces:
        end += len(piece)
        edges.add(end)
    return {form for form in forms if any({at, at + len(form)} <= edges for at in _places(text, form))}


def _places(text: str, form: str) -> Iterator[int]:
    at = text.find(form)
    while at >= 0:
        yield at
        at = text.find(form, at + 1)


def _documents(language: str) -> list[str]:
    texts = []
    for path in sorted(_SAMPLE.glob("*.jsonl.zst")):
        rows = map(orjson.loads, zstandard.ZstdDecompressor().decompress(path.read_bytes()).splitlines())
        texts += [matching_form(row["text"]) for row in rows if row["language"] == language]
    return texts


def _matched(texts: Sequence[str], words: dict[str, str], language: str, longer: Sequence[str]) -> Found:
    matcher = WordMatcher({language: tuple(words)}, {language: longer})
    numbers, found = matcher.match_batch(texts)
    forms = [words[matcher.entries[word][1]] for word in found.tolist()]
    return set(zip(numbers.tolist(), forms, strict=True))


def agreement_report(concepts: Sequence[Concept], cut: Callable[[str], list[str]]) -> str:
    """Return the comparison as Markdown: a summary, then document frequencies by concept where they differ."""
    lines = []
    longer = read_longer_words(BUNDLED).words
    for language in ("zh", "ja"):
        words = {matching_form(form): concept.concept_id for concept in concepts for form in concept.words[language]}
        texts = _documents(language)
        ways = {
            "benchmark words alone": _matched(texts, words, language, ()),
            "with the longer words": _matched(texts, words, language, longer[language]),
        }
        if language == "ja":
            lines += [f"\nja, {len(texts):,} documents: " + ", ".join(f"{k} {len(v):,}" for k, v in ways.items())]
            continue
        cuts = {
            (number, words[form])
            for number, text in enumerate(texts)
            for form in whole_words(text, [form for form in words if form in text], cut)
        }
        lines += [
            f"\n| {language}, {len(texts):,} documents | found | precision | recall | F1 |",
            "|---|---:|---:|---:|---:|",
            *(compare(found, cuts).row(name) for name, found in ways.items()),
            f"| jieba itself | {len(cuts):,} | | | |",
        ]
        shown = {name: _frequencies(found) for name, found in (*ways.items(), ("jieba", cuts))}
        lines += ["\n| concept | " + " | ".join(shown) + " |", "|---|" + "---:|" * len(shown)]
        for concept in concepts:
            row = [frequencies.get(concept.concept_id, 0) for frequencies in shown.values()]
            if len(set(row)) > 1:
                words_shown = " ".join(concept.words[language])
                lines.append(f"| {concept.concept_id} {words_shown} | " + " | ".join(map(str, row)) + " |")
    return "\n".join(lines)


def _frequencies(found: Found) -> dict[str, int]:
    frequencies: dict[str, int] = {}
    for _, concept in found:
        frequencies[concept] = frequencies.get(concept, 0) + 1
    return frequencies
