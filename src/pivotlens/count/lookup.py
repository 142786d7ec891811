"""From a count back to the units that it counts (docs/method.md#units-behind-a-count)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from pivotlens.arrays import Booleans, Integers
from pivotlens.artifacts import Benchmark, Counts, RunFolder
from pivotlens.corpus import (
    Boilerplate,
    CorpusFile,
    Shard,
    UnitBatch,
    UnitPlan,
    label_inputs,
    survey_corpus,
    unit_batches,
    unit_plan,
)
from pivotlens.corpus.vocabulary import CountedWords, Finder, make_finder
from pivotlens.count.config import CountConfig
from pivotlens.count.pieces import TokenEdges
from pivotlens.count.stage import STAGE
from pivotlens.errors import ArtifactError
from pivotlens.models.tokenizer import TextTokenizer, load_tokenizer
from pivotlens.text import normalise
from pivotlens.text.longer_words import read_longer_words
from pivotlens.text.marking import Span, merged, word_spans

_CUT_AT_ONCE = 64


@dataclass(frozen=True)
class Wanted:
    """What units must hold.

    Attributes:
        title: What it is called.
        words: Language and displayed word of each; a unit holds all of them.
        without: Such words that it does not hold.
        tokens: Token ids, of which it holds one; none are asked for where empty.
        language: Language that the unit is found to be in; any where empty.
        counted: How many such units there are in all, where the tables tell it.
    """

    title: str
    words: tuple[tuple[str, str], ...] = ()
    without: tuple[tuple[str, str], ...] = ()
    tokens: tuple[int, ...] = ()
    language: str = ""
    counted: int | None = None


@dataclass(frozen=True, order=True)
class Mark:
    """Where in a unit's text what was asked for stands."""

    start: int
    end: int
    what: str


@dataclass(frozen=True)
class Unit:
    """A unit of the corpus.

    Attributes:
        file: Name of its file within the corpus.
        row: Line or row of its document in the file, from 1.
        unit: Its number in the document, from 0.
        language: Language found.
        label: That of its document.
        source: What its document was taken from.
        text: Its text without boilerplate, in normal form C; untrusted.
        marks: Where what was asked for stands, in order.
    """

    file: str
    row: int
    unit: int
    language: str
    label: str
    source: str
    text: str
    marks: tuple[Mark, ...]


@dataclass
class Found:
    """Units that hold what was wanted, the first ones in the order of the corpus.

    Attributes:
        wanted: What was.
        units: Those found.
        complete: Whether these are all there are.
    """

    wanted: Wanted
    units: list[Unit] = field(default_factory=list)
    complete: bool = False


@dataclass(frozen=True)
class CountedCorpus:
    """A corpus as `pivotlens count` read it.

    Attributes:
        files: Its files, in order.
        plan: How it is read and cut, with its boilerplate.
        vocabulary: The words that were counted.
        config: The settings.
        run: The run folder.
    """

    files: tuple[CorpusFile, ...]
    plan: UnitPlan
    vocabulary: CountedWords
    config: CountConfig
    run: Path

    @cached_property
    def tokenizer(self) -> TextTokenizer:
        """The tokenizer that tokens were counted with; loaded only where tokens are asked for."""
        return load_tokenizer(self.config.tokenizer, RunFolder(self.run))


def open_counted(run: Path, corpus: str = "") -> CountedCorpus:
    """Open the corpus that a run has counted, exactly as it was counted.

    Args:
        run: The run folder.
        corpus: Where the corpus is now; where it was when empty.

    Raises:
        PrerequisiteError: The run lacks a stage, or the corpus is not there.
        ArtifactError: The corpus, the benchmark or what is read beside them is not what was counted.
    """
    counts, benchmark = Counts.load(run), Benchmark.load(run)
    manifest = counts.manifest
    if manifest.algorithm_version != STAGE.version:
        raise ArtifactError(
            f"{counts.folder} was counted by version {manifest.algorithm_version} of the algorithm, and this is "
            f"{STAGE.version}",
            f"Run `pivotlens count --run {run}` again.",
        )
    config = CountConfig.model_validate({**manifest.config, **({"corpus": corpus} if corpus else {})})
    listing = survey_corpus(config.corpus, RunFolder(run))
    longer = read_longer_words(config.longer_words)
    now = {"bench": benchmark.manifest.fingerprint, "corpus": listing.fingerprint, **label_inputs(config)}
    now |= {"longer_words": longer.sha256} if longer.sha256 else {}
    for name, value in now.items():
        if manifest.inputs.get(name) != value:
            raise ArtifactError(
                f"{name} is not what {counts.folder} was counted from: it was changed since",
                f"Run `pivotlens count --run {run}` again"
                + ("; if the corpus lies elsewhere now, pass --corpus." if name == "corpus" else "."),
            )
    by_source = bool(manifest.details["boilerplate_by_source"])
    boilerplate = Boilerplate.of_rows(counts.rows("boilerplate"), "language", by_source=by_source)
    plan = replace(unit_plan(config), boilerplate=boilerplate)
    words = CountedWords.of(benchmark.test_concepts(), benchmark.concepts.values(), longer.words)
    return CountedCorpus(listing.files, plan, words, config, run)


def find_units(corpus: CountedCorpus, wanted: Sequence[Wanted], most: int) -> list[Found]:
    """Return the first units that hold what is wanted, found as `pivotlens count` finds them; one reading for all.

    It reads only as far as it must. Where the tables say how many there are, it stops with the last of them.

    Args:
        corpus: The corpus, as `open_counted` opens it.
        wanted: What units must hold, one after another.
        most: Units of each, at most.

    Raises:
        ArtifactError: There are fewer than were counted.
        DataError: A file of the corpus is damaged.
    """
    found = [Found(each) for each in wanted]
    search = _Search(corpus, found)
    is_read_whole = _read_until_found(search, found, most)
    for one in found:
        expected = one.wanted.counted
        one.complete = is_read_whole or len(one.units) == expected
        if one.complete and expected is not None and len(one.units) != expected:
            raise ArtifactError(
                f"{one.wanted.title}: {len(one.units):,} units hold it, and {expected:,} were counted",
                f"Run `pivotlens count --run {corpus.run}` again: its tables are not those of this corpus.",
            )
    return found


def _read_until_found(search: _Search, found: Sequence[Found], most: int) -> bool:
    """Read the corpus until all is found; return whether it was read to its end."""
    if all(_is_done(one, most) for one in found):
        return False
    for batch, file in _batches(search.corpus):
        for one in found:
            if _is_done(one, most):
                continue
            for unit in search.matching(batch, one.wanted):
                one.units.append(search.unit(batch, unit, file, one.wanted))
                if _is_done(one, most):
                    break
        if all(_is_done(one, most) for one in found):
            return False
    return True


def _is_done(found: Found, most: int) -> bool:
    counted = found.wanted.counted
    return len(found.units) >= (most if counted is None else min(most, counted))


def _batches(corpus: CountedCorpus) -> Iterator[tuple[UnitBatch, str]]:
    for file in corpus.files:
        for batch in unit_batches(Shard.whole(file), corpus.plan):
            yield batch, file.name


class _Search:
    """Looks for what is wanted in batches of units; remembers what it found of the last one."""

    def __init__(self, corpus: CountedCorpus, found: Sequence[Found]) -> None:
        self.corpus = corpus
        self._numbers = {named: number for number, named in enumerate(corpus.vocabulary.words)}
        asked = {named for one in found for named in (*one.wanted.words, *one.wanted.without)}
        self._finders: dict[str, tuple[Finder, Integers]] = {}
        for language in dict.fromkeys(language for language, _ in sorted(asked)):
            words, numbers = corpus.vocabulary.of_language(language)
            self._finders[language] = (make_finder(words), numbers)
        self._last: tuple[UnitBatch | None, dict[str, tuple[Integers, Integers]]] = (None, {})

    @cached_property
    def _edges(self) -> TokenEdges:
        return TokenEdges(self.corpus.tokenizer.text, self.corpus.tokenizer.vocab_size)

    def matching(self, batch: UnitBatch, wanted: Wanted) -> Iterator[int]:
        """Yield the units of a batch that hold what is wanted, in order."""
        held = np.ones(len(batch.texts), dtype=bool)
        for named in wanted.words:
            held &= self._holding(batch, named)
        for named in wanted.without:
            held &= ~self._holding(batch, named)
        if wanted.language and held.any():
            held &= np.array([language == wanted.language for language in batch.languages], dtype=bool)
        units = np.flatnonzero(held)
        if not wanted.tokens:
            yield from units.tolist()
            return
        for first in range(0, units.size, _CUT_AT_ONCE):
            some = units[first : first + _CUT_AT_ONCE]
            yield from some[self._with_tokens([batch.texts[unit] for unit in some.tolist()], wanted.tokens)].tolist()

    def _holding(self, batch: UnitBatch, named: tuple[str, str]) -> Booleans:
        """Tell which units of a batch hold a word, shape ``(units,)``."""
        if self._last[0] is not batch:
            self._last = (batch, {})
        of_language = self._last[1]
        finder, numbers = self._finders[named[0]]
        if named[0] not in of_language:
            units, words = finder.find(batch.texts)
            of_language[named[0]] = (units, numbers[words])
        units, words = of_language[named[0]]
        held = np.zeros(len(batch.texts), dtype=bool)
        held[units[words == self._numbers[named]]] = True
        return held

    def _with_tokens(self, texts: Sequence[str], wanted: Sequence[int]) -> Booleans:
        """Tell which texts hold one of some tokens, but for one that the next token goes on with."""
        tokenizer = self.corpus.tokenizer
        ids = tokenizer.encode_batch(texts)
        flat = np.concatenate([np.zeros(0, dtype=np.int64), *ids])
        units = np.repeat(np.arange(len(ids)), [len(of_unit) for of_unit in ids])
        there = np.isin(flat, np.array(wanted, dtype=np.int64)) & ~self._edges.are_cut_off(flat, units)
        held = np.zeros(len(texts), dtype=bool)
        held[units[there]] = True
        return held

    def unit(self, batch: UnitBatch, unit: int, file: str, wanted: Wanted) -> Unit:
        """Return a unit with marks where what is wanted stands."""
        text = normalise(batch.texts[unit])
        marks = [Mark(*span, named[1]) for named in wanted.words for span in self._word_spans(text, named)]
        if text == batch.texts[unit]:  # else its tokens are those of another text
            marks += [Mark(*span, what) for span, what in self._token_spans(text, wanted.tokens)]
        return Unit(
            file,
            int(batch.rows[unit]),
            int(batch.units[unit]),
            batch.languages[unit],
            batch.labels[unit],
            batch.sources[unit],
            text,
            tuple(sorted(marks)),
        )

    def _word_spans(self, text: str, named: tuple[str, str]) -> list[Span]:
        finder, numbers = self._finders[named[0]]
        number = self._numbers[named]
        return word_spans(
            text,
            self.corpus.vocabulary.forms[number],
            lambda other: bool((numbers[finder.find([other])[1]] == number).any()),
        )

    def _token_spans(self, text: str, wanted: Sequence[int]) -> list[tuple[Span, str]]:
        if not wanted:
            return []
        tokenizer = self.corpus.tokenizer
        cut = tokenizer.tokenizer.encode(text, add_special_tokens=False)
        ids = np.array(cut.ids, dtype=np.int64)
        whole = ~self._edges.are_cut_off(ids, np.zeros_like(ids))
        spans = []
        for place in np.flatnonzero(np.isin(ids, np.array(wanted, dtype=np.int64)) & whole).tolist():
            start, end = cut.offsets[place]
            start += len(text[start:end]) - len(text[start:end].lstrip())
            if start < end:
                spans.append((Span(start, end), tokenizer.text(int(ids[place])).strip()))
        return spans


def marked(unit: Unit) -> list[Span]:
    """Return the stretches of a unit's text that are marked, those that overlap as one."""
    return merged([Span(mark.start, mark.end) for mark in unit.marks])
