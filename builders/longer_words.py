"""Check or regenerate the bundled longer words, and compare counting with them to segmenters.

The words are those of two dictionaries that hold a word of a bundled benchmark within them: jieba's for Chinese,
IPADIC for Japanese. Run it in the folder `builders`, with pip at hand for the downloads:

    python -m longer_words --cache DIR               # check, exit 1 where the list is not what the sources give
    python -m longer_words --cache DIR --write       # regenerate the list
    python -m longer_words --cache DIR --agreement   # also compare with jieba and Janome on the bundled sample
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pivotlens.bench.versions import answers_only
from pivotlens.text import normalise
from pivotlens.text.folding import matching_form

from everyday_nouns.table import Concept, read_table
from longer_words_agreement import agreement_report
from longer_words_sources import Entry, Sources, read_ipadic
from word_translation.table import read_rows

_SOURCE = Path(__file__).resolve().parent.parent / "src" / "pivotlens"
_BENCHMARKS = _SOURCE / "bench" / "data"
_TARGET = _SOURCE / "text" / "data" / "longer_words.tsv"

# Two thirds of jieba's entries have the number 2 or 3 in place of a count; below 10 most are phrases (坐飞机, 没钱).
JIEBA_MINIMUM = 10
# Tags of phrases: habitual phrases (打电话), numeral and unit (一杯), units, pronoun and noun (我家), noun and place
# (山上), places. A benchmark word in them is the word itself.
JIEBA_PHRASES = frozenset({"l", "m", "mq", "q", "r", "s", "f"})
# Places that IPADIC's makers took from lists and never met in text cost more than 8,600 (魚の, 春の, 松の木).
IPADIC_NAME_LIMIT = 8000
# A noun and its particle is no word, though some readings of verbs and adverbs are so written (雪が, 本に).
PARTICLES = ("の", "に", "が", "と", "を", "は", "へ", "も", "で", "から")


def longer_words(accepted: Iterable[str], entries: Iterable[Entry], *, keep: Callable[[Entry], bool]) -> Iterator[str]:
    """Yield the words of a dictionary that hold an accepted word and more, unless they are accepted themselves."""
    forms = {matching_form(word) for word in accepted}
    lengths = sorted({len(form) for form in forms})
    for entry in entries:
        form = matching_form(entry.word)
        starts = range(len(form))
        within = (form[start : start + length] for length in lengths for start in starts)
        if form not in forms and any(part in forms for part in within) and keep(entry):
            yield normalise(entry.word)


def keep_chinese(entry: Entry, convert: Callable[[str], str]) -> bool:
    """Tell whether an entry of jieba's is one word, met often enough, in simplified characters."""
    return (
        entry.number >= JIEBA_MINIMUM
        and not entry.tags & JIEBA_PHRASES
        and len(entry.word) >= 2
        and convert(entry.word) == entry.word
    )


def keep_japanese(entry: Entry, forms: frozenset[str]) -> bool:
    """Tell whether an entry of IPADIC's is one word, and if nothing but a name, one that was met in text."""
    nothing_but_a_name = entry.tags == {"固有名詞"}
    endings = [particle for particle in PARTICLES if entry.word.endswith(particle)]
    with_particle = any(entry.word.removesuffix(particle) in forms for particle in endings)
    return len(entry.word) >= 2 and not with_particle and not (nothing_but_a_name and entry.number >= IPADIC_NAME_LIMIT)


def benchmarks() -> dict[str, Sequence[Concept]]:
    """Return the concepts of both bundled benchmarks by name."""
    return {
        "everyday-nouns": read_table(_BENCHMARKS / "everyday_nouns.tsv"),
        "word-translation": [_counted(row) for row in read_rows(_BENCHMARKS / "word_translation.tsv")],
    }


@functools.cache
def _answers_only() -> Mapping[tuple[str, str], frozenset[str]]:
    return answers_only((_BENCHMARKS / "word_translation_changes.tsv").read_bytes())


def _counted(concept: Concept) -> Concept:
    """Return a concept with the words alone that are counted in a corpus."""
    left_out = _answers_only()
    words = {
        code: tuple(word for word in words if word not in left_out.get((concept.concept_id, code), ()))
        for code, words in concept.words.items()
    }
    return replace(concept, words=words)


def accepted_words(concepts: Iterable[Concept], language: str) -> frozenset[str]:
    """Return all words of a language that are counted."""
    return frozenset(word for concept in concepts for word in concept.words[language])


def make_list(sources: Sources, lists: Mapping[str, Sequence[Concept]]) -> str:
    """Return the content of `longer_words.tsv`.

    Each benchmark's words are looked for on their own: what one accepts may be a longer word to the other.
    """
    convert = sources.simplify()
    chinese, japanese = list(sources.jieba_entries()), list(read_ipadic(sources.ipadic()))
    forms = frozenset(word for concepts in lists.values() for word in accepted_words(concepts, "ja"))
    words: dict[str, set[str]] = {"ja": set(), "zh": set()}
    for concepts in lists.values():
        accepted = {code: accepted_words(concepts, code) for code in words}
        words["ja"].update(longer_words(accepted["ja"], japanese, keep=lambda entry: keep_japanese(entry, forms)))
        words["zh"].update(longer_words(accepted["zh"], chinese, keep=lambda entry: keep_chinese(entry, convert)))
    rows = [f"{code}\t{word}" for code, found in words.items() for word in sorted(found)]
    return "\n".join(["language\tword", *rows]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Check or write the list; figures go to stdout, problems to stderr.

    Returns:
        0 when the list is what the sources give, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the downloads")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="compare the list with the sources (the default)")
    action.add_argument("--write", action="store_true", help="regenerate the list instead of comparing it")
    parser.add_argument(
        "--agreement", action="store_true", help="count the bundled sample with the list and with segmenters"
    )
    options = parser.parse_args(arguments)

    sources = Sources(options.cache)
    lists = benchmarks()
    content = make_list(sources, lists)
    for code in ("ja", "zh"):
        print(f"{code}: {content.count(f'{chr(10)}{code}{chr(9)}'):,} words")
    if options.write:
        _TARGET.write_text(content, encoding="utf-8", newline="\n")
    elif not _TARGET.exists() or _TARGET.read_bytes() != content.encode():
        print(f"problem: {_TARGET.name} is not up to date; run with --write", file=sys.stderr)
        return 1
    if options.agreement:
        for name, concepts in lists.items():
            print(f"\n### {name}")
            print(
                agreement_report(
                    concepts, {"zh": ("jieba", sources.jieba_cut()), "ja": ("Janome", sources.janome_cut())}
                )
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
