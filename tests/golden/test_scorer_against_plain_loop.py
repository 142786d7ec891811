"""The scorer against one uncached pass an answer; measures and intervals against slow loops."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.errors import ModelError
from pivotlens.models import late_head, packing
from pivotlens.models.encoding import Ids
from pivotlens.models.load import LoadedModel
from pivotlens.models.prefix import SharedPrefix
from pivotlens.models.scorer import AnswerScorer, check_sharing, plain_log_probabilities
from pivotlens.score.config import ScoreConfig
from pivotlens.score.stage import score_model
from pivotlens.statistics.bootstrap import bootstrap_mean, percentile_interval
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.stage import trace_model
from pivotlens.translation.measures import measure_items
from tiny_models import FAMILIES, VOCABULARY, llama_like, loaded_of, random_model, save, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

_PREFIX = tuple(range(20, 32))
_CONTEXTS: list[Ids] = [
    (*_PREFIX, 40),
    (*_PREFIX, 41),
    (*_PREFIX, 40, 42),
    (*_PREFIX, 43, 44, 45, 46),
    (*_PREFIX, 43, 44, 45, 47),
    (*_PREFIX, 48, 49),
]
_ANSWERS: list[list[Ids]] = [
    [(50,), (50, 51), (50, 51, 52), (50, 51, 52, 53, 54), (51, 50)],
    [(60, 61, 62, 63), (60,)],
    [(50, 51)],
    [(70, 71, 72), (70, 71, 73), (70, 71), (74,), (75, 76)],
    [(77, 78, 79, 80, 81)],
    [],
]
_FAMILIES = ("llama", "mixtral", "gemma3", "mistral", "bloom", "gpt2", "qwen3_moe", "gpt_oss", "opt", "mpt", "xglm",
             "cohere2", "deepseek_v3", "falcon_alibi", "gpt_neo")  # fmt: skip


def by_hand(loaded: LoadedModel, context: Ids, answer: Ids) -> list[float]:
    """One uncached pass a token, and the softmax written out."""
    values = []
    for end in range(len(answer)):
        with torch.no_grad():
            logits = loaded.model(input_ids=torch.tensor([context + answer[:end]]), use_cache=False).logits[0, -1]
        numbers = [float(number) for number in logits]
        top = max(numbers)
        values.append(numbers[answer[end]] - top - math.log(sum(math.exp(number - top) for number in numbers)))
    return values


def assert_as_plain(loaded: LoadedModel, scored: list[list[Any]]) -> None:
    for context, answers, values in zip(_CONTEXTS, _ANSWERS, scored, strict=True):
        assert len(values) == len(answers)
        for answer, found in zip(answers, values, strict=True):
            assert found.shape == (len(answer),)
            np.testing.assert_allclose(found, plain_log_probabilities(loaded, context, answer), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "gpt2", "bloom", "gemma3"])
def test_the_plain_pass_is_the_softmax_by_hand(name):
    loaded = tiny(name)
    for context, answer in ((_CONTEXTS[0], _ANSWERS[0][3]), (_CONTEXTS[3], _ANSWERS[3][0])):
        found = plain_log_probabilities(loaded, context, answer)
        np.testing.assert_allclose(found, by_hand(loaded, context, answer), rtol=0, atol=1e-4)


@pytest.mark.parametrize("batch_tokens", [8192, 40, 1])
@pytest.mark.parametrize("name", _FAMILIES)
def test_shared_scores_are_the_plain_ones(name, batch_tokens):
    loaded = tiny(name)
    for sharing in ("copied", check_sharing(loaded, _CONTEXTS, (50, 51))[0]):
        assert sharing != "nothing"
        scorer = AnswerScorer(loaded, batch_tokens=batch_tokens, sharing=sharing)
        assert_as_plain(loaded, scorer.score(_CONTEXTS, _ANSWERS))


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_scores_without_sharing_are_the_plain_ones(name):
    loaded = tiny(name)
    assert_as_plain(loaded, AnswerScorer(loaded, batch_tokens=40, sharing="nothing").score(_CONTEXTS, _ANSWERS))


def test_contexts_without_a_common_beginning():
    loaded = tiny("llama")
    contexts = [(5, 6, 7), (8,), (9, 10)]
    answers: list[list[Ids]] = [[(11, 12)], [(13,)], [(14, 15, 16)]]
    scored = AnswerScorer(loaded).score(contexts, answers)
    for context, (answer,), (found,) in zip(contexts, answers, scored, strict=True):
        np.testing.assert_allclose(found, plain_log_probabilities(loaded, context, answer), rtol=0, atol=1e-4)


@pytest.mark.parametrize("sharing", ["packed", "copied"])
def test_the_head_runs_as_soon_as_enough_states_have_come_together(monkeypatch, sharing):
    monkeypatch.setattr(late_head, "LOGITS", 3 * VOCABULARY)
    loaded = tiny("gemma3")
    assert_as_plain(loaded, AnswerScorer(loaded, sharing=sharing).score(_CONTEXTS, _ANSWERS))


def test_rows_are_packed_densely_and_every_answer_token_is_read_once(monkeypatch):
    monkeypatch.setattr(packing, "ROW", 24)
    random = np.random.default_rng(0)
    contexts = [(*_PREFIX, *(int(t) for t in random.integers(40, 300, random.integers(1, 6)))) for _ in range(60)]
    contexts = list(dict.fromkeys(contexts))
    answers = [
        [tuple(int(t) for t in random.integers(50, 54, random.integers(1, 5))) for _ in range(random.integers(0, 6))]
        for _ in contexts
    ]
    answers = [list(dict.fromkeys(row)) for row in answers]
    loaded = tiny("llama")
    batches = list(packing.packed_batches(SharedPrefix(loaded, contexts, 100), answers))
    longest = [[one for one in row if not any(o != one and o[: len(one)] == one for o in row)] for row in answers]
    # Every distinct beginning of a sequence is in the rows once, and the gaps are few.
    least = sum(
        len(context) - len(_PREFIX) + len({one[:k] for one in row for k in range(1, len(one))})
        for context, row in zip(contexts, answers, strict=True)
        if row
    )
    held = sum(batch.ids.size for batch in batches)
    assert least <= held < 1.15 * least
    read = [(one.row, one.answer, one.place) for batch in batches for one in batch.wanted]
    assert sorted(read) == sorted(
        (row, one, place) for row, kept in enumerate(longest) for one in kept for place in range(len(one))
    )
    found = AnswerScorer(loaded, 100).score(contexts, answers)
    for context, row, values in zip(contexts, answers, found, strict=True):
        for answer, value in zip(row, values, strict=True):
            np.testing.assert_allclose(value, plain_log_probabilities(loaded, context, answer), rtol=0, atol=1e-4)


def test_sequences_beyond_the_window_are_not_packed():
    loaded = tiny("mistral")
    window = loaded.model.config.sliding_window
    contexts = [tuple(range(20, 20 + window + 3)), (*range(20, 20 + window + 2), 9)]
    assert not SharedPrefix(loaded, contexts, 8192).fits_window(packing.longest_sequence(contexts, [[(5, 6)], [(7,)]]))
    found = AnswerScorer(loaded).score(contexts, [[(5, 6)], [(7,)]])
    np.testing.assert_allclose(found[0][0], plain_log_probabilities(loaded, contexts[0], (5, 6)), rtol=0, atol=1e-4)


def test_nothing_to_score():
    assert AnswerScorer(tiny("llama")).score([], []) == []


@pytest.mark.parametrize("sharing", ["packed", "copied", "nothing"])
@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt2", "bloom", "mixtral"])
def test_generation_is_a_plain_greedy_loop(name, sharing):
    loaded = tiny(name)

    def stop(token: int) -> bool:
        return token % 7 == 0

    expected = []
    for context in _CONTEXTS:
        ids = list(context)
        for _ in range(6):
            with torch.no_grad():
                best = int(loaded.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax())
            if stop(best):
                break
            ids.append(best)
        expected.append(tuple(ids[len(context) :]))
    for batch_tokens in (8192, 30):
        assert AnswerScorer(loaded, batch_tokens, sharing).generate(_CONTEXTS, 6, stop) == expected
    assert len({len(answer) for answer in expected}) > 1 or name != "llama"


def test_generation_may_stop_at_once():
    assert AnswerScorer(tiny("llama")).generate(_CONTEXTS, 5, lambda token: True) == [()] * len(_CONTEXTS)


@pytest.mark.parametrize("sharing", ["packed", "copied", "nothing"])
def test_nan_is_an_error(sharing):
    model = random_model(FAMILIES["llama"].config())
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="NaN"):
        AnswerScorer(loaded_of(model), sharing=sharing).score(_CONTEXTS[:2], [[(50, 51)], [(52,)]])


# -- families that cannot share


def recurrent(name: str) -> Any:
    """Config of a family that keeps more than keys and values."""
    if name == "mamba2":
        return hf.Mamba2Config(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_heads=8, head_dim=8, state_size=8,
            n_groups=1, chunk_size=16, bos_token_id=0, eos_token_id=1, pad_token_id=0,
        )  # fmt: skip
    if name == "jamba":
        return hf.JambaConfig(
            **llama_like(num_hidden_layers=4, mamba_d_state=8, use_mamba_kernels=False, num_experts=2,
                         attn_layer_period=2, attn_layer_offset=1)
        )  # fmt: skip
    return hf.FalconH1Config(
        **llama_like(num_hidden_layers=2, head_dim=8, mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8,
                     mamba_d_state=8, mamba_chunk_size=16)
    )  # fmt: skip


@pytest.mark.parametrize("name", _FAMILIES)
def test_families_with_keys_and_values_can_share(name):
    # Families that take no positions, or make their own mask, are run with copied caches.
    expected = "copied" if name in ("bloom", "mpt", "falcon_alibi", "gpt_neo") else "packed"
    sharing, reason = check_sharing(tiny(name), _CONTEXTS[:2], (50, 51, 52))
    assert sharing == expected
    assert (reason is None) is (expected == "packed")


@pytest.mark.parametrize("name", ["mamba2", "jamba", "falcon_h1"])
def test_recurrent_families_cannot_share(name):
    loaded = loaded_of(random_model(recurrent(name)))
    sharing, reason = check_sharing(loaded, _CONTEXTS[:2], (50, 51))
    assert sharing == "nothing"
    assert reason
    scored = AnswerScorer(loaded, sharing="nothing").score(_CONTEXTS[:2], [[(50, 51)], [(52,)]])
    np.testing.assert_allclose(scored[0][0], by_hand(loaded, _CONTEXTS[0], (50, 51)), rtol=0, atol=1e-4)


def test_a_prefix_that_cannot_be_shared_is_not():
    loaded = loaded_of(random_model(recurrent("jamba")))
    shared = SharedPrefix(loaded, _CONTEXTS, 8192)
    assert shared.prefix == ()
    assert all(batch.cache is None and batch.past == 0 for batch in shared.batches())


_WORDS = """concept	split	en	fr	zh
dog	test	dog	chien	狗
water	test	water	eau	水
book	test	book	livre	书
house	test	house	maison	家
winter	test	winter	hiver	冬
river	test	river	rivière	河
bank	shot	bank	banque	银行
tree	shot	tree	arbre	树
"""


@pytest.fixture
def bench(tmp_path):
    """A run folder with a small benchmark."""
    (tmp_path / "words.tsv").write_text(_WORDS, encoding="utf-8")
    run = tmp_path / "run"
    build_benchmark(BenchConfig(words=str(tmp_path / "words.tsv"), distractors=3, shot_pool=5), run)
    return run


def test_stages_run_a_family_that_cannot_share_with_a_warning(bench, tmp_path):
    save(random_model(recurrent("jamba")), tmp_path / "model")
    common = {"model": str(tmp_path / "model"), "device": "cpu", "shots": 2, "directions": ("fr-zh",)}
    scores = score_model(ScoreConfig(**common, shot_sets=1, bootstrap=100), bench)
    assert any("every prompt was run in full" in warning for warning in scores.manifest.warnings)
    assert scores.manifest.details["shared_caches"] is False
    assert scores.manifest.details["caches"]["english"]["shared"] == "nothing"
    assert "holds more than keys and values" in scores.manifest.details["caches"]["english"]["reason"]
    assert scores.table("answers").num_rows == 6 * 4
    trace = trace_model(TraceConfig(**common, bootstrap=100, top_k=20), bench)
    assert trace.manifest.details["caches"] == scores.manifest.details["caches"]["english"]
    assert any("every prompt was run in full" in warning for warning in trace.manifest.warnings)


def results(folder: Path) -> dict[str, bytes]:
    """Return every file of a stage but the record of the run itself."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


@pytest.mark.parametrize(
    ("stage", "family", "interruptions"),
    [("score", "jamba", (2,)), ("score", "llama", (1, 2)), ("trace", "llama", (3, 5, 10))],
)
def test_an_interrupted_stage_goes_on_to_the_same_bytes(stage, family, interruptions, bench, tmp_path, monkeypatch):
    config = recurrent("jamba") if family == "jamba" else FAMILIES["llama"].config()
    save(random_model(config), tmp_path / "model")
    common = {"model": str(tmp_path / "model"), "device": "cpu", "shots": 2, "directions": ("fr-zh", "en-fr")}

    def run_stage(run: Path) -> dict[str, bytes]:
        if stage == "score":
            return results(score_model(ScoreConfig(**common, shot_sets=1, bootstrap=100), run).folder)
        return results(trace_model(TraceConfig(**common, bootstrap=100), run).folder)

    whole = run_stage(bench)
    for parts in interruptions:
        other = tmp_path / f"run{parts}"
        build_benchmark(BenchConfig(words=str(tmp_path / "words.tsv"), distractors=3, shot_pool=5), other)
        with monkeypatch.context() as patched:
            die_after_parts(patched, parts)
            with pytest.raises(KeyboardInterrupt):
                run_stage(other)
        assert run_stage(other) == whole


def die_after_parts(patched: pytest.MonkeyPatch, parts: int) -> None:
    """Interrupt the stage when it goes on after its n-th part."""
    from pivotlens.artifacts import ResultWriter, Workspace

    written: list[str] = []
    write_part, write_table = Workspace.write_part, ResultWriter.write_table

    def count(self, key, table):
        if len(written) == parts:
            raise KeyboardInterrupt
        write_part(self, key, table)
        written.append(key)

    def stop(self, name, data):
        if len(written) == parts:
            raise KeyboardInterrupt
        write_table(self, name, data)

    patched.setattr(Workspace, "write_part", count)
    patched.setattr(ResultWriter, "write_table", stop)


# -- measures


def test_measures_by_hand():
    log = np.log
    # one item, right word and two distractors, two shot sets; two tokens each
    sums = np.array([[[log(0.25), log(0.04)], [log(0.01), log(0.04)], [log(0.04), log(0.16)]]])
    measures = measure_items(sums, np.full(sums.shape, 2.0))
    np.testing.assert_allclose(measures.p_source, [[0.5, 0.2]])
    np.testing.assert_allclose(measures.p_distractors, [[(0.1 + 0.2) / 2, (0.2 + 0.4) / 2]])
    np.testing.assert_allclose(measures.score, [[0.35, -0.1]])
    np.testing.assert_allclose(measures.probability_share, [[0.25 / 0.30, 0.04 / 0.24]])
    np.testing.assert_allclose(measures.margin, [[log(0.25 / 0.025), log(0.04 / 0.1)]])
    np.testing.assert_allclose(measures.rank, [[1.0, 2.5]])
    np.testing.assert_allclose(measures.accuracy, [[1.0, 0.0]])


def test_ties_at_the_top_count_one_over_k():
    sums = np.log(np.array([[[0.2], [0.2], [0.2], [0.1]]]))
    measures = measure_items(sums, np.ones(sums.shape))
    assert measures.rank[0, 0] == 2.0
    assert measures.accuracy[0, 0] == pytest.approx(1 / 3)


def test_measures_against_a_slow_loop():
    generator = np.random.default_rng(0)
    sums = -generator.exponential(8.0, size=(7, 10, 3))
    sums[0, :, 0] = -3.0  # all tied
    sums[1, 4, 1] = sums[1, 0, 1]
    tokens = generator.integers(1, 6, size=sums.shape).astype(float)
    found = measure_items(sums, tokens)
    for item in range(7):
        for shot_set in range(3):
            p = [math.exp(sums[item, c, shot_set] / tokens[item, c, shot_set]) for c in range(10)]
            whole = [math.exp(sums[item, c, shot_set]) for c in range(10)]
            at = item, shot_set
            assert found.p_source[at] == pytest.approx(p[0])
            assert found.p_distractors[at] == pytest.approx(sum(p[1:]) / 9)
            assert found.score[at] == pytest.approx(p[0] - sum(p[1:]) / 9)
            assert found.probability_share[at] == pytest.approx(whole[0] / sum(whole))
            assert found.margin[at] == pytest.approx(math.log(whole[0]) - math.log(sum(whole[1:]) / 9))
            better = sum(value > whole[0] for value in whole[1:])
            equal = sum(value == whole[0] for value in whole[1:])
            assert found.rank[at] == 1 + better + equal / 2
            assert found.accuracy[at] == (0 if better else 1 / (1 + equal))


def test_measures_of_tiny_probabilities_do_not_vanish():
    sums = np.array([[[-2000.0], [-2010.0], [-2020.0]]])
    measures = measure_items(sums, np.ones(sums.shape))
    assert measures.probability_share[0, 0] == pytest.approx(1 / (1 + math.exp(-10) + math.exp(-20)))
    assert measures.margin[0, 0] == pytest.approx(10 - math.log((1 + math.exp(-10)) / 2))


# -- bootstrap


def slow_bootstrap(values: np.ndarray, resamples: int, seed: int) -> tuple[float, float, float]:
    """The mean over directions of means over present concepts and shot sets, and its percentile interval."""
    concepts, directions, sets = values.shape

    def mean_of(chosen: list[int], chosen_sets: list[int]) -> float:
        means = []
        for direction in range(directions):
            numbers = [
                values[c, direction, s] for c in chosen for s in chosen_sets if not np.isnan(values[c, direction]).any()
            ]
            if numbers:
                means.append(sum(numbers) / len(numbers))
        return sum(means) / len(means) if means else float("nan")

    of_concepts = np.random.default_rng(seed).integers(0, concepts, size=(resamples, concepts), dtype=np.int64)
    of_sets = np.random.default_rng(seed + 1).integers(0, sets, size=(resamples, sets), dtype=np.int64)
    drawn = [mean_of(list(c), list(s)) for c, s in zip(of_concepts, of_sets, strict=True)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return mean_of(list(range(concepts)), list(range(sets))), low, high


def test_bootstrap_against_a_slow_loop():
    values = np.random.default_rng(3).normal(size=(6, 3, 4))
    values[0, 1] = np.nan
    values[2:, 2] = np.nan  # often no concept of this direction is drawn
    np.testing.assert_allclose(bootstrap_mean(values, 200, 5), slow_bootstrap(values, 200, 5), rtol=1e-12)


def test_bootstrap_of_nothing():
    assert all(np.isnan(bootstrap_mean(np.empty((0, 2, 3)), 100, 0)))
    assert all(np.isnan(bootstrap_mean(np.full((4, 2, 3), np.nan), 100, 0)))
    assert all(np.isnan(percentile_interval(np.full(5, np.nan))))


def test_bootstrap_covers_the_true_mean():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        # concepts differ, and a concept's directions go together
        values = generator.normal(0.3, 1.0, size=(40, 1, 1)) + generator.normal(0, 0.5, size=(40, 3, 1))
        interval = bootstrap_mean(values, 200, trial)
        assert interval.low <= interval.value <= interval.high
        covered += interval.low <= 0.3 <= interval.high
    assert 178 <= covered <= 199


def test_directions_of_a_concept_are_resampled_together():
    one = np.random.default_rng(0).normal(size=(50, 1, 1))
    alike = bootstrap_mean(np.repeat(one, 4, axis=1), 500, 0)
    assert alike == pytest.approx(bootstrap_mean(one, 500, 0))
