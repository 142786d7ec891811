"""Units that are nearly the same: MinHash signatures, and whose bands agree (docs/method.md#near-duplicates)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pivotlens.arrays import Floats, Integers
from pivotlens.text.compiled import compiled

Signatures = npt.NDArray[np.uint32]
BANDS, ROWS = 20, 6
"""Units are compared that agree in all hashes of one of the bands; of each, this many hashes are kept in rows."""
WORDS = 5
"""Words of an n-gram; of scripts without spaces, characters."""
_NONE = 0xFFFFFFFF
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@compiled
def _mixed(value: Any) -> Any:
    """Return a number's hash: the finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def _is_word(first: Any, second: Any) -> Any:
    """Tell by its first bytes whether a character is a word by itself: those of scripts without spaces."""
    thai_to_tibetan = first == 0xE0 and second >= 0xB8
    burmese_or_khmer = first == 0xE1 and (second <= 0x82 or second == 0x9E or second == 0x9F)
    return first >= 0xE3 or thai_to_tibetan or burmese_or_khmer


@compiled
def signatures(forms: Any, n_units: int) -> Any:
    """Return the MinHash signatures of texts (Broder 1997), shape ``(units, hashes)``, uint32.

    Args:
        forms: What `separated_forms` makes of them, shape ``(bytes,)``, uint8.
        n_units: How many they are.

    Returns:
        The smallest value of each of some hashes among the n-grams of a text; all ones where it has none.
    """
    n_hashes = BANDS * ROWS
    factors, others = np.empty(n_hashes, dtype=np.uint32), np.empty(n_hashes, dtype=np.uint32)
    for number in range(n_hashes):
        factors[number] = np.uint32(_mixed(np.uint64(2 * number + 1)) >> np.uint64(32)) | np.uint32(1)
        others[number] = np.uint32(_mixed(np.uint64(2 * number + 2)) >> np.uint64(32))
    found = np.empty((n_units, n_hashes), dtype=np.uint32)
    smallest = np.full(n_hashes, _NONE, dtype=np.uint32)  # of one unit: a row of a table is slower to change
    words = np.zeros(WORDS, dtype=np.uint64)
    unit, n_words, word, place = 0, 0, np.uint64(0), 0
    while place < forms.size:
        code = forms[place]
        size = 1 if code < 0xC0 else 2 if code < 0xE0 else 3 if code < 0xF0 else 4
        alone = size > 2 and _is_word(code, forms[place + 1])
        letter = 97 <= code <= 122 or 48 <= code <= 57 or (code > 127 and code != 0xC2 and code != 0xE2)
        if word != 0 and (alone or not letter):
            n_words, word = _add_word(words, n_words, word, smallest, (factors, others)), np.uint64(0)
        if letter:
            for byte in range(place, place + size):
                word = (word + np.uint64(forms[byte])) * _FACTOR
        if alone:
            n_words, word = _add_word(words, n_words, word, smallest, (factors, others)), np.uint64(0)
        if code == 0:
            found[unit] = smallest
            smallest[:] = _NONE
            unit, n_words = unit + 1, 0
        place += size
    return found


@compiled
def _add_word(words: Any, n_words: Any, word: Any, smallest: Any, hashing: Any) -> Any:
    """Take the n-gram that ends with a word into a text's smallest hashes; return how many words it has now."""
    factors, others = hashing
    words[n_words % WORDS] = word
    n_words += 1
    if n_words >= WORDS:
        ngram = np.uint64(0)
        for back in range(WORDS):
            ngram = ngram * _FACTOR + words[(n_words - 1 - back) % WORDS]
        short = np.uint32(_mixed(ngram) >> np.uint64(32))
        for number in range(smallest.size):
            smallest[number] = min(smallest[number], np.uint32((short ^ others[number]) * factors[number]))
    return n_words


def similarities(n_units: int, bands: Callable[[int], Signatures], rows: Callable[[Integers], Signatures]) -> Floats:
    """Return how similar the most similar earlier unit is, as far as bands tell, shape ``(units,)``.

    In each band a unit is compared with the first one that agrees in it, and with the one before it.

    Args:
        n_units: How many units there are.
        bands: Returns the hashes of all units in a band, shape ``(units, ROWS)``, uint32.
        rows: Returns the signatures of units by number, upwards, shape ``(some units, hashes)``, uint32.

    Returns:
        Estimates of the Jaccard index of their n-grams, the share of hashes that agree; 0 where no band agrees.
    """
    pairs = np.zeros(0, dtype=np.int64)
    for band in range(BANDS):
        hashes = bands(band)
        keys = np.zeros(n_units, dtype=np.uint64)
        for row in range(ROWS):
            keys = _mixed(keys + hashes[:, row])
        units = np.flatnonzero((hashes != _NONE).any(axis=1))
        units = units[np.argsort(keys[units], kind="stable")]
        same = np.flatnonzero(keys[units[1:]] == keys[units[:-1]]) + 1
        starts = np.arange(units.size)
        starts[same] = 0
        first = np.maximum.accumulate(starts)[same]
        here = np.concatenate([units[same] * n_units + units[first], units[same] * n_units + units[same - 1]])
        pairs = np.union1d(pairs, here)
    later, earlier = pairs // max(n_units, 1), pairs % max(n_units, 1)
    compared = np.union1d(later, earlier)
    signed = rows(compared)
    agree = np.empty(pairs.size)
    for start in range(0, pairs.size, 1 << 16):
        some = slice(start, start + (1 << 16))
        one, other = (signed[np.searchsorted(compared, units[some])] for units in (later, earlier))
        agree[some] = (one == other).mean(axis=1)
    found = np.zeros(n_units)
    np.maximum.at(found, later, agree)
    return found
