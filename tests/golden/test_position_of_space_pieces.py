"""Where the lens reads: after the bare space piece that zh and ja answers may begin with, else at the colon."""

import pytest
import torch
import transformers as hf

from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.models.head_slices import HeadSlices
from pivotlens.models.lens import LogitLens
from pivotlens.models.scorer import AnswerScorer
from pivotlens.text import Direction
from pivotlens.trace.items import prepare_items
from pivotlens.trace.reading import LensStates, SharedReading, read_states, reduce_states
from pivotlens.trace.token_sets import WordTokens
from pivotlens.translation.items import accepted_answers
from pivotlens.translation.words import WordPrompts
from tiny_models import llama_like, loaded_of, random_model
from tokenizer_kinds import MAKERS, fast

_WORDS = """concept	split	en	fr	zh	ja
school	test	school	maison	学校	学校
water	test	water	eau	水	水
winter	test	winter	hiver	冬	冬
river	test	river	livre	生	生
book	shot	book	chien	书	本
house	shot	house	rivière	家	家
"""
_EXAMPLES = [("chien", "书"), ("rivière", "家")]
_KINDS = ("gemma-like", "metaspace with bos", "byte-level")


@pytest.fixture
def concepts(tmp_path):
    (tmp_path / "words.tsv").write_text(_WORDS, encoding="utf-8")
    build_benchmark(BenchConfig(words=str(tmp_path / "words.tsv"), distractors=2, shot_pool=5), tmp_path / "run")
    return Benchmark.load(tmp_path / "run")


@pytest.mark.parametrize("target", ["zh", "ja", "en"])
@pytest.mark.parametrize("kind", _KINDS)
def test_the_lens_reads_after_the_bare_space_piece(kind, target, concepts):
    tokenizer = fast(MAKERS[kind]())
    loaded = loaded_of(random_model(hf.LlamaConfig(**llama_like(vocab_size=512))), tokenizer)
    direction = Direction("fr", target)
    examples = _EXAMPLES if target != "en" else [("chien", "book"), ("rivière", "house")]
    prompts = WordPrompts(loaded, direction, examples, "english")
    tested = concepts.test_concepts(None)
    items = prepare_items(
        AnswerScorer(loaded),
        prompts,
        tested,
        WordTokens(tokenizer, "first"),
        None,
        accepted_answers(list(concepts.concepts.values()), direction),
    )
    lens = LogitLens(loaded)
    reading = SharedReading(8192, True, AnswerScorer(loaded).memory)
    states = read_states(lens, [item.read.context for item in items], reading)
    readings = reduce_states(HeadSlices(lens.head), LensStates(lens, states), [item.read for item in items], 10)
    seen = set()
    for number, item in enumerate(items):
        word, text = item.concept.words["fr"], " " + item.concept.words[target]
        name = {"zh": "Chinese", "ja": "Japanese", "en": "English"}[target]
        prompt = f"Please translate words from French to {name}.\n\n"
        prompt += "".join(f"French: {a}\n{name}: {b}\n\n" for a, b in examples) + f"French: {word}\n{name}:"
        whole = tokenizer(prompt + text)["input_ids"]
        pieces = [tokenizer.convert_ids_to_tokens(token) for token in whole]
        context = list(item.read.context)
        # The position: one tokenisation of all, cut before the first piece that writes something.
        assert whole[: len(context)] == context
        assert whole[len(context)] == item.read.target
        bare = pieces[len(context) - 1] in ("▁", "Ġ")
        assert item.n_space_tokens == int(bare)
        if not bare:
            assert pieces[len(context) - 1] == ":"
            assert pieces[len(context)].startswith(("▁", "Ġ"))
            assert len(pieces[len(context)]) > 1
        else:
            assert pieces[len(context) - 2] == ":"
            assert not pieces[len(context)].startswith(("▁", "Ġ"))
        seen.add(bare)
        # The reading: one plain pass over just these tokens, its last position.
        with torch.inference_mode():
            logits = loaded.model(input_ids=torch.tensor([context]), use_cache=False).logits[0, -1]
        probs = torch.softmax(logits.double(), dim=-1)
        assert readings.target_prob[number, -1] == pytest.approx(float(probs[item.read.target]), abs=1e-5)
        best = torch.topk(probs, 10)
        assert readings.token_ids[number, -1].tolist() == best.indices.tolist()
        # One token earlier the model says something else: the position matters.
        with torch.inference_mode():
            earlier = loaded.model(input_ids=torch.tensor([context[:-1]]), use_cache=False).logits[0, -1]
        assert (torch.softmax(earlier.double(), dim=-1) - probs).abs().max() > 1e-3
    assert seen == {False, True}, "both answers with a bare space piece and without one are met"
