"""Contrasts, conditions, windows and the choice of items, against numbers worked by hand."""

import numpy as np
import pytest

from pivotlens.ablate.config import AblateConfig
from pivotlens.ablate.effects import (
    all_contrasts,
    conditions,
    contrasts,
    dose_curves,
    interval,
    matched_pairs,
    measured,
    removal_medians,
    side_effects,
)
from pivotlens.ablate.items import (
    AblatedItem,
    ChoiceBasis,
    Controls,
    choose_controls,
    choose_items,
    half_of,
    lens_tokens,
)
from pivotlens.ablate.window import WindowScore, best_window, candidates, early_window
from pivotlens.artifacts import Concept
from pivotlens.errors import ConfigError
from pivotlens.text import Direction

_FR_ZH = Direction("fr", "zh")


# -- windows


def test_windows_lie_around_the_median_peak_and_end_before_the_last_layers():
    assert candidates([13, 14, 16], 18, (2, 0, 1), 2) == [(14,), (13, 14, 15), (12, 13, 14, 15, 16)]
    assert candidates([17, 17], 18, (1, 2), 2) == [(15, 16), (14, 15, 16)]
    assert candidates([1], 4, (1, 3), 1) == [(1, 2), (1, 2, 3)]
    assert candidates([2], 3, (2, 5), 1) == [(1, 2)]
    with pytest.raises(ConfigError, match="last_layers = 2"):
        candidates([1], 2, (1,), 2)


def test_the_window_that_harms_most_beyond_another_pivot_is_chosen():
    scores = [WindowScore((3,), 5, -0.5, -0.1), WindowScore((2, 3, 4), 5, -0.9, -0.6), WindowScore((1, 2), 0, 0.0, 0.0)]
    assert best_window(scores) == (3,)
    assert best_window([WindowScore((3,), 5, -0.5, -0.1), WindowScore((2, 3, 4), 5, -0.7, -0.3)]) == (3,)
    assert best_window([WindowScore((3,), 0, 0.0, 0.0), WindowScore((2, 3, 4), 0, 0.0, 0.0)]) == (3,)


def test_the_early_window_is_as_wide_and_ends_before_the_window():
    assert early_window((12, 13, 14)) == (1, 2, 3)
    assert early_window((3, 4, 5)) == (1, 2)
    assert early_window((1, 2)) == ()


@pytest.mark.parametrize("settings", [{"doses": (0.5, 2.0)}, {"doses": (1.0, 0.5)}, {"doses": (0.0, 1.0)},
                                      {"half_widths": ()}, {"half_widths": (-1,)}])  # fmt: skip
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        AblateConfig.build({"command line": settings})


# -- contrasts


def row(concept, condition, change, *, behaviour="semantic_pivot", dose=1.0, repeat=0, clean=-5.0, **more):
    return {
        "source_language": "fr", "target_language": "zh", "concept_id": concept, "behaviour": behaviour,
        "half": "test", "condition": condition, "repeat": repeat, "dose": dose, "change": change,
        "clean_logprob": clean, "english_pivot": True, "correct": False, "kl": 0.1, "relative_norm": 0.01,
    } | more  # fmt: skip


_ROWS = [
    *(row(c, "own", -0.5 * d * k, dose=d) for d in (0.5, 1.0, 2.0) for c, k in (("a", 1), ("b", 2), ("c", 3))),
    *(row(c, "random", -0.1 * repeat, repeat=repeat) for repeat in (0, 1) for c in "abc"),
    *(row(c, "other", -0.2) for c in "ab"),
    row("a", "own", 9.0, half="window"),
    row("x", "own", -0.1, behaviour="direct", clean=-5.4),
    row("y", "own", -0.3, behaviour="direct", clean=-9.0),
    *(row(c, "random", 0.0, behaviour="direct") for c in "xy"),
]


def test_contrasts_are_paired_by_item_and_average_random_directions():
    found = contrasts(measured(_ROWS, "semantic_pivot"), measured(_ROWS, "direct"), (0.5, 1.0, 2.0))
    key = {name: ("fr", "zh", name) for name in "abc"}
    assert found["own"] == {key["a"]: -0.5, key["b"]: -1.0, key["c"]: -1.5}
    assert found["own_minus_random"] == pytest.approx({key["a"]: -0.45, key["b"]: -0.95, key["c"]: -1.45})
    assert found["own_minus_other"] == pytest.approx({key["a"]: -0.3, key["b"]: -0.8})
    assert found["own_minus_matched"] == {}
    assert found["dose_0.5_step"] == pytest.approx({key["a"]: -0.25, key["b"]: -0.5, key["c"]: -0.75})
    assert found["dose_2_step"] == pytest.approx({key["a"]: -0.5, key["b"]: -1.0, key["c"]: -1.5})
    # Only x is near enough, and it is paired once.
    assert len(found["own_minus_direct"]) == 1
    assert found["own_minus_direct"] == pytest.approx({key["a"]: -0.4})
    assert found["net_minus_direct"] == pytest.approx({key["a"]: -0.35})
    assert found["clean_minus_direct"] == pytest.approx({key["a"]: 0.4})


def test_pairs_are_the_nearest_of_one_direction_and_used_once():
    pivots = {("fr", "zh", "a"): -1.0, ("fr", "zh", "b"): -1.1, ("de", "ja", "a"): -1.0}
    direct = {("fr", "zh", "x"): -1.1, ("fr", "zh", "y"): -1.9, ("de", "ja", "x"): -2.5}
    assert matched_pairs(pivots, direct) == [
        (("fr", "zh", "b"), ("fr", "zh", "x")), (("fr", "zh", "a"), ("fr", "zh", "y")),
    ]  # fmt: skip


def test_the_interval_is_a_mean_over_directions_of_means_over_concepts():
    values = {("fr", "zh", "a"): 1.0, ("fr", "zh", "b"): 3.0, ("de", "ja", "a"): 6.0}
    n, concepts, (mean, low, high, p) = interval(values, 500, 0)
    assert (n, concepts, mean) == (3, 2, 4.0)
    assert low <= 4.0 <= high
    assert p == pytest.approx(0.5, abs=0.1)  # two concepts: two of four signs are as extreme
    assert interval({("fr", "zh", "a"): 1.0}, 500, 0) == (1, 1, (None, None, None, None))
    many = {("fr", "zh", str(i)): value for i, value in enumerate(np.random.default_rng(0).normal(1, 1, 200))}
    _, _, (mean, low, high, p) = interval(many, 500, 0)
    assert low < mean < high
    assert high - low == pytest.approx(2 * 1.96 / 200**0.5, rel=0.2)
    assert p < 0.001


def test_conditions_hold_where_every_interval_is_on_the_right_side():
    concepts = [f"c{i}" for i in range(12)]
    rows = []
    for place, concept in enumerate(concepts):
        jitter = 0.01 * place
        rows += [row(concept, "own", -d - jitter, dose=d) for d in (0.5, 1.0, 2.0)]
        rows += [row(concept, name, -0.1 + jitter) for name in ("random", "matched", "other", "early")]
        rows += [row(concept, "swap", 0.5 + jitter), row(concept, "swap_unrelated", 0.1)]
        rows += [row(f"d{place}", "own", -0.2, behaviour="direct"), row(f"d{place}", "random", 0, behaviour="direct")]
    found = conditions(all_contrasts(rows, (0.5, 1.0, 2.0), 200, 0), (0.5, 1.0, 2.0))
    held = {(one.direction_group, one.item_set, one.number): one.holds for one in found}
    assert all(held["neither_english", "all", number] for number in range(1, 6))
    assert held["neither_english", "correct", 1] is None
    assert held["with_english", "all", 1] is None
    assert "own -1.055 [" in next(one.rests_on for one in found if one.number == 1)
    for one in rows:
        if one["condition"] == "early":
            one["change"] = -5.0
    found = conditions(all_contrasts(rows, (0.5, 1.0, 2.0), 200, 0), (0.5, 1.0, 2.0))
    held = {(one.item_set, one.number): one.holds for one in found if one.direction_group == "neither_english"}
    assert held["all", 2] is False
    assert held["all", 1] is True


def test_side_effects_are_of_the_tested_half_at_dose_1():
    rows = [row(c, "own", -1.0, dose=d) for c in "ab" for d in (1.0, 2.0)]
    rows += [row(c, "unrelated_text", -0.25, kl=0.5) for c in "ab"]
    found = {(one["direction_group"], one["read"]): one for one in side_effects(rows, 100, 0)}
    assert found["neither_english", "own"]["n"] == 2
    assert found["neither_english", "own"]["change"] == -1.0
    assert found["neither_english", "unrelated_text"]["kl"] == 0.5
    assert found["neither_english", "unrelated_item"]["change"] is None
    assert found["with_english", "own"]["n"] == 0


def plain_mean(rows, resamples, seed):
    """The mean over directions of means over concepts, and its interval, by plain loops."""
    concepts = sorted({one["concept_id"] for one in rows})
    directions = sorted({(one["source_language"], one["target_language"]) for one in rows})
    values = {(one["source_language"], one["target_language"], one["concept_id"]): one["change"] for one in rows}

    def mean(drawn):
        means = []
        for direction in directions:
            found = [values[*direction, concepts[place]] for place in drawn if (*direction, concepts[place]) in values]
            means += [np.mean(found)] if found else []
        return np.mean(means) if means else np.nan

    draws = np.random.default_rng(seed).integers(0, len(concepts), size=(resamples, len(concepts)))
    drawn = np.array([mean(draw) for draw in draws])
    return mean(range(len(concepts))), *np.quantile(drawn[~np.isnan(drawn)], [0.025, 0.975])


def test_dose_curves_are_means_of_a_scope_as_a_plain_loop_makes_them():
    rng = np.random.default_rng(3)
    rows = [
        row(f"c{number}", "own", rng.normal(), dose=dose, target_language=target, behaviour=behaviour)
        for number in range(6)
        for dose in (0.5, 1.0)
        for target in ("zh", "ja", "en")
        for behaviour in ("semantic_pivot", "direct")
        if number or target == "zh"
    ]
    rows += [row("c9", "own", 5.0, half="window"), row("c9", "random", 5.0), row("c9", "own", -1.0, dose=2.0)]
    found = {
        (one["direction_group"], one["behaviour"], one["dose"]): one
        for one in dose_curves(rows, (0.5, 1.0, 2.0), 200, 4)
    }
    assert len(found) == 2 * 2 * 2 + 1
    for (group, behaviour, dose), one in found.items():
        chosen = [
            each
            for each in rows
            if (each["behaviour"], each["half"], each["condition"], each["dose"]) == (behaviour, "test", "own", dose)
            and (each["target_language"] == "en") == (group == "with_english")
        ]
        assert one["n"] == len(chosen)
        if dose == 2.0:  # one concept has no interval
            assert (one["concepts"], one["mean"], one["ci_low"], one["ci_high"]) == (1, None, None, None)
        else:
            assert (one["mean"], one["ci_low"], one["ci_high"]) == pytest.approx(plain_mean(chosen, 200, 4))
    assert dose_curves([], (0.5, 1.0), 200, 0) == []


def test_removals_are_medians_of_the_tested_pivot_items():
    rng = np.random.default_rng(5)
    names = ("pivot_prob_clean", "pivot_prob", "kl", "relative_norm")
    rows = [
        row(f"c{number}", "own", -1.0, dose=dose, **dict(zip(names, rng.random(4), strict=True)))
        for dose in (2.0, 0.5)
        for number in range(4 if dose == 2.0 else 3)
    ]
    others = [row("x", "own", 0, behaviour="direct"), row("x", "random", 0), row("x", "own", 0, half="window")]
    found = removal_medians([*rows, *others])
    assert [(one["dose"], one["n"]) for one in found] == [(0.5, 3), (2.0, 4)]
    for one in found:
        for name in names:
            assert one[name] == pytest.approx(np.median([each[name] for each in rows if each["dose"] == one["dose"]]))
    assert removal_medians(others) == []


# -- items and controls


class Pieces:
    """Whole words as tokens."""

    vocabulary = ("", " eau", " 水", " water", " Wasser", " agua", " house", " maison", " 家", " tree", " arbre", " 树",
                  " often", " rarely", "s", " casa", " Baum")  # fmt: skip

    def __init__(self):
        self.texts = dict(enumerate(self.vocabulary))

    def first(self, word):
        return self.vocabulary.index(f" {word}") if f" {word}" in self.vocabulary else None


def concept(name, **words):
    return Concept(name, "test", True, "noun", words, {key: (word,) for key, word in words.items()}, (), ())


_CONCEPTS = {
    "water": concept("water", en="water", fr="eau", zh="水", de="Wasser", es="agua"),
    "house": concept("house", en="house", fr="maison", zh="家", de="Wasser", es="casa"),
    "tree": concept("tree", en="tree", fr="arbre", zh="树", de="Baum", es="agua"),
}


def token_row(concept_id, token, prob, role="", relation="", layer=3):
    return {"concept_id": concept_id, "layer": layer, "token_id": token, "token": Pieces.vocabulary[token],
            "prob": prob, "role": role, "relation": relation}  # fmt: skip


_SEEN = lens_tokens(
    [
        token_row("water", 3, 0.9, "english", "translation:en"),
        token_row("water", 12, 0.04),
        token_row("house", 6, 0.6, "english", "translation:en"),
        token_row("house", 12, 0.05),
        token_row("house", 3, 0.05),
        token_row("house", 13, 0.5),
        token_row("tree", 9, 0.3, "pivot", "hypernym"),
        token_row("tree", 14, 0.9),
        token_row("tree", 13, 0.9, layer=5),
        token_row("tree", 9, 0.9, "pivot", "hypernym", layer=0),
    ],
    last_layer=5,
)


def test_the_frequency_in_the_lens_counts_words_between_the_ends():
    assert _SEEN.mass == pytest.approx({3: 0.95, 12: 0.09, 6: 0.6, 13: 0.5, 9: 0.3})
    assert _SEEN.english == {"water": 3, "house": 6}
    assert _SEEN.linked == {"water": {3}, "house": {6}, "tree": {9}}


def items(most=10, seed=0):
    traced = [
        {"concept_id": name, "source_word": one.words["fr"], "target_token_id": target, "same_spelling": False,
         "ambiguous": name == "ambiguous", "n_space_tokens": 0, "correct": True}
        for (name, one), target in zip(_CONCEPTS.items(), (2, 8, 11), strict=True)
    ]  # fmt: skip
    labels = {
        "water": {"behaviour": "semantic_pivot", "token_id": 3, "layer": 3},
        "house": {"behaviour": "semantic_pivot", "token_id": 6, "layer": 4},
        "tree": {"behaviour": "direct", "token_id": 11, "layer": 4},
    }
    return choose_items(traced, labels, _CONCEPTS, ChoiceBasis(_FR_ZH, _SEEN, Pieces(), seed), most)


def test_items_carry_their_pivot_and_direct_ones_their_english_word():
    seed = next(seed for seed in range(100) if half_of("tree", seed) == "test")
    found = {item.concept.concept_id: item for item in items(seed=seed)}
    assert (found["water"].pivot, found["water"].source, found["water"].target) == (3, 1, 2)
    assert found["water"].english_pivot
    assert (found["tree"].behaviour, found["tree"].pivot, found["tree"].half) == ("direct", 9, "test")
    assert len(items(most=1, seed=seed)) == 2
    other = next(seed for seed in range(100) if half_of("tree", seed) == "window")
    assert "tree" not in {item.concept.concept_id for item in items(seed=other)}  # direct items choose no window


def test_halves_are_about_equal_and_follow_from_the_seed():
    halves = [half_of(f"concept {number}", 0) for number in range(1000)]
    assert 450 < halves.count("test") < 550
    assert halves != [half_of(f"concept {number}", 1) for number in range(1000)]


def test_controls_have_nothing_to_do_with_the_item():
    seed = next(seed for seed in range(100) if half_of("tree", seed) == "test")
    found = items(seed=seed)
    by_name = {item.concept.concept_id: item for item in found}
    controls = choose_controls(by_name["water"], found, ChoiceBasis(_FR_ZH, _SEEN, Pieces(), seed))
    assert controls.other is by_name["house"]
    assert controls.unrelated is None  # there is no third pivot
    assert controls.matched in (12, 13)
    assert controls.synonym == 4  # the German word: neither French, Chinese nor English
    assert choose_controls(by_name["tree"], found, ChoiceBasis(_FR_ZH, _SEEN, Pieces(), seed)).other in found[:2]
    assert controls == choose_controls(by_name["water"], found, ChoiceBasis(_FR_ZH, _SEEN, Pieces(), seed))


def test_an_item_alone_has_no_other():
    item = AblatedItem(_CONCEPTS["water"], "semantic_pivot", "test", True, 3, 3, True, 1, 2, 0)
    controls = choose_controls(item, [item], ChoiceBasis(_FR_ZH, _SEEN, Pieces(), 0))
    assert controls == Controls(matched=controls.matched, synonym=4)
