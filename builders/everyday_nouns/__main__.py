"""Check the bundled benchmark of everyday nouns, and regenerate the files computed from it.

The words are written by hand. This script proves that dictionaries know each of them, that the table keeps its
promises, and that the distractors and linked words beside it are what the table and the pinned sources give. Run it in
the folder `builders`, with pip, npm, apt-get and dpkg at hand for the downloads:

    python -m everyday_nouns --cache DIR            # check, exit 1 on any problem
    python -m everyday_nouns --cache DIR --write    # regenerate the two computed files first
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from everyday_nouns.derive import distractors_tsv, links_tsv, wordnet_problems
from everyday_nouns.dictionaries import FreeDict, read_cedict, read_cldr, read_jmdict
from everyday_nouns.evidence import Lexicons, evidence_problems, findings, report
from everyday_nouns.sources import Sources
from everyday_nouns.table import Concept, read_table, table_problems
from everyday_nouns.wordnet import WordNet

_DATA = Path(__file__).resolve().parent.parent.parent / "src" / "pivotlens" / "bench" / "data"


def main(arguments: list[str] | None = None) -> int:
    """Run the checks; the report goes to stdout, problems to stderr.

    Returns:
        0 when nothing is wrong, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the downloads")
    parser.add_argument("--data", type=Path, default=_DATA, help="folder of everyday_nouns.tsv")
    parser.add_argument("--write", action="store_true", help="regenerate the computed files instead of comparing them")
    parser.add_argument("--freedict", action="store_true", help="also download FreeDict (GPL, 45 MB) for its yes or no")
    options = parser.parse_args(arguments)

    concepts = read_table(options.data / "everyday_nouns.tsv")
    lexicons = _load(Sources(options.cache), options.freedict)
    problems = table_problems(concepts) + wordnet_problems(concepts, lexicons.wordnet)
    rows = []
    if not problems:  # what follows relies on a well-formed table
        rows = findings(concepts, lexicons)
        print(report(rows))
        problems += evidence_problems(rows)
        problems += _computed(options.data, concepts, lexicons, options.write)
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _load(sources: Sources, fetch_freedict: bool) -> Lexicons:
    freedict = sources.freedict(fetch_freedict)
    return Lexicons(
        wordnet=WordNet(sources.wordnet()),
        jmdict=read_jmdict(sources.jmdict()),
        cedict=read_cedict(sources.cedict()),
        cldr=read_cldr(sources.cldr()),
        freedict=FreeDict(freedict) if freedict else None,
    )


def _computed(folder: Path, concepts: list[Concept], lexicons: Lexicons, write: bool) -> list[str]:
    """Write the computed files, or compare them with what they should be; print their counts."""
    distractors = distractors_tsv(concepts, lexicons)
    links = links_tsv(concepts, lexicons.wordnet)
    splits = Counter(concept.split for concept in concepts)
    n_calibration = sum(concept.calibration for concept in concepts)
    tiers = Counter(line.rsplit("\t", 1)[1] for line in distractors.splitlines()[1:])
    relations = Counter(line.rsplit("\t", 1)[1] for line in links.splitlines()[1:])
    print(f"\n{len(concepts)} concepts: {splits['test']} test ({n_calibration} calibration), {splits['shot']} shot")
    print("distractors by tier:", ", ".join(f"{tier}: {n}" for tier, n in sorted(tiers.items())))
    print("links by relation:", ", ".join(f"{relation}: {n}" for relation, n in sorted(relations.items())))
    problems = []
    for name, text in (("everyday_nouns_distractors.tsv", distractors), ("everyday_nouns_links.tsv", links)):
        path = folder / name
        if write:
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.exists() or path.read_bytes() != text.encode():
            problems.append(f"{name} is not up to date; run with --write")
    return problems


if __name__ == "__main__":
    sys.exit(main())
