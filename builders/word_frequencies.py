"""Check or regenerate the bundled word frequencies, by which the language of a pivot is told.

They are the common words of wordfreq 3.1.1, with their frequencies rounded. Run it in the folder `builders`, in an
environment with the extra `words` of its project file:

    python -m word_frequencies           # check, exit 1 where the list is not what the source gives
    python -m word_frequencies --write   # regenerate the list
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import regex
import zstandard
from pivotlens.text import fold

TARGET = Path(__file__).resolve().parent.parent / "src" / "pivotlens" / "text" / "data" / "word_frequencies.tsv.zst"
# Least Zipf frequency: the languages of the bundled benchmarks, then others that pivots are found in.
LEAST = dict.fromkeys(("en", "fr", "de", "es", "zh", "ja"), 3.0) | dict.fromkeys(
    ("it", "pt", "nl", "id", "tr", "pl", "sv"), 3.5
)
_WORD = regex.compile(r"[\p{L}\p{M}'’·ー-]*[\p{L}\p{M}]{2}[\p{L}\p{M}'’·ー-]*|[\p{Han}\p{Hiragana}\p{Katakana}]")
_LATIN = regex.compile(r"\p{Latin}")


def table() -> bytes:
    """Return the list as its file holds it before it is compressed."""
    from wordfreq import get_frequency_dict

    rows: dict[str, dict[str, int]] = {}
    for language, least in LEAST.items():
        for word, frequency in get_frequency_dict(language, "best").items():
            zipf = math.log10(frequency) + 9
            foreign = language in ("zh", "ja") and _LATIN.search(word)
            if zipf >= least - 1e-9 and _WORD.fullmatch(word) and not foreign:
                cells = rows.setdefault(fold(word), {})
                cells[language] = max(cells.get(language, 0), round(zipf * 10))
    lines = ["word\t" + " ".join(LEAST)]
    lines += [f"{word}\t" + " ".join(f"{code}:{zipf}" for code, zipf in rows[word].items()) for word in sorted(rows)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check or write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the list")
    options = parser.parse_args(arguments)
    found = table()
    if options.write:
        TARGET.write_bytes(zstandard.ZstdCompressor(level=19).compress(found))
    same = zstandard.ZstdDecompressor().decompress(TARGET.read_bytes()) == found
    print(f"{len(found.splitlines()) - 1:,} words; the bundled list is {'the same' if same else 'another one'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
