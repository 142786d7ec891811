"""Whole words among tokens, their merging, and forms of words; associations from samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivotlens.mine.associations import Background, WordUnits, associate, in_one
from pivotlens.mine.shuffled_pairs import StrengthNull, shuffled_partners
from pivotlens.mine.tokens import TokenWords, is_whole_word
from pivotlens.statistics.association import npmi, signed_llr
from pivotlens.text import begins_word, is_word


@pytest.mark.parametrize(
    ("token", "whole"),
    [(" water", True), ("water", False), (" l'eau", True), ("水", True), (" 水", True), ("ー", False), (" is", False),
     (" 2024", False), ("แม่น้ำ", True), ("물", False), (" 물", True), (" �", False), ("", False), ("カメラ", True),
     ("\twater", False), ("\nwater", False), ("\u00a0water", False)],
)  # fmt: skip
def test_whole_words(token, whole):
    assert is_whole_word(token) == whole


@given(st.text(st.sampled_from(" \t\n\u00a0▁'abcдвา水ㄅカ물·ー-"), max_size=6))
def test_a_whole_word_begins_one_after_no_other_white_space_than_a_space(token):
    other_space = token[:1].isspace() and token[0] != " "
    assert is_whole_word(token) == (is_word(token) and begins_word(token) and not other_space)


def words(*texts, frequency=None):
    return TokenWords.build(range(len(texts)), texts, np.array(frequency or [1] * len(texts)))


def named(found, grouped):
    return {grouped.texts[word] for word in found}


def test_variants_are_one_word_and_the_most_frequent_stands_for_it():
    grouped = words(" Water", "water", " water", " WATER", "水", " 水", frequency=[3, 99, 5, 5, 2, 2])
    assert grouped.texts == ("water", "水")
    assert grouped.variants == ((0, 2, 3), (4, 5))
    np.testing.assert_array_equal(grouped.representative, [2, 4])
    found, counts = grouped.merge(np.array([5, 0, 1, 2, 4, 77]), np.array([7, 4, 50, 6, 1, 9]))
    np.testing.assert_array_equal(found, [0, 1])
    np.testing.assert_array_equal(counts, [6, 7])
    assert grouped.merge(np.array([1]), np.array([3]))[0].size == 0


def test_tokens_are_words_as_text_is_matched():
    grouped = words(" l'eau", " l’eau", " пʼять", " كتاب", " كتـاب", " كِتاب", " ـــ", " İnsan", " insan")
    assert grouped.variants == ((7, 8), (0, 1), (2,), (3, 4, 5))
    assert named(grouped.forms(["l\u02bceau"], "fr"), grouped) == {"l'eau"}
    assert named(grouped.forms(["كِتَاب"], "ar"), grouped) == {"كتاب"}
    assert named(grouped.forms(["п’ять"], "uk"), grouped) == {"п'ять"}


def test_forms_and_pieces():
    grouped = words(" Katze", " Katzen", " Kat", " Katzenauge", " cat", " cats", " atze", "学", "校", "学校", " ice",
                    " cream", " creams", " scream")  # fmt: skip
    assert named(grouped.forms(["Katze"], "de"), grouped) == {"katze", "katzen", "kat"}
    assert named(grouped.forms(["cat"], "en"), grouped) == {"cat"}
    assert named(grouped.forms(["学校"], "zh"), grouped) == {"学", "校", "学校"}
    assert named(grouped.forms(["ice cream"], "en"), grouped) == {"ice", "cream", "creams"}
    assert grouped.forms([], "en").size == 0


def in_one_stratum(units, sampled, counts):
    return Background(np.array([units]), np.array([sampled]), np.array([counts]))


def test_a_complete_sample_gives_dunnings_table():
    background = in_one_stratum(1000, 1000, [100, 0])
    found = associate(WordUnits(50, np.array([50]), np.array([0]), np.array([20])), background, 5)
    np.testing.assert_allclose(found.npmi, npmi(20, 50, 100, 1000))
    np.testing.assert_allclose(found.llr, signed_llr(20, 30, 80, 870))
    np.testing.assert_allclose(found.excess(), 20 / 50 - 0.1)


def test_a_sample_scales_the_frequencies_and_not_the_evidence():
    # A tenth of everything was looked at: NPMI is as before, the likelihood ratio a tenth.
    background = in_one_stratum(10_000, 1000, [100])
    found = associate(WordUnits(500, np.array([50]), np.array([0]), np.array([20])), background, 5)
    np.testing.assert_allclose(found.npmi, npmi(200, 500, 1000, 10_000))
    np.testing.assert_allclose(found.llr, signed_llr(20, 30, 80, 870))


def test_a_token_that_the_background_sample_missed_is_as_frequent_as_it_was_seen():
    found = associate(WordUnits(50, np.array([50]), np.array([0]), np.array([20])), in_one_stratum(1000, 10, [0]), 5)
    np.testing.assert_allclose(found.frequency, [20])
    assert np.isfinite(found.npmi).all()
    assert found.p_value[0] < 0.1
    empty = associate(
        WordUnits(0, np.array([0]), np.array([], dtype=int), np.array([], dtype=int)), in_one_stratum(5, 5, [1]), 1
    )
    assert empty.lower_bounds().size == 0


def test_what_a_stratum_holds_anyway_is_expected():
    # In the second stratum 9 of 10 units hold the token, in the first 1 of 100; the word stands in the second mostly.
    background = Background(np.array([9000, 1000]), np.array([900, 500]), np.array([[9], [450]]))
    word = WordUnits(100, np.array([10, 90]), np.array([0]), np.array([82]))
    found = associate(word, background, 5)
    expected = 0.1 * 0.01 + 0.9 * 0.9
    np.testing.assert_allclose(found.background, [expected])
    np.testing.assert_allclose(found.npmi, npmi(82, 100, expected * 10_000, 10_000))
    worth = 1 / (0.1**2 / 900 + 0.9**2 / 500)
    own = 0.1 * 10 / 9000 + 0.9 * 90 / 1000
    there = expected * worth - 0.82 * own * worth
    np.testing.assert_allclose(found.llr, signed_llr(82, 18, there, worth * (1 - own) - there))
    assert found.p_value[0] > 0.5
    within_language = associate(word, in_one([background]), 5)
    np.testing.assert_allclose(within_language.background, [0.9 * 0.01 + 0.1 * 0.9])
    assert within_language.p_value[0] < 1e-20


@given(st.integers(0, 40), st.integers(0, 5))
def test_shuffles_pair_every_concept_with_another_one(concepts, seed):
    drawn = list(shuffled_partners(concepts, 3, seed))
    assert len(drawn) == (3 if concepts > 1 else 0)
    for partners in drawn:
        assert sorted(partners.tolist()) == list(range(concepts))
        assert not np.any(partners == np.arange(concepts))


def _random_null(seed: int) -> StrengthNull:
    generator = np.random.default_rng(seed)
    tokens = generator.integers(0, 6, 60)
    strength = generator.integers(1, 8, 60) / 8  # many ties
    pair = generator.integers(0, 20, 60)
    _, first = np.unique(np.stack([tokens, pair]), axis=1, return_index=True)
    tokens, strength, pair = tokens[first], strength[first], pair[first]
    order = np.lexsort((pair, strength, tokens))
    return StrengthNull(tokens[order], strength[order], pair[order], 20)


@pytest.mark.parametrize("seed", range(5))
def test_null_share_counts_the_shuffled_pairs_that_are_at_least_as_strong(seed: int) -> None:
    null = _random_null(seed)
    asked = np.array([0, 3, 5, 7])
    strength = np.array([0.5, 0.125, 2.0, 0.1])
    slow = [
        (1 + sum(t == token and s >= value for t, s in zip(null.tokens, null.strength, strict=True))) / 21
        for token, value in zip(asked, strength, strict=True)
    ]
    np.testing.assert_allclose(null.share_at_least(asked, strength), slow)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_null", [None, 0.1, 0.3])
def test_shuffled_pairs_are_held_to_the_same_rule(seed: int, max_null: float | None) -> None:
    null = _random_null(seed)
    entries = list(zip(null.tokens.tolist(), null.strength.tolist(), null.pair.tolist(), strict=True))
    expected = set()
    for pair in range(20):
        passing = [
            (-s, t)
            for t, s, p in entries
            if p == pair and (max_null is None or sum(u == t and v >= s for u, v, _ in entries) / 20 <= max_null)
        ]
        expected |= {(token, pair) for _, token in sorted(passing)[:2]}
    tokens, pairs = null.kept(max_null, top=2)
    assert set(zip(tokens.tolist(), pairs.tolist(), strict=True)) == expected
