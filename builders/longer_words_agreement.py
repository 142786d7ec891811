"""How counting with the longer words agrees with segmenters, on the bundled sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
import zstandard
from pivotlens.text.folding import matching_form
from pivotlens.text.longer_words import BUNDLED, read_longer_words
from pivotlens.text.matching import WordMatcher

from everyday_nouns.table import Concept

_SAMPLE = Path(__file__).resolve().parent.parent / "src" / "pivotlens" / "corpus" / "sample"
Found = set[tuple[int, str]]
_MOVED = 12


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


def _matched(texts: Sequence[str], words: Mapping[str, Sequence[str]], language: str, longer: Sequence[str]) -> Found:
    matcher = WordMatcher({language: tuple(words)}, {language: longer})
    numbers, found = matcher.match_batch(texts)
    forms = [matcher.entries[word][1] for word in found.tolist()]
    return {(number, concept) for number, form in zip(numbers.tolist(), forms, strict=True) for concept in words[form]}


def compare_in_sample(
    concepts: Sequence[Concept], language: str, segmenter: str, cut: Callable[[str], list[str]]
) -> tuple[int, dict[str, Found]]:
    """Count a benchmark's words in the sample in three ways.

    Returns:
        The number of documents, and the pairs of document and concept found by the benchmark's words alone, with the
        longer words, and by the segmenter; in this order.
    """
    words: dict[str, list[str]] = {}
    for concept in concepts:
        for form in dict.fromkeys(map(matching_form, concept.words[language])):
            words.setdefault(form, []).append(concept.concept_id)
    texts = _documents(language)
    return len(texts), {
        "benchmark words alone": _matched(texts, words, language, ()),
        "with the longer words": _matched(texts, words, language, read_longer_words(BUNDLED).words[language]),
        f"{segmenter} itself": {
            (number, concept)
            for number, text in enumerate(texts)
            for form in whole_words(text, [form for form in words if form in text], cut)
            for concept in words[form]
        },
    }


def agreement_report(
    concepts: Sequence[Concept], segmenters: Mapping[str, tuple[str, Callable[[str], list[str]]]]
) -> str:
    """Return the comparison as Markdown, by language: a summary, then the concepts it moves most.

    Args:
        concepts: Of a benchmark.
        segmenters: Name of a segmenter and its function, by language.
    """
    lines = []
    for language, (name, cut) in segmenters.items():
        n_documents, ways = compare_in_sample(concepts, language, name, cut)
        *matched, cuts = ways.items()
        lines += [
            f"\n| {language}, {n_documents:,} documents | documents × concepts | precision | recall | F1 |",
            "|---|---:|---:|---:|---:|",
            *(compare(found, cuts[1]).row(way) for way, found in matched),
            f"| {cuts[0]} | {len(cuts[1]):,} | | | |",
        ]
        counts = [Counter(concept for _, concept in found) for found in ways.values()]
        moved = sorted(
            concepts, key=lambda concept: -abs(counts[0][concept.concept_id] - counts[1][concept.concept_id])
        )
        lines += ["\n| documents with | " + " | ".join(ways) + " |", "|---|" + "---:|" * len(ways)]
        for concept in moved[:_MOVED]:
            row = " | ".join(str(count[concept.concept_id]) for count in counts)
            lines.append(f"| {concept.concept_id} {' '.join(concept.words[language])} | {row} |")
    return "\n".join(lines)
