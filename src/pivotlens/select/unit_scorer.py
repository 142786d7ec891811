"""The scores of `pivotlens select` for text that comes in batches of somebody else's pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Integers
from pivotlens.artifacts import Counts, RunFolder, schema_of
from pivotlens.corpus import BadRows, UnitBatch
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.errors import ConfigError, DataError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.config import SelectConfig
from pivotlens.select.mined import mined_sought
from pivotlens.select.passes import parts_of, scored_columns
from pivotlens.select.scoring import Forms
from pivotlens.select.units import bridge_score
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.text import language_code

PREFIX = "pivotlens_"
"""What the names of added columns begin with, so that they meet no others."""
SCORES = (
    "language",
    "language_share",
    "other_language",
    "document_type",
    "n_tokens",
    "n_pivots",
    "n_words",
    "n_bridges",
    "n_bridges_shuffled",
    "share",
    "bridge",
    "repetition",
)
"""The columns of ``select/scores`` that follow from a unit alone."""
_AT_ONCE = 4096
Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def score_batch(batch: Rows, run: Path | str = "run", config: SelectConfig | None = None) -> Rows:
    """Add the scores of `pivotlens select` to rows of text, each a unit of its own (docs/method.md#selection).

    It suits what maps over Arrow data: ``map_batches(…, batch_format="pyarrow")`` of Ray Data, ``map`` of Hugging Face
    datasets in the format "arrow", ``mapInArrow`` of Spark, functions over record batches of Daft. A process reads the
    run folder once.

    Args:
        batch: Rows with the columns that the settings name as those of the text and of the language code.
        run: A run folder with ``bench``, ``count`` and ``mine``.
        config: The settings, of which those of columns, tokenizer, identification, pivots and seed matter; where None,
            the defaults with the tokenizer of ``count``.

    Returns:
        The same rows with a column for each of `SCORES`, its name after `PREFIX`; null where there is no text.

    Raises:
        ConfigError: The tokenizer is another than the one that the pivots were mined with.
        PrerequisiteError: The run lacks a stage.
        DataError: A column is missing, or a language code is none.
    """
    scorer = unit_scorer(str(run), config)
    settings: SelectConfig = scorer.config
    for name in (settings.text_column, *([] if settings.language else [settings.language_column])):
        if name not in batch.schema.names:
            raise DataError(
                f"there is no column {name!r}, only {', '.join(map(repr, batch.schema.names))}",
                "Name the columns with text_column and language_column of SelectConfig, or give the language of all "
                "rows with language.",
            )
    texts = batch.column(settings.text_column).to_pylist()
    there = settings.language_column in batch.schema.names
    languages = batch.column(settings.language_column).to_pylist() if there else [None] * len(texts)
    scores = scorer.scores(texts, languages)
    for name in scores.column_names:
        column = scores.column(name).combine_chunks() if isinstance(batch, pa.RecordBatch) else scores.column(name)
        place = batch.schema.get_field_index(name)
        field = scores.schema.field(name)
        batch = batch.append_column(field, column) if place < 0 else batch.set_column(place, field, column)
    return batch


class UnitScorer:
    """Scores texts by what a run mined.

    Args:
        run: The run folder.
        config: The settings; their tokenizer must be given.

    Attributes:
        config: The settings.
    """

    def __init__(self, run: Path, config: SelectConfig) -> None:
        self.config = config
        self._tokenizer = load_tokenizer(config.tokenizer, RunFolder(run))
        self._sought = mined_sought(run, config, self._tokenizer)

    def scores(self, texts: Sequence[str | None], languages: Sequence[str | None]) -> pa.Table:
        """Return the scores of texts, a row each: null where the text is.

        Args:
            texts: The texts.
            languages: The language code of each; that of the settings where None or empty.

        Raises:
            DataError: A language code is none, or there is no text but something else.
        """
        tables = [
            self._scores(texts[first : first + _AT_ONCE], languages[first : first + _AT_ONCE])
            for first in range(0, max(len(texts), 1), _AT_ONCE)
        ]
        return pa.concat_tables(tables)

    def _scores(self, texts: Sequence[str | None], languages: Sequence[str | None]) -> pa.Table:
        there = [place for place, text in enumerate(texts) if text is not None]
        labels = [self._label(languages[place]) for place in there]
        batch = _as_units([_checked(texts[place]) for place in there], labels, self.config)
        columns: dict[str, Any] = dict(
            scored_columns(batch, Forms.of(batch.texts, batch.languages), self._tokenizer, self._sought)
        )
        codes = {"": 0}
        for language in batch.languages:
            codes.setdefault(language, len(codes))
        columns["language_share"], other = parts_of(batch.composition, batch.languages, codes)
        columns["language"] = batch.languages
        columns["other_language"] = pa.array(list(codes), pa.string()).take(pa.array(other))
        columns["document_type"] = [DOCUMENT_TYPES[number] for number in columns["document_type"].tolist()]
        columns["share"] = wilson_lower(columns["n_pivots"], columns["n_tokens"])
        columns["bridge"] = bridge_score(columns["n_bridges"], columns["n_tokens"])
        place = np.full(len(texts), -1, dtype=np.int64)
        place[there] = np.arange(len(there))
        taken = pa.array(place, mask=place < 0)
        return pa.table([pa.array(columns[name], _TYPES[name]).take(taken) for name in SCORES], schema=_SCHEMA)

    def _label(self, code: str | None) -> str:
        given = code or self.config.language
        if not isinstance(given, str) or not given:
            raise DataError(
                f"the language of a text is {code!r}",
                "Give the language of texts without one with language of SelectConfig.",
            )
        return _language(given)


_TYPES = {name: schema_of("select", "scores").field(name).type for name in SCORES}
_SCHEMA = pa.schema([(PREFIX + name, _TYPES[name]) for name in SCORES])


@lru_cache(maxsize=4096)
def _language(code: str) -> str:
    try:
        return language_code(code, "the language column")
    except ConfigError as error:
        raise DataError(error.message, error.hint) from error


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise DataError(
            f"a text is {type(text).__name__}, not a string", "Name the column of the text with text_column."
        )
    return text


def _as_units(texts: list[str], labels: list[str], config: SelectConfig) -> UnitBatch:
    none: Integers = np.zeros(len(texts), dtype=np.int64)
    empty = [""] * len(texts)
    return UnitBatch(texts, labels, empty, empty, none, none, Counter(), BadRows(), Counter(), config.identify)


@lru_cache(maxsize=4)
def unit_scorer(run: str, config: SelectConfig | None = None) -> UnitScorer:
    """Return the scorer of a run folder; once a process. Arguments and errors as `score_batch`."""
    if config is None or not config.tokenizer:
        tokenizer = str(Counts.load(run).manifest.config["tokenizer"])
        config = (
            SelectConfig(tokenizer=tokenizer) if config is None else config.model_copy(update={"tokenizer": tokenizer})
        )
    return UnitScorer(Path(run), config)
