"""Agreement, strata and kinds of pivots, from small tables of labels made by hand."""

import numpy as np
import pyarrow as pa
import pytest

from pivotlens.artifacts import SCHEMAS
from pivotlens.statistics.bootstrap import resample_indices
from pivotlens.statistics.kappa import cohen_kappa
from pivotlens.trace.agreement import agreement_between_shot_sets, agreement_rows, labels_of
from pivotlens.trace.label_counts import label_rows, threshold_rows, token_rows
from pivotlens.trace.lens_shares import lens_layer_rows, lens_share_rows
from pivotlens.trace.pivot_kinds import (
    pivot_count_rows,
    pivot_language_rows,
    pivot_link_rows,
    pivot_rows,
    pivot_summary_rows,
    relation_kind,
)
from pivotlens.trace.profiles import profile_rows
from pivotlens.trace.summary import TracedItems, strata_rows, summary_rows

_PIVOT = "semantic_pivot"


def behaviour(direction: str, concept: str, label: str, rule: str = "calibrated", shot_set: int = 0, **more: object):
    source, target = direction.split("-")
    row = {
        "model": "m", "prompt": "english", "shot_set": shot_set, "source_language": source, "target_language": target,
        "concept_id": concept, "rule": rule, "behaviour": label, "languages": None, "relation": None, "layer": 3,
        "pivot_language": "english" if label == _PIVOT else None,
    }  # fmt: skip
    return row | more


def item(direction: str, concept: str, **more: object):
    source, target = direction.split("-")
    row = {
        "model": "m", "prompt": "english", "shot_set": 0, "source_language": source, "target_language": target,
        "concept_id": concept, "same_spelling": False, "correct": True, "n_target_tokens": 2, "n_space_tokens": 1,
        "pos": "noun", "band": "high",
    }  # fmt: skip
    return row | more


# -- agreement


def test_kappa_by_hand():
    # Of 50, 20 + 15 alike; by chance .5·.6 + .5·.4 = .5; (.7 − .5) / (1 − .5) = .4 (Cohen's own kind of example).
    assert float(cohen_kappa(np.array([[20.0, 5.0], [10.0, 15.0]]))) == pytest.approx(0.4)
    assert float(cohen_kappa(np.eye(3))) == 1.0
    assert float(cohen_kappa(np.array([[0.0, 5.0], [5.0, 0.0]]))) == pytest.approx(-1.0)
    assert np.isnan(cohen_kappa(np.array([[7.0, 0.0], [0.0, 0.0]])))
    assert np.isnan(cohen_kappa(np.zeros((2, 2))))


def test_rules_lenses_and_shot_sets_are_compared():
    rows = [behaviour("fr-zh", f"c{i}", label) for i, label in enumerate([_PIVOT] * 3 + ["direct"] * 3)]
    rows += [behaviour("fr-zh", f"c{i}", label, "peak") for i, label in enumerate([_PIVOT] * 4 + ["direct"] * 2)]
    rows += [behaviour("fr-zh", f"c{i}", "direct", shot_set=1) for i in range(6)]
    labels = labels_of(rows, "m", "english")
    tuned = labels_of([behaviour("fr-zh", f"c{i}", _PIVOT) for i in range(6)]
                      + [behaviour("fr-zh", f"c{i}", _PIVOT, "peak") for i in range(6)], "m", "english")  # fmt: skip
    found = {
        (row["kind"], row["first"], row["second"]): row
        for row in agreement_rows(labels | {("peak", 1): labels["peak", 0]}, tuned, 200, 0)
    }
    rules = found["rules", "calibrated", "peak"]
    assert rules["n"] == 6
    assert rules["agreement"] == pytest.approx(5 / 6)
    assert (
        rules["kappa"] == rules["kappa_pivot"] == pytest.approx(float(cohen_kappa(np.array([[3.0, 0.0], [1.0, 2.0]]))))
    )
    assert rules["kappa_low"] <= rules["kappa"] <= rules["kappa_high"]
    assert found["lenses", "calibrated, raw", "calibrated, tuned"]["agreement"] == pytest.approx(0.5)
    assert found["shot sets", "calibrated, set 0", "calibrated, set 1"]["agreement"] == pytest.approx(0.5)
    assert found["shot sets", "peak, set 0", "peak, set 1"]["kappa"] == pytest.approx(1.0)
    assert agreement_between_shot_sets(labels) == pytest.approx(0.5)
    assert agreement_between_shot_sets({("calibrated", 0): labels["calibrated", 0]}) is None


def test_intervals_of_kappa_resample_concepts_not_items():
    """Ten directions of the same two concepts are two observations: the interval is as wide as that."""
    rows, other = [], []
    for target in "abcdefghij":
        rows += [behaviour(f"x-{target}", "c0", _PIVOT), behaviour(f"x-{target}", "c1", "direct")]
        other += [behaviour(f"x-{target}", "c0", _PIVOT, "peak"), behaviour(f"x-{target}", "c1", _PIVOT, "peak")]
    (row,) = agreement_rows(labels_of(rows + other, "m", "english"), {}, 500, 0)
    assert row["kappa"] == pytest.approx(0.0)
    assert row["n"] == 20


# -- strata


@pytest.fixture
def traced():
    facts = [
        item("fr-zh", "c0"), item("fr-zh", "c1", correct=False), item("fr-zh", "c2", same_spelling=True, pos="verb"),
        item("de-ja", "c0", n_target_tokens=4), item("de-ja", "c1"), item("de-ja", "c2"),
        item("en-fr", "c0"), item("en-fr", "c1"), item("en-fr", "c2"),
        item("fr-en", "c0"), item("fr-en", "c1"), item("fr-en", "c2"),
    ]  # fmt: skip
    labels = [_PIVOT, _PIVOT, "direct", _PIVOT, "direct", "direct", "direct", "direct", "copy", _PIVOT, "none", "none"]
    rows = [
        behaviour(f"{one['source_language']}-{one['target_language']}", one["concept_id"], label)
        for one, label in zip(facts, labels, strict=True)
    ]
    return TracedItems.of(facts, "m", "english"), labels_of(rows, "m", "english")


def test_the_headline_is_of_directions_with_neither_side_english(traced):
    rows = strata_rows(*traced, 200, 0)
    share = {
        (row["direction_group"], row["stratum"], row["value"], row["behaviour"]): (row["n"], row["share"])
        for row in rows
    }
    n, value = share["neither_english", "all", "", _PIVOT]
    assert n == 6
    assert value == pytest.approx((2 / 3 + 1 / 3) / 2)  # the mean of the directions' shares
    assert share["source_english", "all", "", "copy"] == (3, pytest.approx(1 / 3))
    assert share["target_english", "all", "", _PIVOT] == (3, pytest.approx(1 / 3))
    assert share["neither_english", "answer", "wrong", _PIVOT] == (1, pytest.approx(1.0))
    assert share["neither_english", "spelling", "same", "direct"] == (1, pytest.approx(1.0))
    assert share["neither_english", "pieces", "3 or more", _PIVOT] == (1, pytest.approx(1.0))
    assert share["neither_english", "pieces", "1", _PIVOT][0] == 5
    assert share["neither_english", "pos", "verb", "direct"] == (1, pytest.approx(1.0))
    assert share["neither_english", "band", "high", _PIVOT][0] == 6


def test_shares_of_an_empty_stratum_are_absent(traced):
    rows = [row for row in strata_rows(*traced, 200, 0) if row["value"] == "2"]
    assert rows
    assert all(row["n"] == 0 and np.isnan(row["share"]) for row in rows)


def test_shares_by_direction_against_a_count(traced):
    items, labels = traced
    rows = summary_rows(items, labels, 200, 0)
    for row in rows:
        chosen = []
        for (source, target, concept), label in labels["calibrated", 0].items():
            fact = items.facts[source, target, concept]
            kept = {"all": True, "different_spelling": not fact["same_spelling"],
                    "correct": fact["correct"] and not fact["same_spelling"]}[row["item_set"]]  # fmt: skip
            if (source, target) == (row["source_language"], row["target_language"]) and kept:
                chosen.append(label)
        assert row["n"] == len(chosen)
        assert row["share"] == pytest.approx(chosen.count(row["behaviour"]) / len(chosen))
        assert row["ci_low"] <= row["share"] <= row["ci_high"]
    shares: dict[tuple[str, str, str], float] = {}
    for row in rows:
        key = row["source_language"], row["target_language"], row["item_set"]
        shares[key] = shares.get(key, 0.0) + row["share"]
    assert all(total == pytest.approx(1.0) for total in shares.values())


# -- pivots


def test_pivots_are_counted_by_language_relation_and_layer():
    english = {"languages": ["en"], "relation": "translation:en"}
    rows = [
        behaviour("fr-zh", "c0", _PIVOT, **english),
        behaviour("fr-zh", "c1", _PIVOT, **english),
        behaviour("fr-zh", "c2", _PIVOT, languages=["en", "es"], relation="hypernym", layer=4),
        behaviour("fr-zh", "c3", "direct"),
        behaviour("fr-zh", "c4", _PIVOT, shot_set=1, **english),
        behaviour("fr-zh", "c0", _PIVOT, "peak"),
    ]
    assert [
        (row["languages"], row["relation"], row["layer"], row["n"], pytest.approx(row["share"]))
        for row in pivot_rows(rows)
    ] == [("en", "translation:en", 3, 2, 2 / 3), ("en+es", "hypernym", 4, 1, 1 / 3)]
    assert pivot_rows([]) == []


def test_shares_of_pivots_by_language_add_up_to_the_share_of_pivots(traced):
    items, labels = traced
    kinds = ("english", "target", "not_told")
    rows = [
        behaviour(f"{source}-{target}", concept, label, rule)
        | {"pivot_language": kinds[number % 3] if label == _PIVOT else None}
        for (rule, shot_set), found in labels.items()
        if shot_set == 0
        for number, ((source, target, concept), label) in enumerate(found.items())
    ]
    split = pivot_language_rows(items, rows, 200, 0)
    whole = {
        (row["direction_group"], "all", row["rule"]): row["share"]
        for row in strata_rows(items, labels, 200, 0)
        if row["stratum"] == "all" and row["behaviour"] == _PIVOT
    } | {
        (f"{row['source_language']}-{row['target_language']}", row["item_set"], row["rule"]): row["share"]
        for row in summary_rows(items, labels, 200, 0)
        if row["behaviour"] == _PIVOT and row["item_set"] != "correct"
    }
    parts: dict[tuple[str, str, str], float] = {}
    for row in split:
        key = row["direction_group"], row["item_set"], row["rule"]
        parts[key] = parts.get(key, 0.0) + row["share"]
        assert row["ci_low"] <= row["share"] <= row["ci_high"]
    assert whole
    assert all(parts[key] == pytest.approx(share) for key, share in whole.items())
    shown = {(row["pivot_language"], row["share"] > 0) for row in split}
    assert {("english", True), ("target", True), ("third", False)} <= shown


# -- profiles


def layer_table(rows):
    base = {"model": "m", "prompt": "english", "shot_set": 0, "source_language": "fr", "target_language": "zh"}
    names = SCHEMAS["trace/layers"].names
    filled = [{name: (base | row).get(name) for name in names} for row in rows]
    return pa.Table.from_pylist(filled, schema=SCHEMAS["trace/layers"])


def test_profiles_are_means_and_bands_as_a_plain_loop_makes_them():
    values = np.random.default_rng(1).random((7, 3))
    values[2, 1] = np.nan
    values[:, 2] = np.nan  # no item has a figure at the last layer
    rows = [
        {"concept_id": f"c{item}", "layer": layer, "entropy": 2.0 + layer}
        | {"mass_target": None if np.isnan(values[item, layer]) else values[item, layer]}
        for item in range(7)
        for layer in range(3)
    ]
    found = profile_rows(layer_table(rows), 400, 5)
    assert {row["figure"] for row in found} == {"entropy", "mass_target"}
    assert {(row["model"], row["prompt"], row["source_language"]) for row in found} == {("m", "english", "fr")}
    target = {row["layer"]: row for row in found if row["figure"] == "mass_target"}
    assert [target[layer]["n"] for layer in range(3)] == [7, 6, 0]
    assert (target[2]["mean"], target[2]["ci_low"], target[2]["ci_high"]) == (None, None, None)
    for layer in (0, 1):
        means = [np.nanmean(values[index, layer]) for index in resample_indices(7, 400, 5)]
        assert target[layer]["mean"] == pytest.approx(np.nanmean(values[:, layer]))
        assert (target[layer]["ci_low"], target[layer]["ci_high"]) == pytest.approx(
            tuple(np.quantile(means, [0.025, 0.975]))
        )
    entropy = [row["mean"] for row in found if row["figure"] == "entropy"]
    assert entropy == [2.0, 3.0, 4.0]


def test_profiles_of_one_item_and_of_none():
    (row,) = profile_rows(layer_table([{"concept_id": "a", "layer": 0, "entropy": 2.5}]), 100, 0)
    assert (row["n"], row["mean"], row["ci_low"], row["ci_high"]) == (1, 2.5, 2.5, 2.5)
    assert profile_rows(layer_table([]), 100, 0) == []


# -- the raw and the tuned lens


def test_lens_shares_are_of_the_items_that_both_lenses_read():
    rng = np.random.default_rng(2)
    raw = [
        behaviour(direction, f"c{number}", _PIVOT if rng.random() < 0.5 else "direct")
        for direction in ("fr-zh", "zh-ja", "fr-en")
        for number in range(6)
    ]
    tuned = [row | {"behaviour": _PIVOT if rng.random() < 0.5 else "direct"} for row in raw[1:]]  # zh is one short
    tuned += [behaviour("fr-zh", "c0", _PIVOT, shot_set=1), behaviour("fr-zh", "c9", _PIVOT)]
    found = {
        row["direction_group"]: row
        for row in lens_share_rows(labels_of(raw, "m", "english"), labels_of(tuned, "m", "english"), 100, 3)
    }
    assert (found["neither_english"]["n"], found["all"]["n"]) == (11, 17)
    for lens, rows in (("raw", raw), ("tuned", tuned)):
        pivot = {(r["source_language"], r["concept_id"]): float(r["behaviour"] == _PIVOT) for r in rows
                 if r["target_language"] != "en" and r["shot_set"] == 0}  # fmt: skip
        pivot.pop(("fr", "c0"), None)
        concepts = ["c1", "c2", "c3", "c4", "c5", "c0"]  # as they are first met

        def mean(drawn, pivot=pivot, concepts=concepts):
            means = []
            for source in ("fr", "zh"):
                values = [pivot[source, concepts[i]] for i in drawn if (source, concepts[i]) in pivot]
                means += [np.mean(values)] if values else []
            return np.mean(means)

        drawn = [mean(index) for index in resample_indices(6, 100, 3)]
        row = found["neither_english"]
        assert row[lens] == pytest.approx(mean(range(6)))
        assert (row[f"{lens}_low"], row[f"{lens}_high"]) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert lens_share_rows(labels_of(raw, "m", "english"), {}, 100, 0) == []
    with_english = [row for row in raw if row["target_language"] == "en"]
    labels = labels_of(with_english, "m", "english")
    assert [row["direction_group"] for row in lens_share_rows(labels, labels, 100, 0)] == ["all"]


def test_lens_layers_are_means_over_those_that_have_a_figure():
    def row(target: str, layer: int, raw: float, english: float | None) -> dict:
        figures = {"same_top": 0.5, "kl_to_final_raw": raw, "kl_to_final_tuned": 1.0, "target_prob_raw": 0.1}
        figures |= {"target_prob_tuned": 0.2, "mass_english_raw": english, "mass_english_tuned": None}
        return {"model": "m", "prompt": "english", "target_language": target, "layer": layer, "n": 2} | figures

    first, second = lens_layer_rows(
        [row(target, layer, 4.0 + place, english) for layer in (0, 1)
         for place, (target, english) in enumerate((("zh", 0.5), ("en", None)))]
    )  # fmt: skip
    assert (first["layer"], second["layer"], first["n"]) == (0, 1, 4)
    assert (first["kl_to_final_raw"], first["mass_english_raw"], first["mass_english_tuned"]) == (4.5, 0.5, None)
    assert lens_layer_rows([]) == []


# -- labels, deciding tokens and thresholds


def test_labels_are_counted_by_direction_and_over_scopes():
    rng = np.random.default_rng(4)
    names = ("direct", "copy", _PIVOT)
    rows = [
        behaviour(direction, f"c{number}", str(rng.choice(names)), rule)
        for direction in ("fr-zh", "zh-fr", "en-fr")
        for number in range(7 if direction == "fr-zh" else 5)
        for rule in ("calibrated", "peak")
    ]
    found = label_rows([*rows, behaviour("fr-zh", "c0", "none", shot_set=1)])
    for one in found:
        inside = {
            "direction": lambda row, one=one: row["source_language"] == one["source_language"],
            "neither_english": lambda row: row["source_language"] != "en",
            "with_english": lambda row: row["source_language"] == "en",
            "all": lambda row: True,
        }[one["direction_group"]]
        items = [row for row in rows if row["rule"] == one["rule"] and inside(row)]
        n = sum(row["behaviour"] == one["behaviour"] for row in items)
        assert (one["n"], one["items"], one["share"]) == (n, len(items), pytest.approx(n / len(items)))
    assert {one["direction_group"] for one in found} == {"direction", "neither_english", "with_english", "all"}
    for rule in ("calibrated", "peak"):
        assert sum(
            one["share"] for one in found if (one["direction_group"], one["rule"]) == ("all", rule)
        ) == pytest.approx(1)
    assert label_rows([]) == []


def test_deciding_tokens_are_counted_over_items_and_over_pivots_alone():
    def decided(concept: str, label: str, token: str | None, layer: int | None, prob: float | None):
        return behaviour("fr-zh", concept, label, token=token, layer=layer, prob=prob)

    rows = [decided("a", _PIVOT, "x", 3, 0.5), decided("b", _PIVOT, "x", 2, 0.25), decided("b", "direct", "x", 2, 0.75)]
    rows += [decided("c", "none", None, None, None), decided("c", "direct", "y", 1, None)]
    found = {(row["behaviour"], row["token"]): row for row in token_rows([*rows, rows[0] | {"shot_set": 1}])}
    assert set(found) == {("", "x"), (_PIVOT, "x"), ("", "y")}
    every, pivots = found["", "x"], found[_PIVOT, "x"]
    assert (every["n"], every["concepts"], every["layer"], every["prob"]) == (3, 2, 2, 0.5)
    assert (pivots["n"], pivots["concepts"], pivots["layer"], pivots["prob"]) == (2, 2, 2, 0.375)  # the lower of a tie
    assert found["", "y"]["prob"] == 0.0
    assert token_rows([]) == []


def test_thresholds_are_means_over_directions_with_absent_labels_as_0():
    def share(direction: str, label: str, value: float, threshold: float = 0.1, **more: object):
        source, target = direction.split("-")
        row = {"model": "m", "prompt": "english", "shot_set": 0, "source_language": source, "target_language": target}
        return row | {"threshold": threshold, "ratio": 3.0, "behaviour": label, "n": 1, "share": value} | more

    rows = [share("fr-zh", _PIVOT, 0.5), share("fr-zh", "direct", 0.5), share("zh-fr", "direct", 1.0)]
    rows += [share("en-fr", _PIVOT, 0.25), share("fr-zh", _PIVOT, 0.75, 0.2), share("fr-zh", _PIVOT, 1.0, shot_set=1)]
    found = {(row["direction_group"], row["threshold"], row["behaviour"]): row["share"] for row in threshold_rows(rows)}
    assert found == {
        ("neither_english", 0.1, _PIVOT): 0.25, ("neither_english", 0.1, "direct"): 0.75,
        ("neither_english", 0.2, _PIVOT): 0.375, ("with_english", 0.1, _PIVOT): 0.25,
    }  # fmt: skip
    assert threshold_rows([]) == []


# -- what pivots are


def test_counts_of_pivots_are_those_of_a_list_with_one_pivot_each():
    def pivots(direction: str, languages: str, relation: str, layer: int, n: int, kind: str = "english"):
        source, target = direction.split("-")
        row = {"model": "m", "prompt": "english", "source_language": source, "target_language": target}
        row |= {"rule": "calibrated", "pivot_language": kind, "languages": languages, "relation": relation}
        return row | {"layer": layer, "n": n, "share": 0.1}

    rows = [
        pivots("fr-zh", "en", "translation:en", 4, 3),
        pivots("fr-zh", "de+en", "translation:de (form)", 5, 1, "several"),
        pivots("fr-zh", "", "", 5, 2, "not_told"), pivots("zh-fr", "en", "hypernym", 2, 4, "several"),
        pivots("fr-en", "ja", "hypernym", 1, 50),
    ]  # fmt: skip
    for directions, inside in (
        ("all", rows), ("neither_english", rows[:4]), ("fr-zh", rows[:3]), ("fr-en", rows[4:]),
    ):  # fmt: skip
        single = [row for row in inside for _ in range(row["n"])]
        n = len(single)
        (one,) = (row for row in pivot_summary_rows(rows) if row["direction_group"] == directions)
        kinds = [relation_kind(row["relation"]) for row in single]
        assert one["n"] == n
        assert one["english"] == pytest.approx(sum("en" in row["languages"].split("+") for row in single) / n)
        assert one["n_english_alone"] == sum(row["languages"] == "en" for row in single)
        assert one["english_alone"] == pytest.approx(one["n_english_alone"] / n)
        assert one["relation"] == min(set(kinds), key=lambda kind: (-kinds.count(kind), kind))
        assert one["relation_share"] == pytest.approx(kinds.count(one["relation"]) / n)
        assert one["layer"] == sorted(row["layer"] for row in single)[(n - 1) // 2]
        alike = [row for row in single if row["pivot_language"] == "several"]
        assert (one["n_alike"], one["n_alike_english"]) == (len(alike), sum("en" in row["languages"] for row in alike))
        counts = [row for row in pivot_count_rows(rows) if row["direction_group"] == directions]
        for by, values in (("languages", [row["languages"] for row in single]), ("relation", kinds),
                           ("layer", [str(row["layer"]) for row in single]),
                           ("language", [one for row in single for one in row["languages"].split("+")])):  # fmt: skip
            found = {row["value"]: (row["n"], row["share"]) for row in counts if row["by"] == by}
            assert found == {value: (values.count(value), values.count(value) / n) for value in values}
        links = [(language, kind) for row, kind in zip(single, kinds, strict=True)
                 for language in row["languages"].split("+")]  # fmt: skip
        found = {(row["language"], row["relation"]): row["n"] for row in pivot_link_rows(rows)
                 if row["direction_group"] == directions}  # fmt: skip
        assert found == {link: links.count(link) for link in links}
    assert pivot_summary_rows([]) == pivot_count_rows([]) == pivot_link_rows([]) == []
