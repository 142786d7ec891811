"""Arms as a whole `select` writes them: documents in both kinds and token files, of the tiny corpus."""

from __future__ import annotations

import errno
import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from tests.conftest import WRITES_SPECIAL_TOKENS, MinedRun

from pivotlens import select_documents
from pivotlens.artifacts import RunFolder, Selection
from pivotlens.corpus import PartStore, Shard, Task, executor, survey_corpus
from pivotlens.corpus.writing import joining, tokens_read
from pivotlens.errors import ArtifactError, ConfigError
from pivotlens.models.end_of_document import end_of_document, end_of_document_input
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select import SelectConfig
from pivotlens.select.writing import DOCUMENT_COLUMNS

ALL = ("jsonl", "parquet", "datatrove", "olmo_core", "megatron")


def _select(mined: MinedRun, run: Path, **settings: object) -> Selection:
    if not run.exists():
        run.mkdir(parents=True)
        for stage in ("bench", "count", "mine"):
            (run / stage).symlink_to(mined.run / stage)
    values = {"corpus": str(mined.corpus), "tokenizer": str(mined.model), "unit_characters": 256}
    values |= {"budget_tokens": 800, "shortage": "take_all", "min_tokens": 8, "arms": ("random", "top"), "formats": ALL}
    return select_documents(SelectConfig(**{**values, "file_tokens": 500, "sequence_length": 32, **settings}), run)


def _bytes(run: Path) -> dict[str, bytes]:
    paths = [path for path in (run / "select").rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def test_every_format_of_an_arm_holds_its_documents(mined: MinedRun, tmp_path: Path) -> None:
    selection = _select(mined, tmp_path / "run")
    tokenizer = load_tokenizer(str(mined.model))
    end = tokenizer.tokenizer.token_to_id("</s>")
    for name in ("random", "top"):
        documents, folder = list(selection.arm(name)), selection.folder / name
        ids = [[*of.tolist(), end] for of in tokenizer.encode_batch([document["text"] for document in documents])]
        parquet = sorted(folder.glob("*.parquet"))
        assert [row for path in parquet for row in pq.read_table(path).to_pylist()] == documents
        assert {pq.read_schema(path) for path in parquet} == {DOCUMENT_COLUMNS}
        assert [len(of) - 1 for of in ids] == [document["n_tokens"] for document in documents]
        files = [sorted(folder.glob(pattern)) for pattern in ("*/*.ds", "*/*.npy", "*/*.bin")]
        assert files[0][0].name == "tokens-00000.uint16.ds"
        assert len(parquet) == len(files[0]) == len(files[1]) == len(files[2]) > 1
        place, sizes = 0, []
        for documents_of_file, *same in zip(parquet, *files, strict=True):
            rows = pq.read_metadata(documents_of_file).num_rows
            stream = list(chain.from_iterable(ids[place : place + rows]))
            assert {path.read_bytes() for path in same} == {np.array(stream, "<u2").tobytes()}
            assert selection.manifest.outputs[f"{name}/{documents_of_file.name}"].rows == rows
            place, sizes = place + rows, [*sizes, len(stream)]
            assert 32 < len(stream) <= 500 + 32 or rows == 1
        assert place == len(documents)
        card = (folder / "README.md").read_text()
        assert f"{sum(sizes):,} tokens in {len(sizes):,} files" in card
        assert "dtype: uint16" in card
        for kind in ALL:
            assert f" {tokens_read(np.array(sizes), kind, 32):,} |" in card
    (arm,) = [row for row in selection.rows("arms") if row["arm"] == "random"]
    assert arm["tokens"] == sum(document["n_tokens"] + 1 for document in selection.arm("random"))


def test_a_special_token_in_a_text_is_text(mined: MinedRun, tmp_path: Path) -> None:
    selection = _select(
        mined,
        tmp_path / "run",
        limit_documents=20,
        budget_tokens=10**6,
        arms=("random",),
        formats=("jsonl", "olmo_core"),
    )
    tokenizer = load_tokenizer(str(mined.model))
    assert (
        tokenizer.tokenizer.decode(tokenizer.encode_batch([WRITES_SPECIAL_TOKENS])[0].tolist()) == WRITES_SPECIAL_TOKENS
    )
    assert sum(WRITES_SPECIAL_TOKENS in document["text"] for document in selection.arm("random")) == 3
    stream = np.concatenate([np.fromfile(path, "<u2") for path in (selection.folder / "random").glob("*/*.npy")])
    assert (stream == tokenizer.tokenizer.token_to_id("</s>")).sum() == len(selection.arm("random"))
    assert (stream == tokenizer.tokenizer.token_to_id("<s>")).sum() == 0
    assert "end-of-document token in their text" not in "".join(selection.manifest.warnings)
    # A token that is none of its special ones is found in text.
    named = _select(mined, tmp_path / "run", formats=("jsonl", "olmo_core"), end_of_document="e")
    assert any("units hold the end-of-document token in their text" in one for one in named.manifest.warnings)


def test_workers_and_interruptions_change_no_byte(
    mined: MinedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _select(mined, tmp_path / "fresh")
    work_on, done, limit = executor.work_on, [], [0]

    def failing(shard: Shard, task: Task, store: PartStore) -> None:
        if len(done) == limit[0]:
            raise KeyboardInterrupt
        done.append((store.folder.name, shard.file.name))
        work_on(shard, task, store)

    monkeypatch.setattr(executor, "work_on", failing)
    for limit[0] in (3, 12, 16):
        with pytest.raises(KeyboardInterrupt):
            _select(mined, tmp_path / "broken")
    limit[0] = 1000
    _select(mined, tmp_path / "broken")
    assert len(done) == len(set(done))
    assert _bytes(tmp_path / "broken") == _bytes(tmp_path / "fresh")


def test_a_full_disk_loses_nothing(mined: MinedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    _select(mined, tmp_path / "fresh")
    with monkeypatch.context() as patch:
        patch.setattr(joining.shutil, "copyfileobj", full)
        with pytest.raises(ArtifactError, match="no space left while writing"):
            _select(mined, tmp_path / "broken")
    assert not (tmp_path / "broken/select").exists()
    assert list((tmp_path / "broken").glob(".work/select-*/parts/fragments/*.part"))
    _select(mined, tmp_path / "broken")
    assert _bytes(tmp_path / "broken") == _bytes(tmp_path / "fresh")


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(mined: MinedRun, tmp_path: Path) -> None:
    _select(mined, tmp_path / "one")
    _select(mined, tmp_path / "two", workers=2)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_an_arm_in_both_kinds_is_read_once_and_in_either(mined: MinedRun, tmp_path: Path) -> None:
    both, lines, parquet = (
        _select(mined, tmp_path / str(number), formats=formats)
        for number, formats in enumerate((("jsonl", "parquet"), ("jsonl",), ("parquet",)))
    )
    assert list(both.arm("top")) == list(lines.arm("top")) == list(parquet.arm("top"))
    assert len(both.arm("top")) == len(parquet.arm("top")) > 0
    listed = [survey_corpus("run:select/top", RunFolder(one.folder.parent)) for one in (both, lines, parquet)]
    assert [file.name for file in listed[0].files] == [file.name for file in listed[1].files]
    assert all(file.name.endswith(".parquet") for file in listed[2].files)
    assert [one.warnings for one in listed] == [(), (), ()]


def test_what_is_refused_and_warned_of(mined: MinedRun, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="add jsonl or parquet"):
        SelectConfig.build({"run.toml": {"formats": ["megatron"]}})
    with pytest.raises(ConfigError, match="no token '<end>', which --end-of-document names"):
        _select(mined, tmp_path / "run", end_of_document="<end>")
    selection = _select(mined, tmp_path / "run", sequence_length=10**6)
    assert any("fills a sequence of 1,000,000: megatron reads nothing" in one for one in selection.manifest.warnings)


def test_the_end_of_a_document_is_what_the_files_of_the_tokenizer_say(mined: MinedRun, tmp_path: Path) -> None:
    shutil.copytree(mined.model, tmp_path / "model", symlinks=False)
    (tmp_path / "model/model.safetensors").unlink()
    config, near = tmp_path / "model/tokenizer_config.json", RunFolder(tmp_path)
    for named in ("</s>", {"content": "</s>", "lstrip": False}):
        config.write_bytes(orjson.dumps({"eos_token": named}))
        found = end_of_document(load_tokenizer(str(tmp_path / "model")))
        assert (found.token, found.token_id) == ("</s>", 1)
        assert end_of_document_input(str(tmp_path / "model"), near) == "</s>"
    config.write_bytes(orjson.dumps({"eos_token": "<eot>"}))
    with pytest.raises(ConfigError, match=r"no token '<eot>', which its tokenizer_config\.json names"):
        end_of_document(load_tokenizer(str(tmp_path / "model")))
    config.unlink()
    for named in (1, [1, 7]):
        (tmp_path / "model/config.json").write_bytes(orjson.dumps({"eos_token_id": named}))
        assert end_of_document(load_tokenizer(str(tmp_path / "model"))).token == "</s>"
    for content in (b"{}", b"no json", b'{"eos_token_id": 123456}'):
        (tmp_path / "model/config.json").write_bytes(content)
        with pytest.raises(ConfigError, match="says which token ends a document"):
            end_of_document(load_tokenizer(str(tmp_path / "model")))
