"""Several models and prompts in one trace, whole words and a tuned lens, against one at a time and plain loops."""

from collections import Counter

import numpy as np
import pytest
import torch

from pivotlens.artifacts import Benchmark, Workspace
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import load_model
from pivotlens.text import Direction
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.stage import trace_model
from pivotlens.translation.prompts import draw_shot_sets, shot_examples
from pivotlens.translation.words import WordPrompts
from tiny_models import FAMILIES, random_model, save

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A benchmark and two checkpoints of a tiny model."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "words.tsv").write_text(_WORDS, encoding="utf-8")
    for number in (0, 1):
        save(random_model(FAMILIES["llama"].config(), seed=number), folder / f"step{number}")
    return folder


def traced(folder, name: str, model: int, **more):
    run = folder / name
    build_benchmark(BenchConfig(words=str(folder / "words.tsv"), distractors=3, shot_pool=5), run)
    config = TraceConfig(
        model=str(folder / f"step{model}"), device="cpu", shots=2, bootstrap=100, directions=("fr-zh", "en-fr"), **more
    )
    return trace_model(config, run)


def rows_of(trace, table: str, model, prompt: str = "english"):
    return [
        # A share of no items is NaN, which equals nothing.
        {key: value if value == value else None for key, value in row.items() if key not in ("model", "prompt")}
        for row in trace.rows(table)
        if (row["model"], row["prompt"]) == (str(model), prompt)
    ]


def test_a_sweep_is_its_parts(folder):
    sweep = traced(folder, "all", 0, also_models=(str(folder / "step1"),), also_prompts=("native", "bare"))
    for model in (0, 1):
        alone = traced(folder, f"alone{model}", model)
        for table in ("items", "layers", "behaviours", "summary", "strata", "agreement", "pivots", "pivot_languages",
                      "sensitivity"):  # fmt: skip
            assert rows_of(sweep, table, folder / f"step{model}") == rows_of(alone, table, folder / f"step{model}"), (
                table
            )
    assert all(
        (row["pivot_language"] is not None) == (row["behaviour"] in ("semantic_pivot", "other"))
        for row in sweep.rows("behaviours")
    )
    native = traced(folder, "native", 0, prompt="native")
    assert rows_of(sweep, "behaviours", folder / "step0", "native") == rows_of(
        native, "behaviours", folder / "step0", "native"
    )
    assert len({row["prompt"] for row in sweep.rows("summary")}) == 3
    assert sweep.first_rows("items") == [
        row for row in sweep.rows("items") if (row["model"], row["prompt"]) == (str(folder / "step0"), "english")
    ]
    assert sweep.manifest.details["also_models"][0]["model"] == str(folder / "step1")


def test_a_part_is_read_as_often_however_many_models_and_prompts_there_are(folder, monkeypatch):
    read, plain = Counter(), Workspace.read_part

    def counted(workspace, key):
        read[key] += 1
        return plain(workspace, key)

    monkeypatch.setattr(Workspace, "read_part", counted)
    traced(folder, "one", 0)
    alone = dict(read)
    read.clear()
    traced(folder, "several", 0, also_models=(str(folder / "step1"),), also_prompts=("native",))
    assert {key: read[key] for key in alone} == alone


def test_whole_words_against_a_plain_loop(folder):
    trace = traced(folder, "words", 0, whole_word=True)
    found = {
        (row["source_language"], row["target_language"], row["concept_id"], row["layer"]): row["word_logprob"]
        for row in trace.rows("layers")
    }
    loaded = load_model(str(folder / "step0"), "float32", "cpu")
    model = loaded.model
    benchmark = Benchmark.load(folder / "words")
    words = {key: concept.words for key, concept in benchmark.concepts.items()}
    shots = draw_shot_sets([one.concept_id for one in benchmark.shot_concepts()], 2, 1, 0)[0]
    several = 0
    for direction in (Direction("fr", "zh"), Direction("en", "fr")):
        prompts = WordPrompts(loaded, direction, shot_examples(words, shots, direction), "english")
        for concept in benchmark.test_concepts():
            (encoded,) = prompts.encode([(concept.words[direction.source], concept.words[direction.target])])
            answer, before = list(encoded.answer), list(encoded.context)
            while loaded.tokenizer.decode(answer[:1]).strip() == "" and len(answer) > 1:
                before.append(answer.pop(0))
            several += len(answer) > 1
            with torch.no_grad():
                states = model(torch.tensor([before + answer]), output_hidden_states=True).hidden_states
            for layer, state in enumerate(states):
                normed = state if layer == len(states) - 1 else model.model.norm(state)
                log_q = torch.log_softmax(model.lm_head(normed[0, len(before) - 1 : -1]), dim=-1)
                by_hand = sum(float(log_q[place, token]) for place, token in enumerate(answer))
                key = (direction.source, direction.target, concept.concept_id, layer)
                assert found[key] == pytest.approx(by_hand, abs=1e-3)
    assert several
    assert all(row["word_logprob"] is None for row in traced(folder, "first", 0).rows("layers"))


def test_the_last_layers_word_is_never_likelier_than_its_first_token(folder):
    rows = traced(folder, "words", 0, whole_word=True).rows("layers")
    assert all(row["word_logprob"] <= np.log(row["target_prob"]) + 1e-4 for row in rows)


def test_tokens_above_their_baseline(folder):
    trace = traced(folder, "above", 0, ratio=1.5, threshold=0.02, top_k=100)
    rows = trace.rows("tokens")
    assert {row["above_baseline"] for row in rows} == {True, False}
    for row in rows:
        baseline, prob = row["baseline"], row["prob"]
        assert row["above_baseline"] == (baseline is not None and prob >= 1.5 * baseline and prob >= 0.02)


def test_layers_are_the_lens_own(folder):
    lens = LogitLens(load_model(str(folder / "step0"), "float32", "cpu"))
    assert traced(folder, "first", 0).manifest.details["layers"] == lens.n_layers
