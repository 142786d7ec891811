"""The sections against numbers worked by hand, through the blocks that a reader sees."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from report_blocks import blocks_of, figure_of, names_of, run_of, table_of
from report_words import HOSTILE

from pivotlens.artifacts import Manifest
from pivotlens.attribute.joint import bin_rows
from pivotlens.report import wording
from pivotlens.report.blocks import Paragraph, Prose, Value, Word, plain, prose
from pivotlens.report.names import CONTRAST_NAMES, contrast_name, short_names
from pivotlens.report.run_tables import RunTables
from pivotlens.report.sections import findings
from pivotlens.report.sections.agreement import agreement
from pivotlens.report.sections.attribution import MOST_POINTS, attribution, auc_tables, coverage
from pivotlens.report.sections.behaviours import behaviours, junk_sentence
from pivotlens.report.sections.causality import causality
from pivotlens.report.sections.corpus import corpus
from pivotlens.report.sections.items import (
    LayerReading,
    TellingItem,
    card,
    example_keys,
    fair_keys,
    shown_layers,
    telling_keys,
)
from pivotlens.report.sections.layers import layers
from pivotlens.report.sections.lenses import lenses
from pivotlens.report.sections.pivot_kinds import pivot_kinds
from pivotlens.report.sections.pivots import mined_pivots
from pivotlens.report.sections.provenance import commands, details
from pivotlens.report.sections.provenance import plain as typed
from pivotlens.report.sections.scores import scores
from pivotlens.report.sections.selection import selection
from pivotlens.report.sections.shares import alike_note, headline_blocks, share_groups, splits, sweeps_of, written_in
from pivotlens.statistics.bootstrap import Interval
from pivotlens.text import Direction
from pivotlens.trace.label_counts import label_rows, token_rows
from pivotlens.trace.pivot_kinds import pivot_count_rows, pivot_link_rows, pivot_summary_rows

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


def drawn_of(name: str, chart: str) -> list[dict[str, str]]:
    return [element.attrib for element in ElementTree.fromstring(chart).iter(name)]


# -- how things are written


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


def test_prose_takes_marks_from_our_sentence_alone() -> None:
    found = prose("Rule `peak` gives **{n}** of {word}, [below](#x)", n="3", word=Word("`a` **b** [c](d)"))
    assert plain(found) == "Rule peak gives {n} of `a` **b** [c](d), below"
    assert [type(part).__name__ for part in found if not isinstance(part, str)] == ["Code", "Strong", "Word", "Link"]


def test_values_are_written_with_their_intervals() -> None:
    interval = Interval(0.1234, -0.2, 0.3)
    assert plain(Value(0.1234, "share")) == "12%"
    assert plain(Value(0.1234, "share"), fine=True) == "12.3%"
    assert plain(Value.of(interval, signed=True)) == "+0.123 [−0.200, +0.300]"
    assert plain(Value(0.0012, "small")) == "0.12%"
    assert plain(Value(None)) == plain(Value(math.nan)) == "–"
    assert plain(Value(0.00012, "p"), fine=True) == "0.00012"


# -- score and layers


def test_scores_pair_the_two_sets_of_items() -> None:
    base = {"score": 0.3, "ci_low": 0.2, "ci_high": 0.4, "probability_share": 0.5}
    base |= {"probability_share_low": 0.4, "probability_share_high": 0.6}
    for name in ("accuracy_10way", "accuracy_generated", "margin"):
        base |= {name: 0.5, f"{name}_low": 0.4, f"{name}_high": 0.6}
    rows = [
        {"source_language": s, "target_language": t, "item_set": items, "n": 9 - (items != "all")} | base
        for s, t in (("fr", "zh"), ("all", "all"))
        for items in ("all", "different_spelling")
    ]
    found = scores(run_of(score={"summary": rows}))
    assert found is not None
    shown = ["0.300 [0.200, 0.400]", "50% [40%, 60%]", "50% [40%, 60%]", "50% [40%, 60%]", "9"]
    assert table_of(found, "score") == [["mean of directions", *shown], ["fr → zh", *shown]]
    pooled = table_of(found, "score-all-directions")
    assert [(row[0], row[3], row[-1]) for row in pooled] == [
        ("all items", "0.50 [0.40, 0.60]", "9"),
        ("spelled differently", "0.50 [0.40, 0.60]", "8"),
    ]
    assert "matrix-probability_share" not in names_of(found)
    said = plain(findings.score_sentence(rows[::2]))
    assert said == (
        "Asked for a translation, the model writes an accepted word for 50% [40%, 60%] of the items. Its score, of at "
        "most 1, is 0.300 [0.200, 0.400] over 1 direction. French → Chinese scores 0.300 [0.200, 0.400]."
    )
    assert findings.score_sentence([]) == ()


def test_every_model_and_prompt_has_a_row_in_the_order_of_the_settings() -> None:
    base = {"item_set": "all", "n": 9, "ci_low": 0.2, "ci_high": 0.4}
    for name in ("probability_share", "accuracy_10way", "accuracy_generated", "margin"):
        base |= {name: 0.5, f"{name}_low": 0.4, f"{name}_high": 0.6}
    pooled = [
        base
        | {
            "source_language": s,
            "target_language": t,
            "model": model,
            "prompt": prompt,
            "score": score / 10 - (s == "fr"),
        }
        for s, t in (("fr", "zh"), ("all", "all"))
        for score, (model, prompt) in enumerate((m, p) for m in ("m@b", "m@a") for p in ("english", "bare"))
    ]
    config = {"model": "m@b", "also_models": ["m@a"], "also_prompts": ["bare"]}
    found = scores(run_of(config, score={"summary": pooled}))
    assert found is not None
    table = table_of(found, "score-every-model")
    assert [(row[0], row[1]) for row in table] == [
        ("b, english prompt", "0.000 [0.200, 0.400]"),
        ("b, bare prompt", "0.100 [0.200, 0.400]"),
        ("a, english prompt", "0.200 [0.200, 0.400]"),
        ("a, bare prompt", "0.300 [0.200, 0.400]"),
    ]
    assert table[0][2:] == ["50% [40%, 60%]", "0.50 [0.40, 0.60]", "50% [40%, 60%]", "50% [40%, 60%]", "9"]
    assert {plain(one.content) for one in blocks_of(found) if isinstance(one, Paragraph)} >= {
        "The means over directions of each model and prompt of the run, in the order in which they were asked for, "
        "over all items. All else in this section is of the first, m@b with the english prompt."
    }
    one_direction = scores(run_of(config, score={"summary": pooled[:4]}))
    assert one_direction is not None
    alone = table_of(one_direction, "score-every-model")
    assert [row[1].partition(" ")[0] for row in alone] == ["−1.000", "−0.900", "−0.800", "−0.700"]
    single = scores(run_of({"model": "m@b"}, score={"summary": pooled}))
    assert single is not None
    assert "score-every-model" not in names_of(single)


def test_many_directions_are_a_matrix_of_languages_too() -> None:
    base = {"item_set": "all", "n": 9, "score": 0.3, "ci_low": 0.2, "ci_high": 0.4, "margin": 0.1}
    base |= {"margin_low": None, "margin_high": None}
    for name in ("probability_share", "accuracy_10way", "accuracy_generated"):
        base |= {name: 0.5, f"{name}_low": 0.4, f"{name}_high": 0.6}
    codes = ("en", "fr", "zh")
    rows = [base | {"source_language": s, "target_language": t} for s in codes for t in codes if s != t]
    rows[0] = rows[0] | {"probability_share": 0.25}
    found = scores(run_of(score={"summary": rows}))
    assert found is not None
    assert table_of(found, "matrix-probability_share") == [
        ["en", "", "25%", "50%"], ["fr", "50%", "", "50%"], ["zh", "50%", "50%", ""],
    ]  # fmt: skip


def profile(direction: Direction, figure: str, layer: int, mean: float) -> dict:
    row = {"source_language": direction.source, "target_language": direction.target, "figure": figure, "layer": layer}
    return row | {"n": 2, "mean": mean, "ci_low": mean - 0.1, "ci_high": mean + 0.1}


def test_layers_are_drawn_and_their_peaks_told() -> None:
    rows = [profile(EN_FR, "mass_target", layer, layer / 10) for layer in range(3)]
    rows += [profile(FR_ZH, figure, layer, value) for figure, value in (("mass_target", 0.2), ("mass_english", 0.5),
             ("entropy", 3.0)) for layer in range(3)]  # fmt: skip
    found = layers(run_of(trace={"profiles": rows}))
    assert found is not None
    assert table_of(found, "layer-peaks") == [
        ["en → fr", "0.200 [0.100, 0.300] layer 2", ""],
        ["fr → zh", "0.200 [0.100, 0.300] layer 0", "0.500 [0.400, 0.600] layer 0"],
    ]
    assert len(drawn_of("path", figure_of(found, "layers-en-fr"))) < len(
        drawn_of("path", figure_of(found, "layers-fr-zh"))
    )
    assert layers(run_of(trace={"profiles": []})) is None


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
    said = plain(card(item).blocks[1].content)  # type: ignore[union-attr]
    assert said.endswith(f"; {len(shown)} of 81 layers are shown")


# -- behaviours


def test_behaviours_are_counted_and_junk_is_found() -> None:
    found = ["direct", "copy", "none", "semantic_pivot"]
    labels = [label(FR_ZH, c, b, 0.5, correct=c != "d") for c, b in zip("abcd", found, strict=True)]
    labels += [label(FR_ZH, c, "semantic_pivot", 1.0, rule="peak", token="s", layer=1) for c in "abcd"]
    summary = [
        {"source_language": "fr", "target_language": "zh", "rule": "calibrated", "behaviour": "semantic_pivot"}
        | {"item_set": items, "n": 3, "share": share, "ci_low": 0.1, "ci_high": 0.6}
        for items, share in (("all", 0.25), ("correct", None))
    ]
    tables = {"labels": label_rows(labels), "deciding_tokens": token_rows(labels), "summary": summary}
    section = behaviours(run_of(trace=tables | {"rules": [{"rule": "peak", "note": "The raw one."}]}))
    assert section is not None
    assert table_of(section, "behaviours") == [["fr → zh", "25% [10%, 60%]", "4", "3"]]
    assert table_of(section, "pivots-by-rule") == [["calibrated", " d 1×, layer 9"], ["peak", "s 4×, layer 1"]]
    said = [plain(block.content) for block in blocks_of(section) if hasattr(block, "content")]
    assert "The raw one." in said
    assert "peak 100% semantic pivot" in said
    (junk,) = [text for text in said if text.startswith("The raw rule calls 100% of 4 items")]
    assert "“s”, at layer 1, with a mean probability of 1.0; it comes first in 4 items, of 4 concepts" in junk


def test_junk_sentence_claims_only_what_is_there() -> None:
    assert junk_sentence([], [], 3.0) == ""
    labels = [label(FR_ZH, "a", "direct", 0.5, rule="peak")]
    said = junk_sentence(label_rows(labels), token_rows(labels), 3.0)
    assert "calls 0% of 1 item a semantic pivot" in said
    assert "whatever the word" not in said


def test_thresholds_are_shown_as_means_and_by_direction() -> None:
    base = {"behaviour": "semantic_pivot", "ratio": 3.0}
    means = [base | {"direction_group": "neither_english", "threshold": t, "share": t} for t in (0.1, 0.05)]
    single = [
        base | {"source_language": "fr", "target_language": "zh", "threshold": t, "share": t} for t in (0.1, 0.05)
    ]
    # Where only others are labelled there is no row of pivots: their share is 0.
    none = {"behaviour": "direct", "ratio": 3.0, "threshold": 0.2, "share": 1.0}
    means.append(none | {"direction_group": "neither_english"})
    single.append(none | {"source_language": "fr", "target_language": "zh"})
    labels = label_rows([label(FR_ZH, "a", "direct", 0.5)])
    section = behaviours(run_of(trace={"labels": labels, "thresholds": means, "sensitivity": single}))
    assert section is not None
    assert table_of(section, "thresholds") == [["3", "5.0%", "10%", "0%"]]
    assert table_of(section, "thresholds-by-direction") == [["fr → zh", "5.0%", "10%", "0%"]]


def share(behaviour: str, figure: float | None, /, **more: object) -> dict:
    row = {
        "model": "m",
        "prompt": "english",
        "direction_group": "neither_english",
        "rule": "calibrated",
        "stratum": "all",
    }
    row |= {"value": "", "behaviour": behaviour, "n": 10, "share": figure, "ci_low": 0.1, "ci_high": 0.6}
    return row | more


def test_the_headline_is_of_directions_with_neither_side_english_under_every_rule() -> None:
    rows = [
        share("direct", 0.9, direction_group="source_english"),
        share("semantic_pivot", 1.0, rule="peak"),
        share("semantic_pivot", 0.3),
        share("direct", 0.5),
        share("direct", math.nan, stratum="band", value="rare", n=0),
        share("direct", 0.7, stratum="answer", value="right", n=6),
        share("semantic_pivot", 0.2, stratum="answer", value="right", n=6, rule="onset"),
    ]
    first, second = share_groups(rows)
    assert (first.direction_group, second.direction_group) == ("neither_english", "source_english")
    assert first.behaviours == ("direct", "semantic_pivot")
    blocks = headline_blocks(run_of(trace={"strata": rows}), ())
    # No row says that no item has the label.
    assert table_of(blocks, "shares-neither_english")[:2] == [
        ["calibrated", "50% [10%, 60%]", "30% [10%, 60%]", "10"],
        ["peak", "0% [0%, 0%]", "100% [10%, 60%]", "10"],
    ]
    assert table_of(blocks, "shares-by-kind-of-item") == [
        ["answer: right", "70% [10%, 60%]", "0% [0%, 0%]", "20% [10%, 60%]", "6"]
    ]
    assert table_of(blocks, "shares-source_english") == [["calibrated", "90% [10%, 60%]", "10"]]
    said = plain(findings.headline_sentence([first], {}))
    assert said.startswith("Under the calibrated rule 30% [10%, 60%] of 10 items between languages other than English")
    assert share_groups([]) == ()


def test_a_sweep_keeps_the_order_of_the_settings() -> None:
    rows = [
        share("semantic_pivot", value, model=model, prompt=prompt)
        for value, (model, prompt) in enumerate((m, p) for m in ("b", "a") for p in ("english", "native"))
    ]
    assert sweeps_of(rows, ["b"], ["english"]) == ()
    (found,) = sweeps_of(rows, ["b", "a"], ["english", "native"])
    pivots = [[point["semantic_pivot"] for point in found.along(name)] for name in ("model", "prompt")]
    assert [row["model"] for row in pivots[0]] == ["b", "a"]
    assert [row["prompt"] for row in pivots[1]] == ["english", "native"]
    assert [point["semantic_pivot"]["share"] for point in found.points] == [0, 1, 2, 3]


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
    blocks = agreement(rows)
    assert table_of(blocks, "agreement-of-rules") == [
        ["calibrated", "", "0.40 0.00 to 0.00", "–"],
        ["onset", "0.90 0.00 to 0.00", "", "–"],
        ["peak", "−0.20 0.00 to 0.00", "–", ""],
    ]
    assert [row[:3] for row in table_of(blocks, "agreement")] == [
        ["onset", "calibrated", "50%"], ["peak", "calibrated", "50%"], ["peak, set 0", "peak, set 1", "50%"],
    ]  # fmt: skip
    assert agreement([]) == ()


def pivots_run(pivots: list[dict]) -> tuple:
    made = {"pivot_summary": pivot_summary_rows, "pivot_counts": pivot_count_rows, "pivot_links": pivot_link_rows}
    return pivot_kinds(run_of(trace={name: make(pivots) for name, make in made.items()}))


def pivot(languages: str, relation: str, layer: int, n: int, source: str = "fr", kind: str = "") -> dict:
    named = {"source_language": source, "target_language": "zh", "rule": "calibrated", "pivot_language": kind}
    named |= {"model": "m", "prompt": "english"}
    return named | {"languages": languages, "relation": relation, "layer": layer, "n": n}


def test_kinds_of_pivots_count_a_token_in_each_of_its_languages() -> None:
    rows = [pivot("en", "translation:en", 4, 3), pivot("de+en", "translation:de (form)", 5, 1), pivot("", "", 5, 2)]
    blocks = pivots_run([*rows, pivot("ja", "hypernym", 1, 50, source="en")])
    assert [(row[0], row[1]) for row in table_of(blocks, "pivot-links-calibrated")] == [
        ("English", "4"), ("no link", "2"), ("German", "1"),
    ]  # fmt: skip
    assert table_of(blocks, "pivot-links-by-direction-calibrated") == [
        ["fr → zh", "6", "67%", "translation 67%", "4"],
        ["en → zh", "50", "0%", "hypernym 100%", "1"],
    ]
    counts = [row[:3] for row in table_of(blocks, "pivot-counts-calibrated")]
    assert counts[:2] == [["languages", "en", "3"], ["languages", "no link", "2"]]
    assert counts[-2:] == [["layer", "4", "3"], ["layer", "5", "3"]]
    assert len(drawn_of("rect", figure_of(blocks, "pivot-layers-calibrated"))) == 2
    (title,) = [plain(block.content) for block in blocks_of(blocks) if "alone" in plain(getattr(block, "content", ()))]
    assert title == "calibrated 6 pivots, neither side English; 50% are linked as words of English alone"
    assert pivots_run([]) == ()


def test_of_pivots_spelled_alike_those_that_english_links_are_counted() -> None:
    rows = [pivot("en", "", 1, 3, kind="several"), pivot("de+en", "", 1, 2, kind="several")]
    rows += [pivot("de", "", 1, 4, kind="several"), pivot("", "", 1, 8, kind="several")]
    rows += [pivot("en", "", 1, 16, kind="english"), pivot("en", "", 1, 32, "en", "several")]
    said = plain(alike_note(pivot_summary_rows(rows), "neither_english"))
    assert "Of the 17 pivots that calibrated finds spelled alike in several languages, 5 are linked" in said
    assert alike_note([], "neither_english") == ()


def test_a_headline_of_pivots_says_what_they_are_written_in() -> None:
    def row(kind: str, share: float, directions: str = "neither_english", rule: str = "calibrated") -> dict:
        return {"direction_group": directions, "item_set": "all", "rule": rule, "pivot_language": kind, "n": 40,
                "share": share, "ci_low": share, "ci_high": share}  # fmt: skip

    rows = [row("english", 0.25), row("target", 0.1), row("several", 0.0), row("english", 0.5, "zh-fr")]
    rows += [row("english", 0.9) | {"item_set": "different_spelling"}]
    found = splits(rows)
    assert list(found) == [
        ("neither_english", "all", "calibrated"),
        ("zh-fr", "all", "calibrated"),
        ("neither_english", "different_spelling", "calibrated"),
    ]
    assert written_in(found, "neither_english", "calibrated") == "English 25%, the target's own language 10%"
    assert written_in(found, "zh-fr", "calibrated") == "English 50%"
    assert [one["share"] for one in found["neither_english", "different_spelling", "calibrated"].values()] == [0.9]
    assert written_in(found, "neither_english", "onset") == ""
    text = plain(findings.headline_sentence(share_groups([share("semantic_pivot", 0.35, n=40)]), found))
    assert "go through a semantic pivot, a third word that leads in the layers before the answer (written" in text
    assert "(written in: English 25%, the target's own language 10%)" in text


def test_a_headline_of_directions_from_english_leaves_no_label_out() -> None:
    shares = [
        share(name, value, direction_group="source_english", ci_low=value, ci_high=value)
        for name, value in (("semantic_pivot", 0.2), ("direct", 0.3), ("source_or_english", 0.4), ("none", 0.1))
    ]
    text = plain(findings.headline_sentence(share_groups(shares), {}))
    assert "30% [30%, 30%] are direct, 40% [40%, 40%] are copies of the English source word, 10%" in text
    assert text.endswith("10% [10%, 10%] are none of these.")


def test_lenses_prefer_directions_with_neither_side_english() -> None:
    def lens(directions: str, raw: float, n: int) -> dict:
        ends = {f"{lens}_{end}": 0.0 for lens in ("raw", "tuned") for end in ("low", "high")}
        return {"direction_group": directions, "rule": "calibrated", "n": n, "raw": raw, "tuned": 1.0} | ends

    names = ("target_prob_raw", "target_prob_tuned", "mass_english_raw", "mass_english_tuned")
    by_layer = [
        {"layer": layer, "n": 4, "same_top": 0.5, "kl_to_final_raw": 4.5, "kl_to_final_tuned": 1.0}
        | dict.fromkeys(names)
        for layer in (1, 0)
    ]
    both = {"lens_layers": by_layer, "lens_shares": [lens("neither_english", 0.5, 2), lens("all", 0.25, 9)]}
    found = lenses(run_of(trace=both))
    assert found is not None
    assert table_of(found, "pivots-through-each-lens") == [["calibrated", "50% [0%, 0%]", "100% [0%, 0%]", "2"]]
    assert [row[:4] for row in table_of(found, "lenses-by-layer")] == [["0", "0.50", "4.50", "1.00"],
                                                                       ["1", "0.50", "4.50", "1.00"]]  # fmt: skip
    assert "raw lens 4.500 at 0" in figure_of(found, "lens-kl-items")
    found = lenses(run_of(trace=both | {"lens_shares": [lens("all", 0.25, 9)]}))
    assert found is not None
    assert table_of(found, "pivots-through-each-lens")[0][-1] == "9"
    assert lenses(run_of(trace={"lens_layers": []})) is None


# -- causality


def effect(contrast: str, mean: float | None, **more: object) -> dict:
    row = {"direction_group": "neither_english", "source_language": "all", "target_language": "all", "item_set": "all"}
    row |= {"contrast": contrast, "n": 9, "concepts": 9, "mean": mean, "p": 0.01}
    return row | {"ci_low": mean and mean - 0.2, "ci_high": mean and mean + 0.2} | more


def condition(number: int, holds: bool | None, **more: object) -> dict:
    row = {
        "direction_group": "neither_english",
        "item_set": "all",
        "number": number,
        "condition": f"condition {number}",
    }
    return row | {"holds": holds, "rests_on": "own -0.500 [-0.700, -0.300], n = 9; dose_0.5_step: too few items"} | more


def test_causality_says_what_each_condition_rests_on() -> None:
    conditions = [
        condition(1, True),
        condition(1, None, item_set="correct"),
        condition(1, False, direction_group="with_english"),
    ]
    effects = [
        effect("random", -0.1), effect("dose_2_step", -0.3), effect("own", -0.5), effect("own_minus_direct", None),
    ]  # fmt: skip
    doses = [
        {"direction_group": "neither_english", "behaviour": "semantic_pivot", "dose": dose, "n": 2, "concepts": 2}
        | {"mean": mean, "ci_low": mean, "ci_high": mean}
        for dose, mean in ((1.0, -0.5), (2.0, None))
    ]
    windows = [{"first_layer": 3, "last_layer": 5, "n": 9, "own": 0.1, "other": -0.2, "chosen": True}]
    run = run_of(ablate={"conditions": conditions, "effects": effects, "doses": doses, "windows": windows})
    found = causality(run)
    assert found is not None
    rests = "own pivot taken out: −0.500 [−0.700, −0.300], n = 9; dose raised to 0.5: too few items"
    assert table_of(found, "conditions-neither_english") == [["1. condition 1", "✓ holds", "not tested", rests]]
    assert [row[0] for row in table_of(found, "effects-neither_english")] == [
        "own pivot taken out", "dose raised to 2", "more than for direct items of like log P", "random vector",
    ]  # fmt: skip
    assert table_of(found, "windows") == [["3 to 5", "+0.100", "−0.200", "9", "chosen"]]
    chart = figure_of(found, "effects-neither_english")
    assert len(drawn_of("circle", chart)) == 2
    assert "too few items" in chart
    assert "−0.50 [−0.70, −0.30]" in chart
    assert "further-effects-neither_english" in names_of(found)
    assert "−0.500 at 1" in figure_of(found, "effect-by-dose")
    assert "1 holds." in plain(findings.causality_sentence(run))


def test_directions_with_english_stand_in_where_no_others_were_tested() -> None:
    rows = [effect("own", None, n=0), effect("own", -0.5, direction_group="with_english")]
    found = causality(run_of(ablate={"effects": rows}))
    assert found is not None
    assert "effects-with_english" in names_of(found)
    assert "effects-neither_english" not in names_of(found)
    assert contrast_name("a_new_one") == "a new one"
    assert len(set(CONTRAST_NAMES.values())) == len(CONTRAST_NAMES)


def test_one_condition_of_three_is_said_with_those_that_fail() -> None:
    conditions = [condition(1, True), condition(2, False), condition(3, None)]
    text = plain(
        findings.causality_sentence(run_of(ablate={"conditions": conditions, "effects": [effect("own", -0.5)]}))
    )
    assert text.startswith("That the model needs its pivot is not shown: taking it out (neither side English)")
    assert text.endswith("3 conditions of causality 1 holds, 1 fails (2. condition 2), 1 could not be tested.")


# -- corpus, attribution, mining, selection


def test_corpus() -> None:
    languages = [
        {"language": code, "documents": 3, "units": units, "bytes": 9_000_000}
        for code, units in (("zh", 5), ("fr", 8), ("de", 1))
    ]
    coverage = [{"language": code, "units": 20, "concepts": 4, "enough": 2} for code in ("fr", "zh")]
    pairs = [{"source_language": "fr", "target_language": "zh", "pairs": 4, "never": 2, "median": 0.5, "most": 4}]
    run = run_of(count={"languages": languages, "coverage": coverage, "pair_summary": pairs, "problems": [{}, {}]})
    section = corpus(run)
    assert section is not None
    assert table_of(section, "units") == [
        ["French", "3", "8", "9.00", "2 of 4"],
        ["Chinese", "3", "5", "9.00", "2 of 4"],
        ["German", "3", "1", "9.00", ""],
    ]
    assert table_of(section, "shared-units") == [["fr → zh", "2", "4", "0.5", "4"]]
    bare = corpus(run_of(count={"languages": languages}))
    assert bare is not None
    assert table_of(bare, "units")[0] == ["French", "3", "8", "9.00"]
    (lede,) = [plain(block.content) for block in blocks_of(section) if getattr(block, "kind", "") == "lede"]
    assert lede.endswith("below 20 units its figures say little. 2 rows could not be read.")


def auc_row(direction: Direction | None, auc: float | None, note: str = "") -> dict:
    source, target = direction or ("all", "all")
    return {"source_language": source, "target_language": target, "rule": "calibrated", "item_set": "correct",
            "predictor": "log_joint", "auc": auc, "ci_low": 0.4, "ci_high": 0.8, "n_direct": 9, "n_pivot": 9,
            "note": note}  # fmt: skip


def said_of(auc: list[dict], joint: list[dict] | None = None) -> str:
    return plain(findings.auc_sentence(auc_tables(auc), joint or []))


def test_attribution_puts_the_primary_analysis_and_the_mean_first() -> None:
    rows = [
        {"source_language": s, "target_language": t, "rule": rule, "item_set": items, "predictor": name, "auc": value}
        | {"ci_low": 0.4, "ci_high": 0.8, "n_direct": 25, "n_pivot": 30, "note": "" if value else "too few"}
        for rule in ("onset", "calibrated")
        for items in ("all", "correct")
        for s, t, value in (("fr", "zh", None), ("all", "all", 0.6))
        for name in ("npmi", "log_joint")
    ]
    section = attribution(run_of(attribute={"auc": rows}))
    assert section is not None
    assert names_of(section)[0] == "auc-calibrated-correct"
    assert table_of(section, "auc-calibrated-correct") == [
        ["mean of directions", "25", "30", "0.600 [0.400, 0.800]", "0.600 [0.400, 0.800]"],
        ["fr → zh", "25", "30", "no AUC: too few"],
    ]
    assert [row[0] for row in table_of(section, "auc-means-all")] == ["calibrated", "onset"]
    assert said_of(rows).endswith(
        "0.600 [0.400, 0.800], where 0.5 is chance, within directions, on average: no better than chance."
    )


def test_the_forest_has_a_row_for_every_rule_and_predictor() -> None:
    rows = [
        {"source_language": "all", "target_language": "all", "rule": rule, "item_set": "correct", "predictor": name}
        | {"auc": value, "ci_low": 0.45, "ci_high": 0.75, "n_direct": 25, "n_pivot": 30, "note": ""}
        for rule, values in (("peak", (None, None)), ("<b>", (0.6, None)), ("calibrated", (0.5, 0.7)))
        for name, value in zip(("log_joint", "npmi"), values, strict=True)
    ]
    section = attribution(run_of(attribute={"auc": rows}))
    assert section is not None
    chart = figure_of(section, "auc-correct")
    assert len(drawn_of("circle", chart)) == 3
    assert "&lt;b&gt;, joint frequency 0.600 [0.450, 0.750]; &lt;b&gt;, NPMI none" in chart


def predictor(joint: int, behaviour: str | None = "direct", score: float | None = 0.5, **more: bool) -> dict:
    row = {"df_both": joint, "behaviour": behaviour, "score": score, "correct": True, "same_spelling": False}
    return row | more


def test_joint_frequency_is_drawn_by_range_and_with_the_score() -> None:
    rows = [predictor(joint, behaviour, score) for joint in (0, 1, 7) for score in (-0.2, 0.4)
            for behaviour in ("direct", "semantic_pivot", "copy")] * 10  # fmt: skip
    section = attribution(run_of(attribute={"predictors": rows, "bins": bin_rows(rows)}))
    assert section is not None
    chart = figure_of(section, "joint-frequency-and-score")
    points = [mark for name in ("circle", "path", "rect") for mark in drawn_of(name, chart)
              if str(mark.get("class")).startswith("point ")]  # fmt: skip
    assert len(points) == len(rows)
    bars = drawn_of("rect", figure_of(section, "joint-frequency-by-behaviour"))
    heights = [float(bar["height"]) for bar in bars if bar["class"] == "segment b-direct"]
    assert heights == pytest.approx([heights[0]] * 2 + [0.0, heights[0]], abs=0.02)


def test_of_many_items_evenly_spread_ones_are_drawn() -> None:
    rows = [predictor(number, score=number / 7000) for number in range(7000)]
    section = attribution(run_of(attribute={"predictors": rows, "bins": bin_rows(rows)}))
    assert section is not None
    chart = figure_of(section, "joint-frequency-and-score")
    assert f"direct: {MOST_POINTS} points" in chart
    captions = [plain(block.caption) for block in blocks_of(section) if getattr(block, "caption", ())]
    assert any("Score of 7\u202f000 items of all directions, 1\u202f500 of them drawn" in text for text in captions)


def statistic_row(**more: object) -> dict:
    row = {"source_language": "fr", "target_language": "zh", "test": "joint_beyond_marginals", "rule": "calibrated"}
    return row | {"item_set": "all", "statistic": 2.0, "p_value": 0.1, "n": 50, "note": ""} | more


def test_tests_of_the_primary_rule_come_first() -> None:
    pooled = {"test": "spearman_joint_score", "rule": "", "source_language": "all", "target_language": "all"}
    tests = [statistic_row(rule="peak"), statistic_row(), statistic_row(**pooled, ci_low=0.1, ci_high=0.3)]
    counted = [
        {"test": "joint_beyond_marginals", "rule": "calibrated", "item_set": "correct", "directions": 3, "tested": 2}
        | {"significant": 1, "smallest_p": 0.01}
    ]
    section = attribution(run_of(attribute={"tests": tests, "significance": counted}))
    assert section is not None
    assert [row[:4] for row in table_of(section, "tests-by-direction")] == [
        ["fr → zh", "calibrated", "all items", "2.00"],
        ["fr → zh", "peak", "all items", "2.00"],
    ]
    ranks = table_of(section, "rank-correlation-of-joint-frequency-with-the-score")
    assert [row[:3] for row in ranks] == [["mean of directions", "all items", "2.000 [0.100, 0.300]"]]
    assert table_of(section, "joint-beyond-marginals") == [
        ["calibrated", "correctly answered items", "3", "2", "1", "0.010"]
    ]


def test_words_sharing_a_unit_are_told_by_direction_and_scope() -> None:
    base = {"item_set": "all", "behaviour": "", "n": 10, "n_shared": 3, "share_never": 0.7, "median": 0.0, "most": 9}
    base |= {"n_as_english": 1, "share_as_english": 1 / 3}
    rows = [base | {"direction_group": "neither_english", "source_language": "all", "target_language": "all"},
            base | {"direction_group": "direction", "source_language": "fr", "target_language": "zh"},
            base | {"direction_group": "with_auc", "source_language": "all", "target_language": "all"}]  # fmt: skip
    section = attribution(run_of(attribute={"joint": rows}))
    assert section is not None
    assert table_of(section, "shared-units-of-items") == [
        ["neither side English", "70%", "0", "9", "10", "3", "33%"], ["fr → zh", "70%", "0", "9", "10", "3", "33%"],
    ]  # fmt: skip


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
    assert said_of(rows).endswith(f"0.600 [0.400, 0.800], where 0.5 is chance, {said}")
    assert coverage(next(iter(auc_tables(rows).values()))) == f"{2 if of_en_fr else 1} of 3 directions"


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        (
            19,
            "; 48 of its 82 items have both words in some unit (29 direct, 19 semantic pivot), too few to say "
            "what it means.",
        ),
        (20, "; 50 of its 82 items have both words in some unit; more shared units go with direct behaviour."),
    ],
)
def test_an_auc_that_rests_on_few_pairs_has_no_verdict(shared: int, said: str) -> None:
    rows = [auc_row(FR_ZH, 0.6) | {"ci_low": 0.55}, auc_row(ZH_FR, None, "too few")]
    joint = [
        {"direction_group": group, "item_set": items, "behaviour": behaviour, "n": 41, "n_shared": count}
        for group, items in (("with_auc", "correct"), ("with_auc", "all"), ("neither_english", "correct"))
        for behaviour, count in (("direct", shared + 10), ("semantic_pivot", shared), ("", 99))
    ]
    assert said_of(rows, joint).endswith(f"1 of 2 directions (no AUC in the others: too few){said}")


def test_an_auc_below_one_half_goes_with_pivots() -> None:
    row = auc_row(FR_ZH, 0.3) | {"ci_low": 0.2, "ci_high": 0.4}
    assert said_of([row]).endswith(": more shared units go with semantic pivot behaviour.")


def test_a_table_of_auc_names_each_reason_once() -> None:
    few, constant = "too few", "predictor constant"
    rows = [auc_row(FR_ZH, None, f"{few}; {constant}"), auc_row(FR_ZH, None, few) | {"predictor": "npmi"}]
    section = attribution(run_of(attribute={"auc": rows}))
    assert section is not None
    assert table_of(section, "auc-calibrated-correct") == [["fr → zh", "9", "9", f"no AUC: {few}; {constant}"]]


def test_every_reason_for_no_auc_is_named_once_with_its_directions() -> None:
    few, constant = "fewer than 20 items of a class", "predictor constant"
    rows = [auc_row(FR_ZH, None, few), auc_row(ZH_FR, None, f"{few}; {constant}"), auc_row(EN_FR, None, few)]
    rows.append(auc_row(None, None, "no direction has an AUC"))
    # Another predictor's reason is no reason for joint frequency.
    rows += [auc_row(one, None, constant) | {"predictor": "npmi"} for one in (FR_ZH, ZH_FR, EN_FR, None)]
    assert said_of(rows).endswith(f"cannot be said: {few} in 3 of 3 directions; {constant} in 1 of 3 directions.")
    said = said_of([*rows[1:3], auc_row(FR_ZH, 0.6)])
    assert f"(no AUC in the others: {few}; {constant} in 1 of 2 directions): no better" in said
    assert said_of([auc_row(FR_ZH, None, constant)]).endswith(f"cannot be said: {constant}.")


def mining(pairs: list[dict], corpus_pivots: list[dict], grammar: list[dict] | None = None) -> dict:
    summary = {"pairs": 3, "pair_pivots": 4, "linked": 1, "corpus_pivots": len(corpus_pivots)}
    summary |= {"share_with_pivots": 0.5, "share_with_pivots_shuffled": None}
    return {"pair_pivots": pairs, "pivots": corpus_pivots, "summary": [summary], "grammar": grammar or []}


def test_a_pair_mined_both_ways_is_shown_once() -> None:
    rows = [pair(FR_ZH, "a", 0.3), pair(FR_ZH, "a", 0.4, token=" y", relation="hypernym"), pair(ZH_FR, "a", 0.4)]
    rows += [pair(EN_FR, "b", 0.9), pair(EN_FR, "c", 0.1)]
    found = mined_pivots(run_of(mine=mining(rows, [])), [(ZH_FR, "a")], 2)
    assert found is not None
    assert [(each.direction, each.concept_id) for each in found.pairs] == [(EN_FR, "b"), (FR_ZH, "a")]
    assert [one["token"] for one in found.by_item()[ZH_FR, "a"]] == [" y", " x"]
    assert mined_pivots(run_of(), [], 2) is None


def test_words_of_grammar_are_never_named_as_the_most_widespread_pivots() -> None:
    tokens = [" his", " water", " rain", " ice", " snow"]
    rows = [
        {"token_id": number, "token": token, "degree": 9, "degree_shuffled": 1.0, "language_pairs": 2, "stability": 1.0}
        | {"score": 99.0 - number}
        for number, token in enumerate(tokens)
    ]
    found = mined_pivots(run_of(mine=mining([pair(FR_ZH, "a", 0.3)], rows, [{"token_id": 0}])), [], 2)
    assert found is not None
    said: Prose = findings.mined_sentence(found)
    assert [part.text for part in said if isinstance(part, Word)] == ["water", "rain", "ice"]
    assert [one["token"] for one in found.corpus] == tokens  # the table has them all


def test_arms_are_shown_with_their_languages() -> None:
    base = {"arm": "top", "units": 2, "budget": 9, "available": 99, "bridges": 2.5}
    summary = [base | {"language": code, "tokens": tokens, "pivot_share": share} for code, tokens, share in
               (("fr", 300, 0.1), ("zh", 100, 0.5))]  # fmt: skip
    arms = [{"arm": "top", "units": 4, "tokens": 400, "pivot_share": 0.2, "bridges": 3.5}]
    parts = [
        {"arm": arm, "language": "fr", "facet": "source", "value": f"s{number}", "share": number / 10}
        for arm in ("corpus", "top") for number in range(7)
    ]  # fmt: skip
    section = selection(run_of(select={"arms": arms, "summary": summary, "composition": parts}))
    assert section is not None
    assert table_of(section, "arms") == [
        ["top", "all", "4", "400", "", "", "3.50", "20%"],
        ["", "French", "2", "300", "9", "99", "2.50", "10%"],
        ["", "Chinese", "2", "100", "9", "99", "2.50", "50%"],
    ]
    largest = table_of(section, "composition-source")
    assert [row[1:] for row in largest] == [[f"s{n}", f"{n}0%", f"{n}0%"] for n in (6, 5, 4, 3, 2)]
    said = plain(findings.arms_sentence([*arms, {"arm": "random", "pivot_share": 0.05}]))
    assert (
        said
        == "In the rebuilt corpus 20% of the tokens are pivots, against 5.0% in a random choice at the same budget."
    )


@pytest.mark.parametrize(
    ("score", "train", "order"),
    [
        ({"model": "m"}, {"arms": ["a"]}, "bench score trace select train evaluate"),
        ({"also_models": ["run:train/top@step-1"]}, {"arms": ["t=run:select/top"]},
         "bench select train score trace evaluate"),
        ({"model": "run:train/top"}, {"arms": ["run:other:score/top"]}, "bench select train score trace evaluate"),
        ({"model": "run:train/top"}, {"arms": ["run:score/top"]}, "bench select evaluate score trace train"),
    ],
)  # fmt: skip
def test_no_command_stands_before_one_whose_result_it_reads(tmp_path, score, train, order) -> None:
    made = {"bench": ({}, ()), "score": (score, ("bench",)), "trace": ({}, ("bench", "score")), "select": ({}, ()),
            "train": (train, ()), "evaluate": ({"model": "m"}, ())}  # fmt: skip
    for name, (config, inputs) in made.items():
        manifest = Manifest(stage=name, algorithm_version=1, fingerprint="f", config=config,
                            inputs=dict.fromkeys(inputs, "f"), outputs={})  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_bytes(manifest.to_bytes())
    assert [line.split()[1] for line in commands(RunTables.load(tmp_path))] == order.split()


def test_details_are_flattened_and_cut() -> None:
    found = dict(details({"b": {"c_d": True, "e": [1, 2.5]}, "a": None, "long": "x" * 500}))
    assert found["b c d"] == "yes"
    assert found["b e"] == "1, 2.5"
    assert found["a"] == "none"
    assert len(found["long"]) == 160
    assert typed(0.30000000000000004) == "0.3"


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
    assert (
        plain(findings.examples_sentence([item]))
        == "The clearest is pluie → rain → 雨 (layer 5, p = 0.90, the answer is wrong)."
    )
