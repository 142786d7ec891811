from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.text.matching import WordMatcher
from pivotlens.text.segmenters import segmented_languages, segmenter, segmenters_fingerprint


def _every_two(texts: Sequence[str]) -> Iterator[list[str]]:
    for text in texts:
        yield [text[place : place + 2] for place in range(0, len(text), 2)]


def test_a_word_is_one_segment_or_several_whole_ones() -> None:
    matcher = WordMatcher({"zh": ["AB", "abcd", "bc", "c", "e"], "en": ["abcde"]}, {}, {"zh": _every_two})
    found_texts, words = matcher.match_batch(["abcde", "", "xabc", "ab\1\0e"])
    assert [(text, matcher.entries[word][1]) for text, word in zip(found_texts, words, strict=True)] == [
        (0, "AB"), (0, "abcd"), (0, "e"), (0, "abcde"), (2, "bc"), (3, "AB"), (3, "e")
    ]  # fmt: skip


def test_names_of_segmenters() -> None:
    assert segmented_languages(["kiwipiepy", "fugashi"]) == {"ko": "kiwipiepy", "ja": "fugashi"}
    assert segmenters_fingerprint([]) == ""
    with pytest.raises(ConfigError, match="unknown segmenter 'mecab'"):
        segmented_languages(["mecab"])
    with pytest.raises(ConfigError, match="two segmenters of ja: SudachiPy and fugashi"):
        segmented_languages(["SudachiPy", "fugashi"])


@pytest.mark.parametrize(
    ("name", "text", "segment"),
    [
        ("kiwipiepy", "물을 마셨다 ", "물"),
        ("jieba", "水很清。\n", "水"),
        ("SudachiPy", "水を飲む", "水"),
        ("fugashi", "水 を飲む\n", "水"),
    ],
)
def test_what_segmenters_cut(name: str, text: str, segment: str) -> None:
    try:
        assert name in segmenters_fingerprint([name])
    except PrerequisiteError as missing:
        pytest.skip(str(missing))
    (segments, other) = segmenter(name)([text, "no word of it"])
    assert "".join(segments) == text
    assert segment in segments
    assert other == ["no word of it"]
