from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import struct
import subprocess
import sys
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
import zstandard
from datasets import load_dataset
from datatrove.utils.dataset import DatatroveFileDataset, DatatroveFolderDataset

from pivotlens.corpus import CorpusFile, LocalExecutor, PartStore, Shard, executor
from pivotlens.corpus.writing import (
    ArmFiles,
    EncodedDocument,
    FileFilling,
    TokenCoding,
    WritingPlan,
    fragment_base,
    fragments,
    how_to_train,
    joined_files,
    tokens_read,
    writing_fragment,
)
from pivotlens.errors import ConfigError, DataError

SEQUENCE, FILE_TOKENS, END = 16, 64, 7
COLUMNS = pa.schema([("id", pa.string()), ("text", pa.string()), ("n_tokens", pa.int64()), ("share", pa.float64())])
FORMATS = ("jsonl", "parquet", "datatrove", "olmo_core", "megatron")
LENGTHS = (0, 5, 1, 40, 70, 3, 0, 20, 15, 16, 17, 31, 0, 2, 9, 8)
VOCABULARIES = (49_152, 65_499, 65_500, 262_145)
READERS = Path(__file__).parents[2] / ".readers"


@dataclass(frozen=True)
class Case:
    """An arm that was written: its folder, its documents with the token that ends each, and in which file each is."""

    folder: Path
    vocabulary: int
    documents: list[list[int]]
    numbers: list[int]

    @property
    def coding(self) -> TokenCoding:
        return TokenCoding(self.vocabulary, END, "some/model")

    @property
    def files(self) -> list[list[list[int]]]:
        by_file: list[list[list[int]]] = [[] for _ in range(max(self.numbers, default=-1) + 1)]
        for number, document in zip(self.numbers, self.documents, strict=True):
            by_file[number].append(document)
        return by_file

    @property
    def streams(self) -> list[list[int]]:
        return [list(chain.from_iterable(of_file)) for of_file in self.files]

    def card(self) -> str:
        sizes = np.array([len(stream) for stream in self.streams], dtype=np.int64)
        return how_to_train(WritingPlan(FORMATS, COLUMNS, self.coding), sizes, SEQUENCE, str(self.folder))

    def snippet(self, name: str) -> str:
        (found,) = re.findall(rf"^{re.escape(name)}:\n\n```\w+\n(.*?)```", self.card(), re.DOTALL | re.MULTILINE)
        return found


def _texts(documents: int) -> list[dict]:
    odd = ["", 'quote " and \\ back', "two\nlines\r\n", "\u2028 \x00 \x1f", "水 👩‍👩‍👧‍👦", "2024-01-01", "null", "1e5"]
    return [
        {"id": f"f:{place}:0", "text": odd[place % len(odd)], "n_tokens": place, "share": place / 7}
        for place in range(documents)
    ]


def _write(folder: Path, vocabulary: int, lengths: tuple[int, ...] = LENGTHS, shards: int = 3) -> Case:
    """Write an arm as a stage does: fragments of what each shard gives to each file, which are then joined."""
    rng = np.random.default_rng(vocabulary)
    ids = [rng.integers(END + 1, vocabulary, length) for length in lengths]
    if lengths:
        ids[-1][0] = vocabulary - 1
    plan = WritingPlan(FORMATS, COLUMNS, TokenCoding(vocabulary, END, "some/model"))
    fragments, joined = PartStore(folder / "fragments"), PartStore(folder / "joined")
    for store in (fragments, joined):
        store.folder.mkdir(parents=True)
    arm = ArmFiles(("top",), FILE_TOKENS, SEQUENCE, fragments)
    texts = _texts(len(ids))
    placed = []
    for shard, places in enumerate(np.array_split(np.arange(len(ids)), shards)):
        of_corpus = Shard.whole(CorpusFile(str(shard), "", 0, ""))
        sizes = np.array([ids[place].size + 1 for place in places.tolist()], dtype=np.int64)
        (numbers,) = arm.place(of_corpus, sizes, np.ones((1, places.size), dtype=bool))
        placed += numbers.tolist()
        for number in dict.fromkeys(numbers.tolist()):
            with writing_fragment(fragment_base(fragments.path(of_corpus), "top", number), plan) as fragment:
                for place in places[numbers == number].tolist():
                    fragment.add(plan.encoded(texts[place], ids[place]))
    for name, path, output in joined_files(arm.files(), plan, LocalExecutor(), joined):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).hardlink_to(path)
        assert output.bytes == path.stat().st_size
    n_files = arm.tokens("top").size  # what fills no sequence went into the file before
    case = Case(
        folder / "top", vocabulary, [[*of.tolist(), END] for of in ids], np.clip(placed, 0, n_files - 1).tolist()
    )
    assert arm.tokens("top").tolist() == [len(stream) for stream in case.streams]
    return case


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    return [_write(tmp_path_factory.mktemp("arm"), vocabulary) for vocabulary in VOCABULARIES]


def test_a_file_ends_before_the_document_that_exceeds_it() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        lengths = rng.integers(1, rng.integers(2, 40), rng.integers(0, 30))
        most = int(rng.integers(1, 50))
        expected, held, number = [], 0, 0
        for length in lengths.tolist():
            if held and held + length > most:
                held, number = 0, number + 1
            held += length
            expected.append(number)
        filling = FileFilling(most)
        cuts = np.sort(rng.integers(0, lengths.size + 1, 3))
        assert np.concatenate([filling.numbers(some) for some in np.split(lengths, cuts)]).tolist() == expected


def test_tokens_read_are_those_of_the_sequences_a_trainer_makes() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        files, length = rng.integers(0, 60, rng.integers(0, 4)), int(rng.integers(2, 9))
        starts = {
            "olmo_core": [range(0, size - length + 1, length) for size in files],
            "datatrove": [range(0, size - length, length + 1) for size in files],
            "megatron": [range(0, size - length, length) for size in files],
            "jsonl": [range(0, int(files.sum()) - length + 1, length)],
        }
        for name, of_files in starts.items():
            assert tokens_read(files, name, length) == length * sum(len(of_file) for of_file in of_files)


def test_documents_are_read_by_datasets(cases: list[Case]) -> None:
    case = cases[0]
    texts = _texts(len(LENGTHS))
    cache = str(case.folder / "cache")
    for kind, ending in (("json", "jsonl.zst"), ("parquet", "parquet")):
        files = str(case.folder / f"documents-*.{ending}")
        assert list(load_dataset(kind, data_files=files, split="train", cache_dir=cache)) == texts
        assert list(load_dataset(kind, data_files=files, split="train", cache_dir=cache, streaming=True)) == texts
    names = sorted(path.name for path in case.folder.glob("documents-*"))
    assert names[:2] == ["documents-00000.jsonl.zst", "documents-00000.parquet"]
    assert len(names) == 2 * len(case.files)
    for number, of_file in enumerate(case.files):
        raw = (case.folder / f"documents-{number:05d}.jsonl.zst").read_bytes()
        # One frame with its checksum: what reads only the first frame reads all of it.
        lines = zstandard.ZstdDecompressor().decompressobj().decompress(raw).splitlines()
        table = pq.read_table(case.folder / f"documents-{number:05d}.parquet")
        assert table.schema == COLUMNS
        assert [orjson.loads(line) for line in lines] == table.to_pylist()
        assert len(lines) == len(of_file)


def test_token_files_are_read_by_datatrove(cases: list[Case]) -> None:
    for case in cases:
        paths = sorted((case.folder / "datatrove").glob("*.ds"))
        width = case.coding.width
        for path, documents, stream in zip(paths, case.files, case.streams, strict=True):
            assert path.name.endswith(f".{case.coding.type_name('datatrove')}.ds")
            positions = np.concatenate([np.arange(len(document)) for document in documents])
            windows = DatatroveFileDataset(str(path), SEQUENCE, token_size=width, return_positions=True)
            whole = len(stream) // (SEQUENCE + 1)
            assert len(windows) == whole
            for place in range(whole):
                span = slice(place * (SEQUENCE + 1), (place + 1) * (SEQUENCE + 1))
                assert windows[place]["input_ids"].tolist() == stream[span]
                first = positions[span][0]
                within = windows[place]["positions"].numpy()
                assert (within + np.where(np.cumsum(within == 0) == 1, first, 0)).tolist() == positions[span].tolist()
            assert np.fromfile(path, f"<u{width}").tolist() == stream
            name, tokens, short = path.with_name(path.name + ".metadata").read_text().split("\n")
            assert (name, int(tokens), short) == (f"some/model|{width}", len(stream), f"{len(stream)} T")
        config, script = yaml.safe_load(case.snippet("nanotron (datatrove)")), case.card().split("```python\n")[-1]
        assert config["data"]["dataset"]["token_size_in_bytes"] == width
        names = {}
        exec(script.split("```")[0], names)
        assert isinstance(names["windows"], DatatroveFolderDataset)
        sizes = np.array([len(stream) for stream in case.streams])
        assert len(names["windows"]) * SEQUENCE == tokens_read(sizes, "datatrove", SEQUENCE)


def _read_megatron(prefix: Path) -> tuple[str, list[list[int]], list[int]]:
    """Read a file by the table of the format alone."""
    index, content = prefix.with_name(prefix.name + ".idx").read_bytes(), prefix.with_name(prefix.name + ".bin")
    assert index[:9] == b"MMIDIDX\x00\x00"
    version, code, sequences, documents = struct.unpack("<QBQQ", index[9:34])
    assert version == 1
    dtype = {1: "u1", 2: "i1", 3: "i2", 4: "i4", 5: "i8", 8: "u2"}[code]
    lengths = np.frombuffer(index, "<i4", sequences, 34)
    starts = np.frombuffer(index, "<i8", sequences, 34 + 4 * sequences)
    document_indices = np.frombuffer(index, "<i8", documents, 34 + 12 * sequences)
    assert len(index) == 34 + 12 * sequences + 8 * documents
    raw = content.read_bytes()
    read = [
        np.frombuffer(raw, f"<{dtype}", length, start).tolist()
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
    ]
    assert sum(map(len, read)) * np.dtype(dtype).itemsize == len(raw)
    return dtype, read, document_indices.tolist()


def test_megatron_files_follow_the_table_of_the_format(cases: list[Case]) -> None:
    for case in cases:
        prefixes = _prefixes(case)
        assert len(prefixes) == len(case.files)
        for prefix, documents in zip(prefixes, case.files, strict=True):
            dtype, read, document_indices = _read_megatron(Path(prefix))
            assert dtype == ("u2" if case.vocabulary < 65_500 else "i4")
            assert read == documents
            assert document_indices == list(range(len(documents) + 1))


def _prefixes(case: Case) -> list[str]:
    """Return the prefixes that the card's arguments give to Megatron-Core, as the shell does."""
    echo = f"printf '%s\\n' {case.snippet('Megatron-Core').partition('#')[0].strip()}"
    words = subprocess.run(["bash", "-c", echo], capture_output=True, text=True, check=True).stdout.split("\n")
    assert shlex.split(" ".join(words))[-4:-2] == ["--tokenizer-type", "HuggingFaceTokenizer"]
    return words[1 : words.index("--seq-length")]


@pytest.fixture(scope="module")
def read_by_trainers(cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    if not READERS.is_dir():
        pytest.skip("the readers of OLMo-core and Megatron-Core are not installed (make readers)")
    asked = [
        {
            "olmo_core": yaml.safe_load(case.snippet("OLMo-core"))["dataset"],
            "megatron": _prefixes(case),
            "work": str(tmp_path_factory.mktemp("work")),
        }
        for case in cases
    ]
    script = Path(__file__).parents[1] / "read_token_files.py"
    environment = {**os.environ, "PYTHONPATH": str(READERS)}
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(asked)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_token_files_are_read_by_olmo_core_under_the_configuration_of_the_card(
    cases: list[Case], read_by_trainers: list[dict]
) -> None:
    for case, read in zip(cases, read_by_trainers, strict=True):
        ends = [np.cumsum([len(document) for document in documents]).tolist() for documents in case.files]
        bounds = [[list(pair) for pair in zip([0, *of_file], of_file, strict=False)] for of_file in ends]
        assert read["olmo_core"]["by_bounds"] == read["olmo_core"]["by_end"] == bounds
        sequences = [
            stream[start : start + SEQUENCE]
            for stream in case.streams
            for start in range(0, len(stream) - SEQUENCE + 1, SEQUENCE)
        ]
        assert read["olmo_core"]["sequences"] == sequences
        sizes = np.array([len(stream) for stream in case.streams])
        assert sum(map(len, sequences)) == tokens_read(sizes, "olmo_core", SEQUENCE)


def test_token_files_are_read_by_megatron_core(cases: list[Case], read_by_trainers: list[dict]) -> None:
    for case, read in zip(cases, read_by_trainers, strict=True):
        for of_file, documents in zip(read["megatron"], case.files, strict=True):
            assert of_file["documents"] == documents
            assert of_file["document_indices"] == list(range(len(documents) + 1))
            assert of_file["dtype"] == case.coding.type_name("megatron")
        sizes = np.array([len(stream) for stream in case.streams])
        read_of_it = SEQUENCE * sum(of_file["samples"] for of_file in read["megatron"])
        assert read_of_it == tokens_read(sizes, "megatron", SEQUENCE)


def test_the_type_follows_from_the_vocabulary_and_stands_in_the_card(cases: list[Case]) -> None:
    for case in cases:
        small = case.vocabulary < 65_500
        config = yaml.safe_load(case.snippet("OLMo-core"))["dataset"]
        assert config["dtype"] == ("uint16" if small else "uint32")
        assert (config["tokenizer"]["vocab_size"], config["tokenizer"]["eos_token_id"]) == (case.vocabulary, END)
        assert f"megatron/*.{'uint16' if small else 'int32'}.{{bin,idx}}" in case.card()
        for path in (case.folder / "olmo_core").glob("*.csv.gz"):
            assert gzip.decompress(path.read_bytes()).startswith(b"0,")


@pytest.mark.parametrize(
    ("vocabulary", "token"), [(49_152, 49_152), (49_152, 65_536 + 3), (262_145, 2**32 + 1), (9, -1)]
)
def test_an_id_that_would_wrap_is_refused(vocabulary: int, token: int) -> None:
    with pytest.raises(DataError, match=rf"token id {token:,} of f:1:0 is not in the vocabulary of {vocabulary:,}"):
        TokenCoding(vocabulary, END).encode(np.array([8, token]), "f:1:0")


def test_vocabularies_that_no_format_holds_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot hold a vocabulary of 2,147,483,649"):
        TokenCoding(2**31 + 1, 0)
    with pytest.raises(ConfigError, match="end-of-document token 9 is not in a vocabulary of 9"):
        TokenCoding(9, 9)


def test_lines_come_in_blocks_that_end_where_the_fragments_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "_BLOCK", 200)
    monkeypatch.setattr(fragments, "_CHUNK", 7)
    lines = [b"x" * length + b"\n" for length in np.random.default_rng(2).integers(0, 450, 60)]
    plan = WritingPlan(("jsonl",), COLUMNS)
    expected = [b""]
    for line in lines:
        expected[-1] += line
        if len(expected[-1]) >= 200:
            expected.append(b"")
    for cuts in ([], [1, 2, 30], [0, 59, 60]):
        bases = [tmp_path / f"{len(cuts)}.{number}" for number in range(len(cuts) + 1)]
        for base, places in zip(bases, np.split(np.arange(60), cuts), strict=True):
            with writing_fragment(base, plan) as fragment:
                for place in places.tolist():
                    fragment.add(EncodedDocument(lines[place], b"", 0))
        assert list(fragments.lines_of(bases)) == [block for block in expected if block]


def test_an_arm_without_documents_has_files_without_rows(tmp_path: Path) -> None:
    case = _write(tmp_path, 100, ())
    assert sorted(path.name for path in case.folder.rglob("*")) == [
        "documents-00000.jsonl.zst",
        "documents-00000.parquet",
    ]
    assert pq.read_table(case.folder / "documents-00000.parquet").schema == COLUMNS
    raw = (case.folder / "documents-00000.jsonl.zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(raw) == b""
    assert "0 tokens in 0 files" in case.card()
    assert "```" not in case.card()


def test_the_bytes_hang_on_neither_shards_nor_interruptions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = (_write(tmp_path / str(shards), 49_152, shards=shards).folder for shards in (1, 5))
    content = [
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (whole, cut)
    ]
    assert content[0] == content[1]
    done: list[str] = []
    work_on = executor.work_on

    def failing(shard: Shard, task: object, store: PartStore) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(shard.file.name)
        work_on(shard, task, store)

    monkeypatch.setattr(executor, "work_on", failing)
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "broken", 49_152)
    parts = sorted(path.name for path in (tmp_path / "broken/joined").glob("*.part"))
    names = [CorpusFile(name, name, 0, "") for name in done]
    assert parts == sorted(PartStore(Path()).path(Shard.whole(file)).name for file in names)
    assert not list((tmp_path / "broken/joined").glob(".*.tmp"))
