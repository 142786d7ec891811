"""Attribution against plain loops over the items."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from pivotlens.artifacts import Benchmark
from pivotlens.attribute import AttributeConfig, attribute_behaviour
from pivotlens.attribute.joint import bin_rows, joint_rows
from pivotlens.attribute.predictors import pair_predictors
from pivotlens.attribute.stage import STAGE
from pivotlens.bench.config import BenchConfig
from pivotlens.count.config import CountConfig
from pivotlens.errors import ArtifactError, PrerequisiteError
from pivotlens.query.config import QueryConfig
from pivotlens.report.run_tables import RunTables
from pivotlens.report.sections.attribution import attribution
from pivotlens.score.config import ScoreConfig
from pivotlens.statistics.regression import weighted_spearman
from pivotlens.trace.config import TraceConfig
from stage_by_hand import writing

CONFIG = AttributeConfig(min_items=5, bootstrap=200)
UNITS = 5000
DIRECTIONS = (("fr", "zh"), ("zh", "fr"), ("fr", "en"))


def items(seed=0, concepts=60, joint=True):
    """Items whose behaviour follows their joint frequency."""
    rng = np.random.default_rng(seed)
    rows = []
    for concept in range(concepts):
        both = {pair: int(rng.integers(0, 30)) * joint for pair in ("fr-zh", "en-fr")}
        df = {code: int(rng.integers(30, 300)) for code in ("en", "fr", "zh")}
        for source, target in DIRECTIONS:
            shared = both["-".join(sorted((source, target)))]
            direct = rng.random() < 1 / (1 + np.exp(-(shared - 12) / 8))
            other = rng.random() < 0.1
            rows.append(
                {
                    "concept_id": f"c{concept}", "source_language": source, "target_language": target,
                    "df_source": df[source], "df_target": df[target], "df_both": shared,
                    "behaviour": "other" if other else "direct" if direct else "semantic_pivot",
                    "correct": bool(rng.random() < 0.7), "same_spelling": bool(rng.random() < 0.1),
                    "n_target_tokens": int(rng.integers(1, 4)), "score": float(shared + rng.normal()),
                }
            )  # fmt: skip
    return rows


def columns(rows, names):
    return {name: [row.get(name) for row in rows] for name in names}


LOOK_ALIKES = 4


def write_bench(run, concepts=60):
    """Write a benchmark whose first French words are spelled as the English word of the next concept."""
    with writing(run, BenchConfig(), inputs={}) as stage:
        rows = [
            {"concept_id": f"c{number}", "split": "test", "calibration": True, "language": code, "flags": [],
             "word": f"En{number + 1}" if code == "fr" and number < LOOK_ALIKES else f"{code}{number}",
             "accepted": [f"{code}{number}"]}
            for number in range(concepts)
            for code in ("en", "fr", "zh")
        ]  # fmt: skip
        stage.write_table("items", columns(rows, stage_columns("bench/items")))
        for name in ("distractors", "links"):
            stage.write_table(name, columns([], stage_columns(f"bench/{name}")))
        stage.finish()


def write(run, rows, *, pairs=None, rules=("calibrated", "peak"), score_model="m", units=UNITS, benches=("b", "b")):
    if not (run / "bench").exists():
        write_bench(run)
    words = {key: one.words for key, one in Benchmark.load(run).concepts.items()}
    rows = [
        {"model": "m", "prompt": "english", "shot_set": 0, **row}
        | {f"{side}_word": words[row["concept_id"]][row[f"{side}_language"]] for side in ("source", "target")}
        for row in rows
    ]
    # Items of other shot sets must not be read.
    rows += [{**row, "shot_set": 1, "behaviour": "none", "same_spelling": False} for row in rows[:10]]
    with writing(run, TraceConfig(model="m"), inputs={"bench": benches[0]}) as stage:
        names = stage_columns("trace/items")
        stage.write_table("items", columns(rows, names))
        behaviours = [{**row, "rule": rule, "layer": 1, "token_id": 1, "token": "x", "prob": 0.5}
                      for row in rows for rule in rules]  # fmt: skip
        stage.write_table("behaviours", columns(behaviours, stage_columns("trace/behaviours")))
        stage.finish()
    with writing(run, CountConfig(), inputs={"bench": benches[1]}) as stage:
        languages = [{"language": "fr", "units": units - 1000}, {"language": "zh", "units": 1000}]
        stage.write_table("languages", columns(languages, stage_columns("count/languages")))
        counted = rows if pairs is None else pairs
        stage.write_table("pairs", columns(counted, stage_columns("count/pairs")))
        stage.finish()
    if score_model:
        with writing(run, ScoreConfig(), inputs={}) as stage:
            scored = [{**row, "model": score_model} for row in rows if row["shot_set"] == 0]
            stage.write_table("concepts", columns(scored, stage_columns("score/concepts")))
            stage.finish()


def stage_columns(name):
    from pivotlens.artifacts import SCHEMAS

    return SCHEMAS[name].names


def slow_auc(rows, predictor):
    pairs = [
        (predictor(a), predictor(b))
        for a in rows if a["behaviour"] == "direct"
        for b in rows if b["behaviour"] == "semantic_pivot"
    ]  # fmt: skip
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def test_auc_equals_counting_pairs_of_items(tmp_path):
    rows = items()
    write(tmp_path, rows)
    found = attribute_behaviour(CONFIG, tmp_path)
    by = {
        (r["source_language"], r["target_language"], r["rule"], r["item_set"], r["predictor"]): r
        for r in found.rows("auc")
    }
    for chosen in ("correct", "all"):
        usable = [row for row in rows if not row["same_spelling"] and (row["correct"] or chosen == "all")]
        means = []
        for source, target in DIRECTIONS:
            there = [row for row in usable if (row["source_language"], row["target_language"]) == (source, target)]
            row = by[source, target, "calibrated", chosen, "log_joint"]
            assert row["auc"] == pytest.approx(slow_auc(there, lambda item: item["df_both"]))
            assert row["ci_low"] < row["auc"] < row["ci_high"]
            assert row["n_direct"] == sum(item["behaviour"] == "direct" for item in there)
            assert row["n_pivot"] == sum(item["behaviour"] == "semantic_pivot" for item in there)
            target_row = by[source, target, "calibrated", chosen, "log_target"]
            assert target_row["auc"] == pytest.approx(slow_auc(there, lambda item: item["df_target"]))
            means.append(row["auc"])
        pooled = by["all", "all", "calibrated", chosen, "log_joint"]
        assert pooled["auc"] == pytest.approx(np.mean(means))
        assert pooled["note"] == "mean of 3 of 3 directions"
        assert pooled["ci_low"] < pooled["auc"] < pooled["ci_high"]
        narrowest = min(by[*d, "calibrated", chosen, "log_joint"]["ci_high"]
                        - by[*d, "calibrated", chosen, "log_joint"]["ci_low"] for d in DIRECTIONS)  # fmt: skip
        assert pooled["ci_high"] - pooled["ci_low"] < narrowest
    assert by["all", "all", "peak", "all", "npmi"]["auc"] > 0.6


def test_items_with_a_word_spelled_like_an_english_one_are_left_out_of_sets_of_their_own(tmp_path):
    rows = items()
    write(tmp_path / "all", rows)
    # A run without these items has the same figures as the set that leaves them out.
    left = [row for row in rows if int(row["concept_id"][1:]) >= LOOK_ALIKES]
    write(tmp_path / "left", left)
    found, expected = (attribute_behaviour(CONFIG, tmp_path / name).rows("auc") for name in ("all", "left"))
    assert {row["item_set"] for row in found} == {"correct", "all", "correct_unlike_english", "all_unlike_english"}
    without = [row for row in found if row["item_set"].endswith("_unlike_english")]
    assert [row | {"item_set": row["item_set"].removesuffix("_unlike_english")} for row in without] == [
        row for row in expected if not row["item_set"].endswith("_unlike_english")
    ]
    one = next(row for row in without if (row["source_language"], row["item_set"]) == ("zh", "all_unlike_english"))
    there = [row for row in left if row["source_language"] == "zh" and not row["same_spelling"]]
    assert one["auc"] == pytest.approx(slow_auc(there, lambda item: item["df_both"]))


def plain_counts(rows):
    """What ``attribute/joint`` says of rows, by a loop."""
    shared = [row for row in rows if row["df_both"] > 0]
    look_alike = [row for row in shared if int(row["concept_id"][1:]) < LOOK_ALIKES]
    return {
        "n": len(rows), "n_shared": len(shared), "share_never": 1 - len(shared) / len(rows),
        "median": np.median([row["df_both"] for row in rows]), "most": max(row["df_both"] for row in rows),
        "n_as_english": len(look_alike), "share_as_english": len(look_alike) / len(shared),
    }  # fmt: skip


def test_joint_frequency_is_counted_by_scope_and_class(tmp_path):
    rows = items()
    write(tmp_path, rows)
    found = attribute_behaviour(CONFIG, tmp_path).rows("joint")
    groups = {
        ("neither_english", "all"): lambda row: "en" not in (row["source_language"], row["target_language"]),
        ("with_english", "all"): lambda row: "en" in (row["source_language"], row["target_language"]),
        ("with_auc", "all"): lambda row: True,
        ("direction", "zh"): lambda row: row["source_language"] == "zh",
    }
    for (group, source), belongs in groups.items():
        for name in ("correct", "all"):
            for behaviour in ("", "direct", "semantic_pivot"):
                (one,) = (row for row in found if (row["direction_group"], row["source_language"], row["item_set"],
                                                   row["behaviour"]) == (group, source, name, behaviour))  # fmt: skip
                chosen = [row for row in rows if belongs(row) and not row["same_spelling"]
                          and (row["correct"] or name == "all") and behaviour in ("", row["behaviour"])]  # fmt: skip
                assert {key: one[key] for key in plain_counts(chosen)} == pytest.approx(plain_counts(chosen))
    assert joint_rows([], lambda row: False, {}) == []
    (one, _) = joint_rows([rows[0] | {"df_both": 0, "behaviour": None}], lambda row: True, {})[:2]
    assert (one["n_shared"], one["share_never"], one["share_as_english"]) == (0, 1.0, None)


def test_bins_add_up_to_the_items_of_each_class(tmp_path):
    rows = items()
    write(tmp_path, rows)
    found = attribute_behaviour(CONFIG, tmp_path).rows("bins")
    assert [(row["low"], row["high"]) for row in found] == [(0, 0), (1, 1), (2, 3), (4, 7), (8, 15), (16, 31)]
    kept = [row for row in rows if not row["same_spelling"]]
    for one in found:
        here = [row for row in kept if one["low"] <= row["df_both"] <= one["high"]]
        direct = [row for row in here if row["correct"] and row["behaviour"] == "direct"]
        assert (one["n_direct"], one["n_scored"]) == (len(direct), len(here))
        assert one["score"] == pytest.approx(np.mean([row["score"] for row in here]))
        assert one["log_joint"] == pytest.approx(np.mean([np.log1p(row["df_both"]) for row in here]))
    assert sum(row["share_direct"] for row in found) == pytest.approx(1)
    assert sum(row["share_pivot"] for row in found) == pytest.approx(1)
    (empty,) = bin_rows([rows[0] | {"df_both": 0, "score": None, "correct": False, "same_spelling": False}])
    assert (empty["n_direct"], empty["share_direct"], empty["n_scored"], empty["score"]) == (0, None, 0, None)
    assert bin_rows([]) == []


def test_tests_are_counted_by_rule_and_item_set(tmp_path):
    write(tmp_path, items())
    found = attribute_behaviour(CONFIG, tmp_path)
    for one in found.rows("significance"):
        ps = [row["p_value"] for row in found.rows("tests") if row["source_language"] != "all"
              and all(row[name] == one[name] for name in ("test", "rule", "item_set"))]  # fmt: skip
        known = [p for p in ps if p is not None]
        assert (one["directions"], one["tested"]) == (len(ps), len(known))
        assert (one["significant"], one["smallest_p"]) == (sum(p < 0.05 for p in known), min(known, default=None))
    assert len(found.rows("significance")) == 5


def test_tests_and_predictors(tmp_path):
    rows = items()
    write(tmp_path, rows)
    found = attribute_behaviour(CONFIG, tmp_path)
    tests = found.rows("tests")
    pooled = tests.pop()
    assert {(row["rule"], row["item_set"]) for row in tests} == {
        ("calibrated", "correct"), ("calibrated", "all"), ("peak", "correct"), ("peak", "all"), ("", "all")
    }  # fmt: skip
    assert len(tests) == 4 * len(DIRECTIONS) + len(DIRECTIONS)
    correlations = [row for row in tests if row["test"] == "spearman_joint_score"]
    assert pooled["test"] == "spearman_joint_score"
    assert (pooled["source_language"], pooled["p_value"]) == ("all", None)
    assert pooled["statistic"] == pytest.approx(np.mean([row["statistic"] for row in correlations]))
    assert pooled["n"] == sum(row["n"] for row in correlations)
    assert pooled["note"] == "mean of 3 of 3 directions"
    assert pooled["ci_low"] < pooled["statistic"] < pooled["ci_high"]
    for row in tests:
        assert row["note"] == ""
        if row["test"] == "joint_beyond_marginals":
            assert row["p_value"] == pytest.approx(scipy.stats.chi2.sf(row["statistic"], 1))
            assert row["ci_low"] is None
        else:
            assert row["ci_low"] < row["statistic"] < row["ci_high"]
            there = [r for r in rows if (r["source_language"], r["target_language"])
                     == (row["source_language"], row["target_language"]) and not r["same_spelling"]]  # fmt: skip
            expected = scipy.stats.spearmanr([r["df_both"] for r in there], [r["score"] for r in there])
            assert row["statistic"] == pytest.approx(expected.statistic)
            assert row["n"] == len(there)
    assert min(row["p_value"] for row in tests if row["test"] == "joint_beyond_marginals") < 0.05
    predictors = found.rows("predictors")
    assert len(predictors) == len(rows)
    for row, item in zip(predictors, rows, strict=True):
        assert {name: row[name] for name in item} == item
        assert row["log_joint"] == pytest.approx(np.log(1 + item["df_both"]))
    assert any("association" in warning for warning in found.manifest.warnings)
    assert found.manifest.details["units"] == UNITS
    assert STAGE.plan(CONFIG, tmp_path).reason is None
    assert attribute_behaviour(CONFIG, tmp_path).manifest == found.manifest


def test_no_joint_occurrence_at_all(tmp_path):
    write(tmp_path, items(joint=False))
    found = attribute_behaviour(CONFIG, tmp_path)
    joint = [row for row in found.rows("auc") if row["predictor"] in ("log_joint", "npmi")]
    assert all(row["auc"] is None and row["ci_low"] is None for row in joint)
    assert {row["note"] for row in joint if row["source_language"] != "all"} == {"predictor constant"}
    assert {row["note"] for row in joint if row["source_language"] == "all"} == {
        "predictor constant in every direction"
    }
    assert {row["note"] for row in found.rows("tests")} == {"predictor constant"}
    assert {row["npmi"] for row in found.rows("predictors")} == {-1.0}
    assert any("joint frequency is constant" in warning for warning in found.manifest.warnings)


def test_too_few_items_give_null_and_a_note(tmp_path):
    write(tmp_path, items(concepts=8), score_model="")
    found = attribute_behaviour(AttributeConfig(), tmp_path)
    assert {row["auc"] for row in found.rows("auc")} == {None}
    assert {row["note"] for row in found.rows("auc")} == {"fewer than 20 items of a class", "no direction has an AUC"}
    assert {row["note"] for row in found.rows("tests")} == {"fewer than 20 items of a class", "no item has a score"}
    assert any("there is no AUC" in warning for warning in found.manifest.warnings)
    assert {row["score"] for row in found.rows("predictors")} == {None}


def test_what_does_not_fit_is_said(tmp_path):
    rows = items()
    mirrored = [
        {**row, "source_language": row["target_language"], "target_language": row["source_language"],
         "df_source": row["df_target"], "df_target": row["df_source"]}
        for row in rows
        if row["concept_id"] != "c0"
    ]  # fmt: skip
    write(tmp_path, rows, pairs=mirrored, rules=("peak",), score_model="another", benches=("a", "b"))
    found = attribute_behaviour(CONFIG, tmp_path)
    text = " ".join(found.manifest.warnings)
    assert "3 of 180 traced items have no counted pair" in text
    assert "another model or prompt" in text
    assert "one benchmark" in text
    assert {row["rule"] for row in found.rows("tests")} == {"peak", ""}
    assert {row["note"] for row in found.rows("tests") if not row["rule"]} == {"no item has a score"}
    assert {row["behaviour"] for row in found.rows("predictors")} == {None}
    kept = [row for row in rows if row["concept_id"] != "c0"]
    names = ("concept_id", "source_language", "df_source", "df_target", "df_both")
    assert [[row[n] for n in names] for row in found.rows("predictors")] == [[row[n] for n in names] for row in kept]


def test_of_several_models_the_first_is_taken(tmp_path):
    rows = items()
    write(tmp_path / "one", rows)
    others = [{**row, "model": model, "prompt": prompt, "behaviour": "direct", "correct": True}
              for model, prompt in (("m", "native"), ("n", "english")) for row in rows]  # fmt: skip
    write(tmp_path / "three", [*rows, *others])
    one, three = (attribute_behaviour(CONFIG, tmp_path / name) for name in ("one", "three"))
    for table in ("auc", "tests", "predictors"):
        assert one.rows(table) == three.rows(table)
    assert "The trace holds 3 models and prompts: this is of m, prompt english, alone." in three.manifest.warnings
    assert not any("models and prompts" in warning for warning in one.manifest.warnings)


def slow_spearman(first, second, weights):
    repeated = [np.repeat(values, weights.astype(int)) for values in (first, second)]
    if any(np.ptp(values) == 0 for values in repeated):
        return np.nan
    return scipy.stats.spearmanr(*repeated).statistic


def test_weighted_spearman_is_that_of_repeated_items():
    rng = np.random.default_rng(0)
    for n in (3, 12, 40):
        first, second = rng.integers(0, 5, n).astype(float), rng.integers(0, 9, n) / 7
        weights = rng.multinomial(n, np.full(n, 1 / n), size=50).astype(float)
        expected = [slow_spearman(first, second, row) for row in weights]
        np.testing.assert_allclose(weighted_spearman(first, second, weights), expected, atol=1e-12)
    assert np.isnan(weighted_spearman(np.zeros(4), np.arange(4.0), np.ones((2, 4)))).all()
    assert np.isnan(weighted_spearman(np.zeros(0), np.zeros(0), np.ones((2, 0)))).all()


def test_an_empty_trace(tmp_path):
    write(tmp_path, [])
    found = attribute_behaviour(CONFIG, tmp_path)
    assert found.table("auc").num_rows == 0
    assert found.table("predictors").num_rows == 0


def test_occurrences_of_an_index_take_the_place_of_units(tmp_path):
    """The same numbers as occurrences give the same AUCs; what needs units has none, and all of it is labelled."""
    rows = items()
    write(tmp_path, rows)
    of_units = attribute_behaviour(CONFIG, tmp_path)
    renamed = {"df_source": "occurrences_source", "df_target": "occurrences_target", "df_both": "co_occurrences"}
    counted = [{renamed.get(key, key): value for key, value in row.items()} | {"approx": False, "subsampled": False}
               for row in rows]  # fmt: skip
    counted[0]["approx"] = True
    with pytest.raises(PrerequisiteError, match="needs the result of 'query'"):
        attribute_behaviour(AttributeConfig(min_items=5, bootstrap=200, counts="query"), tmp_path)
    with writing(tmp_path, QueryConfig(index=("v4_x",)), inputs={"bench": "b"}) as stage:
        stage.write_table("pairs", columns(counted, stage_columns("query/pairs")))
        stage.finish({"index": "v4_x", "tokens": 10})
    found = attribute_behaviour(AttributeConfig(min_items=5, bootstrap=200, counts="query"), tmp_path)
    assert set(found.manifest.inputs) == {"bench", "trace", "query", "score"}
    assert found.manifest.details["units"] is None
    assert "occurrences in the index v4_x, of both words within 100 tokens" in found.manifest.details["counted"]
    assert any(f"1 of {len(rows)} joint counts are approximate" in warning for warning in found.manifest.warnings)
    for name in ("log_joint", "log_target"):
        assert found.auc(name).to_pylist() == of_units.auc(name).to_pylist()
    for name in ("npmi", "llr"):
        assert set(found.auc(name)["auc"].to_pylist()) == {None}
        assert "occurrences have no units" in found.auc(name)["note"].to_pylist()[0]
        assert set(found.predictors[name].to_pylist()) == {None}
    assert found.rows("tests") == of_units.rows("tests")
    shown = str(attribution(RunTables.load(tmp_path)))
    assert "Counted are" in shown
    assert "occurrences in the index v4_x" in shown
    assert "occurrences of both words near each other" in shown
    assert "units of the corpus with both words" not in shown


def test_errors(tmp_path):
    with pytest.raises(PrerequisiteError, match="trace"):
        attribute_behaviour(CONFIG, tmp_path)
    write(tmp_path, items(), units=1100)
    contradiction = [{**row, "df_both": 9999} for row in items()]
    write(tmp_path / "other", items(), pairs=contradiction)
    with pytest.raises(ArtifactError, match="contradict"):
        attribute_behaviour(CONFIG, tmp_path / "other")


def test_predictors_are_finite_whatever_the_counts():
    df = np.array([0, 0, 5, 5, 10])
    found = pair_predictors(df, np.array([0, 7, 0, 5, 10]), np.array([0, 0, 0, 5, 10]), 10)
    for name in ("log_joint", "log_target", "npmi", "llr"):
        assert np.isfinite(found.named(name)).all()
    np.testing.assert_allclose(found.npmi, [-1, -1, -1, 1, 0])
