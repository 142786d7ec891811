from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pivotlens.text
import pytest

from everyday_nouns.table import Concept
from longer_words import benchmarks, keep_chinese, keep_japanese, longer_words
from longer_words_agreement import Agreement, agreement_report, compare, compare_in_sample, whole_words
from longer_words_sources import Entry, read_ipadic

# -- how the list is made


def test_which_words_are_taken() -> None:
    entries = [Entry(word, frozenset({"n"}), 1) for word in ("山", "登山", "山山", "水", "大水", "河", "OK", "卡拉ok")]
    found = list(longer_words(["山", "水", "Ok"], entries, keep=lambda entry: entry.word != "大水"))
    assert found == ["登山", "山山", "卡拉ok"]


def test_what_is_one_word() -> None:
    def simple(word: str) -> str:
        return word.replace("館", "馆")

    cases = [("图书馆", "n", 10), ("图书馆", "n", 9), ("圖書館", "n", 99), ("山上", "s", 99), ("一杯", "m", 99)]
    kept = [keep_chinese(Entry(word, frozenset({tag}), number), simple) for word, tag, number in cases]
    assert kept == [True, False, False, False, False]
    names, both = frozenset({"固有名詞"}), frozenset({"固有名詞", "一般"})
    assert keep_japanese(Entry("山田", names, 4494), frozenset("山"))
    assert not keep_japanese(Entry("山ノ外", names, 8676), frozenset("山"))
    assert keep_japanese(Entry("山火", both, 8676), frozenset("山"))
    assert not keep_japanese(Entry("山の", both, 10), frozenset("山"))


def test_compiled_dictionary(tmp_path: Path) -> None:
    words = {"山": ["名詞,一般"], "山田": ["名詞,固有名詞", "名詞,一般"], "山火事": ["名詞,一般"]}
    expected = [
        Entry("山", frozenset({"一般"}), 100),
        Entry("山火事", frozenset({"一般"}), 103),
        Entry("山田", frozenset({"固有名詞", "一般"}), 101),
    ]
    path = tmp_path / "sys.dic"
    path.write_bytes(_compiled(words))
    assert list(read_ipadic(path)) == expected
    path.write_bytes(_compiled(words).replace(b"utf8", b"sjis"))
    with pytest.raises(ValueError, match="sjis"):
        list(read_ipadic(path))


def _compiled(words: dict[str, list[str]]) -> bytes:
    """Build a double array the slow way: each node's base is far from all others."""
    features, tokens, values = b"", b"", {}
    for word, tags in words.items():
        values[word.encode()] = len(tokens) // 16 << 8 | len(tags)
        for tag in tags:
            tokens += struct.pack("<3HhII", 0, 0, 0, 100 + len(tokens) // 16, len(features), 0)
            features += tag.encode() + b"\0"
    prefixes = sorted({key[:end] for key in values for end in range(len(key) + 1)})
    base = {prefix: 1 + 300 * number for number, prefix in enumerate(prefixes)}
    units = np.zeros((300 * len(prefixes) + 300, 2), dtype="<i4")
    units[0, 0] = base[b""]
    for prefix in prefixes[1:]:
        place = base[prefix[:-1]] + prefix[-1] + 1
        units[place] = base[prefix], base[prefix[:-1]]
    for key, value in values.items():
        units[base[key]] = -value - 1, base[key]
    sizes = (0, 102, 0, len(tokens) // 16, 0, 0, units.nbytes, len(tokens), len(features), 0)
    return struct.pack("<10I32s", *sizes, b"utf8") + units.tobytes() + tokens + features


# -- agreement with a segmenter


def test_agreement_by_hand() -> None:
    assert whole_words("登山看书本", ["山", "书", "书本", "登山", "看书"], lambda _: ["登山", "看", "书", "本"]) == {
        "登山",
        "书",
        "书本",
        "看书",
    }
    found = compare({(0, "a"), (1, "a"), (2, "b")}, {(0, "a"), (3, "a")})
    assert found == Agreement(3, 1, 2)
    assert (found.precision, found.recall) == (1 / 3, 1 / 2)
    assert found.row("x") == "| x | 3 | 0.333 | 0.500 | 0.400 |"


def test_a_form_of_two_concepts_counts_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longer_words_agreement._documents", lambda language: ["登山看书", "书"])
    concepts = [
        Concept(name, "test", False, "n", "", "", {"zh": words})
        for name, words in (("a", ("山",)), ("b", ("书", "看书")), ("c", ("书",)))
    ]
    count, ways = compare_in_sample(
        concepts, "zh", "three", {"登山看书": ["登山", "看", "书"], "书": ["书"]}.__getitem__
    )
    assert count == 2
    assert list(ways) == ["benchmark words alone", "with the longer words", "three itself"]
    alone, longer, segments = ways.values()
    assert alone == {(0, "a"), (0, "b"), (1, "b"), (1, "c")}
    assert longer == alone - {(0, "a")}
    assert segments == {(0, "b"), (0, "c"), (1, "b"), (1, "c")}


def _cut(segmenter: str) -> Callable[[str], list[str]]:
    pytest.importorskip(segmenter)
    if segmenter == "jieba":
        import jieba

        return jieba.lcut
    from janome.tokenizer import Tokenizer

    tokenizer = Tokenizer(wakati=True)
    return lambda text: list(tokenizer.tokenize(text))


@pytest.mark.slow
@pytest.mark.parametrize(("language", "segmenter"), [("zh", "jieba"), ("ja", "janome")])
@pytest.mark.filterwarnings("ignore")
def test_agreement_with_segmenters_is_that_of_the_readme(language: str, segmenter: str) -> None:
    cut = _cut(segmenter)
    readme = ((Path(pivotlens.text.__file__).parent / "data") / "README.md").read_text(encoding="utf-8").splitlines()
    for concepts in benchmarks().values():
        report = agreement_report(concepts, {language: (segmenter, cut)}).splitlines()
        rows = [
            line for line in report if line.startswith(("| benchmark words alone | ", "| with the longer words | "))
        ]
        assert len(rows) == 2
        assert all(row in readme for row in rows)
