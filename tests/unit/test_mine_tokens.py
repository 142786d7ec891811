"""Whole words among tokens, their merging, and forms of words; associations from samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivotlens.mine.associations import Background, WordUnits, associate
from pivotlens.mine.corpus_pivots import shuffled_partners
from pivotlens.mine.tokens import TokenWords, is_whole_word
from pivotlens.statistics.association import npmi, signed_llr


@pytest.mark.parametrize(
    ("token", "whole"),
    [(" water", True), ("water", False), (" l'eau", True), ("水", True), (" 水", True), ("ー", False), (" is", False),
     (" 2024", False), ("แม่น้ำ", True), ("물", False), (" 물", True), (" �", False), ("", False), ("カメラ", True)],
)  # fmt: skip
def test_whole_words(token, whole):
    assert is_whole_word(token) == whole


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


def test_forms_and_pieces():
    grouped = words(" Katze", " Katzen", " Kat", " Katzenauge", " cat", " cats", " atze", "学", "校", "学校", " ice",
                    " cream", " creams", " scream")  # fmt: skip
    assert named(grouped.forms(["Katze"], "de"), grouped) == {"katze", "katzen", "kat"}
    assert named(grouped.forms(["cat"], "en"), grouped) == {"cat"}
    assert named(grouped.forms(["学校"], "zh"), grouped) == {"学", "校", "学校"}
    assert named(grouped.forms(["ice cream"], "en"), grouped) == {"ice", "cream", "creams"}
    assert grouped.forms([], "en").size == 0


def test_a_complete_sample_gives_dunnings_table():
    background = Background(1000, 1000, np.array([100, 0]))
    found = associate(WordUnits(50, 50, np.array([0]), np.array([20])), background, 5)
    np.testing.assert_allclose(found.npmi, npmi(20, 50, 100, 1000))
    np.testing.assert_allclose(found.llr, signed_llr(20, 30, 80, 870))
    np.testing.assert_allclose(found.excess(), 20 / 50 - 0.1)


def test_a_sample_scales_the_frequencies_and_not_the_evidence():
    # A tenth of everything was looked at: NPMI is as before, the likelihood ratio a tenth.
    background = Background(10_000, 1000, np.array([100]))
    found = associate(WordUnits(500, 50, np.array([0]), np.array([20])), background, 5)
    np.testing.assert_allclose(found.npmi, npmi(200, 500, 1000, 10_000))
    np.testing.assert_allclose(found.llr, signed_llr(20, 30, 80, 870))


def test_a_token_that_the_background_sample_missed_is_as_frequent_as_it_was_seen():
    found = associate(WordUnits(50, 50, np.array([0]), np.array([20])), Background(1000, 10, np.array([0])), 5)
    np.testing.assert_allclose(found.frequency, [20])
    assert np.isfinite(found.npmi).all()
    assert found.p_value[0] < 0.1
    empty = associate(
        WordUnits(0, 0, np.array([], dtype=int), np.array([], dtype=int)), Background(5, 5, np.ones(1)), 1
    )
    assert empty.lower_bounds().size == 0


@given(st.integers(0, 40), st.integers(0, 5))
def test_shuffles_pair_every_concept_with_another_one(concepts, seed):
    drawn = list(shuffled_partners(concepts, 3, seed))
    assert len(drawn) == (3 if concepts > 1 else 0)
    for partners in drawn:
        assert sorted(partners.tolist()) == list(range(concepts))
        assert not np.any(partners == np.arange(concepts))
