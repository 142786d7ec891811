"""Headline shares, agreement, kinds of pivots, lenses and causality against hand-worked numbers."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from pivotlens.report.sections.pivot_languages import split_of, splits
from report_words import HOSTILE

from pivotlens.report import trace_charts
from pivotlens.report.sections.agreement import agreement
from pivotlens.report.sections.causality import CONTRAST_NAMES, causality, contrast_name
from pivotlens.report.sections.findings import findings
from pivotlens.report.sections.lenses import lenses
from pivotlens.report.sections.pivot_kinds import pivot_kinds
from pivotlens.report.sections.shares import share_groups, short_names, sweeps
from pivotlens.statistics.bootstrap import Interval
from pivotlens.trace.pivot_kinds import pivot_count_rows, pivot_link_rows, pivot_summary_rows, relation_kind


def share(behaviour: str, figure: float | None, /, **more: object) -> dict:
    row = {"model": "m", "prompt": "english", "directions": "neither_english", "rule": "calibrated", "stratum": "all"}
    row |= {"value": "", "behaviour": behaviour, "n": 10, "share": figure, "ci_low": 0.1, "ci_high": 0.6}
    return row | more


def drawn_of(name: str, chart: str) -> list[dict[str, str]]:
    return [element.attrib for element in ElementTree.fromstring(chart).iter(name)]


def test_the_headline_is_of_directions_with_neither_side_english_under_every_rule() -> None:
    rows = [
        share("direct", 0.9, directions="source_english"),
        share("semantic_pivot", 1.0, rule="peak"),
        share("semantic_pivot", 0.3),
        share("direct", 0.5),
        share("direct", math.nan, stratum="band", value="rare", n=0),
        share("direct", 0.7, stratum="answer", value="right", n=6),
    ]
    first, second = share_groups(rows)
    assert (first.directions, second.directions) == ("neither_english", "source_english")
    assert first.behaviours == ("direct", "semantic_pivot")
    assert [row.rule for row in first.rules] == ["calibrated", "peak"]
    calibrated, peak = first.rules
    assert calibrated.shares == {"direct": (0.5, 0.1, 0.6), "semantic_pivot": (0.3, 0.1, 0.6)}
    # No row says that no item has the label.
    assert peak.shares["direct"] == (0.0, 0.0, 0.0)
    assert [(kind, [row.value for row in found]) for kind, found in first.by_kind] == [("answer", ["right"])]
    (sentence,) = findings(None, None, (), None, None, (), headline=[first])
    said = "".join(part.text for part in sentence)
    assert said.startswith("Under the calibrated rule 30% [10%, 60%] of 10 items between languages other than English")
    assert share_groups([]) == ()


def test_a_sweep_keeps_the_order_of_the_settings() -> None:
    rows = [
        share("semantic_pivot", value, model=model, prompt=prompt)
        for value, (model, prompt) in enumerate((m, p) for m in ("b", "a") for p in ("english", "native"))
    ]
    assert sweeps(rows, ["b"], ["english"]) == ()
    (found,) = sweeps(rows, ["b", "a"], ["english", "native"])
    assert [point.model for point in found.by_model] == ["b", "a"]
    assert [point.prompt for point in found.by_prompt] == ["english", "native"]
    assert [point.shares.shares["semantic_pivot"].value for point in found.points] == [0, 1, 2, 3]
    chart = trace_charts.checkpoints(found)
    assert [circle["class"] for circle in drawn_of("circle", chart)].count("spot b-semantic_pivot") == 2


def test_names_leave_out_what_all_begin_with() -> None:
    assert short_names(["org/a@step1", "org/a@step20"]) == {"org/a@step1": "step1", "org/a@step20": "step20"}
    assert short_names(["org/a", "org/a@step1"]) == {"org/a": "a", "org/a@step1": "a@step1"}
    assert short_names(["a"]) == {"a": "a"}


def kappa(kind: str, first: str, second: str, value: float | None, pivot: float | None) -> dict:
    row = {"kind": kind, "first": first, "second": second, "n": 8, "agreement": 0.5, "kappa": value}
    row |= {"kappa_pivot": pivot}
    return row | {f"kappa{name}_{end}": 0.0 for name in ("", "_pivot") for end in ("low", "high")}


def test_the_matrix_has_all_labels_above_and_pivots_below() -> None:
    rows = [kappa("rules", "onset", "calibrated", 0.4, 0.9), kappa("rules", "peak", "calibrated", None, -0.2)]
    rows += [kappa("shot sets", "peak, set 0", "peak, set 1", 1.0, 1.0)]
    found = agreement(rows)
    assert found is not None
    assert found.rules == ("calibrated", "onset", "peak")
    values = [[cell and (cell.kappa and cell.kappa.value, cell.shade) for cell in row] for row in found.matrix]
    assert values == [
        [None, (0.4, 4), (None, 0)],
        [(0.9, 9), None, (None, 0)],
        [(-0.2, 0), (None, 0), None],
    ]
    assert [pair.kind for pair in found.others] == ["shot sets"]
    assert agreement([]) is None


def counted(pivots: list[dict]) -> tuple[list[dict], list[dict], list[dict]]:
    return pivot_summary_rows(pivots), pivot_count_rows(pivots), pivot_link_rows(pivots)


def test_kinds_of_pivots_count_a_token_in_each_of_its_languages() -> None:
    def row(languages: str, relation: str, layer: int, n: int, source: str = "fr") -> dict:
        named = {"source_language": source, "target_language": "zh", "rule": "calibrated", "pivot_language": ""}
        named |= {"model": "m", "prompt": "english"}
        return named | {"languages": languages, "relation": relation, "layer": layer, "n": n}

    rows = [row("en", "translation:en", 4, 3), row("de+en", "translation:de (form)", 5, 1), row("", "", 5, 2)]
    (found,) = pivot_kinds(*counted([*rows, row("ja", "hypernym", 1, 50, source="en")]))
    assert (found.n, found.english_alone, found.layers) == (6, 3, (0, 0, 0, 0, 3, 3))
    assert found.relations == ("hypernym", "translation", "unknown")
    assert [(bar.language, bar.n) for bar in found.languages] == [("en", 4), ("", 2), ("de", 1)]
    french, english = found.by_direction
    assert (french.n, french.english, french.relation, french.layer) == (6, pytest.approx(4 / 6), "translation", 4)
    assert (english.n, english.english, english.layer) == (50, 0.0, 1)
    assert len(drawn_of("rect", trace_charts.pivot_layers(found))) == 2
    assert relation_kind("translation:en (piece)") == "translation"
    assert pivot_kinds([], [], []) == ()


def test_of_pivots_spelled_alike_those_that_english_links_are_counted() -> None:
    def row(languages: str, kind: str, n: int, source: str = "fr") -> dict:
        named = {"source_language": source, "target_language": "zh", "rule": "calibrated", "relation": "", "layer": 1}
        named |= {"model": "m", "prompt": "english"}
        return named | {"languages": languages, "pivot_language": kind, "n": n}

    rows = [row("en", "several", 3), row("de+en", "several", 2), row("de", "several", 4), row("", "several", 8)]
    (found,) = pivot_kinds(*counted([*rows, row("en", "english", 16), row("en", "several", 32, "en")]))
    assert (found.alike, found.alike_english) == (17, 5)


def test_lenses_prefer_directions_with_neither_side_english() -> None:
    def share(directions: str, raw: float, n: int) -> dict:
        ends = {f"{lens}_{end}": 0.0 for lens in ("raw", "tuned") for end in ("low", "high")}
        return {"directions": directions, "rule": "calibrated", "n": n, "raw": raw, "tuned": 1.0} | ends

    by_layer = [
        {"layer": layer, "n": 4, "same_top": 0.5, "kl_to_final_raw": 4.5, "kl_to_final_tuned": 1.0} for layer in (1, 0)
    ]
    found = lenses([], by_layer, [share("neither_english", 0.5, 2), share("all", 0.25, 9)])
    assert found is not None
    assert found.neither_english
    (row,) = found.shares
    assert (row.n, row.raw.value, row.tuned.value) == (2, 0.5, 1.0)
    distance, same = found.charts
    assert [curve.values[0].value for curve in distance.curves if curve.values[0]] == [4.5, 1.0]
    assert (distance.layers, distance.n, same.share) == ((0, 1), 4, True)
    found = lenses([], by_layer, [share("all", 0.25, 9)])
    assert found is not None
    assert (found.neither_english, found.shares[0].n) == (False, 9)
    assert lenses([], [], []) is None


def effect(contrast: str, mean: float | None, **more: object) -> dict:
    row = {"scope": "neither_english", "source_language": "all", "target_language": "all", "items": "all"}
    row |= {"contrast": contrast, "n": 9, "concepts": 9, "mean": mean, "p": 0.01}
    return row | {"ci_low": mean and mean - 0.2, "ci_high": mean and mean + 0.2} | more


def test_causality_says_what_each_condition_rests_on() -> None:
    conditions = [
        {"scope": scope, "items": items, "number": 1, "condition": "log P of the target falls", "holds": holds}
        | {"rests_on": "own -0.500 [-0.700, -0.300], n = 9; dose_0.5_step: too few items"}
        for scope, items, holds in (
            ("neither_english", "all", True),
            ("neither_english", "correct", None),
            ("with_english", "all", False),
        )
    ]
    effects = [
        effect("random", -0.1),
        effect("dose_2_step", -0.3),
        effect("own", -0.5),
        effect("own_minus_direct", None),
    ]
    dose = {"scope": "neither_english", "behaviour": "semantic_pivot", "n": 2, "concepts": 2}
    doses = [
        dose | {"dose": 1.0, "mean": -0.5, "ci_low": -0.6, "ci_high": -0.4},
        dose | {"dose": 2.0, "mean": None, "ci_low": None, "ci_high": None},
        dose | {"dose": 1.0, "mean": -9.0, "ci_low": None, "ci_high": None, "scope": "with_english"},
    ]
    found = causality(conditions, effects, [], [], doses)
    (verdict,) = found.verdicts
    assert verdict.holds == {"all": True, "correct": None}
    assert verdict.rests_on == (
        "own pivot taken out: −0.500 [−0.700, −0.300], n = 9; dose raised to 0.5: too few items"
    )
    assert [each.contrast for each in found.needed] == ["own", "dose_2_step", "own_minus_direct"]
    assert [each.contrast for each in found.others] == ["random"]
    assert (found.count(True), found.count(False), found.count(None)) == (1, 0, 0)
    (curve,) = found.doses
    assert curve.doses == (0.0, 1.0, 2.0)
    assert curve.values[1] is not None
    assert curve.values[1].value == pytest.approx(-0.5)
    # One concept has no interval.
    assert curve.values[2] is None
    chart = trace_charts.forest(found.needed, "Effects")
    assert len(drawn_of("circle", chart)) == 2
    assert "more than for direct items of like log P: too few items" in chart
    assert "−0.50 [−0.70, −0.30]" in chart
    (sentence,) = findings(None, None, (), None, None, (), causality=found)
    assert "1 holds." in "".join(part.text for part in sentence)


def test_directions_with_english_stand_in_where_no_others_were_tested() -> None:
    found = causality([], [effect("own", None, n=0), effect("own", -0.5, scope="with_english")], [], [], [])
    assert found.scope == "with_english"
    assert contrast_name("a_new_one") == "a new one"
    assert len(set(CONTRAST_NAMES.values())) == len(CONTRAST_NAMES)


@pytest.mark.parametrize(("low", "high"), [(-2.0, 0.0), (0.0, 0.31), (-0.3, 1.7), (0.0, 0.0)])
def test_ticks_reach_around_all_values(low: float, high: float) -> None:
    ticks = trace_charts.axis_ticks(low, high)
    assert 0.0 in ticks
    assert ticks[0] <= low
    assert ticks[-1] >= high


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_places_are_text(name: str) -> None:
    series = trace_charts.Series(
        "share", "b-direct", [Interval(0.1, 0.0, 0.2), None, Interval(0.4, math.nan, math.nan)]
    )
    chart = trace_charts.lines("Chart", [series], [name, "<b>", "c" * 80], share=True)
    assert len(drawn_of("circle", chart)) == 2
    assert len(drawn_of("line", chart)) == 1 + len([1 for mark in drawn_of("line", chart) if mark["class"] == "grid"])


def test_a_headline_of_pivots_says_what_they_are_written_in() -> None:
    def row(kind: str, share: float, directions: str = "neither_english", rule: str = "calibrated") -> dict:
        return {"directions": directions, "items": "all", "rule": rule, "pivot_language": kind, "n": 40,
                "share": share, "ci_low": share, "ci_high": share}  # fmt: skip

    rows = [row("english", 0.25), row("target", 0.1), row("several", 0.0), row("english", 0.5, "zh-fr")]
    rows += [row("english", 0.9) | {"items": "different_spelling"}]
    found = splits(rows)
    assert [(one.directions, one.text) for one in found] == [
        ("neither_english", "English 25%, the target's own language 10%"),
        ("zh-fr", "English 50%"),
    ]
    assert split_of(found, "neither_english", "onset") is None
    shares = [
        {"directions": "neither_english", "rule": "calibrated", "stratum": "all", "value": "", "n": 40,
         "behaviour": "semantic_pivot", "share": 0.35, "ci_low": 0.3, "ci_high": 0.4}
    ]  # fmt: skip
    (sentence,) = findings(None, None, (), None, None, (), headline=share_groups(shares), written=found)
    text = "".join(part.text for part in sentence)
    assert "go through a semantic pivot (written in: English 25%, the target's own language 10%)" in text


def test_one_condition_of_three_is_said_with_those_that_fail() -> None:
    conditions = [
        {"scope": "neither_english", "items": "all", "number": number, "condition": f"condition {number}"}
        | {"holds": holds, "rests_on": ""}
        for number, holds in ((1, True), (2, False), (3, None))
    ]
    found = causality(conditions, [effect("own", -0.5)], [], [], [])
    (sentence,) = findings(None, None, (), None, None, (), causality=found)
    text = "".join(part.text for part in sentence)
    assert "of the 3 conditions of causality 1 holds, 1 fails (2. condition 2), 1 could not be tested; a pivot" in text


def test_a_headline_of_directions_from_english_leaves_no_label_out() -> None:
    shares = [
        {
            "directions": "source_english",
            "rule": "calibrated",
            "stratum": "all",
            "value": "",
            "n": 40,
            "behaviour": name,
        }
        | {"share": share, "ci_low": share, "ci_high": share}
        for name, share in (("semantic_pivot", 0.2), ("direct", 0.3), ("source_or_english", 0.4), ("none", 0.1))
    ]
    (sentence,) = findings(None, None, (), None, None, (), headline=share_groups(shares))
    text = "".join(part.text for part in sentence)
    assert "30% [30%, 30%] are direct, 40% [40%, 40%] are copies of the English source word, 10%" in text
    assert text.endswith("10% [10%, 10%] are none of these.")
