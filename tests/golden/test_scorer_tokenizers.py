"""From words to numbers with tokenizers of every kind, against a loop that shares no code with the scorer."""

import functools
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from odd_tokenizers import joining_tokenizer
from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.models.scorer import AnswerScorer
from pivotlens.score.config import ScoreConfig
from pivotlens.score.stage import score_model
from pivotlens.text import Direction
from pivotlens.translation.answers import score_direction
from pivotlens.translation.words import WordPrompts
from tiny_models import llama_like, loaded_of, random_model, save
from tokenizer_kinds import MAKERS, fast

pytestmark = pytest.mark.usefixtures("one_thread")

_WORDS = """concept	split	en	fr	zh	ja
dog	test	dog	chien	狗	犬
water	test	water	eau	水	みず
school	test	school	maison	学校	学校
winter	test	winter	hiver	冬	冬
book	shot	book	livre	书	本
river	shot	river	rivière	河	川
house	shot	house	la maison	房子	家
"""
_TEST, _SHOT = ("dog", "school", "water", "winter"), ("book", "house", "river")
_NAMES = {"en": "English", "fr": "French", "zh": "Chinese", "ja": "Japanese"}
_DIRECTIONS = (("fr", "zh"), ("en", "ja"), ("zh", "fr"))
_SHOTS, _SETS = 2, 2
# A kind by the name of tokenizer_kinds, and one with a token for the prompt's colon and an answer in m.
_KINDS = [*MAKERS, "joining"]


@dataclass
class Plain:
    """The slow way: one tokenisation and one uncached pass an answer; remembers what it was asked."""

    model: Any
    tokenizer: Any
    words: dict[str, dict[str, str]]
    known: dict[tuple[str, str], tuple[list[int], list[int], float]] = field(default_factory=dict)

    def prompt(self, direction: tuple[str, str], shot_set: int, word: str) -> str:
        """Return the prompt; examples are drawn from the pool in the order of its names (docs/method.md#prompts)."""
        source, target = (_NAMES[code] for code in direction)
        drawn = np.random.default_rng([0, shot_set]).permutation(len(_SHOT))[:_SHOTS]
        text = f"Please translate words from {source} to {target}.\n\n"
        for concept in (_SHOT[place] for place in drawn):
            text += f"{source}: {self.words[concept][direction[0]]}\n{target}: {self.words[concept][direction[1]]}\n\n"
        return text + f"{source}: {word}\n{target}:"

    def score(self, prompt: str, answer: str) -> tuple[list[int], list[int], float]:
        """Return the tokens before the answer, those of it, and its log-probability."""
        if (prompt, answer) not in self.known:
            encoded = self.tokenizer(prompt + answer, return_offsets_mapping=True)
            ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
            if ids[-1] == self.tokenizer.eos_token_id:
                ids = ids[:-1]
            begin = next(place for place in range(len(ids)) if offsets[place][1] > len(prompt))
            with torch.no_grad():
                logits = self.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float().numpy()
            total = 0.0
            for place in range(begin, len(ids)):
                row = logits[place - 1] - logits[place - 1].max()
                total += float(row[ids[place]] - np.log(np.exp(row).sum()))
            self.known[prompt, answer] = ids[:begin], ids[begin:], total
        return self.known[prompt, answer]

    def item(self, direction: tuple[str, str], shot_set: int, concept: str, choice: str, end: str = "") -> Any:
        """Score a concept's target after the source word of a choice."""
        prompt = self.prompt(direction, shot_set, self.words[choice][direction[0]])
        return self.score(prompt, f" {self.words[concept][direction[1]]}{end}")

    def pieces(self, direction: tuple[str, str], concept: str) -> list[str]:
        """Return the answer's tokens as the vocabulary writes them."""
        return self.tokenizer.convert_ids_to_tokens(self.item(direction, 0, concept, concept)[1])


@functools.cache
def plain_of(kind: str) -> Plain:
    tokenizer = joining_tokenizer() if kind == "joining" else fast(MAKERS[kind]())
    size = max(tokenizer.get_vocab().values()) + 1
    config = hf.LlamaConfig(**llama_like(vocab_size=size, num_hidden_layers=2, max_position_embeddings=1024))
    header, *rows = (line.split("\t") for line in _WORDS.splitlines())
    words = {row[0]: dict(zip(header[2:], row[2:], strict=True)) for row in rows}
    return Plain(random_model(config), tokenizer, words)


@pytest.fixture(params=_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    (folder / "words.tsv").write_text(_WORDS, encoding="utf-8")
    build_benchmark(BenchConfig(words=str(folder / "words.tsv"), distractors=2), folder / "run")
    return folder / "run"


def prompts_of(plain: Plain, direction: tuple[str, str], shot_set: int = 0) -> WordPrompts:
    drawn = np.random.default_rng([0, shot_set]).permutation(len(_SHOT))[:_SHOTS]
    shots = [plain.words[_SHOT[place]] for place in drawn]
    examples = [(shot[direction[0]], shot[direction[1]]) for shot in shots]
    return WordPrompts(loaded_of(plain.model, plain.tokenizer), Direction(*direction), examples, "english")


def test_the_cases_occur():
    for kind in _KINDS:
        plain = plain_of(kind)
        for direction in (("fr", "zh"), ("en", "ja")):
            answers = [plain.pieces(direction, concept) for concept in _TEST]
            assert any(pieces[0] in ("▁", "Ġ") and len(pieces) > 1 for pieces in answers), kind
        before, _, _ = plain.item(("fr", "zh"), 0, "dog", "dog")
        assert (plain.tokenizer.convert_ids_to_tokens(before[0]) == "<s>") is ("bos" in kind)
        closed = plain.tokenizer("a")["input_ids"][-1] == plain.tokenizer.eos_token_id
        assert closed is ("eos" in kind)
        crossing = [plain.pieces(("zh", "fr"), concept)[0] for concept in _TEST]
        assert (":Ġm" in crossing) is (kind == "joining")


@pytest.mark.parametrize("direction", _DIRECTIONS)
def test_words_become_the_tokens_of_the_loop(kind, direction):
    plain = plain_of(kind)
    pairs = [(plain.words[choice][direction[0]], plain.words[concept][direction[1]])
             for concept in _TEST for choice in _TEST]  # fmt: skip
    for line, end in ((False, ""), (True, "\n")):
        found = prompts_of(plain, direction).encode(pairs, line=line)
        expected = [plain.item(direction, 0, concept, choice, end) for concept in _TEST for choice in _TEST]
        assert [list(one.context) for one in found] == [before for before, _, _ in expected]
        assert [list(one.answer) for one in found] == [answer for _, answer, _ in expected]


@pytest.mark.parametrize("sharing", ["packed", "copied"])
@pytest.mark.parametrize("direction", _DIRECTIONS)
def test_a_direction_scores_as_the_loop(kind, direction, sharing, bench):
    plain = plain_of(kind)
    prompts = prompts_of(plain, direction)
    items = Benchmark.load(bench).test_concepts()
    choices = [[item.concept_id, *item.distractors] for item in items]
    words = [[plain.words[choice][direction[0]] for choice in row] for row in choices]
    scored = score_direction(AnswerScorer(prompts.loaded, sharing=sharing), prompts, items, words)
    for place, (item, row) in enumerate(zip(items, choices, strict=True)):
        for column, choice in enumerate(row):
            for end, sums, tokens in (
                ("", scored.sum_logprob, scored.n_tokens),
                ("\n", scored.sum_logprob_line, scored.n_tokens_line),
            ):
                _, answer, total = plain.item(direction, 0, item.concept_id, choice, end)
                assert tokens[place, column] == len(answer)
                assert sums[place, column] == pytest.approx(total, abs=1e-4)


def test_a_whole_stage_gives_the_scores_of_the_loop(kind, bench, tmp_path):
    plain = plain_of(kind)
    save(plain.model, tmp_path / "model", plain.tokenizer)
    run = tmp_path / "run"
    run.mkdir()
    (run / "bench").symlink_to(bench / "bench", target_is_directory=True)
    directions = tuple("-".join(direction) for direction in _DIRECTIONS)
    config = ScoreConfig(model=str(tmp_path / "model"), device="cpu", shots=_SHOTS, shot_sets=_SETS,
                         directions=directions, bootstrap=100)  # fmt: skip
    scores = score_model(config, run)
    distractors = {item.concept_id: item.distractors for item in Benchmark.load(run).test_concepts()}
    answers = scores.rows("answers")
    assert len(answers) == len(_DIRECTIONS) * _SETS * len(_TEST) * 3
    for row in answers:
        direction = row["source_language"], row["target_language"]
        _, answer, total = plain.item(direction, row["shot_set"], row["concept_id"], row["choice_id"])
        assert row["n_tokens"] == len(answer)
        assert row["sum_logprob"] == pytest.approx(total, abs=1e-4)

    def probability(direction: tuple[str, str], shot_set: int, concept: str, choice: str) -> float:
        _, answer, total = plain.item(direction, shot_set, concept, choice)
        return math.exp(total / len(answer))

    means = dict.fromkeys(_DIRECTIONS, 0.0)
    for row in scores.rows("concepts"):
        direction, concept = (row["source_language"], row["target_language"]), row["concept_id"]
        score = 0.0
        for shot_set in range(_SETS):
            others = [probability(direction, shot_set, concept, other) for other in distractors[concept]]
            score += (probability(direction, shot_set, concept, concept) - sum(others) / len(others)) / _SETS
        assert row["score"] == pytest.approx(score, abs=1e-5)
        means[direction] += score / len(_TEST)
    summary = {
        (row["source_language"], row["target_language"]): row["score"]
        for row in scores.rows("summary")
        if row["item_set"] == "all"
    }
    for direction, mean in means.items():
        assert summary[direction] == pytest.approx(mean, abs=1e-5)
    assert summary["all", "all"] == pytest.approx(sum(means.values()) / len(means), abs=1e-5)
