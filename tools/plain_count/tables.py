"""Every table of `pivotlens count`, made anew with plain loops; rows by their keys."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
from tokenizers import Tokenizer

from tools.plain_count.matching import Words, joins
from tools.plain_count.reading import LENGTHS, OTHERS, Corpus, Settings

Rows = dict[tuple[Any, ...], tuple[Any, ...]]
"""Rows of a table: what is in the columns that tell them apart, and what is in the others."""
_ENOUGH = 20
_BATCH = 256


@dataclass(frozen=True)
class Vocabulary:
    """What is looked for, as the benchmark's table of items has it.

    Attributes:
        words: Language and displayed word.
        forms: Of each word.
        concepts: Id and the words of each, by language.
        hiding: By language, words that only hide shorter ones.
    """

    words: list[tuple[str, str]]
    forms: list[set[str]]
    concepts: list[tuple[str, dict[str, int]]]
    hiding: dict[str, set[str]]

    @classmethod
    def read(cls, run: Path, longer: Path, whole: Path) -> Vocabulary:
        """Read it.

        Args:
            run: The run folder.
            longer: The file of longer words.
            whole: The file of words that look like another with a particle.
        """
        numbers: dict[tuple[str, str], int] = {}
        forms: list[set[str]] = []
        concepts: dict[str, dict[str, int]] = {}
        hiding: dict[str, set[str]] = defaultdict(set)
        for row in pq.read_table(run / "bench/items.parquet").to_pylist():
            language, counted = row["language"], set(row["accepted"]) - set(row["answers_only"])
            hiding[language] |= counted
            if row["split"] == "test":
                number = numbers.setdefault((language, row["word"]), len(numbers))
                forms += [set()] * (number == len(forms))
                forms[number] = forms[number] | counted | {row["word"]}
                concepts.setdefault(row["concept_id"], {})[language] = number
        for path in (longer, whole):
            for line in path.read_text(encoding="utf-8").split("\n")[1:]:
                language, tab, word = line.partition("\t")
                if tab and language in hiding:
                    hiding[language].add(word)
        return cls(list(numbers), forms, list(concepts.items()), hiding)


class Tables:
    """The tables of a count, as plain loops over units give them.

    Args:
        settings: Of the count.
        corpus: What was read.
        vocabulary: What is looked for.
        tokenizer: Cuts the units that are sampled.
    """

    def __init__(self, settings: Settings, corpus: Corpus, vocabulary: Vocabulary, tokenizer: Tokenizer) -> None:
        self._corpus, self._vocabulary, self._tokenizer = corpus, vocabulary, tokenizer
        units = corpus.units
        looked_for = [(code, of_word) for (code, _), of_word in zip(vocabulary.words, vocabulary.forms, strict=True)]
        self._found = Words(looked_for, vocabulary.hiding).find([unit.text for unit in units])
        own: dict[int, list[int]] = defaultdict(list)
        cells: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._df: Counter[tuple[int, str]] = Counter()
        for number, (unit, words) in enumerate(zip(units, self._found, strict=True)):
            cells[unit.language, unit.stratum].append(number)
            for word in words:
                self._df[word, unit.language] += 1
                if vocabulary.words[word][0] == unit.language:
                    own[word].append(number)
        self._units_of_cell = {cell: len(of_cell) for cell, of_cell in cells.items()}
        self._samples = {word: self._smallest(there, settings.sample) for word, there in own.items()}
        self._backgrounds = {cell: self._smallest(there, settings.background) for cell, there in cells.items()}
        self._joint: Counter[tuple[int, int, int]] = Counter()
        partners: dict[int, set[int]] = defaultdict(set)
        for place, (_, by_language) in enumerate(vocabulary.concepts):
            for first, second in permutations(by_language.values(), 2):
                partners[first].add(second)
                self._joint[place, first, second] = 0
        for words in self._found:
            for place, first, second in self._pairs_of(words):
                self._joint[place, first, second] += 1
        self._partners = {first: sorted(seconds) for first, seconds in partners.items()}
        self._texts: dict[int, str] = {}
        self._lengths: dict[int, int] = {}
        self._tokens: dict[int, frozenset[int]] = {}
        self._cut_units()

    def _smallest(self, units: Sequence[int], most: int) -> list[int]:
        ordered = sorted(units, key=lambda number: self._corpus.units[number].hash)
        return ordered[:most] if most else ordered

    def _pairs_of(self, words: set[int]) -> Iterator[tuple[int, int, int]]:
        for place in {place for word in words for place in self._concepts_of.get(word, ())}:
            there = [word for word in self._vocabulary.concepts[place][1].values() if word in words]
            yield from ((place, first, second) for first, second in permutations(there, 2))

    @property
    def _concepts_of(self) -> Mapping[int, list[int]]:
        if not hasattr(self, "_places"):
            self._places: dict[int, list[int]] = defaultdict(list)
            for place, (_, by_language) in enumerate(self._vocabulary.concepts):
                for word in by_language.values():
                    self._places[word].append(place)
        return self._places

    def _cut_units(self) -> None:
        """Cut the sampled units into tokens: of each how many there are, and which stand as words."""
        sampled = {unit for of_any in (self._samples, self._backgrounds) for there in of_any.values() for unit in there}
        ordered = sorted(sampled)
        for first in range(0, len(ordered), _BATCH):
            some = ordered[first : first + _BATCH]
            texts = [self._corpus.units[number].text for number in some]
            for number, cut in zip(some, self._tokenizer.encode_batch(texts, add_special_tokens=False), strict=True):
                ids = cut.ids
                standing = {
                    token
                    for token, after in zip(ids, [*ids[1:], None], strict=True)
                    if after is None or not (self._joins(token, -1) and self._joins(after, 0))
                }
                self._lengths[number], self._tokens[number] = len(ids), frozenset(standing)

    def _text(self, token: int) -> str:
        """Return what a token writes in the middle of a text."""
        if token not in self._texts:
            piece = str(self._tokenizer.id_to_token(token))
            plain = piece.replace("▁", " ") if "▁" in piece else self._tokenizer.decode([token], False)
            self._texts[token] = str(plain or piece)
        return self._texts[token]

    def _joins(self, token: int, place: int) -> bool:
        text = self._text(token)
        return bool(text) and joins(text[place])

    # -- tables

    def small(self) -> dict[str, Rows]:
        """Return the tables that fit in memory, by name."""
        return {
            "languages": self._languages(),
            "strata": self._strata(),
            "units": {
                key: (count,)
                for key, count in Counter((unit.label, unit.language, unit.kind) for unit in self._corpus.units).items()
            },
            **self._boilerplate(),
            "words": self._words(),
            "pairs": self._pairs(),
            "coverage": self._coverage(),
            "pair_summary": self._pair_summary(),
            "tokens": self._background_tokens(),
            "word_strata": self._word_strata(),
            "pair_strata": self._pair_strata(),
            "token_texts": {(token,): (self._text(token),) for token in self._met()},
            "problems": dict.fromkeys(self._corpus.bad[:100], ()),
        }

    def _languages(self) -> Rows:
        units, documents = self._corpus.units, self._corpus.documents
        rows: Rows = {}
        for code in {*documents, *(unit.language for unit in units)}:
            there = [unit.text for unit in units if unit.language == code]
            sampled = [unit for (language, _), some in self._backgrounds.items() if language == code for unit in some]
            tokens = sum(self._lengths[unit] for unit in sampled)
            sizes = sum(map(len, there)), sum(len(text.encode()) for text in there)
            rows[(code,)] = (documents[code], len(there), len(sampled), tokens, *sizes)
        return rows

    def _strata(self) -> Rows:
        rows: Rows = {}
        for (code, stratum), sampled in self._backgrounds.items():
            length, other = divmod(stratum, len(OTHERS))
            tokens = sum(self._lengths[unit] for unit in sampled)
            counted = self._units_of_cell[code, stratum], len(sampled), tokens
            rows[code, stratum] = (LENGTHS[length], OTHERS[other], *counted)
        return rows

    def _boilerplate(self) -> dict[str, Rows]:
        corpus = self._corpus
        lines: Rows = {key: (*counted, corpus.dropped[key]) for key, counted in corpus.boilerplate.items()}
        sources: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for source, label, line in corpus.boilerplate:
            sources[source, label].append(corpus.dropped[source, label, line])
        return {
            "boilerplate": lines,
            "boilerplate_sources": {group: (len(dropped), sum(dropped)) for group, dropped in sources.items()},
        }

    def _words(self) -> Rows:
        rows: Rows = {(*named, named[0]): (0, 0) for named in self._vocabulary.words}
        for (word, language), count in self._df.items():
            named = self._vocabulary.words[word]
            sampled = len(self._samples[word]) if language == named[0] else 0
            rows[(*named, language)] = (count, sampled)
        return rows

    def _pairs(self) -> Rows:
        df: Counter[int] = Counter()
        for (word, _), count in self._df.items():
            df[word] += count
        words, concepts = self._vocabulary.words, self._vocabulary.concepts
        return {
            (concepts[place][0], words[first][0], words[second][0]): (df[first], df[second], count)
            for (place, first, second), count in self._joint.items()
        }

    def _coverage(self) -> Rows:
        frequencies: dict[str, dict[str, int]] = defaultdict(dict)
        for (concept, source, target), (df_source, df_target, _) in self._pairs().items():
            frequencies[source][concept] = df_source
            frequencies[target][concept] = df_target
        return {
            (language,): (_ENOUGH, len(found), sum(df >= _ENOUGH for df in found.values()))
            for language, found in frequencies.items()
        }

    def _pair_summary(self) -> Rows:
        shared: dict[tuple[str, str], list[int]] = defaultdict(list)
        for (_, source, target), (_, _, both) in self._pairs().items():
            shared[source, target].append(both)
        return {
            sides: (len(found), found.count(0), float(median(found)), max(found)) for sides, found in shared.items()
        }

    def _background_tokens(self) -> Rows:
        rows: Rows = {}
        for cell, sampled in self._backgrounds.items():
            counts = self._counted(sampled)
            rows |= {(*cell, token): (count, len(sampled)) for token, count in counts.items()}
        return rows

    def _counted(self, units: Sequence[int]) -> Counter[int]:
        counts: Counter[int] = Counter()
        for unit in units:
            counts.update(self._tokens[unit])
        return counts

    def _word_strata(self) -> Rows:
        rows: Counter[tuple[Any, ...]] = Counter()
        for word, sampled in self._samples.items():
            rows.update((*self._vocabulary.words[word], self._corpus.units[unit].stratum) for unit in sampled)
        return {key: (count,) for key, count in rows.items()}

    def _of_pairs(self) -> Iterator[tuple[tuple[str, ...], list[int]]]:
        """Yield of each two words of a concept the sampled units of the first that hold the second."""
        words = self._vocabulary.words
        for first, sampled in self._samples.items():
            for second in self._partners.get(first, ()):
                yield (*words[first], *words[second]), [unit for unit in sampled if second in self._found[unit]]

    def _pair_strata(self) -> Rows:
        rows: Counter[tuple[Any, ...]] = Counter()
        for named, there in self._of_pairs():
            rows.update((*named, self._corpus.units[unit].stratum) for unit in there)
        return {key: (count,) for key, count in rows.items()}

    def _met(self) -> set[int]:
        sampled = [*self._samples.values(), *self._backgrounds.values()]
        return {token for units in sampled for unit in units for token in self._tokens[unit]}

    def word_tokens(self) -> dict[tuple[str, ...], Sequence[int]]:
        """Return the sampled units of each word."""
        return {self._vocabulary.words[word]: sampled for word, sampled in self._samples.items()}

    def pair_tokens(self) -> dict[tuple[str, ...], Sequence[int]]:
        """Return the sampled units of each word that hold another word of a concept too."""
        return {named: there for named, there in self._of_pairs() if there}

    def rows_of_units(self, language: str, units: Sequence[int], *, with_sample: bool) -> Rows:
        """Return the rows of some units: by language and token how many hold it, and how many units there are."""
        further = (len(units),) if with_sample else ()
        return {(language, token): (count, *further) for token, count in self._counted(units).items()}
