"""The sections' pure functions against hand-worked numbers and slow twins."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from pivotlens.report.sections.joint_frequency import MOST_POINTS, joint_frequency
from pivotlens.report.svg import band_path, line_path, nice_ticks, node
from report_fixture import columns
from report_words import HOSTILE

from pivotlens.attribute.joint import bin_rows, joint_rows
from pivotlens.count.tables import coverage_rows, pair_summary_rows
from pivotlens.mine.sums import grammar_rows, summary_rows
from pivotlens.report import attribution_charts, wording
from pivotlens.report.charts import axis_end, shown_layers
from pivotlens.report.sections.attribution import attribution
from pivotlens.report.sections.behaviours import behaviours
from pivotlens.report.sections.corpus import corpus
from pivotlens.report.sections.findings import findings
from pivotlens.report.sections.items import LayerReading, TellingItem, example_keys, fair_keys, telling_keys
from pivotlens.report.sections.layers import layer_profiles
from pivotlens.report.sections.pivots import mined_pivots
from pivotlens.report.sections.provenance import details, plain
from pivotlens.report.sections.scores import score_table
from pivotlens.report.sections.selection import arms
from pivotlens.select.run import arm_rows
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction
from pivotlens.trace.label_counts import label_rows, token_rows

FR_ZH, ZH_FR, EN_FR = Direction("fr", "zh"), Direction("zh", "fr"), Direction("en", "fr")


def label(
    direction: Direction, concept: str, behaviour: str, prob: float, correct: bool = True, **more: object
) -> dict:
    row = {"source_language": direction.source, "target_language": direction.target, "concept_id": concept}
    row |= {"shot_set": 0, "rule": "calibrated", "behaviour": behaviour, "layer": 9, "token": f" {concept}"}
    row |= {"relation": "", "model": "m", "prompt": "english"}
    return row | {"prob": prob, "correct": correct} | more


def pair(direction: Direction, concept: str, strength: float = 0.5, **more: object) -> dict:
    row = {"source_language": direction.source, "target_language": direction.target, "concept_id": concept}
    row |= {"source_word": "a", "target_word": "b", "token_id": 1, "token": " x", "df_source": 5, "df_target": 6}
    row |= {"df_both": 0, "npmi_source": 0.5, "npmi_target": 0.6, "q_value": 0.01, "strength": strength}
    return row | {"relation": ""} | more


# -- wording and drawing


def test_numbers() -> None:
    assert wording.number(-0.1234) == "−0.123"
    assert wording.number(-0.0001) == "0.000"
    assert wording.number(None) == wording.number(math.nan) == "–"
    assert [wording.percent(x) for x in (0.0, 0.004, 0.0994, 0.0996, 0.5, 1.0)] == [
        "0%", "0.4%", "9.9%", "10%", "50%", "100%",
    ]  # fmt: skip
    assert wording.whole(1234567) == "1\u202f234\u202f567"
    assert [wording.probability(x) for x in (0.0, 0.001, 0.254, 0.999)] == [".00", "<.01", ".25", "1.0"]
    assert wording.p_value(0.0002) == "<0.001"
    assert wording.plural(1, "item") == "1 item"


@pytest.mark.parametrize("token", HOSTILE)
def test_visible_text_is_one_line_without_controls(token: str) -> None:
    shown = wording.visible(token)
    assert shown
    assert not set(shown) & set("\n\t\r\x00\x07\x1b\u202e\u2028\u2029")


def test_visible() -> None:
    assert wording.visible(" water") == wording.visible("▁water") == "␣water"
    assert wording.visible("\n") == "↵"
    assert wording.visible("") == "∅"
    assert wording.visible("\u0301") == "◌\u0301"
    assert wording.visible("a b") == "a b"


def test_svg() -> None:
    assert (
        str(node("text", "<b>", class_="a", font_size=2.50, x=None))
        == '<text class="a" font-size="2.5">&lt;b&gt;</text>'
    )
    assert str(node("a", title='"><img>')) == '<a title="&#34;&gt;&lt;img&gt;"></a>'
    assert line_path([0, 1, 2, 3], [1, math.nan, 2, 3]) == "M0.0,1.0M2.0,2.0L3.0,3.0"
    assert band_path([0, 1], [1, math.nan], [2, 3]) == "M0.0,2.0L0.0,1.0Z"
    assert band_path([0], [math.nan], [1]) == ""


@pytest.mark.parametrize("high", [0.003, 0.05, 0.1, 0.31, 0.99, 1.0, 7.3])
def test_ticks(high: float) -> None:
    ticks = nice_ticks(high)
    assert ticks[0] == 0
    assert ticks[-2] < high <= ticks[-1] + 1e-9
    assert 2 <= len(ticks) <= 6
    assert axis_end(high) == ticks[-1]


# -- layers


def test_layer_profiles() -> None:
    rows = [
        {"source_language": direction.source, "target_language": direction.target, "figure": figure, "layer": layer}
        | {"n": 2, "mean": mean and mean * (layer + 1), "ci_low": 0.0, "ci_high": 1.0}
        for direction, figures in (
            (EN_FR, {"entropy": 2.0, "mass_target": 0.1, "mass_source": 0.1}),
            (FR_ZH, {"entropy": 1.0, "mass_target": 0.15, "mass_english": 0.3, "mass_pivots": None}),
        )
        for figure, mean in figures.items()
        for layer in range(3)
    ]
    english, chinese = layer_profiles(rows)
    assert (english.direction, english.n, english.layers) == (EN_FR, 2, (0, 1, 2))
    assert english.curve("english") is None
    assert chinese.curve("random") is None
    target, mined = chinese.curve("target"), chinese.curve("mined")
    assert target is not None and mined is not None  # noqa: PT018
    np.testing.assert_allclose(target.mean, [0.15, 0.3, 0.45])
    assert target.peak == 2
    assert np.isnan(mined.mean).all()
    np.testing.assert_allclose(chinese.entropy, [1, 2, 3])
    assert layer_profiles([]) == []


# -- items


def test_telling_items_alternate_directions_and_use_a_concept_once() -> None:
    rows = [
        label(FR_ZH, "water", "semantic_pivot", 0.9),
        label(FR_ZH, "dog", "semantic_pivot", 0.8),
        label(FR_ZH, "key", "semantic_pivot", 0.7),
        label(ZH_FR, "water", "semantic_pivot", 0.85),
        label(ZH_FR, "moon", "semantic_pivot", 0.2),
        label(ZH_FR, "bank", "semantic_pivot", 0.99, correct=False),
        label(ZH_FR, "tree", "direct", 0.95),
        label(ZH_FR, "none", "none", 0.0),
        label(FR_ZH, "other", "semantic_pivot", 1.0, rule="peak"),
        label(FR_ZH, "later", "semantic_pivot", 1.0, shot_set=1),
    ]
    chosen = telling_keys(rows, 10)
    assert chosen == [
        (FR_ZH, "water"), (ZH_FR, "moon"), (FR_ZH, "dog"), (FR_ZH, "key"), (ZH_FR, "bank"), (ZH_FR, "tree"),
    ]  # fmt: skip
    assert telling_keys(rows, 2) == chosen[:2]
    assert telling_keys([], 3) == []


def test_fair_keys_take_as_many_of_each_direction() -> None:
    rows = [label(FR_ZH, str(i), "", 0) for i in range(9)] + [label(ZH_FR, str(i), "", 0) for i in range(2)]
    assert fair_keys(rows, 5) == [(FR_ZH, "0"), (FR_ZH, "1"), (FR_ZH, "2"), (ZH_FR, "0"), (ZH_FR, "1")]
    assert len(fair_keys(rows, 100)) == 11


def test_deep_models_show_spread_layers_with_peak_and_last() -> None:
    readings = tuple(LayerReading(i, ()) for i in range(81))
    item = TellingItem(FR_ZH, "c", "a", "b", None, True, False, {}, 43, "t", 0.5, readings)
    shown = [reading.layer for reading in shown_layers(item)]
    assert len(shown) <= 27
    assert {0, 43, 80} <= set(shown)
    assert shown == sorted(shown)


# -- behaviours


def test_behaviours_count_and_find_junk() -> None:
    found = ["direct", "copy", "none", "semantic_pivot"]
    labels = [label(FR_ZH, c, b, 0.5, correct=c != "d") for c, b in zip("abcd", found, strict=True)]
    labels += [label(FR_ZH, c, "semantic_pivot", 1.0, rule="peak", token="s", layer=1) for c in "abcd"]
    summary = [
        {"source_language": "fr", "target_language": "zh", "rule": "calibrated", "behaviour": "semantic_pivot"}
        | {"items": items, "n": 3, "share": share, "ci_low": 0.1, "ci_high": 0.6}
        for items, share in (("all", 0.25), ("correct", None))
    ]
    section = behaviours(label_rows(labels), token_rows(labels), summary, [], 3.0)
    assert [result.rule for result in section.rules] == ["calibrated", "peak"]
    (row,) = section.rules[0].rows
    assert {name: count for name, count in row.counts.items() if count} == {
        "direct": 1, "copy": 1, "semantic_pivot": 1, "none": 1,
    }  # fmt: skip
    assert (row.n, row.n_correct, row.has_english, row.pivot_correct) == (4, 3, False, None)
    assert row.pivot_all == (0.25, 0.1, 0.6)
    assert section.rules[1].pivot_share == 1.0
    (junk,) = section.rules[1].pivots
    assert (junk.token, junk.count, junk.concepts, junk.layer, junk.prob) == ("s", 4, 4, 1, 1.0)
    assert "“s”, at layer 1, with a mean probability of 1.0; it comes first in 4 items, of 4 concepts" in section.junk
    assert section.sensitivity is None


def test_junk_sentence_claims_only_what_is_there() -> None:
    assert behaviours([], [], [], [], 3.0).junk == ""
    labels = [label(FR_ZH, "a", "direct", 0.5, rule="peak")]
    said = behaviours(label_rows(labels), token_rows(labels), [], [], 3.0).junk
    assert "calls 0% of 1 item a semantic pivot" in said
    assert "whatever the word" not in said


def test_sensitivity() -> None:
    rows = [
        {
            "source_language": "fr",
            "target_language": "zh",
            "threshold": t,
            "ratio": 3.0,
            "behaviour": b,
            "n": 9,
            "share": t,
        }
        for t in (0.1, 0.05)
        for b in ("semantic_pivot", "direct")
    ]
    found = behaviours([], [], [], rows, 3.0).sensitivity
    assert found is not None
    assert found.settings == ((0.05, 3.0), (0.1, 3.0))
    assert found.rows[0].shares == (0.05, 0.1)


# -- corpus, attribution, mining, selection


def test_corpus() -> None:
    languages = [
        {"language": code, "documents": 3, "units": units, "characters": 9}
        for code, units in (("zh", 5), ("fr", 8), ("de", 1))
    ]
    pairs = [
        {
            "source_language": "fr",
            "target_language": "zh",
            "concept_id": c,
            "df_source": s,
            "df_target": t,
            "df_both": b,
        }
        for c, s, t, b in (("a", 20, 3, 0), ("b", 19, 40, 0), ("c", 99, 20, 4), ("d", 1, 1, 1))
    ]
    counted = columns("count/pairs", pairs)
    section = corpus(languages, coverage_rows(counted), pair_summary_rows(counted), 2)
    assert [(row.language, row.enough, row.concepts) for row in section.languages] == [
        ("fr", 2, 4), ("zh", 2, 4), ("de", None, None),
    ]  # fmt: skip
    (row,) = section.pairs
    assert (row.pairs, row.never, row.median, row.largest) == (4, 2, 0.5, 4)
    assert (section.most_units, section.problems) == (8, 2)


def test_attribution_puts_the_primary_analysis_and_the_mean_first() -> None:
    rows = [
        {"source_language": s, "target_language": t, "rule": rule, "items": items, "predictor": name, "auc": value}
        | {"ci_low": 0.4, "ci_high": 0.8, "n_cooccurrence": 25, "n_pivot": 30, "note": "" if value else "too few"}
        for rule in ("onset", "calibrated")
        for items in ("all", "correct")
        for s, t, value in (("fr", "zh", None), ("all", "all", 0.6))
        for name in ("npmi", "log_joint")
    ]
    section = attribution(rows, [])
    first = section.tables[0]
    assert (first.rule, first.items, first.predictors) == ("calibrated", "correct", ("log_joint", "npmi"))
    assert [row.direction for row in first.rows] == [None, FR_ZH]
    assert first.pooled is not None
    assert first.pooled.aucs[0] == (0.6, 0.4, 0.8)
    assert first.rows[1].aucs == (None, None)
    assert first.rows[1].notes == ("too few",)
    (sentence,) = findings(None, None, (), section, None, ())
    said = "".join(part.text for part in sentence)
    assert said.endswith("0.600 [0.400, 0.800] within directions, on average: no better than chance.")


def predictor(joint: int, behaviour: str | None = "direct", score: float | None = 0.5, **more: bool) -> dict:
    row = {"df_both": joint, "behaviour": behaviour, "score": score, "correct": True, "same_spelling": False}
    return row | more


def test_joint_frequency_is_binned_by_doubling() -> None:
    rows = [predictor(0, score=0.1), predictor(0, "semantic_pivot", 0.3), predictor(3), predictor(2, None, None)]
    rows += [predictor(9, "direct", 0.9, correct=False), predictor(999, same_spelling=True)]
    found = joint_frequency(bin_rows(rows), rows)
    assert found is not None
    assert [one.label for one in found.bins] == ["0", "1", "2–3", "4–7", "8–15"]
    assert [(one.n_direct, one.n_pivot, one.n_scored) for one in found.bins] == [
        (1, 1, 2), (0, 0, 0), (1, 0, 1), (0, 0, 0), (0, 0, 1)
    ]  # fmt: skip
    assert [one.score for one in found.bins] == [pytest.approx(0.2), None, 0.5, None, 0.9]
    assert found.bins[2].place == pytest.approx(np.log(4))
    assert (found.n_direct, found.n_pivot, found.n_scored) == (2, 1, 4)
    assert [(point.joint, point.score, point.behaviour) for point in found.points][:2] == [
        (0, 0.1, "direct"), (0, 0.3, "semantic_pivot")
    ]  # fmt: skip
    alike = [predictor(3, same_spelling=True)]
    assert joint_frequency(bin_rows(alike), alike) is None


def test_of_many_items_evenly_spread_ones_are_drawn() -> None:
    rows = [predictor(number, score=number / 7000) for number in range(7000)]
    found = joint_frequency(bin_rows(rows), rows)
    assert found is not None
    assert found.n_scored == 7000
    drawn = [point.joint for point in found.points]
    assert len(drawn) == MOST_POINTS
    assert set(np.diff(drawn)) == {4, 5}


def statistic_row(**more: object) -> dict:
    row = {"source_language": "fr", "target_language": "zh", "test": "joint_beyond_marginals", "rule": "calibrated"}
    return row | {"items": "all", "statistic": 2.0, "p_value": 0.1, "n": 50, "note": ""} | more


def test_tests_of_the_primary_rule_come_first() -> None:
    pooled = {"test": "spearman_joint_score", "rule": "", "source_language": "all", "target_language": "all"}
    section = attribution(
        [], [statistic_row(rule="peak"), statistic_row(), statistic_row(**pooled, ci_low=0.1, ci_high=0.3)]
    )
    assert [(row.rule, row.direction) for row in section.primary_tests] == [("", None), ("calibrated", FR_ZH)]
    assert [row.rule for row in section.other_tests] == ["peak"]
    assert section.correlation is not None
    assert section.correlation.interval == (2.0, 0.1, 0.3)
    assert section.item_sets == ()


def drawn_of(name: str, chart: str) -> list[dict[str, str]]:
    return [element.attrib for element in ElementTree.fromstring(chart).iter(name)]


def test_the_forest_has_a_row_for_every_rule_and_predictor() -> None:
    rows = [
        {"source_language": "all", "target_language": "all", "rule": rule, "items": "correct", "predictor": name}
        | {"auc": value, "ci_low": 0.45, "ci_high": 0.75, "n_cooccurrence": 25, "n_pivot": 30, "note": ""}
        for rule, values in (("peak", (None, None)), ("<b>", (0.6, None)), ("calibrated", (0.5, 0.7)))
        for name, value in zip(("log_joint", "npmi"), values, strict=True)
    ]
    section = attribution(rows, [])
    assert section.item_sets == ("correct",)
    chart = attribution_charts.forest(section.tables, "correct")
    places = [float(circle["cx"]) for circle in drawn_of("circle", chart)]
    assert len(places) == 3
    assert places[0] < places[2] < places[1]
    assert len([line for line in drawn_of("line", chart) if "whisker" in line["class"]]) == 3
    assert "&lt;b&gt;" in chart
    assert "joint frequency 0.600 [0.450, 0.750]; &lt;b&gt;, NPMI none" in chart


def test_the_scatter_and_the_shares_draw_every_item() -> None:
    rows = [predictor(joint, behaviour, score) for joint in (0, 1, 7) for score in (-0.2, 0.4)
            for behaviour in ("direct", "semantic_pivot", "copy")] * 10  # fmt: skip
    joint = joint_frequency(bin_rows(rows), rows)
    assert joint is not None
    chart = attribution_charts.scatter(joint, Interval(0.2, 0.1, 0.3))
    points = [circle for circle in drawn_of("circle", chart) if circle["class"].startswith("point")]
    assert len(points) == len(rows)
    across = sorted({float(point["cx"]) for point in points})
    # log(1 + 7) is three times log(1 + 1).
    assert across[2] - across[0] == pytest.approx(3 * (across[1] - across[0]), abs=0.05)
    assert len({point["cy"] for point in points}) == 2
    assert len([circle for circle in drawn_of("circle", chart) if circle["class"] == "mean-dot"]) == 3
    assert "rank correlation 0.200 [0.100, 0.300]" in chart
    bars = drawn_of("rect", attribution_charts.shares(joint))
    assert len(bars) == 2 * len(joint.bins)
    heights = [float(bar["height"]) for bar in bars if bar["class"].endswith("b-direct")]
    assert heights == pytest.approx([heights[0], heights[0], 0, heights[0]], abs=0.02)


def test_no_auc_says_why() -> None:
    rows = [
        {"source_language": "fr", "target_language": "zh", "rule": "calibrated", "items": "correct", "auc": None}
        | {
            "predictor": "log_joint",
            "ci_low": None,
            "ci_high": None,
            "n_cooccurrence": 2,
            "n_pivot": 3,
            "note": "predictor constant",
        }
    ]
    (sentence,) = findings(None, None, (), attribution(rows, []), None, ())
    assert "cannot be said: predictor constant." in sentence[0].text


def test_a_pair_mined_both_ways_counts_once() -> None:
    rows = [pair(FR_ZH, "a", 0.3), pair(FR_ZH, "a", 0.4, token=" y", relation="hypernym"), pair(ZH_FR, "a", 0.4)]
    rows += [pair(EN_FR, "b", 0.9), pair(EN_FR, "c", 0.1)]
    section = mined_pivots(rows, [], summary_rows(rows, 0, 0.5, None), [], [(ZH_FR, "a")], 2)
    assert section is not None
    assert (section.n_pairs, section.n_pivots, section.linked, section.share, section.share_shuffled) == (
        3,
        4,
        1,
        0.5,
        None,
    )
    assert [(each.direction, each.concept_id) for each in section.pairs] == [(EN_FR, "b"), (FR_ZH, "a")]
    assert [pivot.token for pivot in section.by_item()[ZH_FR, "a"]] == [" y", " x"]


def test_arms_are_weighted_by_tokens() -> None:
    rows = [
        {"mode": "top", "language": code, "units": 2, "tokens": tokens, "budget": 9, "available": 99, "share": share}
        for code, tokens, share in (("fr", 300, 0.1), ("zh", 100, 0.5))
    ]
    (arm,) = arms(arm_rows(rows), rows)
    assert (arm.units, arm.tokens, arm.share) == (4, 400, pytest.approx(0.2))


def test_scores_pair_the_two_sets_of_items() -> None:
    base = {"score": 0.3, "ci_low": 0.2, "ci_high": 0.4, "share": 0.5, "share_low": 0.4, "share_high": 0.6}
    for name in ("accuracy_10way", "accuracy_generated"):
        base |= {name: 0.5, f"{name}_low": 0.4, f"{name}_high": 0.6}
    rows = [
        {"source_language": s, "target_language": t, "items": items, "n": 9 - (items != "all")} | base
        for s, t in (("fr", "zh"), ("all", "all"))
        for items in ("all", "different_spelling")
    ]
    table = score_table(rows)
    assert [row.direction for row in table.rows] == [None, FR_ZH]
    assert (table.rows[1].n, table.rows[1].n_distinct) == (9, 8)
    assert (table.low, table.high) == (0.0, 0.4)
    assert findings(score_table([]), None, (), None, None, ()) == ()


def test_details_are_flattened_and_cut() -> None:
    found = dict(details({"b": {"c_d": True, "e": [1, 2.5]}, "a": None, "long": "x" * 500}))
    assert found["b c d"] == "yes"
    assert found["b e"] == "1, 2.5"
    assert found["a"] == "none"
    assert len(found["long"]) == 160
    assert plain(0.30000000000000004) == "0.3"


def auc_row(direction: Direction | None, auc: float | None, note: str = "") -> dict:
    source, target = direction or ("all", "all")
    return {"source_language": source, "target_language": target, "rule": "calibrated", "items": "correct",
            "predictor": "log_joint", "auc": auc, "ci_low": 0.4, "ci_high": 0.8, "n_cooccurrence": 9, "n_pivot": 9,
            "note": note}  # fmt: skip


@pytest.mark.parametrize(
    ("of_en_fr", "said"),
    [
        (None, "in French → Chinese, 1 of 3 directions (no AUC in the others: too few): no better than chance."),
        (0.6, "within 2 of 3 directions, on average (no AUC in the others: too few): no better than chance."),
    ],
)
def test_an_auc_says_over_how_many_directions_it_is(of_en_fr: float | None, said: str) -> None:
    rows = [auc_row(FR_ZH, 0.6), auc_row(ZH_FR, None, "too few"), auc_row(None, 0.6)]
    rows.append(auc_row(EN_FR, of_en_fr, "" if of_en_fr else "too few"))
    section = attribution(rows, [])
    (sentence,) = findings(None, None, (), section, None, ())
    assert "".join(part.text for part in sentence).endswith(f"0.600 [0.400, 0.800] {said}")
    assert section.tables[0].coverage == f"{2 if of_en_fr else 1} of 3 directions"


def test_words_of_grammar_are_never_named_as_the_most_widespread_pivots() -> None:
    tokens = [" his", " her", " the", " water", "的", " der", " rain", " 그리고", " ice"]
    corpus = [
        {"token_id": number, "token": token, "degree": 9, "degree_shuffled": 1.0, "directions": 2, "stability": 1.0}
        | {"score": 99.0 - number}
        for number, token in enumerate(tokens)
    ]
    languages = [{"language": "ko", "units": 100, "units_sampled": 50, "tokens_sampled": 5000}]
    counted = [
        {"document_language": "ko", "token_id": number, "df": 12 if number in (3, 7) else 3} for number in range(9)
    ]
    grammar = grammar_rows(corpus, counted, languages)
    everywhere = {row["token_id"] for row in grammar if row["everywhere"]}
    assert everywhere == {7}  # water is met as often, but a list knows it
    assert {row["token_id"] for row in grammar if row["listed"]} == {0, 1, 2, 4, 5}
    mined = [pair(FR_ZH, "a", 0.3)]
    section = mined_pivots(mined, corpus, summary_rows(mined, len(corpus), None, None), grammar, [], 2)
    assert section is not None
    (sentence,) = findings(None, None, (), None, section, ())
    assert [part.text for part in sentence if part.kind == "pivot"] == ["water", "rain", "ice"]
    assert [pivot.token for pivot in section.corpus] == tokens  # the table has them all


def test_items_whose_pivot_is_a_word_of_grammar_are_not_shown_as_telling() -> None:
    rows = [
        label(FR_ZH, "a", "semantic_pivot", 0.99, token=" the"),
        label(FR_ZH, "b", "semantic_pivot", 0.9, token=" war", relation="translation:en"),
        label(FR_ZH, "c", "semantic_pivot", 0.8, token=" rain"),
    ]
    assert [concept for _, concept in telling_keys(rows, 3)] == ["b", "c"]


def test_examples_are_linked_probable_pivots_of_the_headlines_own_directions() -> None:
    linked = {"relation": "translation:en", "token": " rain"}
    rows = [
        label(EN_FR, "a", "semantic_pivot", 0.99, **linked),
        label(FR_ZH, "b", "semantic_pivot", 0.95, token=" Kass", relation=None),
        label(FR_ZH, "c", "semantic_pivot", 0.9, correct=False, **linked),
        label(FR_ZH, "d", "semantic_pivot", 0.29, **linked),
        label(FR_ZH, "e", "direct", 0.9, **linked),
        label(FR_ZH, "f", "semantic_pivot", 0.9, rule="onset", **linked),
    ]
    right = [label(FR_ZH, "g", "semantic_pivot", 0.3, **linked), label(ZH_FR, "h", "semantic_pivot", 0.6, **linked)]
    assert example_keys([*rows, *right], "neither_english", 3) == [(ZH_FR, "h"), (FR_ZH, "g")]
    assert example_keys([*rows, *right], "source_english", 3) == [(EN_FR, "a")]
    assert example_keys([*rows, *right], "target_english", 3) == []
    assert example_keys([*rows, *right], "", 1) == [(EN_FR, "a")]
    assert example_keys(rows, "neither_english", 3) == [(FR_ZH, "c")]  # no answer is right
    item = TellingItem(
        FR_ZH, "c", "pluie", "雨", None, False, False, {"calibrated": "semantic_pivot"}, 5, " rain", 0.9, ()
    )
    (sentence,) = findings(None, None, (item,), None, None, ())
    said = "".join(part.text for part in sentence)
    assert said == "The clearest is pluie → rain → 雨 (layer 5, p = 0.90, the answer is wrong)."


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        (
            19,
            "; of its 82 items 48 have both words in any unit at all (29 direct, 19 semantic pivot), too few to say "
            "what it means.",
        ),
        (20, "; of its 82 items 50 have both words in any unit at all: associated with it."),
    ],
)
def test_an_auc_that_rests_on_few_pairs_has_no_verdict(shared: int, said: str) -> None:
    rows = [auc_row(FR_ZH, 0.6) | {"ci_low": 0.55}, auc_row(ZH_FR, None, "too few")]
    of_fr_zh = {"source_language": "fr", "target_language": "zh"}
    predictors = [
        predictor(int(number < count), behaviour) | of_fr_zh
        for behaviour, count in (("direct", shared + 10), ("semantic_pivot", shared))
        for number in range(41)
    ]
    # None of these is in the AUC: another label, another direction, spelled alike, answered wrongly.
    predictors += [predictor(1, "copy") | of_fr_zh, predictor(1) | {"source_language": "zh", "target_language": "fr"}]
    predictors += [predictor(1, same_spelling=True) | of_fr_zh, predictor(1, correct=False) | of_fr_zh]
    joint = joint_rows(predictors, lambda row: False, {"correct": {FR_ZH}})
    (sentence,) = findings(None, None, (), attribution(rows, [], (), joint), None, ())
    assert "".join(part.text for part in sentence).endswith(f"1 of 2 directions (no AUC in the others: too few){said}")


def test_every_reason_for_no_auc_is_named_once_with_its_directions() -> None:
    few, constant = "fewer than 20 items of a class", "predictor constant"
    rows = [auc_row(FR_ZH, None, few), auc_row(ZH_FR, None, f"{few}; {constant}"), auc_row(EN_FR, None, few)]
    rows.append(auc_row(None, None, "no direction has an AUC"))
    # Another predictor's reason is no reason for joint frequency.
    rows += [auc_row(one, None, constant) | {"predictor": "npmi"} for one in (FR_ZH, ZH_FR, EN_FR, None)]
    (sentence,) = findings(None, None, (), attribution(rows, []), None, ())
    assert sentence[0].text.endswith(f"cannot be said: {few} in 3 of 3 directions; {constant} in 1 of 3 directions.")
    (sentence,) = findings(None, None, (), attribution([*rows[1:3], auc_row(FR_ZH, 0.6)], []), None, ())
    assert f"(no AUC in the others: {few}; {constant} in 1 of 2 directions): no better" in sentence[-1].text
