"""The declaration of `pivotlens query`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pivotlens.query.config import QueryConfig
from pivotlens.stage import Stage

if TYPE_CHECKING:
    from pivotlens.artifacts import IndexCounts

STAGE: Stage[QueryConfig, IndexCounts] = Stage(
    config=QueryConfig,
    result="pivotlens.artifacts:IndexCounts",
    version=1,
    function="query_index",
    work="pivotlens.query.run:run",
    reads=("bench",),
    reads_if_there=("count",),
    inputs="pivotlens.query.inputs:inputs",
    examples=(
        "pivotlens query --run runs/olmo --index v4_dolma-v1_7_llama --tokenizer TinyLlama/TinyLlama_v1.1",
        "pivotlens query --run runs/mine --index /data/index --tokenizer demo:gemma-3-270m --max-clause-freq 100000000",
    ),
)


def query_index(
    config: QueryConfig | None = None, run: Path | str = "run", *, origins: Mapping[str, str] | None = None
) -> IndexCounts:
    """Ask an infini-gram index how often words and pairs occur (docs/method.md#counts-of-an-index).

    Tables: ``words`` and ``forms`` have the occurrences of each word and of each form of it that was asked for,
    ``pairs`` those of both words near each other; ``agreement`` and ``differences`` hold them against the units of
    `count`, where it has run. Every answer is kept in the cache folder and asked for once.

    Args:
        config: Settings; the defaults when None.
        run: The run folder.
        origins: Where each setting that is not a default came from, for the manifest.

    Raises:
        ConfigError: No index or tokenizer is given, the API refuses a query, or the tokenizer is another than that of
            the index.
        PrerequisiteError: ``bench`` has not run, the index or package is not there, the API does not answer, or
            answers are missing while ``offline``.
        DataError: The index is damaged, or the API answers in another form than documented.
    """
    return STAGE(config, run, origins=origins)
