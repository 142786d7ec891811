from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest
import zstandard
from corpus_fixture import write_corpus, write_tokenizer

from pivotlens.artifacts import Selection, sha256_of_file
from pivotlens.corpus import PartStore, Shard, Task, executor
from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.mine.config import MineConfig
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select import SelectConfig, select_documents
from pivotlens.select.stage import STAGE
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.text import matching
from stage_by_hand import writing

PIVOTS = ("water", "book", "livre")


def _write_mine(run: Path, tokenizer: str, pivots: tuple[str, ...] = PIVOTS) -> None:
    loaded = load_tokenizer(tokenizer)
    ids = [loaded.tokenizer.token_to_id(pivot) for pivot in pivots]
    n = len(ids)
    columns = {"token_id": ids, "token": list(pivots), "degree": [3] * n, "degree_shuffled": [0.5] * n}
    columns |= {"language_pairs": [2] * n, "stability": [1.0] * n, "score": [float(n - place) for place in range(n)]}
    columns["variant_ids"] = [
        [of, *filter(None, [loaded.tokenizer.token_to_id(pivot.upper())])]
        for of, pivot in zip(ids, pivots, strict=True)
    ]
    with writing(run, MineConfig(), inputs={}) as stage:
        stage.write_table("pivots", columns)
        stage.finish()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("select")
    corpus = write_corpus(folder / "corpus", files=3, documents=30)
    first = (corpus / "part-0.jsonl").read_bytes().splitlines(keepends=True)
    (corpus / "part-2.jsonl").write_bytes(b"".join(first[:5]).upper().replace(b"TEXT", b"text").replace(
        b"LANGUAGE", b"language").replace(b"\\N", b"\\n"))  # fmt: skip
    _write_mine(folder / "run", str(write_tokenizer(folder / "model")))
    return folder


def _config(here: Path, **settings: object) -> SelectConfig:
    values = {"corpus": str(here / "corpus"), "tokenizer": str(here / "model"), "unit_characters": 100}
    return SelectConfig(**{**values, "min_tokens": 5, "budget_tokens": 150, "pivots": 2, **settings})


def _select(here: Path, run: Path, **settings: object) -> Selection:
    if not run.exists():
        shutil.copytree(here / "run" / "mine", run / "mine")
    return select_documents(_config(here, **settings), run)


def _documents(run: Path, mode: str) -> list[dict]:
    return [document for path in Selection.load(run).arm(mode).paths for document in _lines(path)]


def _lines(path: Path) -> list[dict]:
    raw = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    return [orjson.loads(line) for line in raw.splitlines()]


def _content(run: Path) -> dict[str, bytes]:
    paths = [path for path in (run / "select").rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def test_scores_documents_and_summary_agree(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run")
    scores = selection.rows("scores")
    tokenizer = load_tokenizer(str(here / "model"))
    pivots = {tokenizer.tokenizer.token_to_id(pivot) for pivot in (*PIVOTS[:2], "WATER")}
    assert scores == sorted(scores, key=lambda row: (row["file"], row["row"], row["unit"]))
    for mode in ("top", "random"):
        documents = _documents(tmp_path / "run", mode)
        assert list(selection.arm(mode)) == documents
        assert len(selection.arm(mode)) == len(documents) > 0
        chosen = [row for row in scores if mode in row["selected"]]
        assert [row["id"] for row in documents] == [f"{row['file']}:{row['row']}:{row['unit']}" for row in chosen]
        paths = selection.arm(mode).paths
        assert [path.name for path in paths] == [f"documents-{number:05d}.jsonl.zst" for number in range(len(paths))]
        outputs = [selection.manifest.outputs[f"{mode}/{path.name}"] for path in paths]
        assert [output.rows for output in outputs] == [len(_lines(path)) for path in paths]
        assert [output.sha256 for output in outputs] == [sha256_of_file(path) for path in paths]
        assert sum(output.rows for output in outputs) == len(chosen) > 5
        for document, row in zip(documents, chosen, strict=True):
            ids = tokenizer.encode_batch([document["text"]])[0].tolist()
            assert (document["n_tokens"], document["n_pivots"]) == (len(ids), sum(token in pivots for token in ids))
            assert {**document, **row} == document | {key: row[key] for key in ("selected", "duplicate")}
            assert row["pivot_share"] == row["n_pivots"] / row["n_tokens"]
            assert row["pivot_share_low"] == wilson_lower(row["n_pivots"], row["n_tokens"])
            assert row["n_tokens"] >= 5
            assert not row["duplicate"]
        for row in selection.rows("summary"):
            of_language = [unit for unit in chosen if unit["language"] == row["language"]]
            if row["mode"] == mode:
                tokens = sum(unit["n_tokens"] for unit in of_language)
                assert (row["units"], row["tokens"]) == (len(of_language), tokens)
                assert tokens <= row["budget"] == 150
                assert row["pivot_share"] == sum(unit["n_pivots"] for unit in of_language) / tokens
    duplicates = [row for row in scores if row["duplicate"]]
    assert {row["file"] for row in duplicates if row["n_tokens"] > 5} == {"part-2.jsonl"}
    assert selection.manifest.details["duplicates"] == len(duplicates) > 3
    top, random = (
        {row["language"]: row["pivot_share"] for row in selection.rows("summary") if row["mode"] == mode}
        for mode in ("top", "random")
    )
    assert all(top[language] > random[language] for language in top)


def test_card_says_what_it_is(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run")
    assert (selection.manifest.details["pivots"], selection.manifest.details["pivot_tokens"]) == (2, 3)
    card = (tmp_path / "run/select/random/README.md").read_text()
    assert "the control for the arm `top`" in card
    assert "keep the licences of the corpus" in card
    assert "the best 2 of the stage `mine`" in card
    for row in selection.rows("summary"):
        if row["mode"] == "random":
            assert f"| {row['language']} | {row['units']:,} | {row['tokens']:,} | 150 |" in card


def test_interrupted_workers_and_reuse(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _select(here, tmp_path / "fresh")
    work_on, made, limit = executor.work_on, [], [0]

    def failing(shard: Shard, task: Task, store: PartStore) -> None:
        if len(made) == limit[0]:
            raise KeyboardInterrupt
        made.append((store.folder.name, shard.file.name))
        work_on(shard, task, store)

    monkeypatch.setattr(executor, "work_on", failing)
    for fail_after in (1, 4, 7):
        limit[0] = fail_after
        with pytest.raises(KeyboardInterrupt):
            _select(here, tmp_path / "broken")
    limit[0] = 100
    _select(here, tmp_path / "broken")
    assert len(made) == len(set(made)) == 8  # nothing of part-2 is chosen: it repeats part-0
    assert _content(tmp_path / "broken") == _content(tmp_path / "fresh")
    before = (tmp_path / "fresh/select/run.json").read_bytes()
    _select(here, tmp_path / "fresh", workers=2)
    assert (tmp_path / "fresh/select/run.json").read_bytes() == before


def test_budget_below_the_first_unit_leaves_a_stated_empty_arm(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run", budget_tokens=1, modes=("top",))
    assert _documents(tmp_path / "run", "top") == []
    assert "arm top holds nothing in fr: its first unit exceeds 1" in "\n".join(selection.manifest.warnings)
    assert not (tmp_path / "run/select/random").exists()
    assert "| fr | 0 | 0 | 1 |" in (tmp_path / "run/select/top/README.md").read_text()


def test_warnings(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run", budget_tokens=10**6, limit_documents=4, pivots=50)
    text = "\n".join(selection.manifest.warnings)
    assert "only the first 4 documents of each file" in text
    assert "takes everything there is in" in text
    assert "3 pivots were mined, fewer than the 50 asked for" in text
    selection = _select(here, tmp_path / "run", min_tokens=10**6)
    short = "no unit is long enough: none has 1,000,000 tokens (--min-tokens)"
    assert f"arm random holds nothing in zh: {short}" in selection.manifest.warnings


def test_files_left_out_are_warned_of(here: Path, tmp_path: Path) -> None:
    shutil.copytree(here / "corpus", tmp_path / "corpus")
    (tmp_path / "corpus/more.csv").write_text("text\n")
    selection = _select(here, tmp_path / "run", corpus=str(tmp_path / "corpus"))
    assert "left out of the corpus, of no kind that is read: more.csv" in selection.manifest.warnings


def test_words_hidden_by_particles_are_named_where_there_are_no_pivots(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "_CLITICS", frozenset({"fr"}))
    _write_mine(tmp_path, str(here / "model"), ())
    (warning,) = (text for text in _select(here, tmp_path).manifest.warnings if "found no pivots" in text)
    assert "--min-df" not in warning
    assert "count a corpus with some. In fr a word is not found beside a particle" in warning


def test_what_must_be_there_first(here: Path, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="'mine'"):
        select_documents(_config(here), tmp_path)
    with pytest.raises(ConfigError, match="no tokenizer"):
        select_documents(_config(here, tokenizer=""), here / "run")
    _write_mine(tmp_path / "none", str(here / "model"), ())
    without = select_documents(_config(here), tmp_path / "none")
    (warning,) = (text for text in without.manifest.warnings if "found no pivots" in text)
    assert warning.endswith("count a corpus with some, or lower --min-df of mine")
    assert {(row["mode"], row["units"] > 0) for row in without.rows("summary")} == {("top", False), ("random", True)}
    shutil.copytree(here / "model", tmp_path / "other")
    path = tmp_path / "other/tokenizer.json"
    path.write_text(path.read_text().replace('"water"', '"w4ter"'))
    with pytest.raises(ConfigError, match="'water' in the mined pivots") as caught:
        select_documents(_config(here, tokenizer=str(tmp_path / "other")), here / "run")
    assert "pivotlens count" in caught.value.hint
    planned = STAGE.plan(_config(here), tmp_path / "nowhere", planned={"mine": "f" * 64})
    assert planned.inputs.keys() == {"mine", "corpus", "tokenizer"}
