"""How a corpus is cut into shards must not matter: not to what is read, and not to the tables of the stages."""

from __future__ import annotations

import random
import sys
from itertools import pairwise
from pathlib import Path
from shutil import copytree

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from corpus_fixture import random_text, write_bench, write_mine, write_tokenizer

from pivotlens.artifacts import Selection
from pivotlens.corpus import (
    BadRow,
    BadRows,
    Document,
    LocalExecutor,
    PartStore,
    Shard,
    UnitPlan,
    cutting,
    list_corpus,
    merged_bad_rows,
    read_documents,
    shards_of,
    unit_batches,
)
from pivotlens.corpus.packing import write_arrays
from pivotlens.count import CountConfig, count_corpus
from pivotlens.errors import DataError
from pivotlens.select import SelectConfig, select_documents

GOOD, BAD, BLANK = '{"text": "a b", "language": "en"}', "{x", " "
_LINES = st.lists(st.sampled_from([GOOD, GOOD, BAD, BLANK, '{"text": "é\\nñ", "language": "fr"}']), max_size=30)
_quickly = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _shards(folder: Path, parts: Path, shard_bytes: int, plan: UnitPlan | None = None) -> list[Shard]:
    return shards_of(list_corpus(str(folder)), plan or UnitPlan(), LocalExecutor(), parts, shard_bytes)


def _read(shards: list[Shard]) -> list[Document | BadRow]:
    return [row for shard in shards for row in read_documents(shard)]


@_quickly
@given(_LINES, st.booleans(), st.sampled_from(["", "\ufeff"]), st.integers(1, 400))
def test_lines_are_read_once_and_keep_their_numbers(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ended: bool, begin: str, shard_bytes: int
) -> None:
    here = tmp_path_factory.mktemp("lines")
    (here / "corpus").mkdir()
    text = begin + "\n".join([GOOD, *lines]) + "\n" * ended
    (here / "corpus/a.jsonl").write_text(text, encoding="utf-8")
    shards = _shards(here / "corpus", here, shard_bytes)
    assert _read(shards) == _read([Shard.whole(file) for file in list_corpus(str(here / "corpus"))])
    assert len({shard.key for shard in shards}) == len(shards)
    size = len(text.encode())
    assert all(shard.end is None or shard.end - shard.start >= shard_bytes for shard in shards)
    assert len(shards) > 1 or size <= shard_bytes or shard_bytes > size - len(text.split("\n")[-1 - ended].encode()) - 1


@_quickly
@given(_LINES, st.booleans(), st.lists(st.integers(0, 900), max_size=12), st.integers(1, 400), st.booleans())
def test_frames_are_read_once_and_lines_keep_their_numbers(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    ended: bool,
    cuts: list[int],
    shard_bytes: int,
    between: bool,
) -> None:
    """Frames begin anywhere, also amid a line or a character; some are empty, some are to be skipped."""
    here = tmp_path_factory.mktemp("frames")
    (here / "corpus").mkdir()
    text = ("\n".join([GOOD, *lines]) + "\n" * ended).encode()
    places = [0, *sorted(cut for cut in cuts if cut <= len(text)), len(text)]
    frames = [zstandard.compress(text[start:end]) for start, end in pairwise(places)]
    skipped = b"\x5a\x2a\x4d\x18\x03\0\0\0abc" * between
    name = "a.jsonl" if between else "a.jsonl.zst"
    (here / "corpus" / name).write_bytes(b"".join(skipped + frame + b"\0\0" * between for frame in frames))
    shards = _shards(here / "corpus", here, shard_bytes)
    assert _read(shards) == _read([Shard.whole(file) for file in list_corpus(str(here / "corpus"))])
    assert len({shard.key for shard in shards}) == len(shards)
    assert all(shard.end is None or shard.end - shard.start >= shard_bytes for shard in shards)


@pytest.mark.parametrize("stretch", [1, 50, 10_000])
def test_stretches_that_are_counted_apart_are_cut_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stretch: int
) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    text = "".join(f"{GOOD}{' ' * (number % 7)}\n" for number in range(40)).encode()
    (folder / "a.jsonl").write_bytes(text)
    (folder / "b.jsonl").write_bytes(text.replace(b"\n", b" ") + b"\n" + text)
    monkeypatch.setattr(cutting, "_STRETCH", stretch)
    shards = _shards(folder, tmp_path, 100)
    assert _read(shards) == _read([Shard.whole(file) for file in list_corpus(str(folder))])
    for shard in shards:
        content = (folder / shard.file.name).read_bytes()
        assert shard.start == 0 or content[shard.start - 1 : shard.start] == b"\n"
        assert shard.rows_before == content.count(b"\n", 0, shard.start)
        # The next line that begins a hundred bytes on, or at most an eighth of that later.
        assert shard.end is None or 100 <= shard.end - shard.start <= 113 + len(GOOD) + 7 + 1 or shard.start == 0
    assert len(shards) > 20


@_quickly
@given(st.lists(st.sampled_from(["a", None, "water"]), min_size=1, max_size=40), st.integers(1, 7), st.integers(1, 900))
def test_row_groups_are_read_once_and_keep_their_numbers(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str | None], rows: int, shard_bytes: int
) -> None:
    here = tmp_path_factory.mktemp("groups")
    (here / "corpus").mkdir()
    table = pa.table({"text": pa.array(texts, pa.string()), "language": ["en"] * len(texts)})
    pq.write_table(table, here / "corpus/a.parquet", row_group_size=rows)
    shards = _shards(here / "corpus", here, shard_bytes)
    assert _read(shards) == _read([Shard.whole(file) for file in list_corpus(str(here / "corpus"))])
    if shard_bytes == 1 and len(texts) > rows:
        assert len(shards) == -(-len(texts) // rows)


def test_what_cannot_be_cut_is_one_shard(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    text = f"{GOOD}\n".encode() * 100
    (folder / "a.jsonl.zst").write_bytes(zstandard.compress(text))
    (folder / "b.jsonl").write_bytes(zstandard.compress(text) + b"\n")
    (folder / "c.jsonl").write_bytes(text)
    (folder / "d.parquet").write_bytes(b"")
    shards = _shards(folder, tmp_path, 10**6)
    assert [shard.file.name[0] for shard in shards] == ["a", "b", "c", "d"]
    (folder / "d.parquet").unlink()
    shards = _shards(folder, tmp_path, 20)
    assert [shard.file.name[0] for shard in shards[:3]] == ["a", "b", "c"]
    assert {shard.file.name for shard in shards[2:]} == {"c.jsonl"}
    assert len(shards) == 102
    # Only the first documents of a file: what is read must not begin anew in each shard.
    assert len(_shards(folder, tmp_path, 20, UnitPlan(limit_documents=3))) == 3


@settings(parent=_quickly, max_examples=15)
@given(st.lists(st.tuples(st.sampled_from([GOOD, BAD]), st.integers(1, 900)), max_size=6), st.integers(4000, 60_000))
def test_a_hopeless_file_is_refused_the_same(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[str, int]], shard_bytes: int
) -> None:
    here = tmp_path_factory.mktemp("hopeless")
    (here / "corpus").mkdir()
    lines = [line for line, times in runs for _ in range(times)]
    (here / "corpus/a.jsonl").write_text("".join(f"{line}\n" for line in [GOOD, *lines]))
    outcomes = [_outcome(here, shard_bytes), _outcome(here, 1 << 30)]
    assert outcomes[0] == outcomes[1]


def _outcome(here: Path, shard_bytes: int) -> object:
    plan = UnitPlan()
    shards = _shards(here / "corpus", here, shard_bytes)
    store = PartStore(here / f"bad-{shard_bytes}")
    store.folder.mkdir()
    try:
        for shard in shards:
            bad = BadRows()
            for batch in unit_batches(shard, plan):
                bad.extend(batch.bad)
            write_arrays(store.path(shard), bad.to_arrays())
        return merged_bad_rows(shards, store, plan.max_bad_share)
    except DataError as error:
        return str(error)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of plain, compressed and Parquet files with bad rows, and a run with a benchmark and mined pivots."""
    folder = tmp_path_factory.mktemp("shards")
    (folder / "corpus").mkdir()
    rng = random.Random(3)
    rows = [
        {"text": random_text(rng, rng.randint(0, 60)), "language": rng.choice(["en", "fr", "zh_CN"]), "group": str(n)}
        for n in range(120)
    ]
    lines = [orjson.dumps(row) for row in rows]
    (folder / "corpus/a.jsonl").write_bytes(b"\n".join([*lines[:50], b"{bad", b"", *lines[20:30]]) + b"\n")
    text = b"\n".join(lines[50:80])
    frames = [zstandard.compress(text[start : start + 999]) for start in range(0, len(text), 999)]
    (folder / "corpus/b.jsonl.zst").write_bytes(b"".join(frames))
    table = pa.Table.from_pylist([*rows[80:], rows[0], {"text": None, "language": "fr", "group": ""}])
    pq.write_table(table, folder / "corpus/c.parquet", row_group_size=7)
    write_bench(folder / "run")
    write_mine(folder / "run", str(write_tokenizer(folder / "model")))
    return folder


def _run(here: Path, run: Path, workers: int = 1) -> dict[str, object]:
    """Count and select in a new run folder, and return every table as bytes and the documents of every arm."""
    for stage in ("bench", "mine"):
        copytree(here / "run" / stage, run / stage)
    shared = {"corpus": str(here / "corpus"), "tokenizer": str(here / "model"), "max_bad_share": 0.05}
    counts = count_corpus(CountConfig(**shared, unit_characters=64, sample=9, background=30, workers=workers), run)
    config = SelectConfig(**shared, unit_characters=100, min_tokens=5, budget_tokens=300, workers=workers)
    selection = select_documents(config, run)
    made: dict[str, object] = {
        str(path.relative_to(run)): path.read_bytes()
        for result in (counts, selection)
        for path in result.folder.glob("*.parquet")
    }
    for arm in ("top", "random"):
        made[arm] = _lines(selection, arm)
    for result in (counts, selection):
        made[result.stage] = (result.manifest.details, result.manifest.warnings, result.manifest.fingerprint)
    return made


def _lines(selection: Selection, arm: str) -> bytes:
    return b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()) for path in selection.arm(arm).paths
    )


@pytest.fixture(scope="module")
def uncut(here: Path) -> tuple[dict[str, object], set[str]]:
    """What one process makes of whole files, and the names of the documents' files."""
    whole = _run(here, here / "whole")
    return whole, {path.name for path in (here / "whole/select/top").glob("documents-*")}


@pytest.mark.parametrize("workers", [1, 2])
def test_tables_and_documents_are_the_same_for_every_split(
    here: Path, uncut: tuple[dict[str, object], set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    whole, files = uncut
    assert whole["top"]
    assert files == {"documents-00000.jsonl.zst"}
    for shard_bytes in (1, 700, 3000) if workers == 1 else (700,):
        monkeypatch.setattr(cutting, "SHARD_BYTES", shard_bytes)
        run = tmp_path / f"cut-{shard_bytes}"
        cut = _run(here, run, workers)
        assert cut == whole
        assert {path.name for path in (run / "select/top").glob("documents-*")} == files
