"""What `pivotlens bench` is made from: a bundled word list, a user's, or dictionaries."""

from __future__ import annotations

import hashlib
from importlib import resources

from pivotlens.artifacts import RunFolder
from pivotlens.artifacts.files import expanded
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.sources import find_lexicon
from pivotlens.bench.versions import VERSIONS, restored, split_version
from pivotlens.errors import DataError, did_you_mean

BUNDLED = {"everyday-nouns": "everyday_nouns", "word-translation": "word_translation"}
_PARTS = {"words": "", "distractors": "_distractors", "links": "_links"}


def inputs(config: BenchConfig, near: RunFolder) -> dict[str, str]:
    """Return the sha256 of each file that the benchmark is made from, by its name.

    Raises:
        DataError: A word list or dictionary cannot be read.
        ConfigError: The languages of a dictionary cannot be told.
    """
    del near  # it reads no result
    if config.lexicon:
        return {
            f"lexicon {number}: {name}": value
            for number, spec in enumerate(config.lexicon, start=1)
            for name, value in find_lexicon(spec).fingerprints().items()
        }
    return {name: hashlib.sha256(data).hexdigest() for name, data in content_of(config.words).items()}


def content_of(words: str) -> dict[str, bytes]:
    """Return the files of a word list by what they hold: ``words`` and, of a bundled one, what belongs to it."""
    try:
        name, version = split_version(words)
        if version:
            folder = resources.files("pivotlens.bench").joinpath("data")
            stem = BUNDLED[name]
            content = {part: folder.joinpath(f"{stem}{suffix}.tsv").read_bytes() for part, suffix in _PARTS.items()}
            changes = folder.joinpath(f"{stem}_changes.tsv")
            if version != VERSIONS[name][0]:
                content = restored(content, changes.read_bytes())
            elif changes.is_file():
                content["changes"] = changes.read_bytes()
            return content
        return {"words": expanded(words).read_bytes()}
    except OSError as error:
        raise DataError(
            f"cannot read the word list {words!r}: {error.strerror}",
            f"Give a TSV file, or a bundled list ({did_you_mean(words, BUNDLED)})",
        ) from error
