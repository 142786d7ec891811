"""Random generators that follow from names, so that what is drawn for one item depends on no other."""

from __future__ import annotations

import hashlib

import numpy as np


def named_generator(seed: int, *names: object) -> np.random.Generator:
    """Return a generator that follows from a seed and names alone."""
    digest = hashlib.sha256("/".join(map(str, (seed, *names))).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
