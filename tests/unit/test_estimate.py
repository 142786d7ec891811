"""What `--dry-run` tells of work on a corpus, against what it then takes; and that it writes nothing."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from corpus_fixture import random_text, write_bench, write_tokenizer

from pivotlens.artifacts import Counts
from pivotlens.cli import main
from pivotlens.corpus import Columns, list_corpus
from pivotlens.corpus.estimate import Extent, draw_samples
from pivotlens.count import CountConfig, count_corpus
from pivotlens.errors import DataError


def _rows(n: int, seed: int) -> list[dict[str, str]]:
    rng = random.Random(seed)
    return [{"text": random_text(rng, rng.randint(20, 60)), "language": rng.choice(["en", "fr"])} for _ in range(n)]


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    content = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=500)
    else:
        path.write_bytes(zstandard.compress(content) if path.suffix == ".zst" else content)


def _text(rows: list[dict[str, str]]) -> int:
    return sum(len(row["text"].encode()) for row in rows)


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.zst", "parquet"])
def test_samples_stand_for_equal_parts_of_the_bytes(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pivotlens.corpus.estimate._TEXT_READ", 1)
    monkeypatch.setattr("pivotlens.corpus.stored.CHUNK", 1 << 14)
    every = [_rows(4000, 0), _rows(300, 1), _rows(300, 2)]
    for number, rows in enumerate(every):
        _write(tmp_path / f"{number}.{ending}", rows)
    files = list_corpus(str(tmp_path))
    samples = draw_samples(files, Columns(), text=20_000)
    assert len(samples) == 8
    of_file = [
        {document.row for document in sample.documents} for sample in samples if sample.documents[0].file[0] == "0"
    ]
    assert len(of_file) >= 6
    assert sum(map(len, of_file)) == len(set().union(*of_file))  # they share no document
    assert max(map(max, of_file)) < 2000  # and it was not read to its end
    assert all(10_000 < sample.text < 40_000 for sample in samples)
    expected = sum(sample.text_per_byte for sample in samples) / 8 * sum(file.size for file in files)
    assert expected == pytest.approx(sum(map(_text, every)), rel=0.1)
    limited = Extent.of(files, samples, 100)
    assert limited.stored == pytest.approx(
        sum(file.size * 100 / n for file, n in zip(files, (4000, 300, 300), strict=True)), rel=0.1
    )
    assert Extent.of(files, samples, None) == Extent(3, sum(file.size for file in files), 3)


def test_no_document_where_it_was_looked_at(tmp_path: Path) -> None:
    _write(tmp_path / "0.jsonl", [{"content": "a", "language": "en"}] * 3)
    with pytest.raises(DataError, match=r"0\.jsonl and others is a document"):
        draw_samples(list_corpus(str(tmp_path)), Columns())


def test_a_plan_is_about_what_the_count_then_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, corpus = tmp_path / "run", tmp_path / "corpus"
    write_bench(run)
    corpus.mkdir()
    every = [_rows(2500, number) for number in range(4)]
    for number, rows in enumerate(every):
        _write(corpus / f"{number}.jsonl.zst", rows)
    tokenizer = str(write_tokenizer(tmp_path / "model"))
    arguments = ["count", "--run", str(run), "--corpus", str(corpus), "--tokenizer", tokenizer, "--dry-run"]
    before = sorted(run.rglob("*"))
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(run.rglob("*")) == before
    estimate = told["estimate"]
    config = CountConfig(corpus=str(corpus), tokenizer=tokenizer)
    begun = time.process_time()
    count_corpus(config, run)
    seconds = time.process_time() - begun
    text = sum(row["bytes"] for row in Counts.load(run).rows("languages"))
    assert estimate["text_bytes"] == pytest.approx(text, rel=0.1)
    assert estimate["stored_bytes"] == sum(file.size for file in list_corpus(str(corpus)))
    expected = estimate["core_hours"] * 3600 - estimate["setup_seconds"]  # this process was set up by planning
    assert seconds / 3 < expected < 3 * seconds
    assert estimate["core_hours_low"] <= estimate["core_hours"] <= estimate["core_hours_high"]
    assert estimate["memory_bytes"] <= estimate["memory_limit"] == 4_000_000_000
    assert set(estimate["mb_per_s"]) == {"reading", "boilerplate", "exact pass", "token pass"}
    assert main(arguments) == 0
    assert "reused: the result is there and fits" in (out := capsys.readouterr().out)
    assert "core-hours" not in out  # what is there takes nothing
