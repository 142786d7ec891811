"""Fingerprints: what a result follows from, as one sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """Return ``value`` as JSON with sorted keys: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)


def fingerprint(stage: str, algorithm_version: int, meaning: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Return the fingerprint of a stage's result (64 hexadecimal digits).

    Args:
        stage: Name of the stage.
        algorithm_version: Raised whenever the stage's code gives other numbers for the same input.
        meaning: The settings that change the result; workers and device are not among them.
        inputs: Fingerprint of each input by name.
    """
    parts = {"stage": stage, "version": algorithm_version, "config": meaning, "inputs": inputs}
    return hashlib.sha256(canonical_json(parts)).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file's bytes (64 hexadecimal digits)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_fingerprint(files: Mapping[str, tuple[int, str]]) -> str:
    """Return a fingerprint of files by relative name, size in bytes and modification mark.

    Reads no content: a corpus may be terabytes.
    """
    listing = [[name, size, mark] for name, (size, mark) in sorted(files.items())]
    return hashlib.sha256(canonical_json(listing)).hexdigest()
