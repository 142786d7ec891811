"""Whatever the dictionaries hold: what a join promises, and the fast ways against slow, obvious ones."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from pivotlens.bench.design import draw_distractors, with_enough_distractors
from pivotlens.bench.dictd import parse_dictd
from pivotlens.bench.join import Joined, join_lexicons
from pivotlens.bench.lexicon import Entry, Lexicon, is_single_word, phrases_of
from pivotlens.bench.wordlist import ListedConcept
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import fold

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MASK = (1 << 64) - 1
_words = st.sampled_from(["ab", "ba", "Ab", "aba", "bab", "a b", "abb", "é", "水", "水ab", "b-a"])
_entries = st.builds(
    lambda language, other, word, senses, pos, rank: Entry(
        language, word, tuple((n, other, tuple(dict.fromkeys(found))) for n, found in enumerate(senses)), pos, rank
    ),
    st.sampled_from(["en", "fr", "zh"]),
    st.sampled_from(["en", "fr", "zh"]),
    _words.filter(is_single_word),
    st.lists(st.lists(_words, min_size=1, max_size=3), min_size=1, max_size=3),
    st.sampled_from(["", "noun", "verb"]),
    st.none() | st.integers(0, 3),
).filter(lambda entry: entry.senses[0][1] != entry.language)
_lexicons = st.lists(
    st.builds(
        lambda entries, in_order: Lexicon("test", tuple(entries), len(entries), {}, {}, in_order),
        st.lists(_entries, min_size=1, max_size=25),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


def joined(lexicons: list[Lexicon], senses: str) -> Joined | None:
    known = {code for lexicon in lexicons for code in lexicon.languages}
    return join_lexicons(lexicons, sorted(known & {"en", "fr"}), senses) if {"en", "fr"} <= known else None


def links(lexicons: list[Lexicon]) -> dict[tuple[str, str, str, str], int]:
    """Return the best sense of every link, as its entry has it."""
    found: dict[tuple[str, str, str, str], int] = {}
    for lexicon in lexicons:
        for entry in lexicon.entries:
            for number, other, phrases in entry.senses:
                for phrase in phrases:
                    key = (entry.language, fold(entry.word), other, fold(phrase))
                    found[key] = min(number if lexicon.in_order else 0, found.get(key, number))
    return found


@given(_lexicons, st.sampled_from(["first", "all"]))
@settings(max_examples=150, deadline=None)
def test_what_a_join_promises(lexicons, senses):
    try:
        result = joined(lexicons, senses)
    except ConfigError as error:
        assert "do not join" in error.message  # noqa: PT017
        return
    if result is None:
        return
    given_links = links(lexicons)

    def sense(one: str, word: str, other: str, translation: str) -> int | None:
        there = given_links.get((one, word, other, translation))
        return given_links.get((other, translation, one, word)) if there is None else there

    displayed: set[tuple[str, str]] = set()
    for concept in result.concepts:
        assert set(concept.words) == {"en", "fr"}
        for code, words in concept.words.items():
            assert all(is_single_word(word) for word in words)
            assert len({fold(word) for word in words}) == len(words)
            assert (code, fold(words[0])) not in displayed, "a displayed word is of one concept alone"
            displayed.add((code, fold(words[0])))
        assert concept.forms() <= result.related[concept.concept_id]
        if len(result.path) == 1:
            (one, other), en, fr = result.path[0], fold(concept.words["en"][0]), fold(concept.words["fr"][0])
            first, second = (en, fr) if one == "en" else (fr, en)
            assert sense(one, first, other, second) == 0
            assert sense(other, second, one, first) == 0
            for (a, word, b, translation), _ in given_links.items():
                for code, shown in (("en", en), ("fr", fr)):
                    if (a, word) == (code, shown) and b in ("en", "fr"):
                        assert (b, translation) in result.related[concept.concept_id]
                    if (b, translation) == (code, shown) and a in ("en", "fr"):
                        assert (a, word) in result.related[concept.concept_id]
    assert joined(lexicons, senses) == result


def mixed(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def slowly_drawn(concepts, count, seed, related):
    """Look at every pair of concepts, in Python's integers."""
    key = {
        c.concept_id: int.from_bytes(hashlib.sha256(f"{seed}/distractors/{c.concept_id}".encode()).digest()[:8])
        for c in concepts
    }
    drawn = {}
    for concept in concepts:
        candidates = [
            other.concept_id
            for other in concepts
            if other is not concept
            and other.pos == concept.pos
            and not set(related[other.concept_id]) & set(related[concept.concept_id])
        ]
        mine = key[concept.concept_id]
        drawn[concept.concept_id] = sorted(candidates, key=lambda name: mixed((mine + mixed(key[name])) & _MASK))[
            :count
        ]
    return drawn


_designs = st.lists(
    st.tuples(st.sampled_from(["noun", "verb"]), st.sets(st.integers(0, 12), max_size=3)), min_size=1, max_size=30
)


@given(_designs, st.integers(1, 4), st.integers(0, 3))
@settings(deadline=None)
def test_distractors_against_the_slow_way(design, count, seed):
    concepts = [ListedConcept(f"c{n}", "test", None, pos, "", {"en": (f"w{n}",)}) for n, (pos, _) in enumerate(design)]
    related = {f"c{n}": frozenset(("en", str(form)) for form in forms) for n, (_, forms) in enumerate(design)}
    slow = slowly_drawn(concepts, count, seed, related)
    if all(len(found) == count for found in slow.values()):
        assert draw_distractors(concepts, count, seed, related) == slow
        assert draw_distractors(concepts[::-1], count, seed, related) == slow
    else:
        try:
            draw_distractors(concepts, count, seed, related)
        except DataError as error:
            assert f"of the {count} wanted" in str(error)  # noqa: PT017
        else:
            raise AssertionError("too few candidates went unnoticed")
    kept = with_enough_distractors(concepts, count, related)
    if kept:
        assert set(draw_distractors(kept, count, seed, related)) == {concept.concept_id for concept in kept}
    poor = {name for name, found in slow.items() if len(found) < count}
    assert poor.isdisjoint(concept.concept_id for concept in kept)


@given(
    st.text(st.sampled_from("ab ,;/()[]{}<>.~-'éL’c 水（）"), max_size=30), st.sampled_from(["en", "fr", "de", "zh"])
)
def test_phrases_hold_no_brackets_and_stay_as_they_are(gloss, language):
    for phrase in phrases_of(gloss, language):
        assert phrase == phrase.strip() != ""
        assert not set(phrase) & set("()[]{}<>（）,;/")
        assert "  " not in phrase


@given(
    st.lists(st.tuples(st.from_regex(r"[a-zé]{1,8}", fullmatch=True), st.text(max_size=60)), min_size=1, max_size=12)
)
def test_any_articles_can_be_read(articles):
    lines, body = [], b""
    for headword, text in articles:
        data = f"{headword} /x/\n{text}".encode("utf-8", "replace")
        numbers = []
        for value in (len(body), len(data)):
            digits = _DIGITS[value % 64]
            while value := value // 64:
                digits = _DIGITS[value % 64] + digits
            numbers.append(digits)
        lines.append(f"{headword}\t{numbers[0]}\t{numbers[1]}")
        body += data
    lexicon = parse_dictd("\n".join(lines).encode(), body, "x", "fr", "en")
    assert lexicon.read == len(articles) == len(lexicon.entries) + sum(lexicon.skipped.values())
    assert {entry.word for entry in lexicon.entries} <= {headword for headword, _ in articles}
