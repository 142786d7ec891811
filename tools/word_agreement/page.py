"""docs/results/word-matching.md: the rules of matching against segmenters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from pivotlens.report.markdown import escaped
from tools.results_pages import RESULTS, markdown_table
from tools.word_agreement.compare import ALONE, RULES

MEASURED = Path(__file__).parent / "measured"
PAGE = RESULTS / "word-matching.md"
_LANGUAGES = {"zh": "Chinese", "ja": "Japanese", "ko": "Korean", "he": "Hebrew", "ar": "Arabic"}

_HEAD = """\
# Words found by rules, against segmenters
<!-- Written by `python -m tools.word_agreement page` from tools/word_agreement/measured; do not edit. -->

How often the [rules of matching](../method.md#matching-words), as they are by default, and a segmenter say the
same of where a word stands. A **pair** is a line of a document and a word that is in it, in any form that
`count` takes for it; to the segmenter a form is in a line if it is one segment of it or several whole ones.
**Precision** is the share of the pairs found by the rules that the segmenter finds as well, **recall** the
share of the segmenter's that the rules find; intervals are 95 %, of a bootstrap over documents. A word is named
by the form that the benchmark shows. *Words alone* is the same without the rules: whole words between spaces;
in Chinese and Japanese leftmost-longest among the benchmark's own words.

Chinese and Japanese are the 2,048 concepts of `word-translation` in documents of the [open-desktop
corpus](../../builders/open_desktop_corpus/README.md). The benchmark has no Korean, Hebrew or Arabic: there the
words are the commonest nouns, by the same segmenter, of one half of the documents, and the other half is
measured on, of the [partly translated corpus](../../builders/partly_translated_corpus/README.md) and, in
Hebrew, of LibreOffice's messages. Neither corpus holds Thai.

"""
_READING = """\
## How to read it

- **Between spaces the rules are nearly always right, and what they miss is one kind.** Korean nouns are missed
  where 하다 or 되다 makes a verb of them (사용하는), which kiwi takes apart, and in compounds. Arabic ones are
  missed before a pronoun (استخدامه), and some that qalsadi alone sees (ذل in ذلك, "that"). Hebrew ones are
  found where hspell has a noun with its article for a word of its own (הערך), and wrongly in a few words that
  begin like one with a prefix (מרכיב).
- **Japanese is between its two segmenters.** SudachiPy takes compounds whole (データソース), unidic-lite cuts
  them (データ, ソース): what stands in them is wrong to the one and missed to the other. Most other words that
  are missed are no loss: よる and おり, which both segmenters cut out of grammar (による, ており), are counted
  as 夜 and 檻 only where they stand alone. Wrong are short words of kana after particles that are none (のど in
  のどれ) and single characters (家 in 家族).
- **Chinese is where a segmenter is worth its time.** One in seven pairs that are found stands within what jieba
  takes for one word: words in compounds (文件系统, 管理工具), in which the benchmark's word keeps its meaning,
  and single characters in words that are not in the list of longer ones since they are rare or tagged as
  phrases (窗口, 图层), in which it does not. `--segmenters jieba` is for counts of single characters.

**No segmenter is the truth.** jieba's dictionary is what the longer words of Chinese are from: Chinese is held
against that dictionary, whole and with all of its rare entries. hspell and qalsadi read a token without its
sentence, and of its readings the one with the shortest prefix counts.
"""


def page() -> str:
    """Return the page."""
    kept = [orjson.loads(path.read_bytes()) for path in MEASURED.glob("*.json")]
    kept.sort(key=lambda one: (list(_LANGUAGES).index(one["language"]), one["segmenter"]))
    summary = [row for one in kept for row in _rows(one, everything=True)]
    text = _HEAD + "\n".join([*markdown_table(["language", "segmenter", *_FIGURES], summary), "", ""])
    return text + _READING + "\n" + "\n".join(line for one in kept for line in _chapter(one))


_FIGURES = ["", "pairs found", "of", "precision", "recall"]


def _rows(one: Mapping[str, Any], *, everything: bool) -> Iterator[list[str]]:
    for row in one["figures"]:
        if bool(row["kind"]) != everything:
            precision, recall = (f"{value:.3f} ({low:.3f}–{high:.3f})" for value, low, high in _values(row))
            figures = [_name(row["way"]), f"{row['found']:,}", f"{row['truth']:,}", precision, recall]
            first = row["way"] == ALONE
            labels = [_LANGUAGES[one["language"]], one["segmenter"]] if everything else [row["kind"]]
            if not everything:
                figures = [f"{row['documents']:,}" if first else "", *figures]
            yield [*(label if first else "" for label in labels), *figures]


def _values(row: Mapping[str, Any]) -> Sequence[Sequence[float]]:
    return row["precision"], row["recall"]


def _name(way: str) -> str:
    return f"**{way}**" if way == RULES else way


def _chapter(one: Mapping[str, Any]) -> Iterator[str]:
    rows = list(_rows(one, everything=False))
    yield f"## {_LANGUAGES[one['language']]}, {one['segmenter']}"
    yield ""
    yield (
        f"{escaped(one['versions'])}; {one['lines']:,} lines of {escaped(one['source'])}; {one['words']:,} words, of "
        f"which the segmenter finds {one['words_met']:,}."
    )
    yield ""
    yield from markdown_table(["kind", "documents", *_FIGURES], rows)
    yield ""
    yield from _examples(
        f"Found by the rules alone: {one['differing']['found_alone']['pairs']:,} pairs", one, "found_alone"
    )
    yield from _examples(f"Missed by the rules: {one['differing']['missed']['pairs']:,} pairs", one, "missed")


def _examples(title: str, one: Mapping[str, Any], which: str) -> Iterator[str]:
    differing = one["differing"][which]
    most = ", ".join(f"{escaped(word)} {pairs:,}" for word, pairs in differing["most"])
    yield f"**{title}**{f'; most of them of {most}.' if most else '.'}"
    yield ""
    if differing["examples"]:
        yield "Drawn at random, a word once; ¦ is where the segmenter cuts:"
        yield ""
        rows = [[escaped(word), escaped(shown)] for word, shown in differing["examples"]]
        yield from markdown_table(["word", "line"], rows, numbers=False)
        yield ""
