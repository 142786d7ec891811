"""What `pivotlens query` reads beside the benchmark: an index, and the tokenizer it was made with."""

from __future__ import annotations

from pathlib import Path

from pivotlens.artifacts import RunFolder, Source
from pivotlens.artifacts.files import expanded
from pivotlens.errors import ConfigError
from pivotlens.models.resolve import tokenizer_input
from pivotlens.query.api import PublicIndex
from pivotlens.query.config import MOST_CLAUSE_FREQ, MOST_DIFF_TOKENS, QueryConfig
from pivotlens.query.local import LocalIndex


def inputs(config: QueryConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return the index and the fingerprint of the tokenizer; nothing is asked over the network.

    Raises:
        ConfigError: No index or tokenizer is given, or the API would not take a setting.
        PrerequisiteError: The tokenizer is not there, or the engine of a local index is not installed.
        DataError: A local index is missing or damaged.
    """
    if not config.index:
        raise ConfigError(
            "query has no index to ask",
            "Pass --index with the folder of a local index, or the name of one that the API serves.",
        )
    if not config.tokenizer:
        raise ConfigError(
            "query has no tokenizer, and an index is asked for tokens",
            "Pass --tokenizer with a model that has the tokenizer of the index; those ending in _llama have Llama 2's.",
        )
    folders = [expanded(name) for name in config.index]
    index: LocalIndex | PublicIndex
    index = LocalIndex.open(folders) if any(map(_is_path, config.index, folders)) else _public(config)
    return {"index": index, "tokenizer": tokenizer_input(config.tokenizer, near)}


def _is_path(name: str, folder: Path) -> bool:
    return folder.exists() or "/" in name or name.startswith((".", "~"))


def _public(config: QueryConfig) -> PublicIndex:
    if len(config.index) > 1:
        raise ConfigError(
            f"the API is asked for one index, and {len(config.index)} are given: {', '.join(config.index)}",
            "Give one name; several folders of a local index are read as one, and are written with a slash.",
        )
    for name, most in (("max_diff_tokens", MOST_DIFF_TOKENS), ("max_clause_freq", MOST_CLAUSE_FREQ)):
        if (given := getattr(config, name)) > most:
            raise ConfigError(
                f"[query] {name} = {given} is more than the API takes, {most}", "A local index knows no limit."
            )
    return PublicIndex(config.index[0], config)
