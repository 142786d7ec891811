"""Corpora behind addresses: an S3 server and a hub on this machine, and what is said where one cannot be reached."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from corpus_fixture import write_bench, write_tokenizer

from local_hub import DATASET, GATED, local_hub
from pivotlens.corpus import (
    Columns,
    Document,
    LocalExecutor,
    Shard,
    UnitPlan,
    cutting,
    list_corpus,
    read_documents,
    shards_of,
)
from pivotlens.errors import DataError, PrerequisiteError

LINES = b"".join(b'{"text": "eau %d", "meta": {"language": "fra_Latn"}}\n' % number for number in range(40))


def _write(folder: Path) -> Path:
    (folder / "data/fr").mkdir(parents=True)
    (folder / "data/fr/a.jsonl").write_bytes(LINES)
    (folder / "data/b.jsonl.zst").write_bytes(zstandard.compress(LINES))
    table = pa.table({"text": ["eau"] * 40, "meta": [{"language": "fr", "score": 1}] * 40})
    pq.write_table(table, folder / "data/c.parquet", row_group_size=10)
    return folder


def _rows(shards: list[Shard]) -> list[object]:
    return [row for shard in shards for row in read_documents(shard, Columns(language="meta.language"))]


def _check(spec: str, folder: Path, parts: Path) -> None:
    """Check that what is read from an address is what lies in the folder, cut or whole."""
    files, local = list_corpus(spec), list_corpus(str(folder))
    assert [(file.name, file.size) for file in files] == [(file.name, file.size) for file in local]
    assert all(file.mark for file in files)
    whole = _rows([Shard.whole(file) for file in local])
    assert all(isinstance(row, Document) and row.language == "fr" for row in whole)
    assert _rows([Shard.whole(file) for file in files]) == whole
    shards = shards_of(files, UnitPlan(), LocalExecutor(), parts, 400)
    assert len(shards) > len(files) + 3
    assert _rows(shards) == whole
    assert [file.name for file in list_corpus(f"{spec}/data/*/*.jsonl")] == ["fr/a.jsonl"]
    assert [file.name for file in list_corpus(f"{spec}/data/fr/a.jsonl")] == ["a.jsonl"]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A bucket on a server of this machine, and the folder with the same files."""
    pytest.importorskip("s3fs", reason="s3fs is not installed, so no corpus is read from S3")
    server_of = pytest.importorskip("moto.server", reason="moto is not installed, so there is no server for S3")
    folder = _write(tmp_path_factory.mktemp("s3"))
    with pytest.MonkeyPatch.context() as patch:
        server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        _credentials(patch, f"http://{host}:{port}")
        import s3fs

        system = s3fs.S3FileSystem(skip_instance_cache=True)
        system.mkdir("corpus")
        for path in folder.rglob("*.*"):
            system.pipe(f"corpus/{path.relative_to(folder).as_posix()}", path.read_bytes())
        yield "s3://corpus", folder
        server.stop()


def _credentials(patch: pytest.MonkeyPatch, address: str) -> None:
    patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_ENDPOINT_URL", address)
    patch.setenv("AWS_MAX_ATTEMPTS", "1")


def test_s3(s3: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_STRETCH", 300)
    _check(*s3, tmp_path)


@pytest.mark.parametrize("spec", ["s3://nobody", "s3://nobody/a.jsonl", "s3://nobody/x/", "s3://corpus/none"])
def test_a_bucket_or_key_that_is_not_there_is_no_network_problem(s3: tuple[str, Path], spec: str) -> None:
    with pytest.raises(DataError, match=spec):
        list_corpus(spec)


def _in_a_new_process(spec: str, environment: dict[str, str]) -> tuple[int, str]:
    """Return the exit code and the message of a command that reads a corpus; file systems keep their credentials."""
    arguments = ["count", "--run", "run", "--tokenizer", "model", "--corpus", spec, "--dry-run"]
    command = [sys.executable, "-m", "pivotlens", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


def test_without_credentials_or_server_the_command_says_what_to_do(
    s3: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bench(tmp_path / "run")
    write_tokenizer(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none"}
    environment |= {"AWS_SHARED_CREDENTIALS_FILE": "none"}
    code, said = _in_a_new_process("s3://corpus/data", {**environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert code == 3
    assert "cannot reach s3://corpus/data: EndpointConnectionError" in said
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del environment[name]
    code, said = _in_a_new_process("s3://corpus/data", environment)
    assert code == 3
    assert "no access to s3://corpus/data: NoCredentialsError" in said
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
    assert "FSSPEC_S3_ANON" in said


def test_without_its_package_a_file_system_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(import_module("fsspec.registry")._registry, "s3", raising=False)
    with pytest.raises(PrerequisiteError, match="s3:// cannot be read here") as caught:
        list_corpus("s3://corpus")
    assert "pivotlens[s3]" in caught.value.hint


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A data set on a hub of this machine, and the folder with the same files."""
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed, so there is no hf://")
    folder = _write(tmp_path_factory.mktemp("hub"))
    from huggingface_hub import HfFileSystem

    with local_hub(folder) as address, pytest.MonkeyPatch.context() as patch:
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr("huggingface_hub.constants.ENDPOINT", address)
        HfFileSystem.clear_instance_cache()
        yield f"hf://datasets/{DATASET}", folder
        HfFileSystem.clear_instance_cache()


def test_hub(hub: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_STRETCH", 300)
    _check(*hub, tmp_path)


def test_a_data_set_that_is_gated_or_not_there(hub: tuple[str, Path]) -> None:
    with pytest.raises(DataError, match="there is nothing at hf://datasets/org/other"):
        list_corpus("hf://datasets/org/other")
    with pytest.raises(PrerequisiteError, match=f"no access to hf://datasets/{GATED}") as caught:
        list_corpus(f"hf://datasets/{GATED}")
    assert "HF_TOKEN" in caught.value.hint
    assert "conditions" in caught.value.hint


def test_a_few_large_files_from_afar_are_cut_and_many_are_not(
    hub: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "_STRETCH", 300)
    monkeypatch.setattr(cutting, "_FEW", 1)
    shards = shards_of(list_corpus(hub[0]), UnitPlan(), LocalExecutor(), tmp_path, 400)
    assert [shard.file.name for shard in shards if not shard.file.name.endswith("parquet")] == [
        "data/b.jsonl.zst",
        "data/fr/a.jsonl",
    ]
