"""Shot pool, calibration set and frequency bands."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from everyday_nouns.table import LANGUAGES
from word_translation.table import BANDS, Row

N_SHOTS = 120
N_CALIBRATION = 200
_SEED = "pivotlens-word-translation-1"


def seeded(purpose: str, name: str) -> bytes:
    """Return the key of a seeded order, which depends on nothing but the name."""
    return hashlib.sha256(f"{_SEED}/{purpose}/{name}".encode()).digest()


def choose_shots(rows: list[Row], reviewed: Sequence[Row], count: int = N_SHOTS) -> list[Row]:
    """Mark the shot concepts, each part of speech in proportion.

    A shot must share no word, accepted ones included, with any other reviewed concept; it must have a source for every
    word; and no two of its displayed words are spelled alike, because a shot should not teach copying.

    Args:
        rows: The cleaned concepts.
        reviewed: The concepts before cleaning, whose accepted words are still complete.
        count: Size of the pool.

    Raises:
        ValueError: too few concepts qualify.
    """
    uses = Counter(form for row in reviewed for form in _forms(row))
    complete = {row.concept_id: row for row in reviewed}
    eligible = [
        row
        for row in rows
        if not row.flags_note
        and all(uses[form] == 1 for form in _forms(complete[row.concept_id]))
        and len({row.words[language][0].casefold() for language in LANGUAGES}) == len(LANGUAGES)
    ]
    chosen: set[str] = set()
    quotas = proportional(Counter(row.pos for row in rows), count)
    for pos, quota in sorted(quotas.items()):
        of_pos = sorted((row.concept_id for row in eligible if row.pos == pos), key=lambda one: seeded("shot", one))
        if len(of_pos) < quota:
            raise ValueError(f"only {len(of_pos)} concepts of part of speech {pos} can be shots, {quota} are wanted")
        chosen.update(of_pos[:quota])
    return [replace(row, split="shot" if row.concept_id in chosen else "test") for row in rows]


def _forms(row: Row) -> set[tuple[str, str]]:
    return {(language, word.casefold()) for language in LANGUAGES for word in row.words[language]}


def proportional(sizes: Counter[str], total: int) -> dict[str, int]:
    """Divide a total in proportion to sizes, by largest remainders."""
    everything = sum(sizes.values())
    shares = {name: size * total / everything for name, size in sizes.items()}
    quotas = {name: int(share) for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: (quotas[name] - shares[name], name))
    for name in by_remainder[: total - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def mark_calibration(rows: list[Row], count: int = N_CALIBRATION) -> list[Row]:
    """Mark the test nouns, verbs and adjectives that come first by the SHA-256 of `calibration:` and their id."""
    names = [row.concept_id for row in rows if row.split == "test" and row.pos in {"n", "v", "a"}]
    marked = set(sorted(names, key=lambda one: hashlib.sha256(f"calibration:{one}".encode()).digest())[:count])
    return [replace(row, calibration=row.concept_id in marked) for row in rows]


def mark_bands(rows: list[Row], frequency: Callable[[str, str], float]) -> list[Row]:
    """Mark frequency bands: tertiles, over the test concepts, of the mean Zipf frequency of the six displayed words.

    A shot concept has the band of the test concepts between which it falls.

    Args:
        rows: The concepts.
        frequency: Zipf frequency of a word in a language.
    """
    means = {
        row.concept_id: round(sum(frequency(language, row.words[language][0]) for language in LANGUAGES), 6)
        for row in rows
    }
    tests = sorted((row.concept_id for row in rows if row.split == "test"), key=lambda one: (-means[one], one))
    bands = {one: BANDS[3 * i // len(tests)] for i, one in enumerate(tests)}
    for row in rows:
        if row.split != "test":
            above = sum(means[one] >= means[row.concept_id] for one in tests)
            bands[row.concept_id] = BANDS[min(3 * above // len(tests), 2)]
    return [replace(row, band=bands[row.concept_id]) for row in rows]
