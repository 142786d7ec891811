"""Several models and prompts in a call, strata, answers of shared words, and paired comparison."""

import dataclasses

import numpy as np
import pytest

from pivotlens.artifacts import Scores
from pivotlens.artifacts.benchmark import Concept
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.cli.main import main
from pivotlens.comparison.comparing import HowCompared, compare_sides
from pivotlens.errors import ConfigError
from pivotlens.score.config import ScoreConfig
from pivotlens.score.side import scored_side
from pivotlens.score.stage import score_model
from pivotlens.score.tiers import tier_measures, tiers_of
from pivotlens.statistics.sign_flip import sign_flip_p
from pivotlens.text import Direction
from pivotlens.translation.items import accepted_answers
from pivotlens.translation.measures import measure_items
from tiny_inputs import write_model, write_word_list


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A run with two models under two prompts, and one with the second model alone under the second."""
    base = tmp_path_factory.mktemp("score")
    words = write_word_list(base / "words.tsv")
    first, second = write_model(base / "a"), write_model(base / "b")
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(second / "model.safetensors")
    torch.manual_seed(1)
    save_file(
        {k: v + torch.randn_like(v) * 0.05 for k, v in weights.items()}, second / "model.safetensors", {"format": "pt"}
    )
    for run in ("both", "alone"):
        build_benchmark(BenchConfig(words=str(words), distractors=4, shot_pool=8, calibration=20), base / run)
    common = {"directions": ("en-fr", "fr-zh"), "shots": 2, "shot_sets": 2, "bootstrap": 100, "device": "cpu"}
    score_model(
        ScoreConfig(model=str(first), also_models=(str(second), str(first)), also_prompts=("bare",), **common),
        base / "both",
    )
    score_model(ScoreConfig(model=str(second), prompt="bare", newline="left", **common), base / "alone")
    return base


def test_every_model_and_prompt_is_in_the_tables_once(scored):
    both = Scores.load(scored / "both")
    for name in ("answers", "concepts", "summary", "strata"):
        pairs = {(row["model"], row["prompt"]) for row in both.rows(name)}
        assert pairs == {(str(scored / m), p) for m in "ab" for p in ("english", "bare")}
    assert {(row["model"], row["prompt"]) for row in both.first_rows("summary")} == {(str(scored / "a"), "english")}
    assert [one["model"] for one in both.manifest.details["also_models"]] == [str(scored / "b")]


def test_a_model_scored_beside_another_one_has_the_figures_that_it_has_alone(scored):
    alone = Scores.load(scored / "alone")
    beside = [
        row
        for row in Scores.load(scored / "both").rows("concepts")
        if (row["model"], row["prompt"]) == (str(scored / "b"), "bare")
    ]
    for one, other in zip(alone.rows("concepts"), beside, strict=True):
        assert one["concept_id"] == other["concept_id"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-6)
        assert one["generated"] == other["generated"]
        assert one["probability_share_line"] is None
        assert other["probability_share_line"] is not None


def test_strata_hold_every_item_once(scored):
    rows = [row for row in Scores.load(scored / "alone").rows("strata") if row["source_language"] == "en"]
    summary = next(r for r in Scores.load(scored / "alone").rows("summary") if r["source_language"] == "en")
    by_pos = [row for row in rows if row["stratum"] == "pos"]
    assert sum(row["n"] for row in by_pos) == summary["n"]
    mean = sum(row["n"] * row["score"] for row in by_pos) / summary["n"]
    assert mean == pytest.approx(summary["score"])
    assert not [row for row in rows if row["stratum"] == "tier"]  # a word list of one's own has no tiers


# -- a scored model as a side of a comparison


def test_a_model_does_not_differ_from_itself(scored):
    both, alone = (Scores.load(scored / name) for name in ("both", "alone"))
    found = compare_sides(scored_side(both, str(scored / "b"), "bare"), scored_side(alone, str(scored / "b"), "bare"))
    assert list(dict.fromkeys(row.task for row in found.rows)) == ["score_en_fr", "score_fr_zh", "score"]
    for row in found.rows:
        assert row.difference == pytest.approx(0, abs=1e-6)
        assert row.n > 0
    assert not found.notes


def test_a_comparison_is_the_difference_of_the_means(scored):
    both = Scores.load(scored / "both")
    sides = [scored_side(both, str(scored / name), "english") for name in "ab"]
    found = compare_sides(*sides, HowCompared(bootstrap=200))
    means = {
        (row["model"], row["source_language"], row["target_language"], row["item_set"]): row
        for row in both.rows("summary")
        if row["prompt"] == "english"
    }
    assert len(found.rows) == 3 * 2 * 5
    for row in found.rows:
        pair = ("all", "all") if row.tasks == 2 else tuple(row.task.split("_")[1:])
        figure = row.metric.removesuffix("_different_spelling")
        item_set = "all" if figure == row.metric else "different_spelling"
        one, other = (means[str(scored / name), *pair, item_set][figure] for name in "ab")
        assert row.n == means[str(scored / "a"), *pair, item_set]["n"]
        assert row.difference == pytest.approx(other - one)
        assert (row.first, row.second) == (pytest.approx(one), pytest.approx(other))
        assert row.ci_low <= row.difference <= row.ci_high
        assert 0 < row.p_value <= row.p_holm <= 1


def test_a_comparison_needs_the_same_benchmark_and_examples(scored, tmp_path):
    words = scored / "words.tsv"
    config = ScoreConfig(
        model=str(scored / "a"),
        directions=("en-fr",),
        shots=2,
        shot_sets=1,
        bootstrap=100,
        device="cpu",
        newline="left",
    )
    both = scored_side(Scores.load(scored / "both"), str(scored / "a"), "english")
    for name, bench, message in (
        ("other", BenchConfig(words=str(words), distractors=3, shot_pool=8, calibration=20), "the benchmark: "),
        ("shots", BenchConfig(words=str(words), distractors=4, shot_pool=8, calibration=20), "the examples: "),
    ):
        build_benchmark(bench, tmp_path / name)
        other = scored_side(score_model(config, tmp_path / name), str(scored / "a"), "english")
        with pytest.raises(ConfigError, match=f"ran score_en_fr under other conditions .*{message}"):
            compare_sides(both, other)


def test_comparing_on_the_command_line(scored, capsys):
    assert main(["compare", str(scored / "both"), str(scored / "alone"), "--any-prompt", "--json"]) == 0
    assert '"accuracy_generated"' in capsys.readouterr().out
    assert main(["compare", "--run", str(scored / "both"), str(scored / "a"), f"{scored / 'b'}:bare"]) == 0
    assert "score_en_fr" in capsys.readouterr().out
    for arguments, message in (
        ([str(scored / "both")], "takes two sides"),
        (["x", "y"], "no run folder"),
        (["--run", str(scored / "both"), "x", "y"], "neither a run folder"),
        ([str(scored / "both"), str(scored / "alone"), "--shots", "3"], "Unknown option"),
        ([str(scored / "both"), str(scored / "alone"), "--bootstrap", "3"], "too few"),
    ):
        assert main(["compare", *arguments]) == 2
        assert message in capsys.readouterr().err.replace("\n", " ")


def test_score_says_where_tokenizers_differ(scored):
    both = Scores.load(scored / "both")
    first, second = (scored_side(both, str(scored / name), "english") for name in "ab")
    assert all(row.comparable for row in compare_sides(first, second).rows)
    tasks = {
        task: dataclasses.replace(
            values,
            documents=tuple(dataclasses.replace(one, tokens=one.tokens + 1) for one in values.documents),
        )
        for task, values in second.tasks.items()
    }
    found = compare_sides(first, dataclasses.replace(second, tasks=tasks))
    other = {row.metric for row in found.rows if not row.comparable}
    assert other == {"score", "score_different_spelling"}
    assert all(row.comparable == (row.metric not in other) for row in found.rows)
    assert found.notes[-1].startswith("The two cut answers into different tokens. Score")


# -- pieces


def concept(name: str, words: dict[str, str], accepted: dict[str, tuple[str, ...]], **more) -> Concept:
    return Concept(name, "test", False, "n", words, accepted, more.pop("distractors", ()), (), **more)


def test_a_shared_source_word_has_the_answers_of_both_concepts():
    rug = concept("rug", {"fr": "tapis", "en": "rug"}, {"fr": ("tapis",), "en": ("rug",)})
    carpet = concept("carpet", {"fr": "Tapis", "en": "carpet"}, {"fr": ("Tapis",), "en": ("carpet", "carpeting")})
    found = accepted_answers([rug, carpet], Direction("fr", "en"))
    assert found == {"tapis": {"rug", "carpet", "carpeting"}}
    assert accepted_answers([rug, carpet], Direction("en", "fr")) == {"rug": {"tapis"}, "carpet": {"Tapis"}}


def test_tiers_against_a_slow_loop():
    random = np.random.default_rng(0)
    sums = -random.exponential(5.0, (6, 5, 3))
    sums[2, 1, 0] = sums[2, 0, 0]
    tokens = random.integers(1, 4, sums.shape).astype(float)
    others = ("p", "q", "r", "s")
    concepts = [
        concept(str(i), {}, {}, distractors=others, tiers={o: int(random.integers(0, 3)) for o in others[: 4 - i % 2]})
        for i in range(6)
    ]
    measures = measure_items(sums, tokens)
    for tier in tiers_of(concepts):
        found = tier_measures(sums, measures, concepts, tier)
        for i, one in enumerate(concepts):
            chosen = [k for k, other in enumerate(others, start=1) if one.tiers.get(other) == tier]
            assert found.present[i] == bool(chosen)
            for s in range(3):
                if not chosen:
                    assert np.isnan([found.score[i, s], found.margin[i, s], found.beaten[i, s]]).all()
                    continue
                p = np.exp(sums[i, :, s] / tokens[i, :, s])
                assert found.score[i, s] == pytest.approx(p[0] - np.mean([p[k] for k in chosen]))
                whole = np.exp(sums[i, :, s])
                assert found.margin[i, s] == pytest.approx(
                    np.log(whole[0]) - np.log(np.mean([whole[k] for k in chosen]))
                )
                wins = [(whole[k] < whole[0]) + (whole[k] == whole[0]) / 2 for k in chosen]
                assert found.beaten[i, s] == pytest.approx(np.mean(wins))


def test_sign_flips_against_all_of_them():
    parts = np.array([0.5, 0.25, -0.125, 1.0, 0.75, 0.3, 0.2, -0.05, 0.6, 0.1])
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(parts))).reshape(len(parts), -1).T
    exact = (np.abs(signs @ parts) >= abs(parts.sum()) - 1e-12).mean()
    assert sign_flip_p(parts, 0, flips=100_000) == pytest.approx(exact, abs=0.002)
    assert sign_flip_p(np.zeros(5), 0) == 1.0
    assert sign_flip_p(parts, 3) == sign_flip_p(parts, 3)
