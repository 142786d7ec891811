"""A token that writes the prompt's end and the answer's beginning is the answer's, for score and trace alike."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from odd_tokenizers import superword_tokenizer, unsplit_metaspace_tokenizer
from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.models.encoding import TokenTexts, encode_answers
from pivotlens.models.head_slices import HeadSlices
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel
from pivotlens.models.scorer import AnswerScorer, plain_log_probabilities
from pivotlens.text import Direction
from pivotlens.trace.items import prepare_items
from pivotlens.trace.reading import LensStates, SharedReading, read_states, reduce_states
from pivotlens.trace.token_sets import WordTokens
from pivotlens.translation.items import accepted_answers
from pivotlens.translation.words import WordPrompts
from tiny_models import llama_like, loaded_of, random_model

pytestmark = pytest.mark.usefixtures("one_thread")

_PIECES = [": ", "\nFrench: ", ": m", ":  ", ":\n "]
_KINDS: dict[str, Callable[[str], Any]] = {
    "no post-processor": superword_tokenizer,
    "offsets": lambda piece: superword_tokenizer(piece, trim=False),
    "trimmed offsets": lambda piece: superword_tokenizer(piece, trim=True),
    "metaspace without splitting": unsplit_metaspace_tokenizer,
}


@pytest.mark.parametrize("piece", _PIECES)
@pytest.mark.parametrize("kind", _KINDS)
def test_the_token_is_the_answers_whatever_the_offsets_say(kind, piece):
    tokenizer = _KINDS[kind](piece)
    prompt = "English: water\nFrench:"
    spaces = piece.rpartition(":")[2].removesuffix("m") or " "
    answer = f"{spaces}mot"
    (encoded,) = encode_answers(tokenizer, [prompt], [answer])
    texts = TokenTexts(tokenizer)
    written = [texts[token] for token in encoded.answer]
    assert written[0] == piece
    assert "".join(texts[token] for token in encoded.context) + "".join(written) == prompt + answer
    # What is read predicts the first token that writes a letter of the answer.
    assert encoded.spaces == (0 if piece == ": m" else 1)
    assert written[encoded.spaces].endswith("m")


def test_a_token_that_ends_with_the_prompt_is_not_the_answers():
    for trim in (None, False, True):
        tokenizer = superword_tokenizer("h:", trim=trim)
        (encoded,) = encode_answers(tokenizer, ["French:"], [" mot"])
        texts = TokenTexts(tokenizer)
        assert [texts[token] for token in encoded.answer] == [" ", "m", "o", "t"]
        assert encoded.spaces == 1
    # A prompt that ends with a space of its own: the token that writes it is the prompt's.
    for trim in (None, False, True):
        tokenizer = superword_tokenizer(": ", trim=trim)
        (encoded,) = encode_answers(tokenizer, ["French: "], ["mot"])
        assert [TokenTexts(tokenizer)[token] for token in encoded.answer] == ["m", "o", "t"]


_WORDS = """concept	split	en	fr
school	test	school	mur
water	test	water	mer
winter	test	winter	hiver
book	shot	book	mot
house	shot	house	maison
"""


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    folder = tmp_path_factory.mktemp("bench")
    (folder / "words.tsv").write_text(_WORDS, encoding="utf-8")
    build_benchmark(BenchConfig(words=str(folder / "words.tsv"), distractors=2), folder / "run")
    return Benchmark.load(folder / "run")


def loaded_with(tokenizer: Any) -> LoadedModel:
    size = max(tokenizer.get_vocab().values()) + 1
    config = hf.LlamaConfig(**llama_like(vocab_size=size, max_position_embeddings=1024))
    return loaded_of(random_model(config), tokenizer)


@pytest.mark.parametrize("piece", [": ", "\nFrench: ", ": m"])
@pytest.mark.parametrize("kind", _KINDS)
def test_the_trace_reads_where_the_score_does(kind, piece, benchmark):
    loaded = loaded_with(_KINDS[kind](piece))
    direction = Direction("en", "fr")
    prompts = WordPrompts(loaded, direction, [("book", "mot"), ("house", "maison")], "english")
    concepts = benchmark.test_concepts(None)
    answers = accepted_answers(list(benchmark.concepts.values()), direction)
    scorer, words = AnswerScorer(loaded), WordTokens(loaded.tokenizer, "first")
    items = prepare_items(scorer, prompts, concepts, words, None, answers)
    lens = LogitLens(loaded)
    states = read_states(lens, [item.read.context for item in items], SharedReading(8192, share_cache=True))
    readings = reduce_states(HeadSlices(lens.head), LensStates(lens, states), [item.read for item in items], 10)
    encoded = prompts.encode([(item.words["en"], item.words["fr"]) for item in concepts])
    for number, (item, one) in enumerate(zip(items, encoded, strict=True)):
        word = item.concept.words["fr"]
        assert one.context + one.answer == (*item.read.context, *item.content)
        assert words.texts[item.read.target].strip().endswith(word[0])
        assert item.n_space_tokens == (0 if piece == ": m" and word[0] == "m" else 1)
        scored = scorer.score([one.context], [[one.answer]])[0][0]
        np.testing.assert_allclose(scored, plain_log_probabilities(loaded, one.context, one.answer), rtol=0, atol=1e-4)
        found = math.log(readings.target_prob[number, -1])
        assert found == pytest.approx(scored[item.n_space_tokens], abs=1e-4)


@pytest.mark.parametrize("kind", _KINDS)
def test_the_model_answers_by_itself_after_the_whole_prompt(kind):
    loaded = loaded_with(_KINDS[kind]("\nFrench: "))
    prompts = WordPrompts(loaded, Direction("en", "fr"), [("book", "mot")], "english")
    (context,) = prompts.contexts(["water"])
    texts = TokenTexts(loaded.tokenizer)
    assert "".join(texts[token] for token in context).endswith("English: water\nFrench:")
    with torch.inference_mode():
        best = int(loaded.model(input_ids=torch.tensor([context]), use_cache=False).logits[0, -1].argmax())
    assert AnswerScorer(loaded).generate([context], 1, lambda token: False) == [(best,)]
