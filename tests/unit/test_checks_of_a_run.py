"""What a stage tries before it shares caches: the longest of its own prompts, at little cost, whatever was done."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers as hf

from pivotlens.ablate.config import AblateConfig
from pivotlens.ablate.stage import ablate_pivots
from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.models.load import load_model
from pivotlens.models.scorer import AnswerScorer, plain_log_probabilities
from pivotlens.report.sections.provenance import details as shown_details
from pivotlens.score.config import ScoreConfig
from pivotlens.score.stage import score_model
from pivotlens.text import Direction
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.stage import trace_model
from pivotlens.translation import checks
from pivotlens.translation.checks import make_scorer, sample_prompts
from pivotlens.translation.prompts import shot_examples
from pivotlens.translation.words import WordPrompts
from positional_families import FAMILIES_OF_POSITIONS, WINDOW
from tiny_models import FAMILIES, llama_like, loaded_of, random_model, save, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

_WORDS = """concept	split	en	fr
dog	test	dog	chien
water	test	water	eau
book	test	book	livre
house	test	house	maison
bank	shot	bank	banque
tree	shot	tree	arbre
"""
_EN_FR, _FR_EN = Direction("en", "fr"), Direction("fr", "en")
_PAIRS = {
    _EN_FR: [("dog", "chien"), ("water", "eau"), ("house", "maison"), ("the water of the river", "rivière")],
    _FR_EN: [("chien", "dog"), ("eau", "water")],
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with a small benchmark."""
    (tmp_path / "words.tsv").write_text(_WORDS, encoding="utf-8")
    build_benchmark(BenchConfig(words=str(tmp_path / "words.tsv"), distractors=3, shot_pool=5), tmp_path / "run")
    return tmp_path / "run"


_LOCAL = 110


def gpt_neo(window: int) -> Any:
    config = FAMILIES["gpt_neo"].config()
    config.window_size, config.max_position_embeddings = window, 1024
    return random_model(config)


def test_a_stage_is_exact_where_only_its_long_rows_leave_a_local_window(run, tmp_path):
    """The family of the fault: every prompt lies within the window, rows of several prompts do not."""
    save(gpt_neo(window=_LOCAL), tmp_path / "model")
    settings = {"model": str(tmp_path / "model"), "device": "cpu", "shots": 2, "directions": ("en-fr",)}
    scores = score_model(ScoreConfig(**settings, shot_sets=1, bootstrap=100), run)
    loaded = load_model(settings["model"], device="cpu")
    benchmark = Benchmark.load(run)
    terms = {key: concept.words for key, concept in benchmark.concepts.items()}
    prompts = WordPrompts(
        loaded, _EN_FR, shot_examples(terms, scores.manifest.details["shot_sets"][0], _EN_FR), "english"
    )
    rows = scores.rows("answers")
    pairs = [(terms[row["choice_id"]]["en"], terms[row["concept_id"]]["fr"]) for row in rows]
    longest = 0
    for row, one in zip(rows, prompts.encode(pairs), strict=True):
        plain = plain_log_probabilities(loaded, one.context, one.answer)
        assert row["sum_logprob"] == pytest.approx(float(plain.sum()), abs=1e-4)
        longest = max(longest, len(one.context) + len(one.answer))
    assert longest < _LOCAL
    caches = scores.manifest.details["caches"]["english"]
    assert caches["shared"] == "copied"
    assert "packed and copied log-probabilities differ" in caches["reason"]
    assert not any("every prompt was run in full" in warning for warning in scores.manifest.warnings)


def test_how_caches_were_shared_stands_in_the_manifest_and_the_report(run, tmp_path):
    save(random_model(hf.LlamaConfig(**llama_like(max_position_embeddings=1024))), tmp_path / "model")
    settings = {"model": str(tmp_path / "model"), "device": "cpu", "shots": 2, "directions": ("en-fr",)}
    scores = score_model(ScoreConfig(**settings, also_prompts=("native",), shot_sets=1, bootstrap=100), run)
    packed = {"shared": "packed", "reason": None}
    assert scores.manifest.details["caches"] == {"english": packed, "native": packed}
    # A trace scores nothing, so that copied caches are all that it tries.
    trace = trace_model(TraceConfig(**settings, bootstrap=100), run)
    assert trace.manifest.details["caches"] == {"shared": "copied", "reason": None}
    details = {each.stage: dict(shown_details(each.manifest.details)) for each in (scores, trace)}
    assert details["score"]["caches native shared"] == "packed"
    assert details["trace"]["caches shared"] == "copied"


def prompts_of(loaded: Any, direction: Direction, shots: int) -> WordPrompts:
    example = ("bank", "banque") if direction == _EN_FR else ("banque", "bank")
    return WordPrompts(loaded, direction, [example] * shots, "english")


def test_the_longest_prompts_of_all_directions_and_shot_sets_are_tried(monkeypatch):
    tried: list[list[int]] = []
    check = checks.check_sharing

    def keep(loaded, contexts, answer, *more, **named):
        tried.append([len(context) for context in contexts])
        return check(loaded, contexts, answer, *more, **named)

    monkeypatch.setattr(checks, "check_sharing", keep)
    loaded = tiny("llama")
    prompts = [prompts_of(loaded, _FR_EN, 1), prompts_of(loaded, _EN_FR, 1), prompts_of(loaded, _EN_FR, 2)]
    scorer, reason = make_scorer(sample_prompts(prompts, _PAIRS), 8192)
    assert (scorer.sharing, reason) == ("packed", None)
    lengths = [len(one.context) for one in prompts[2].encode(_PAIRS[_EN_FR])]
    assert [sorted(one) for one in tried] == [sorted(lengths)]
    # In whatever order they come.
    make_scorer(sample_prompts(prompts[::-1], _PAIRS), 8192)
    assert tried[0] == tried[1]


def length_of(prompts: WordPrompts) -> int:
    return max(len(one.context) + len(one.answer) for one in prompts.encode(_PAIRS[prompts.direction]))


def test_packing_is_tried_on_the_shortest_prompts_where_the_longest_leave_the_window(monkeypatch):
    tried: list[int] = []
    check = checks.check_sharing

    def keep(loaded, contexts, answer, *more, **named):
        tried.append(max(map(len, contexts)))
        return check(loaded, contexts, answer, *more, **named)

    monkeypatch.setattr(checks, "check_sharing", keep)
    ends = [length_of(prompts_of(tiny("llama"), direction, shots)) for direction, shots in ((_FR_EN, 1), (_EN_FR, 2))]
    window = sum(ends) // 2
    loaded = loaded_of(random_model(hf.MistralConfig(**llama_like(sliding_window=window))))
    prompts = [prompts_of(loaded, _FR_EN, 1), prompts_of(loaded, _EN_FR, 2)]
    scorer, reason = make_scorer(sample_prompts(prompts, _PAIRS), 8192)
    assert scorer.sharing == "packed"
    assert "beyond the model's window" in str(reason)
    assert len(tried) == 2
    assert tried[1] < ends[0] < window < tried[0] < ends[1]


def test_prompts_are_checked_for_length_before_caches_are_tried(run, tmp_path, monkeypatch):
    save(random_model(hf.LlamaConfig(**llama_like(max_position_embeddings=1024))), tmp_path / "model")
    tried: list[str] = []

    def noting(name):
        original = getattr(checks, name)

        def call(*given, **named):
            tried.append(name)
            return original(*given, **named)

        return call

    for name in ("length_warnings", "check_sharing"):
        monkeypatch.setattr(checks, name, noting(name))
    settings = {"model": str(tmp_path / "model"), "device": "cpu", "bootstrap": 100}
    several = settings | {"shots": 2, "directions": ("en-fr",), "shot_sets": 1}
    for stage, config in (
        (score_model, ScoreConfig(**several)),
        (trace_model, TraceConfig(**several)),
        (ablate_pivots, AblateConfig(**settings)),
    ):
        tried.clear()
        stage(config, run)
        assert tried == ["length_warnings", "check_sharing"], stage


def test_what_the_checks_try_is_encoded_once_and_is_the_same_in_any_order_of_the_pairs(monkeypatch):
    words = [f"{letter}{'o' * length}" for letter in "dcba" for length in range(12)]
    pairs = [(word, word[::-1]) for word in words]
    encoded: list[list[tuple[str, str]]] = []
    encode = WordPrompts.encode

    def keep(self, chosen, **named):
        encoded.append(list(chosen))
        return encode(self, chosen, **named)

    monkeypatch.setattr(WordPrompts, "encode", keep)
    prompts = prompts_of(tiny("llama"), _EN_FR, 1)
    (sample,) = sample_prompts([prompts], {_EN_FR: pairs})
    assert sample_prompts([prompts], {_EN_FR: pairs[::-1] + pairs}) == [sample]
    assert len(encoded) == 2
    assert encoded[0] == encoded[1]
    assert len(encoded[0]) == len(set(encoded[0]))
    assert {one.answer for one in sample.longest} == {
        one.answer for one in encode(prompts, [pair for pair in pairs if len(pair[0]) >= 11])
    }


def test_what_depends_on_the_longest_of_a_batch_falls_back_at_the_lengths_of_the_run():
    loaded = loaded_of(random_model(FAMILIES_OF_POSITIONS["longrope_within"]()))
    short, long = prompts_of(loaded, _FR_EN, 1), prompts_of(loaded, _EN_FR, 2)
    assert length_of(short) < 8 * WINDOW < length_of(long)
    assert make_scorer(sample_prompts([short], _PAIRS), 8192)[0].sharing == "packed"
    scorer, reason = make_scorer(sample_prompts([short, long], _PAIRS), 8192)
    assert scorer.sharing == "nothing"
    assert "nats" in str(reason)


# -- its share of a run


@contextmanager
def positions_of(patched: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Count the positions that models run, all of them and those while the check tries what can be shared."""
    counted = {"all": 0, "check": 0}
    checking: list[bool] = []
    forward, check = hf.LlamaForCausalLM.forward, checks.check_sharing

    def count(self, input_ids=None, **named):
        counted["all"] += input_ids.numel()
        counted["check"] += input_ids.numel() * bool(checking)
        return forward(self, input_ids=input_ids, **named)

    def checked(*given, **named):
        checking.append(True)
        try:
            return check(*given, **named)
        finally:
            checking.pop()

    with patched.context() as inside:
        inside.setattr(hf.LlamaForCausalLM, "forward", count)
        inside.setattr(checks, "check_sharing", checked)
        yield counted


def test_the_check_is_a_small_part_of_a_run_over_twelve_concepts(tmp_path, monkeypatch):
    build_benchmark(BenchConfig(words="everyday-nouns"), tmp_path)
    save(random_model(hf.LlamaConfig(**llama_like(max_position_embeddings=1024))), tmp_path / "model")
    directions = ("en-fr", "fr-zh", "zh-fr")
    config = ScoreConfig(
        model=str(tmp_path / "model"), device="cpu", directions=directions, limit_concepts=12, bootstrap=100
    )
    with positions_of(monkeypatch) as counted:
        score_model(config, tmp_path)
    assert 0 < counted["check"] < 0.15 * counted["all"]


def test_what_is_only_read_costs_the_check_four_prompts(monkeypatch):
    prompts = prompts_of(tiny("llama"), _EN_FR, 2)
    with positions_of(monkeypatch) as counted:
        assert make_scorer(sample_prompts([prompts], _PAIRS), 8192, packed=False)[0].sharing == "copied"
    assert 0 < counted["check"] < 4 * length_of(prompts)


# -- rotary positions scaled by length


def test_dynamic_positions_depend_on_the_pass_and_not_on_longer_ones_before_it(tmp_path):
    save(random_model(FAMILIES_OF_POSITIONS["rope_dynamic"]()), tmp_path)
    contexts = [tuple(range(20, 20 + length)) for length in (10, 24, 60)]
    fresh = [
        plain_log_probabilities(load_model(str(tmp_path), device="cpu"), context, (50, 51)) for context in contexts
    ]
    loaded = load_model(str(tmp_path), device="cpu")
    for context, expected in reversed(list(zip(contexts, fresh, strict=True))):
        np.testing.assert_array_equal(plain_log_probabilities(loaded, context, (50, 51)), expected)
    scored = AnswerScorer(loaded, sharing="nothing").score(contexts, [[(50, 51)]] * len(contexts))
    for (found,), expected in zip(scored, fresh, strict=True):
        np.testing.assert_array_equal(found, expected)
