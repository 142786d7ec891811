from __future__ import annotations

import functools
import hashlib
import shutil
from pathlib import Path

import pytest
from corpus_fixture import write_bench, write_corpus, write_tokenizer

import pivotlens.bench
import pivotlens.text
from pivotlens.artifacts import Counts
from pivotlens.bench.versions import VERSIONS, answers_only
from pivotlens.bench.wordlist import parse_word_list
from pivotlens.count import CountConfig, count_corpus
from pivotlens.count.stage import STAGE
from pivotlens.errors import ConfigError, DataError
from pivotlens.text import normalise
from pivotlens.text.longer_words import LongerWords, read_longer_words
from pivotlens.text.matching import WordMatcher

BUNDLED_FILE = Path(pivotlens.text.__file__).parent / "data" / "longer_words.tsv"


def _accepted(name: str) -> dict[str, frozenset[str]]:
    """Return the words of a bundled benchmark that are counted in a corpus."""
    stem = Path(pivotlens.bench.__file__).parent / "data" / name.replace("-", "_")
    concepts = parse_word_list(stem.with_suffix(".tsv").read_bytes(), name)
    changes = stem.with_name(f"{stem.name}_changes.tsv")
    left_out = answers_only(changes.read_bytes()) if changes.exists() else {}
    return {
        code: frozenset(
            word
            for concept in concepts
            for word in concept.words[code]
            if word not in left_out.get((concept.concept_id, code), ())
        )
        for code in ("zh", "ja")
    }


ACCEPTED = {name: _accepted(name) for name in VERSIONS}


@functools.cache
def _matcher(language: str, words: frozenset[str]) -> WordMatcher:
    """Return the matcher of words with the bundled longer ones, which takes a second to build."""
    return WordMatcher({language: sorted(words)}, read_longer_words("bundled").words)


@pytest.fixture(scope="module")
def bundled() -> LongerWords:
    return read_longer_words("bundled")


# -- the bundled list


@pytest.mark.parametrize(
    ("language", "text", "word", "counts"),
    [
        ("zh", "汤姆走了", "汤", False),
        ("zh", "汤姆喝了汤", "汤", True),
        ("zh", "我喜欢登山", "山", False),
        ("zh", "图书馆关门了", "书", False),
        ("zh", "图书馆关门了", "图书馆", True),
        ("zh", "请给我一杯", "杯", True),
        ("zh", "这本书", "书", True),
        ("zh", "他在山上", "山", True),
        ("zh", "我家", "家", True),
        ("ja", "ジャパン", "パン", False),
        ("ja", "パンを食べた", "パン", True),
        ("ja", "登山が好き", "山", False),
        ("ja", "図書館の本", "本", True),
        ("ja", "彼女は来た", "女", False),
        ("ja", "雪が降る", "雪", True),
        ("ja", "魚の色", "魚", True),
    ],
)
def test_what_the_bundled_words_hide(language: str, text: str, word: str, counts: bool) -> None:
    for accepted in ACCEPTED.values():
        matcher = _matcher(language, accepted[language] | {word})
        found = {matcher.entries[entry][1] for entry in matcher.match(text)}
        assert (word in found) is counts


@pytest.mark.parametrize(
    ("language", "text", "word", "counts"),
    [
        ("zh", "大家好", "大", False),
        ("zh", "又大又好", "大", True),
        ("zh", "小姐来了", "小", False),
        ("zh", "他死了", "死", True),
        ("ja", "サイトを見る", "サイ", False),
        ("ja", "サイを見る", "サイ", True),
        ("ja", "アリバイがある", "アリ", False),
        ("ja", "フランスに行く", "ラン", False),
    ],
)
def test_what_they_hide_of_the_larger_list(language: str, text: str, word: str, counts: bool) -> None:
    accepted = ACCEPTED["word-translation"][language]
    assert word in accepted
    matcher = _matcher(language, accepted)
    assert (word in {matcher.entries[entry][1] for entry in matcher.match(text)}) is counts


def test_a_word_of_one_list_is_a_longer_word_to_the_other(bundled: LongerWords) -> None:
    nouns, larger = ACCEPTED["everyday-nouns"], ACCEPTED["word-translation"]
    assert {"人口", "出口"} <= (larger["zh"] - nouns["zh"]) & set(bundled.words["zh"])
    assert {"国家", "汽車"} <= (nouns["ja"] - larger["ja"]) & set(bundled.words["ja"])


def test_the_bundled_words_keep_their_promises(bundled: LongerWords) -> None:
    assert list(bundled.words) == ["ja", "zh"]
    assert bundled.sha256 == hashlib.sha256(BUNDLED_FILE.read_bytes()).hexdigest()
    for language, words in bundled.words.items():
        lists = [accepted[language] for accepted in ACCEPTED.values()]
        assert len(words) > 30_000
        assert all(len(word) >= 2 and normalise(word) == word for word in words)
        for word in words:
            parts = {word[start:end] for start in range(len(word)) for end in range(start + 1, len(word) + 1)}
            assert any(parts & accepted and word not in accepted for accepted in lists)
    lines = BUNDLED_FILE.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "language\tword"
    assert lines[1:] == sorted(set(lines[1:]))


def test_licences_of_the_sources_are_with_the_list() -> None:
    notices = {path.name: path.read_text(encoding="utf-8") for path in BUNDLED_FILE.parent.glob("LICENSE-*.txt")}
    of_words = {"LICENSE-CC-BY-SA-4.0.txt"}  # of the list of word frequencies beside it
    assert notices.keys() - of_words == {"LICENSE-jieba.txt", "LICENSE-IPADIC.txt"}
    assert "Copyright (c) 2013 Sun Junyi" in notices["LICENSE-jieba.txt"]
    assert "Nara Institute of Science" in notices["LICENSE-IPADIC.txt"]
    assert "NO WARRANTY" in notices["LICENSE-IPADIC.txt"]


# -- reading a file


def _write(folder: Path, content: str | bytes) -> str:
    path = folder / "mine.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_file_of_the_users(tmp_path: Path) -> None:
    spec = _write(
        tmp_path, "\ufefflanguage\tword\r\nzh\t登山\r\n\r\nzho_Hans\t 汤姆 \r\nth\tแมว\nzh\t登山\nja\tか\u3099\n"
    )
    found = read_longer_words(spec)
    assert found.words == {"ja": ("が",), "th": ("แมว",), "zh": ("汤姆", "登山")}
    assert read_longer_words("") == LongerWords({}, "")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", DataError, r"line 1: the first line is not language and word"),
        ("zh\t登山\n", DataError, r"line 1: the first line"),
        ("language\tword\n", DataError, r"holds no word"),
        ("language\tword\nzh\t登山\nzh\n", DataError, r"line 3: 1 cells, not 2"),
        ("language\tword\nzh\t登\t山\n", DataError, r"line 2: 3 cells"),
        ("language\tword\nzh\t \n", DataError, r"line 2: '' is no word"),
        ("language\tword\nzh\ta\0b\n", DataError, r"line 2: .* is no word"),
        (b"language\tword\nzh\t\xe6\n", DataError, r"line 2: invalid UTF-8 at byte 4"),
        ("language\tword\nzh\t登山\nfr\teaux\n", DataError, r"line 3: 'fr' writes spaces"),
        ("language\tword\nklingonese\tqo\n", ConfigError, r"unknown language 'klingonese' in .*mine\.tsv, line 2"),
        ("language\tword\n\t登山\n", ConfigError, r"unknown language ''"),
    ],
)
def test_malformed_files_are_refused(
    tmp_path: Path, content: str | bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_longer_words(_write(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.tsv", tmp_path):
        with pytest.raises(DataError, match="cannot be read") as caught:
            read_longer_words(str(path))
        assert str(path) in caught.value.message


# -- count with them


def _count(here: Path, run: Path, **settings: object) -> Counts:
    if not run.exists():
        shutil.copytree(here / "run" / "bench", run / "bench")
    return count_corpus(_config(here, **settings), run)


def _config(here: Path, **settings: object) -> CountConfig:
    return CountConfig(corpus=str(here / "corpus"), tokenizer=str(here / "model"), **settings)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("longer")
    write_corpus(folder / "corpus", files=1, documents=2)
    (folder / "corpus" / "more.jsonl").write_text(
        '{"text": "水手", "language": "zh"}\n{"text": "山水", "language": "zh"}\n', encoding="utf-8"
    )
    (folder / "corpus" / "part-0.jsonl").unlink()
    write_tokenizer(folder / "model")
    write_bench(folder / "run")
    return folder


def _df(counts: Counts) -> dict[str, int]:
    return {row["word"]: row["df"] for row in counts.rows("words") if row["df"] and row["word_language"] == "zh"}


def test_count_uses_them(here: Path, tmp_path: Path) -> None:
    bundled = _count(here, tmp_path / "bundled")
    assert _df(bundled) == {}
    assert bundled.manifest.details["longer_words"].keys() == {"ja", "zh"}
    none = _count(here, tmp_path / "none", longer_words="")
    assert _df(none) == {"水": 2, "山": 1}
    assert any("no longer words are known in zh" in warning for warning in none.manifest.warnings)
    own = _count(here, tmp_path / "own", longer_words=_write(tmp_path, "language\tword\nzh\t水手\n"))
    assert _df(own) == {"水": 1, "山": 1}
    assert own.manifest.warnings == ["the corpus holds no document in en, fr"]


def test_the_fingerprint_goes_by_content(here: Path, tmp_path: Path) -> None:
    spec = _write(tmp_path, "language\tword\nzh\t水手\n")
    counts = _count(here, tmp_path / "run", longer_words=spec)
    assert counts.manifest.inputs["longer_words"] == hashlib.sha256(Path(spec).read_bytes()).hexdigest()
    shutil.copy(spec, tmp_path / "copy.tsv")
    assert STAGE.plan(_config(here, longer_words=str(tmp_path / "copy.tsv")), tmp_path / "run").reason is None
    for other in ("", "bundled"):
        reason = STAGE.plan(_config(here, longer_words=other), tmp_path / "run").reason
        assert "longer_words" in (reason or "")
    _write(tmp_path, "language\tword\nzh\t山水\n")
    assert "longer_words" in (STAGE.plan(_config(here, longer_words=spec), tmp_path / "run").reason or "")
    with pytest.raises(DataError, match="cannot be read"):
        STAGE.plan(_config(here, longer_words=str(tmp_path / "gone.tsv")), tmp_path / "run")


def test_a_benchmark_of_the_users_is_told(here: Path, tmp_path: Path) -> None:
    shutil.copytree(here / "run" / "bench", tmp_path / "run" / "bench")
    manifest = tmp_path / "run" / "bench" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"everyday-nouns"', '"mine.tsv"'))
    counts = count_corpus(_config(here), tmp_path / "run")
    assert any("those around words of the bundled lists" in warning for warning in counts.manifest.warnings)
