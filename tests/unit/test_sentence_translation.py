"""The bundled sentences: what users rely on, and that nothing but meaning tells the right one."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from importlib import resources

import orjson
import pytest
import regex
import zstandard

from pivotlens.errors import ConfigError
from pivotlens.harness.sentence_translation import load, make_documents
from pivotlens.harness.sentences import DATA, bundled_groups, held_out_keys, sentence_key
from pivotlens.text import Direction, has_cjk

LANGUAGES = ("en", "fr", "de", "es", "zh", "ja")
DIRECTIONS = [Direction(*pair) for pair in itertools.permutations(LANGUAGES, 2)]


def sample_sentences() -> list[tuple[str, str]]:
    """Language and sentence of the bundled corpus sample: lines of pairs, the second of each in English."""
    found = []
    for shard in sorted((resources.files("pivotlens.corpus") / "sample").iterdir(), key=lambda path: path.name):
        if shard.name.endswith(".zst"):
            for line in zstandard.ZstdDecompressor().decompress(shard.read_bytes()).splitlines():
                document = orjson.loads(line)
                for pair in document["text"].split("\n\n"):
                    own, *english = pair.splitlines()
                    found += [(document["language"], own), *(("en", sentence) for sentence in english)]
    return found


@pytest.fixture(scope="module")
def sample() -> list[tuple[str, str]]:
    return sample_sentences()


def test_no_sentence_is_in_the_bundled_corpus(sample):
    keys = {sentence_key(sentence) for _, sentence in sample}
    assert len(keys) > 100_000
    held_out = held_out_keys()
    assert len(held_out) > 5_000
    assert not held_out & keys


def test_groups_are_whole():
    groups = bundled_groups()
    assert len({group.group_id for group in groups}) == len(groups)
    assert Counter(group.split for group in groups)["shots"] == 8
    for group in groups:
        assert set(group.sentences) == set(group.distractors) <= set(LANGUAGES)
        assert len(group.sentences) == 6 or group.split == "test"
        for language, right in group.sentences.items():
            choices, gold = group.choices(language)
            assert len({sentence_key(one) for one in choices}) == 4
            assert choices[gold] == right
            for one in choices:
                assert has_cjk(one) == (language in ("zh", "ja"))
                assert abs(len(one) - len(right)) <= 0.2 * len(right)


def test_a_right_sentence_is_right_once_and_no_distractor():
    for language in LANGUAGES:
        right = [sentence_key(group.sentences[language]) for group in bundled_groups() if language in group.sentences]
        wrong = [sentence_key(one) for group in bundled_groups() for one in group.distractors.get(language, ())]
        assert len(set(right)) == len(right)
        assert len(set(wrong)) == len(wrong)
        assert not set(right) & set(wrong)


def test_the_data_are_small():
    assert len((resources.files("pivotlens.harness") / "data" / DATA).read_bytes()) < 1_500_000


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
def test_every_direction_has_a_few_hundred_items(direction):
    documents = make_documents(direction)
    splits = Counter(document["split"] for document in documents)
    assert splits["test"] >= 290
    assert splits["shots"] == 8
    places = Counter(document["gold"] for document in documents)
    assert all(0.15 < places[place] / len(documents) < 0.35 for place in range(4))


def units(sentence: str, language: str) -> list[str]:
    words = regex.findall(r"[\p{L}\p{M}\p{N}]+", sentence.casefold())
    return [character for word in words for character in word] if language in ("zh", "ja") else words


def accuracy(direction: Direction, value) -> float:
    """How often the choice with the largest value is right; ties count 1/k."""
    hits = []
    for document in make_documents(direction):
        values = [value(document["source"], choice) for choice in document["choices"]]
        best = max(values)
        hits.append((values[document["gold"]] == best) / values.count(best))
    return sum(hits) / len(hits)


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
def test_length_finds_nothing(direction):
    for value in (lambda _, one: len(one), lambda _, one: -len(one), lambda source, one: -abs(len(source) - len(one))):
        assert 0.2 < accuracy(direction, value) < 0.3


def test_common_words_find_nothing(sample):
    counts = {language: Counter() for language in LANGUAGES}
    for language, sentence in sample:
        counts[language].update(units(sentence, language))
    for language in LANGUAGES:
        total = counts[language].total()

        def logprob(sentence: str, language: str = language, total: int = total) -> float:
            return sum(math.log((counts[language][word] + 1) / total) for word in units(sentence, language))

        direction = Direction("en" if language != "en" else "ja", language)
        assert 0.2 < accuracy(direction, lambda _, one: logprob(one)) < 0.3
        assert 0.18 < accuracy(direction, lambda _, one: logprob(one) / len(units(one, language))) < 0.3  # noqa: B023


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
def test_words_that_the_source_has_too_find_nothing(direction):
    def shared(source: str, one: str) -> int:
        return len(set(units(source, "en")) & set(units(one, "en")))

    assert 0.2 < accuracy(direction, shared) < 0.3


def test_documents_are_prompts_with_four_choices():
    document = make_documents(Direction("fr", "zh"))[10]
    assert document["prompt"] == f"French: {document['source']}\nChinese:"
    assert len(document["choices"]) == 4


def test_the_loader_gives_both_splits():
    found = load("de-ja", pretrained="whatever", version=1)
    assert set(found) == {"test", "shots"}
    assert found["shots"].num_rows == 8
    assert found["test"][0]["direction"] == "de-ja"


def test_a_language_without_sentences_is_named():
    with pytest.raises(ConfigError, match="both languages of en-ru") as caught:
        load("en-ru")
    assert "fr" in caught.value.hint
