"""Seeded hashes of units and documents, which samples go by."""

from __future__ import annotations

import hashlib

import numpy as np

from pivotlens.arrays import Hashes, Integers


def unit_hashes(file: str, rows: Integers, units: Integers, seed: int, purpose: str) -> Hashes:
    """Return the hash of each unit, shape ``(units,)``, uint64, even over the whole range.

    It follows from the file's name, row and unit alone, so a sample by the smallest hashes is the same whatever
    the order of the files and the number of workers. The mixing is that of SplitMix64 (Steele, Lea, Flood 2014).

    Args:
        file: The file's name within the corpus.
        rows: Rows, shape ``(units,)``.
        units: Units, shape ``(units,)``.
        seed: The stage's seed.
        purpose: Hashes for different purposes are independent.
    """
    key = hashlib.blake2b(f"{purpose}\0{seed}\0{file}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    hashes = np.uint64(int.from_bytes(key, "little")) ^ _mixed(rows.astype(np.uint64))
    return _mixed(_mixed(hashes) ^ units.astype(np.uint64))


def _mixed(values: Hashes) -> Hashes:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
