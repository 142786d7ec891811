"""Every rule of the trace on items made by hand."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivotlens.trace import behaviours
from pivotlens.trace.behaviours import (
    ItemView,
    authors_peak,
    authors_threshold,
    calibrated,
    calibrated_linked,
    onset,
    peak,
    rules,
    specific,
)

_SOURCE, _TARGET, _PIVOT, _OTHER, _JUNK, _LINKED_TOO = 1, 2, 3, 4, 5, 6


def view(*layers: list[tuple[int, float]], baseline: float | dict[int, float] = 0.0, **more: Any) -> ItemView:
    """An item from the tokens kept at each layer: source 1, target 2, linked 3 and 6, junk (no word) 5."""
    ids = np.array([[token for token, _ in layer] for layer in layers])
    probs = np.array([[prob for _, prob in layer] for layer in layers])
    base = (
        np.full(probs.shape, baseline)
        if isinstance(baseline, float)
        else np.vectorize(lambda token: baseline.get(token, 0.0), otypes=[float])(ids)
    )
    return ItemView(
        token_ids=ids,
        probs=probs,
        baseline=base,
        target=ids == _TARGET,
        source=ids == _SOURCE,
        linked=np.isin(ids, [_PIVOT, _LINKED_TOO]),
        word=ids != _JUNK,
        shares_token=more.get("shares_token", False),
        source_is_english=more.get("source_is_english", False),
    )


def two(first: int, prob: float, second: int = _OTHER, rest: float = 0.01) -> list[tuple[int, float]]:
    return [(first, prob), (second, rest)]


_LAST = two(_TARGET, 0.6)


# -- peak


@pytest.mark.parametrize(
    ("token", "label"),
    [(_TARGET, "direct"), (_SOURCE, "copy"), (_PIVOT, "semantic_pivot"), (_OTHER, "semantic_pivot"),
     (_JUNK, "semantic_pivot")],
)  # fmt: skip
def test_peak(token, label):
    found = peak(view(two(9, 0.99), two(_OTHER, 0.3), two(token, 0.9), _LAST))
    assert (found.label, found.layer, found.rank, found.prob) == (label, 2, 0, 0.9)


def test_peak_at_the_last_layer_is_direct_whatever_it_says():
    for token in (_TARGET, _SOURCE, _OTHER):
        assert peak(view(two(9, 0.1), two(_PIVOT, 0.5), two(token, 0.8))).label == "direct"


def test_peak_on_the_output_of_the_model_is_direct_even_before():
    found = peak(view(two(9, 0.1), two(_SOURCE, 0.9), two(_SOURCE, 0.8)))
    assert (found.label, found.layer) == ("direct", 1)


def test_peak_takes_the_earlier_of_equal_layers_and_authors_peak_the_later():
    item = view(two(9, 0.1), two(_PIVOT, 0.7), two(_SOURCE, 0.7), two(_TARGET, 0.4))
    assert (peak(item).label, peak(item).layer) == ("semantic_pivot", 1)
    assert (authors_peak(item).label, authors_peak(item).layer) == ("direct", 2)
    # A tie with the last layer goes to the last layer.
    item = view(two(9, 0.1), two(_PIVOT, 0.7), two(_TARGET, 0.7))
    assert (authors_peak(item).label, authors_peak(item).layer) == ("direct", 2)


def test_no_rule_reads_the_embeddings():
    item = view(two(_PIVOT, 1.0), two(_OTHER, 0.01), _LAST)
    assert peak(item).layer == 2
    assert authors_peak(item).layer == 2
    assert authors_threshold(item).label == "direct"
    assert calibrated(item, 3, 0.05).label == "none"
    assert onset(item, 3, 0.05).label == "direct"


def test_english_as_source_is_named():
    layers = (two(9, 0.1), two(_SOURCE, 0.9), _LAST)
    assert peak(view(*layers, source_is_english=True)).label == "source_or_english"
    assert calibrated(view(*layers, source_is_english=True), 3, 0.05).label == "source_or_english"
    assert calibrated(view(*layers), 3, 0.05).label == "copy"


# -- the authors' rules


@pytest.mark.parametrize(
    ("token", "label"),
    [(_TARGET, "direct"), (_SOURCE, "direct"), (_PIVOT, "semantic_pivot"), (_JUNK, "semantic_pivot")],
)
def test_authors_peak(token, label):
    found = authors_peak(view(two(9, 0.99), two(token, 0.9), _LAST))
    assert (found.label, found.layer) == (label, 1)


def test_authors_peak_calls_a_target_token_that_is_not_the_output_a_pivot():
    item = view(two(9, 0.1), two(_TARGET, 0.9), two(_OTHER, 0.5))
    assert authors_peak(item).label == "semantic_pivot"
    assert peak(item).label == "direct"


def test_authors_peak_drops_items_that_share_a_token():
    found = authors_peak(view(two(9, 0.1), two(_PIVOT, 0.9), _LAST, shares_token=True))
    assert found.label == "dropped"
    assert (found.layer, found.rank) == (-1, -1)
    assert np.isnan(found.prob)


def test_authors_threshold():
    found = authors_threshold(view(two(9, 0.9), two(_OTHER, 0.1), two(_JUNK, 0.3), two(_TARGET, 0.9)))
    assert (found.label, found.layer, found.prob) == ("semantic_pivot", 2, 0.3)
    assert authors_threshold(view(two(9, 0.9), two(_OTHER, 0.0999), two(_SOURCE, 0.8), _LAST)).label == "direct"
    # only the best token of a layer counts
    item = view(two(9, 0.9), two(_TARGET, 0.5, _OTHER, 0.4), _LAST)
    assert (authors_threshold(item).label, authors_threshold(item).layer) == ("direct", 2)
    # a wrong answer at the last layer counts too
    assert authors_threshold(view(two(9, 0.9), two(_TARGET, 0.5), two(_OTHER, 0.4))).label == "semantic_pivot"


# -- specific


def test_specific_needs_probability_ratio_and_a_word():
    item = view([(_PIVOT, 0.05), (_OTHER, 0.049), (_JUNK, 0.9)], baseline={_PIVOT: 0.0166, _OTHER: 0.0})
    assert specific(item, 3, 0.05).tolist() == [[True, False, False]]
    item = view([(_PIVOT, 0.75), (_OTHER, 0.75)], baseline={_PIVOT: 0.25, _OTHER: 0.26})
    assert specific(item, 3, 0.05).tolist() == [[True, False]]


def test_short_pieces_of_the_target_count():
    item = view([(_SOURCE, 0.5), (_TARGET, 0.4)])
    short = dataclasses.replace(item, word=np.zeros_like(item.word))
    assert specific(short, 3, 0.05).tolist() == [[False, True]]


def test_without_a_baseline_nothing_is_specific():
    item = view(two(9, 0.1), two(_PIVOT, 0.9), _LAST, baseline=float("nan"))
    assert not specific(item, 3, 0.05).any()
    assert calibrated(item, 3, 0.05).label == "none"
    assert onset(item, 3, 0.05).label == "none"


# -- calibrated


@pytest.mark.parametrize(
    ("token", "label"),
    [(_TARGET, "direct"), (_SOURCE, "copy"), (_PIVOT, "semantic_pivot"), (_OTHER, "semantic_pivot")],
)
def test_calibrated(token, label):
    # The most probable token of the layer is no word, so the second one decides.
    layers = (two(9, 0.9), [(_JUNK, 0.5), (token, 0.3)], two(_OTHER, 0.2), two(7, 0.03, token, 0.03), _LAST)
    found = calibrated(view(*layers), 3, 0.05)
    assert (found.label, found.layer, found.rank, found.prob) == (label, 1, 1, 0.3)


@pytest.mark.parametrize(
    ("token", "label"),
    [(_TARGET, "direct"), (_SOURCE, "copy"), (_PIVOT, "semantic_pivot"), (_OTHER, "other")],
)
def test_calibrated_linked_asks_a_dictionary(token, label):
    item = view(two(9, 0.9), [(_JUNK, 0.5), (token, 0.3)], two(_OTHER, 0.2), two(7, 0.03, token, 0.03), _LAST)
    found = calibrated_linked(item, 3, 0.05)
    assert (found.label, found.layer, found.rank, found.prob) == (label, 1, 1, 0.3)
    assert (found.layer, found.rank) == (calibrated(item, 3, 0.05).layer, calibrated(item, 3, 0.05).rank)


def test_a_word_that_nothing_knows_must_last():
    for second, label in ((0.05, "semantic_pivot"), (0.049, "none")):
        item = view(two(_OTHER, 0.9), two(_OTHER, 0.6), two(9, 0.04, _OTHER, second), two(_TARGET, 0.9, _OTHER, 0.1))
        assert calibrated(item, 3, 0.1).label == label
    for first, second, label in ((0.2, 0.1, "semantic_pivot"), (0.19, 0.1, "none"), (0.9, 0.0, "none")):
        item = view(two(9, 0.01), two(_OTHER, first), two(9, 0.01, _OTHER, second), two(_TARGET, 0.9))
        assert calibrated(item, 3, 0.1).label == label
    # one that is linked, a side's or the answer need not
    for token, label in ((_PIVOT, "semantic_pivot"), (_SOURCE, "copy"), (_TARGET, "direct"), (_OTHER, "direct")):
        item = view(two(9, 0.01), two(token, 0.6), two(9, 0.04), two(token if token == _OTHER else _TARGET, 0.9))
        assert calibrated(item, 3, 0.1).label == label


@given(st.integers(0, 2**32 - 1))
def test_what_is_specific_against_a_plain_loop(seed):
    random = np.random.default_rng(seed)
    layers, width = int(random.integers(1, 7)), int(random.integers(1, 5))
    ids = np.array([random.permutation(8)[:width] for _ in range(layers)])
    probs = -np.sort(-random.choice([0.0, 0.04, 0.05, 0.1, 0.4], size=ids.shape))
    baseline = random.choice([0.0, 0.03, np.nan], size=ids.shape)
    item = view(*([*zip(row, values, strict=True)] for row, values in zip(ids, probs, strict=True)))
    item = dataclasses.replace(item, baseline=baseline)
    found = specific(item, 3, 0.1)
    for layer, rank in np.ndindex(ids.shape):
        token, prob, usual = ids[layer, rank], probs[layer, rank], baseline[layer, rank]
        seen = [probs[j, i] for j in range(1, layers - 1) for i in range(width) if ids[j, i] == token]
        seen = [one for one in seen if one >= 0.05]
        known = token in (_SOURCE, _TARGET, _PIVOT, _LINKED_TOO) or token == ids[-1, 0]
        lasting = len(seen) >= 2 and sum(seen) >= 3 * 0.1
        expected = prob >= 0.1 and prob >= 3 * usual and token != _JUNK and (known or lasting)
        assert found[layer, rank] == expected


def test_calibrated_leaves_out_what_every_concept_shows():
    layers = (two(9, 0.1), two(_OTHER, 0.95), two(_PIVOT, 0.4, _OTHER, 0.05), _LAST)
    assert calibrated_linked(view(*layers), 3, 0.05).label == "other"
    assert calibrated_linked(view(*layers, baseline={_OTHER: 0.4}), 3, 0.05).label == "semantic_pivot"
    assert calibrated(view(*layers), 3, 0.05).layer == 1
    assert calibrated(view(*layers, baseline={_OTHER: 0.4}), 3, 0.05).layer == 2


def test_calibrated_does_not_read_the_last_layer():
    assert calibrated(view(two(9, 0.1), two(_PIVOT, 0.06), two(_TARGET, 0.99)), 3, 0.05).label == "semantic_pivot"
    assert calibrated(view(two(9, 0.1), two(_PIVOT, 0.04), two(_TARGET, 0.99)), 3, 0.05).label == "none"


def test_calibrated_counts_the_models_own_answer_as_direct():
    found = calibrated(view(two(9, 0.1), two(_OTHER, 0.9), two(_OTHER, 0.5)), 3, 0.05)
    assert (found.label, found.layer) == ("direct", 1)
    found = calibrated(view(two(9, 0.1), two(_PIVOT, 0.9), two(_PIVOT, 0.5)), 3, 0.05)
    assert found.label == "direct"


def test_calibrated_takes_the_earlier_of_equal_layers():
    found = calibrated(view(two(9, 0.1), two(_PIVOT, 0.5), two(_SOURCE, 0.5), _LAST), 3, 0.05)
    assert (found.label, found.layer) == ("semantic_pivot", 1)


def test_a_model_of_one_block_has_no_layer_before_its_last():
    assert calibrated(view(two(9, 0.1), _LAST), 3, 0.05).label == "none"


# -- onset


def test_onset_pivot_two_layers_before_the_target():
    item = view(two(9, 0.1), two(_PIVOT, 0.2), two(_LINKED_TOO, 0.3), two(_TARGET, 0.9), _LAST)
    found = onset(item, 3, 0.05)
    assert (found.label, found.layer, found.prob) == ("semantic_pivot", 2, 0.3)
    assert calibrated(item, 3, 0.05).label == "direct"  # the late target is the peak


def test_onset_one_layer_is_not_enough():
    item = view(two(9, 0.1), two(_PIVOT, 0.2), two(_TARGET, 0.3), two(_PIVOT, 0.9), _LAST)
    found = onset(item, 3, 0.05)
    assert (found.label, found.layer, found.prob) == ("direct", 2, 0.3)


def test_onset_at_the_layer_of_the_target_is_too_late():
    both = [(_PIVOT, 0.5), (_TARGET, 0.3)]
    item = view(two(9, 0.1), two(_PIVOT, 0.2), both, both, _LAST)
    found = onset(item, 3, 0.05)
    assert (found.label, found.layer, found.rank) == ("direct", 2, 1)


def test_onset_does_not_count_unlinked_tokens_nor_the_answer():
    assert onset(view(two(9, 0.1), two(_OTHER, 0.9), two(_OTHER, 0.9), _LAST), 3, 0.05).label == "direct"
    answer = two(_PIVOT, 0.9)
    assert onset(view(two(9, 0.1), answer, answer, answer), 3, 0.05).label == "none"


def test_onset_without_a_target():
    item = view(two(9, 0.1), two(_PIVOT, 0.2), two(_PIVOT, 0.4), two(_OTHER, 0.9))
    assert (onset(item, 3, 0.05).label, onset(item, 3, 0.05).layer) == ("semantic_pivot", 2)
    assert onset(view(two(9, 0.1), two(_SOURCE, 0.2), two(_OTHER, 0.9)), 3, 0.05).label == "none"


def test_rules_by_name():
    found = rules(3.0, 0.05)
    assert list(found) == ["calibrated", "calibrated_linked", "onset", "peak", "authors_peak", "authors_threshold"]
    item = view(two(9, 0.1), two(_PIVOT, 0.2), two(_PIVOT, 0.3), two(_TARGET, 0.6))
    assert {name: rule(item).label for name, rule in found.items()} == {
        "calibrated": "semantic_pivot", "calibrated_linked": "semantic_pivot", "onset": "semantic_pivot",
        "peak": "direct", "authors_peak": "direct", "authors_threshold": "semantic_pivot",
    }  # fmt: skip
    assert rules(3.0, 0.4)["calibrated"](item).label == "none"


def test_a_rule_is_one_entry_of_the_registry(monkeypatch):
    assert [row["rule"] for row in behaviours.rule_rows()] == list(rules(3.0, 0.05))
    never = behaviours.Rule("never", "Says nothing.", lambda view, ratio, threshold: behaviours.Behaviour("none"))
    monkeypatch.setattr(behaviours, "RULES", (*behaviours.RULES, never))
    assert behaviours.rule_rows()[-1] == {"rule": "never", "note": "Says nothing."}
    item = view(two(9, 0.1), two(_PIVOT, 0.2), two(_PIVOT, 0.3), two(_TARGET, 0.6))
    assert rules(3.0, 0.05)["never"](item).label == "none"
