"""Pairs of line and word that are found by rules and by a segmenter, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pivotlens.arrays import Integers, ragged
from pivotlens.corpus.vocabulary import Finder
from pivotlens.text.folding import matching_form
from pivotlens.text.longer_words import BUNDLED, read_longer_words
from pivotlens.text.matching import Segmenter, WordMatcher, word_form
from pivotlens.text.scripts import has_spaces_between_words
from tools.word_agreement.texts import Lines

Words = Sequence[Sequence[str]]
"""Each word by the forms that it is counted in."""
RULES, ALONE = "rules", "words alone"
"""The default rules; and whole words, or the benchmark's words without longer ones where there are no spaces."""
_RESAMPLES, _EXAMPLES, _MOVED, _AROUND = 1000, 20, 12, 14


def found_pairs(lines: Lines, words: Words, language: str, segments: Sequence[Sequence[str]]) -> dict[str, Integers]:
    """Return by way the pairs that it finds, line times the number of words plus word; the segmenter's under ``""``."""

    def cut(_: Sequence[str]) -> Sequence[Sequence[str]]:
        return segments

    numbers: dict[str, list[int]] = {}
    for number, forms in enumerate(words):
        for form in dict.fromkeys(word_form(form, language) for form in forms):
            numbers.setdefault(form, []).append(number)
    cutters: dict[str, Segmenter] = {language: cut}
    alone = "und" if has_spaces_between_words(language) else language
    matchers = {
        ALONE: WordMatcher({alone: list(numbers)}),
        RULES: WordMatcher({language: list(numbers)}, read_longer_words(BUNDLED).words),
        "": WordMatcher({language: list(numbers)}, {}, cutters),
    }
    offsets, values = ragged(list(numbers.values()))
    found = {way: Finder(one, offsets, values, len(words)).find(lines.texts) for way, one in matchers.items()}
    return {way: of_lines * len(words) + of_words for way, (of_lines, of_words) in found.items()}


def figures(found: Integers, truth: Integers, places: Mapping[str, Integers], n_documents: int) -> dict[str, Any]:
    """Return precision and recall with the ends of their 95 % intervals, of a bootstrap over documents.

    Args:
        found: Pairs, each once.
        truth: The same of what is taken for right.
        places: Of the pairs in ``found``, in ``truth`` and in both the documents.
        n_documents: How many documents were read.
    """
    counts = np.array([np.bincount(places[which], minlength=n_documents) for which in ("both", "found", "truth")])
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(n_documents, np.full(n_documents, 1 / n_documents), size=_RESAMPLES) @ counts.T
    both, n_found, n_truth = (int(count) for count in counts.sum(axis=1))
    result: dict[str, Any] = {"found": n_found, "both": both, "truth": n_truth}
    for name, which, of in (("precision", 1, n_found), ("recall", 2, n_truth)):
        low, high = np.quantile(drawn[:, 0] / np.maximum(drawn[:, which], 1), [0.025, 0.975])
        result[name] = [round(float(value), 4) for value in (both / max(of, 1), low, high)]
    return result


def compared(lines: Lines, words: Words, language: str, segments: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return what is kept of a comparison: figures by kind of document and way, and examples of what differs."""
    pairs = found_pairs(lines, words, language, segments)
    truth, n_words = pairs.pop(""), len(words)
    documents, kinds = np.array(lines.documents), np.array(lines.kinds)
    rows = []
    for kind in (*sorted(set(lines.kinds)), ""):
        chosen = np.flatnonzero(kinds == kind) if kind else np.arange(kinds.size)
        number_of = np.full(kinds.size, -1)
        number_of[chosen] = np.arange(chosen.size)

        def within(keys: Integers, number_of: Integers = number_of) -> Integers:
            numbers: Integers = number_of[documents[keys // n_words]]
            return numbers[numbers >= 0]

        for way, found in pairs.items():
            places = {"found": within(found), "truth": within(truth), "both": within(np.intersect1d(found, truth))}
            row = figures(found, truth, places, chosen.size)
            rows.append({"kind": kind, "way": way, "documents": chosen.size, **row})
    differing = {
        "found_alone": np.setdiff1d(pairs[RULES], truth),
        "missed": np.setdiff1d(truth, pairs[RULES]),
    }
    return {
        "lines": len(lines.texts),
        "words": n_words,
        "words_met": int(np.unique(truth % n_words).size),
        "figures": rows,
        "differing": {
            name: _differing(keys, lines, words, language, segments) for name, keys in differing.items()
        },
    }  # fmt: skip


def _differing(
    keys: Integers, lines: Lines, words: Words, language: str, segments: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Return how many pairs differ, the words of most of them, and examples drawn by a seed, a word once."""
    numbers, counts = np.unique(keys % len(words), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOVED]
    examples: dict[str, str] = {}
    for key in np.random.default_rng(0).permutation(keys):
        line, word = divmod(int(key), len(words))
        if words[word][0] not in examples and len(examples) < _EXAMPLES:
            examples[words[word][0]] = _shown(words[word], segments[line], language)
    most = [[words[numbers[at]][0], int(counts[at])] for at in order]
    return {"pairs": int(keys.size), "most": most, "examples": [list(one) for one in examples.items()]}


def _shown(word: Sequence[str], segments: Sequence[str], language: str) -> str:
    """Return a stretch of a line around a word, with ¦ between the segments; a whole one where there is one."""
    pieces = [matching_form(segment, language) for segment in segments]
    text, cuts = "".join(pieces), np.cumsum([0, *map(len, pieces)]).tolist()
    forms = [matching_form(form, language) for form in word]
    places = [(at, at + len(form)) for form in forms for at in range(len(text)) if text.startswith(form, at)]
    start, end = min(places, key=lambda place: (not (place[0] in cuts and place[1] in cuts), place), default=(0, 0))
    first, last = max(start - _AROUND, 0), min(end + _AROUND, len(text))
    shown = "".join(("¦" if place in cuts and place > first else "") + text[place] for place in range(first, last))
    return " ".join(shown.split())
