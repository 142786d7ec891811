from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from corpus_fixture import write_bench, write_corpus, write_tokenizer
from pydantic import ValidationError

from pivotlens.artifacts import Counts
from pivotlens.corpus import PartStore, Shard, Task, executor
from pivotlens.count import CountConfig, count_corpus
from pivotlens.count.stage import STAGE
from pivotlens.errors import ConfigError, DataError, PrerequisiteError

RUN_RECORD = "run.json"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("count")
    write_corpus(folder / "corpus", files=4, documents=25)
    write_tokenizer(folder / "model")
    write_bench(folder / "run")
    return folder


def _config(here: Path, **settings: object) -> CountConfig:
    values = {"corpus": str(here / "corpus"), "tokenizer": str(here / "model"), "unit_characters": 64}
    return CountConfig(**{**values, "sample": 9, "background": 30, **settings})


def _count(here: Path, run: Path, **settings: object) -> Counts:
    if not run.exists():
        shutil.copytree(here / "run" / "bench", run / "bench")
    return count_corpus(_config(here, **settings), run)


def _content(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "count").iterdir() if path.name != RUN_RECORD}


def test_interrupted_and_resumed_is_the_same_as_fresh(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _count(here, tmp_path / "fresh")
    made: list[str] = []
    limit = [0]
    work_on = executor.work_on

    def failing(shard: Shard, task: Task, store: PartStore) -> None:
        if len(made) == limit[0]:
            raise KeyboardInterrupt
        made.append(f"{store.folder.name}/{shard.file.name}")
        work_on(shard, task, store)

    monkeypatch.setattr(executor, "work_on", failing)
    for fail_after in (2, 5, 7, 11):
        limit[0] = fail_after
        with pytest.raises(KeyboardInterrupt):
            _count(here, tmp_path / "broken")
    assert "finished parts" in (STAGE.plan(_config(here), tmp_path / "broken").reason or "")
    limit[0] = 100
    _count(here, tmp_path / "broken")
    assert len(made) == len(set(made)) == 12
    assert _content(tmp_path / "broken") == _content(tmp_path / "fresh")
    assert not (tmp_path / "broken" / ".work").exists()


def test_the_result_is_the_same_whatever_fits_in_memory(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _count(here, tmp_path / "whole")
    monkeypatch.setattr(CountConfig, "cells_held", 40)
    _count(here, tmp_path / "runs")
    assert _content(tmp_path / "runs") == _content(tmp_path / "whole")


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"memory": "much"}, "no size such as 2GB"), ({"memory": "2GB", "workers": 3}, "too little for 4 processes")],
)
def test_impossible_memory_is_told(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CountConfig(**settings)


def test_a_result_is_reused_whatever_the_workers(here: Path, tmp_path: Path) -> None:
    """What they make is compared by the test of a script, and by ``test_shard_properties``."""
    _count(here, tmp_path / "one")
    assert STAGE.plan(_config(here, workers=2), tmp_path / "one").reason is None


def test_a_script_without_a_main_guard_is_told_to_have_one(here: Path, tmp_path: Path) -> None:
    shutil.copytree(here / "run" / "bench", tmp_path / "run" / "bench")
    config = _config(here, workers=2)
    settings = ", ".join(f"{name}={value!r}" for name, value in config.model_dump(exclude_defaults=True).items())
    call = f"pl.count_corpus(pl.CountConfig({settings}), {str(tmp_path / 'run')!r})"
    script = tmp_path / "script.py"
    script.write_text(f"import pivotlens as pl\n{call}\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "EOFError" not in done.stderr
    assert done.stderr.count("pivotlens.errors.ConfigError: the 2 worker processes ended as they began") == 1
    assert done.stderr.count("Traceback") == 1
    assert 'under `if __name__ == "__main__":`' in done.stderr
    assert not (tmp_path / "run/.count.lock").exists()
    script.write_text(f"import pivotlens as pl\nif __name__ == '__main__':\n    {call}\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # Two processes make what one makes.
    _count(here, tmp_path / "one")
    assert _content(tmp_path / "one") == _content(tmp_path / "run")


def test_samples_are_of_the_asked_size_and_are_scaled_by_their_own(here: Path, tmp_path: Path) -> None:
    counts = _count(here, tmp_path / "run")
    words = {(row["word_language"], row["word"], row["document_language"]): row for row in counts.rows("words")}
    assert {row["n_sampled"] for row in words.values()} == {0, 9}
    for (language, _, document_language), row in words.items():
        assert row["n_sampled"] == (min(row["df"], 9) if language == document_language else 0)
    for row in counts.rows("word_tokens"):
        word = words[row["word_language"], row["word"], row["document_language"]]
        assert 0 < row["df"] <= row["n_sampled"] == word["n_sampled"]
    languages = {row["language"]: row for row in counts.rows("languages")}
    strata = counts.rows("strata")
    assert all(row["units_sampled"] == min(row["units"], 30) for row in strata)
    assert max(row["units_sampled"] for row in strata) == 30
    assert all(row["tokens_sampled"] > 0 for row in strata)
    for name in ("units", "units_sampled", "tokens_sampled"):
        assert {code: row[name] for code, row in languages.items()} == {
            code: sum(row[name] for row in strata if row["language"] == code) for code in languages
        }
    of_word: dict[tuple, int] = {}
    for row in counts.rows("word_strata"):
        key = (row["word_language"], row["word"])
        of_word[key] = of_word.get(key, 0) + row["n_sampled"]
    assert set(of_word.values()) == {9}
    assert all(0 < row["n_sampled"] <= of_word[row["word_language"], row["word"]] for row in counts.rows("pair_strata"))
    pairs = counts.rows("pair_tokens")
    assert pairs
    for row in pairs:
        assert row["document_language"] == row["word_language"]
        assert row["df"] <= words[row["word_language"], row["word"], row["word_language"]]["n_sampled"]


def test_manifest_details_and_reuse(here: Path, tmp_path: Path) -> None:
    counts = _count(here, tmp_path / "run", limit_documents=3)
    assert counts.manifest.details["corpus_files"] == 4
    assert counts.manifest.details["documents"] == 12
    assert counts.manifest.outputs["word_tokens.parquet"].rows == counts.table("word_tokens").num_rows
    assert "first 3 documents of each file" in counts.manifest.warnings[0]
    before = (tmp_path / "run/count/run.json").read_bytes()
    _count(here, tmp_path / "run", limit_documents=3)
    assert (tmp_path / "run/count/run.json").read_bytes() == before
    assert "unit" in (STAGE.plan(_config(here, limit_documents=3, unit="document"), tmp_path / "run").reason or "")


def test_bad_rows_are_reported_or_refused(here: Path, tmp_path: Path) -> None:
    shutil.copytree(here / "corpus", tmp_path / "corpus")
    shutil.copytree(here / "model", tmp_path / "model")
    with (tmp_path / "corpus/part-1.jsonl").open("ab") as file:
        file.write(b'{"text": "\xff"}\n')
    shutil.copytree(here / "run" / "bench", tmp_path / "run" / "bench")
    with pytest.raises(DataError, match=r"1 of 101 rows .* \(part-1\.jsonl, line 26: invalid UTF-8"):
        count_corpus(_config(tmp_path), tmp_path / "run")
    counts = count_corpus(_config(tmp_path, max_bad_share=0.01), tmp_path / "run")
    assert counts.rows("problems") == [
        {"file": "part-1.jsonl", "row": 26, "problem": "invalid UTF-8 at byte 11 of the line"}
    ]
    assert counts.manifest.details["bad_rows"] == 1
    assert "`problems`" in counts.manifest.warnings[0]


def test_a_corpus_in_other_languages_is_counted_with_a_warning(here: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.jsonl").write_text('{"text": "", "language": "de"}\n{"text": "water", "language": "de"}\n')
    shutil.copytree(here / "run" / "bench", tmp_path / "run" / "bench")
    counts = count_corpus(_config(here, corpus=str(tmp_path / "corpus")), tmp_path / "run")
    assert counts.manifest.warnings == ["the corpus holds no document in en, fr, zh"]
    assert [(row["documents"], row["units"]) for row in counts.rows("languages")] == [(2, 1)]
    assert [row for row in counts.rows("words") if row["df"]] == [
        {"word_language": "en", "word": "water", "document_language": "de", "df": 1, "n_sampled": 0}
    ]
    assert counts.table("word_tokens").num_rows == 0
    assert counts.table("tokens").num_rows == 1


def test_what_is_left_out_and_cannot_be_found_is_warned_of(here: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    rows = [
        '{"text": "water ውሃው", "language": "am"}',
        '{"text": "water", "language": "ti"}',
        '{"title": "water"}',
    ]
    (tmp_path / "corpus/a.NDJSON").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "corpus/b.csv").write_text("text\n")
    (tmp_path / "corpus/c.jsonl").symlink_to("nowhere")
    shutil.copytree(here / "run" / "bench", tmp_path / "run" / "bench")
    counts = count_corpus(_config(here, corpus=str(tmp_path / "corpus"), max_bad_share=0.5), tmp_path / "run")
    assert counts.manifest.warnings == [
        "left out of the corpus, links to files that are not there: c.jsonl",
        "left out of the corpus, of no kind that is read: b.csv",
        "1 rows of the corpus could not be read; the table `problems` names them",
        "the corpus holds no document in en, fr, zh",
        "in am, ti particles, articles or prepositions are written together with the word, which is not found beside "
        "one: what is counted there is too low",
    ]
    assert [row["problem"] for row in counts.rows("problems")] == ["there is no column 'text', only 'title'"]


def test_words_hidden_by_particles_are_told_by_how_many_were_found(here: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.jsonl").write_text(
        '{"text": "물을 마신다. 책", "language": "ko"}\n{"text": "water, 책", "language": "en"}\n', encoding="utf-8"
    )
    words = {"water": {"en": ("water",), "ko": ("물",), "am": ("ውሃ",)}, "book": {"en": ("book",), "ko": ("책",)}}
    write_bench(tmp_path / "run", words, {})
    counts = count_corpus(_config(here, corpus=str(tmp_path / "corpus")), tmp_path / "run")
    assert (
        "0 of 1 am words were found: in am particles, articles or prepositions are written together with the word, "
        "which is not found beside one: what is counted there is too low"
    ) in counts.manifest.warnings


def test_a_hopeless_corpus_fails_the_same_whatever_the_workers(here: Path, tmp_path: Path) -> None:
    shutil.copytree(here / "corpus", tmp_path / "corpus")
    (tmp_path / "corpus/part-2.jsonl").write_text('{"body": "water", "language": "en"}\n' * 1500)
    shutil.copytree(here / "run" / "bench", tmp_path / "run" / "bench")
    errors = set()
    for workers in (1, 2):
        with pytest.raises(
            DataError, match=r"1,000 of the first 1,000 rows of .*part-2\.jsonl .* only 'body'"
        ) as caught:
            count_corpus(_config(here, corpus=str(tmp_path / "corpus"), workers=workers), tmp_path / "run")
        errors.add(str(caught.value))
    assert len(errors) == 1
    counts = count_corpus(_config(here, corpus=str(tmp_path / "corpus"), max_bad_share=1), tmp_path / "run")
    assert counts.manifest.details["bad_rows"] == 1500
    assert len(counts.rows("problems")) == 100
    assert (
        "1,500 rows of the corpus could not be read; the table `problems` names the first 100"
        in counts.manifest.warnings
    )


def test_what_must_be_there_first(here: Path, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="'bench'"):
        count_corpus(_config(here), tmp_path)
    with pytest.raises(ConfigError, match="tokenizer") as caught:
        count_corpus(_config(here, tokenizer=""), here / "run")
    assert "--tokenizer" in caught.value.hint
    with pytest.raises(ConfigError, match="klingonese"):
        count_corpus(_config(here, language="klingonese"), here / "run")
    with pytest.raises(ValidationError, match="not UTF-8"):
        _config(here, corpus="caf\udce9.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DataError, match="holds no document"):
        count_corpus(_config(here, corpus=str(tmp_path / "empty.jsonl")), here / "run")
    planned = STAGE.plan(_config(here), tmp_path / "nowhere", planned={"bench": "f" * 64})
    assert planned.inputs.keys() == {"bench", "corpus", "tokenizer", "longer_words"}
    assert not (tmp_path / "nowhere").exists()


def test_units_are_counted_as_what_they_are(here: Path, tmp_path: Path) -> None:
    english = (
        "The program asks for a name, number {} of many, before it opens the file.\nIt shows a list of water and books."
    )
    french = "Le programme demande un nom avant d'ouvrir le fichier {}, puis il montre une liste de livres."
    texts = [english.format("ab"[n % 2] * n) for n in range(24)] + [french.format("ab"[n % 2] * n) for n in range(6)]
    (tmp_path / "corpus").mkdir()
    lines = [orjson.dumps({"text": text, "language": "fr"}) for text in texts]
    (tmp_path / "corpus" / "c.jsonl").write_bytes(b"\n".join(lines))
    shutil.copytree(here / "model", tmp_path / "model")
    shutil.copytree(here / "run" / "bench", tmp_path / "run" / "bench")
    counts = count_corpus(_config(tmp_path, unit_characters=8192), tmp_path / "run")
    units = {(row["label"], row["language"], row["type"]): row["units"] for row in counts.rows("units")}
    assert units == {("fr", "en", "monolingual"): 24, ("fr", "fr", "monolingual"): 6}
    assert any(
        "24 of the 30 units labelled fr are in another language, mostly en" in w for w in counts.manifest.warnings
    )
    assert [
        (row["line"], row["documents"], row["documents_sampled"], row["dropped"]) for row in counts.rows("boilerplate")
    ] == [("It shows a list of water and books.", 24, 30, 24)]
    by_language = {row["language"]: (row["documents"], row["units"]) for row in counts.rows("languages")}
    assert by_language == {"en": (0, 24), "fr": (30, 6)}
    believed = count_corpus(
        _config(tmp_path, identify="label", boilerplate_share=0, unit_characters=8192), tmp_path / "run"
    )
    assert [(row["language"], row["units"]) for row in believed.rows("units")] == [("fr", 30)]
    assert believed.rows("boilerplate") == []
