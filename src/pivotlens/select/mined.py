"""What selecting takes from the stages before it: corpus pivots, mining words, and the pivots of each word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pivotlens.arrays import Booleans
from pivotlens.artifacts import Benchmark, Counts, Pivots
from pivotlens.corpus.vocabulary import CountedWords
from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.models.tokenizer import TextTokenizer
from pivotlens.select.config import SelectConfig
from pivotlens.select.pivots import Sought, WordPivots
from pivotlens.text.clitics import missed_beside_particles
from pivotlens.text.longer_words import read_longer_words
from pivotlens.text.segmenters import segmented_languages

_OF_PIVOTS = ("top", "sample", "share", "excess", "bridge", "pseudo_pivots")


def corpus_pivots(mined: Pivots, config: SelectConfig, tokenizer: TextTokenizer) -> tuple[tuple[int, ...], ...]:
    """Return the token ids of each of the best pivots: all those that `mine` merged into one.

    Raises:
        ConfigError: A mined token is another one in the tokenizer.
    """
    rows = sorted(mined.rows("pivots"), key=lambda row: (-row["score"], row["token_id"]))[: config.pivots]
    of_pairs = mined.table("pair_pivots").select(["token_id", "token"]).group_by(["token_id", "token"]).aggregate([])
    for row in (*rows, *of_pairs.to_pylist()):
        if row["token_id"] >= tokenizer.vocab_size or tokenizer.text(row["token_id"]) != row["token"]:
            raise ConfigError(
                f"token {row['token_id']} is {row['token']!r} in the mined pivots but not in the tokenizer of "
                f"{config.tokenizer!r}",
                "Give --tokenizer the model that `pivotlens count` was given.",
            )
    return tuple(tuple(row["variant_ids"]) for row in rows)


def refuse_nothing(config: SelectConfig, mined: Pivots, n_pivots: int) -> None:
    """Refuse arms that go by pivots where there are none.

    Raises:
        PrerequisiteError: There are none.
    """
    if n_pivots or not any(arm in _OF_PIVOTS for arm in config.arms):
        return
    missed = missed_beside_particles(Benchmark.load(mined.folder.parent).languages)
    raise PrerequisiteError(
        "`mine` found no pivots to select by: pivots live in documents that mix languages",
        f"Count a corpus with some{f'. {missed}' if missed else ', or lower --min-df of mine'}; or make arms that need "
        "none, such as --arms random.",
    )


def mined_sought(run: Path, config: SelectConfig, tokenizer: TextTokenizer) -> Sought:
    """Return what `ScorePass` looks for, for text that is in no corpus of ours.

    Args:
        run: The run folder, with ``bench``, ``count`` and ``mine``.
        config: The settings.
        tokenizer: That of the settings.

    Raises:
        ConfigError: The tokenizer is another than the one that the pivots were mined with.
        PrerequisiteError: One of the stages has not run, or found no pivots.
    """
    mined = Pivots.load(run)
    pivots = corpus_pivots(mined, config, tokenizer)
    refuse_nothing(config, mined, len(pivots))
    words = mining_words(run)
    return word_pivots(mined, words, config.seed).sought(words, is_corpus_pivot(pivots, tokenizer))


def is_corpus_pivot(pivots: Sequence[Sequence[int]], tokenizer: TextTokenizer) -> Booleans:
    """Tell for every token whether it is one of some pivots, given the ids of each; shape ``(vocabulary,)``."""
    is_pivot = np.zeros(tokenizer.vocab_size, dtype=bool)
    is_pivot[[token for variants in pivots for token in variants]] = True
    return is_pivot


def mining_words(run: Path) -> CountedWords:
    """Return the words that `count` looked for, with the longer words that hide them."""
    benchmark, counts = Benchmark.load(run), Counts.load(run)
    longer = read_longer_words(str(counts.manifest.config.get("longer_words", "bundled")))
    segmenters = segmented_languages(counts.manifest.config.get("segmenters", ()), "the counts")
    return CountedWords.of(benchmark.test_concepts(), benchmark.concepts.values(), longer.words, segmenters)


def word_pivots(mined: Pivots, words: CountedWords, seed: int) -> WordPivots:
    """Return which pivots are those of which word, true and shuffled by a seed."""
    frequency = {
        (row["word_language"], row["word"]): row["df"]
        for row in Counts.load(mined.folder.parent).rows("words")
        if row["word_language"] == row["document_language"]
    }
    return WordPivots.of(words, mined.table("pair_pivots"), frequency, seed)
