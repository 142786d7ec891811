"""Dictionaries from the command line: they make a benchmark, or a clear error and no half result."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from lexicon_files import cedict, freedict, jmdict, jmdict_bytes, pairs, table
from pivotlens.cli.main import main

CONFIG, DATA = 2, 4
FEW = ["--shot-pool", "5", "--distractors", "4", "--calibration", "5"]

Fails = Callable[..., None]


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Fails:
    """Call `bench`, which must end with a code, a message with some words and a remedy, and no result."""

    def call_and_check(code: int, arguments: list[object], *words: object) -> None:
        run = tmp_path / "run"
        assert main(["bench", "--run", str(run), *map(str, arguments)]) == code
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "Traceback" not in shown.err
        error = shown.err[shown.err.index("Error: ") :]
        assert "\n  → " in error, f"no remedy: {error}"
        for word in words:
            assert str(word) in error
        assert not (run / "bench").exists()
        assert not {path.name for path in run.rglob("*") if path.name.endswith((".tmp", ".lock", ".trash"))}

    return call_and_check


def _bench(capsys: pytest.CaptureFixture[str], run: Path, *arguments: object) -> dict:
    assert main(["bench", "--run", str(run), *map(str, arguments), *FEW, "--json"]) == 0
    shown: dict = orjson.loads(capsys.readouterr().out)
    return shown


def test_lexicons_one_after_another_or_a_flag_each(tmp_path, capsys):
    french, chinese = freedict(tmp_path), cedict(tmp_path)
    one = _bench(capsys, tmp_path / "one", "--lexicon", french, chinese)
    each = _bench(capsys, tmp_path / "each", "--lexicon", french, "--lexicon", chinese)
    assert one["fingerprint"] == each["fingerprint"]
    assert set(one["details"]["languages"]) == {"en", "fr", "zh"}
    assert one["outputs"]["items.parquet"] == 16 * 3
    assert _bench(capsys, tmp_path / "one", "--lexicon", french, chinese)["reused"]


def test_lexicons_of_a_configuration_file(tmp_path, capsys):
    config = tmp_path / "run.toml"
    config.write_text(
        f'[bench]\nlexicon = ["{jmdict(tmp_path)}", "en-fr:{pairs(tmp_path)}"]\nlanguages = ["ja", "en"]\n'
    )
    shown = _bench(capsys, tmp_path / "run", "--config", config)
    assert shown["details"]["languages"] == ["ja", "en"]
    assert [found["format"] for found in shown["details"]["lexicons"]] == ["JMdict", "MUSE"]


@pytest.mark.parametrize(
    ("name", "data", "code", "words"),
    [
        ("none.txt", None, DATA, ["none.txt", "en-fr:FILE"]),
        ("a.txt", b"", DATA, ["is empty", "JMdict"]),
        ("a.txt", b"one two three\n", DATA, ["none of the known formats", "JMdict"]),
        ("a.txt", b"chat cat\n", CONFIG, ["languages", "en-fr:a.txt"]),
        ("en-fr.txt", b"cat chat\ncat le chat\n", DATA, ["en-fr.txt, line 2", "3 columns"]),
        ("en-fr.txt", b"cat chat\ncat \xff\n", DATA, ["en-fr.txt, line 2", "UTF-8"]),
        ("en-fr.txt", b"2019 2019\n", DATA, ["no entry that can be used"]),
        ("en-fr.txt", b"cat chat\n", DATA, ["1 words", "shot pool of 20", "shot_pool"]),
        ("a.tsv", b"en\tfr\ncat\n", DATA, ["a.tsv, line 2", "tabs"]),
        ("a.u8", b"dog\n", DATA, ["a.u8, line 1", "CC-CEDICT"]),
        ("eng-fra.index", b"cat\tA\tC\n", DATA, ["lacks", "eng-fra.dict.dz"]),
        ("a.xml", b"<JMdict><entry>", DATA, ["a.xml, line 1"]),
        ("a.xml", b"<html></html>", DATA, ["XML without a JMdict entry"]),
        ("a.xml", jmdict_bytes("", '<!ENTITY a "&b;&b;">'), DATA, ["entity 'a'", "refers to other entities"]),
        ("a.xml.gz", gzip.compress(jmdict_bytes("") * 100)[:-9], DATA, ["cut short or damaged", "again"]),
    ],
)
def test_bad_lexicon(tmp_path, fails, name, data, code, words):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    fails(code, ["--lexicon", tmp_path / name], *words)


def test_settings_that_do_not_fit_the_lexicons(tmp_path, fails):
    path = table(tmp_path)
    fails(CONFIG, ["--lexicon", path, "--words", "everyday-nouns"], "words", "lexicon", "exclude each other")
    fails(CONFIG, ["--lexicon", path, "--languages", "en", "sw"], "'sw'", "en, fr, zh")
    fails(CONFIG, ["--lexicon", path, "--languages", "en"], "one language")
    fails(CONFIG, ["--lexicon", path, "--languages", "en", "klingonish"], "'klingonish'", "BCP 47")
    fails(CONFIG, ["--lexicon", f"de-it:{path}"], "tells its languages itself")
    fails(CONFIG, ["--lexicon", path, "--senses", "second"], "second", "first")
    fails(CONFIG, ["--lexicon", path, "--concepts", "1"], "concepts = 1")
    (tmp_path / "de-it.txt").write_text("Hund cane\n")
    fails(CONFIG, ["--lexicon", path, tmp_path / "de-it.txt"], "do not join", "shares a language")
    fails(DATA, ["--lexicon", path], "16 words", "shot pool of 20")
    fails(DATA, ["--lexicon", tmp_path], tmp_path)
