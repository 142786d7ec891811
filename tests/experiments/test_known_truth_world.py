"""The world of known truth is what its page says: balanced, with no pair that an arm forbids."""

import itertools
from collections import Counter, defaultdict

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.stats
from transformers import AutoTokenizer

from examples.known_truth.arms import ARMS, SHOT, draw_arms
from examples.known_truth.documents import Amounts
from examples.known_truth.plan import FULL
from examples.known_truth.words import FIRST, FOURTH, HUB, LANGUAGES, SECOND, make_vocabulary
from examples.known_truth.world import WorldSettings, make_world

DOSES = {"shot": 64, "D": 64, "N": 64, "D1": 1, "D4": 4, "D16": 16}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(WorldSettings(seed=3), tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def texts(world):
    return [text for file in sorted((world / "corpus").iterdir()) for text in pq.read_table(file)["text"].to_pylist()]


@pytest.fixture(scope="module")
def truth(world):
    return pq.read_table(world / "truth.parquet").to_pylist()


@pytest.fixture(scope="module")
def words(world):
    """Concept and language by word, read from the word list."""
    header, *rows = [line.split("\t") for line in (world / "words.tsv").read_text("utf-8").splitlines()]
    return {word: (row[0], language) for row in rows for language, word in zip(header[2:], row[2:], strict=True)}


def means(truth, column):
    by_arm = defaultdict(list)
    for row in truth:
        by_arm[row["arm"]].append(row[column])
    return {arm: sum(values) / len(values) for arm, values in by_arm.items()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", FULL.seeds)
def test_the_counted_seeds_draw_arms_of_like_frequency(seed):
    vocabulary = make_vocabulary(FULL.words, seed)
    by_arm = defaultdict(list)
    for place, arm in draw_arms(vocabulary, seed).items():
        by_arm[arm].append(vocabulary.counts[place])
    for mean in (np.mean, scipy.stats.gmean):
        means_of = [mean(counts) for counts in by_arm.values()]
        assert max(means_of) / min(means_of) < 1.01


@pytest.mark.parametrize("column", [f"count_{language}" for language in (HUB, FIRST, SECOND)])
def test_words_are_read_equally_often_in_every_arm(truth, column):
    by_arm = means(truth, column)
    assert max(by_arm.values()) / min(by_arm.values()) < 1.01, by_arm


@pytest.mark.parametrize("language", [HUB, FIRST, SECOND])
def test_words_are_answers_equally_often_in_every_arm(truth, language):
    assert len({row[f"answers_{language}"] for row in truth}) <= 2, "a dose that is odd has one line more"
    by_arm = means(truth, f"answers_{language}")
    assert max(by_arm.values()) / min(by_arm.values()) < 1.01, by_arm


def test_no_document_holds_a_pair_that_the_arm_forbids(texts, truth, words):
    arms = {row["concept_id"]: row["arm"] for row in truth}
    met = defaultdict(Counter)
    for text in texts:
        found = defaultdict(set)
        for word in text.replace(":", " ").replace(".", " ").split():
            if word in words:
                concept, language = words[word]
                found[concept].add(language)
        for concept, languages in found.items():
            for pair in itertools.combinations(sorted(languages), 2):
                assert frozenset(pair) in ARMS[arms[concept]].meets, (concept, arms[concept], text)
                met[concept][frozenset(pair)] += 1
    for concept, arm in arms.items():
        assert met[concept][frozenset((FIRST, SECOND))] == DOSES.get(arm, 0)
        for pair in ARMS[arm].meets:
            assert met[concept][pair] > 0, "what an arm allows happens"


def test_the_truth_is_what_the_documents_hold(texts, truth, words):
    counts = Counter(word for text in texts for line in text.split("\n") for word in line.split()[1:] if word in words)
    for row in truth:
        for word, (concept, language) in words.items():
            if concept == row["concept_id"]:
                assert row[f"count_{language}"] == counts[word]


def test_arms_hold_as_many_concepts_as_their_part_of_a_block(truth):
    sizes = Counter(row["arm"] for row in truth)
    blocks = sizes[SHOT] // ARMS[SHOT].block
    assert sizes == {name: arm.block * blocks for name, arm in ARMS.items()}


def test_every_word_is_a_token_and_no_token_is_unknown(world, texts, words):
    tokenizer = AutoTokenizer.from_pretrained(world / "tokenizer")
    ids = tokenizer(texts[::50], add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id not in {number for text in ids for number in text}
    assert all(len(tokenizer(f" {word}", add_special_tokens=False)["input_ids"]) == 1 for word in words)


def test_the_same_settings_write_the_same_bytes(world, tmp_path):
    again = make_world(WorldSettings(seed=3), tmp_path)
    for path in sorted(world.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(world)).read_bytes(), path


def test_a_larger_dose_and_other_amounts_stay_balanced(tmp_path):
    amounts = Amounts(alone={FIRST: 1, SECOND: 1}, pairs=1, lines=4, dose=8)
    truth = pq.read_table(make_world(WorldSettings(4, amounts=amounts), tmp_path) / "truth.parquet").to_pylist()
    assert means(truth, f"joint_{FIRST}_{SECOND}")["D"] == 8
    assert means(truth, f"joint_{FIRST}_{SECOND}")["D16"] == 8, "no dose is larger than the largest"
    for language in (HUB, FIRST, SECOND):
        by_arm = means(truth, f"count_{language}")
        assert max(by_arm.values()) / min(by_arm.values()) < 1.01
    assert {row[f"count_{FOURTH}"] > 0 for row in truth if row["arm"] == "X"} == {True}
    assert LANGUAGES == (HUB, FIRST, SECOND, FOURTH)
