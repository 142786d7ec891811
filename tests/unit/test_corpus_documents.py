from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pivotlens.corpus import BadRow, BadRows, Columns, Document, check_bad_share, list_corpus, read_documents
from pivotlens.errors import ConfigError, DataError

GOOD = b'{"text": "l\\u2019eau", "language": "fra_Latn", "group": 7}\n'


def _read(path: Path, columns: Columns | None = None) -> list[Document | BadRow]:
    return list(read_documents(list_corpus(str(path))[0], columns))


def _file(folder: Path, content: bytes, suffix: str = ".jsonl") -> Path:
    path = folder / f"f{suffix}"
    if suffix.endswith(".gz"):
        content = gzip.compress(content)
    if suffix.endswith(".zst"):
        content = zstandard.compress(content)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz"])
def test_every_compression_gives_the_same(tmp_path: Path, suffix: str) -> None:
    path = _file(tmp_path, b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD.rstrip(), suffix)
    assert _read(path) == [Document(path.name, row, "l’eau", "fr", "7") for row in (1, 3)]


def test_several_frames_and_lines_longer_than_a_chunk(tmp_path: Path) -> None:
    long = b'{"text": "' + b"ab " * 300_000 + b'", "language": "en"}\n'
    path = tmp_path / "f.jsonl.zst"
    path.write_bytes(zstandard.compress(long + GOOD[:9]) + zstandard.compress(GOOD[9:]) + zstandard.compress(long))
    found = _read(path)
    assert [len(document.text) for document in found] == [900_000, 5, 900_000]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{nonsense", "bad JSON"),
        (b'{"text": "\xff", "language": "fr"}', "invalid UTF-8 at byte 11"),
        (b'{"text": "\\ud800", "language": "fr"}', "bad JSON"),
        (b"[1]", "a list, not a JSON object"),
        (b'{"text": 3, "language": "fr"}', "'text' is a number"),
        (b'{"text": null, "language": "fr"}', "'text' is null"),
        (b'{"text": "x", "language": "zzzzz"}', "unknown language code 'zzzzz'"),
        (b'{"text": "x", "language": 3}', "'language' is a number"),
        (b'{"text": "x", "language": ""}', "unknown language code ''"),
    ],
)
def test_bad_rows_are_handed_on(tmp_path: Path, line: bytes, problem: str) -> None:
    first, bad, last = _read(_file(tmp_path, GOOD + line + b"\n" + GOOD))
    assert isinstance(bad, BadRow)
    assert (bad.file, bad.row) == ("f.jsonl", 2)
    assert problem in bad.problem
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert last.row == 3


def test_a_row_without_a_column_is_one_bad_row_that_names_what_is_there(tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD + b'{"content": "x", "lang": "fr"}\n' + GOOD)
    first, bad, last = _read(path)
    assert bad == BadRow("f.jsonl", 2, "there is no column 'text', only 'content', 'lang'")
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    path.write_bytes(b'{"content": "x", "language": "fr"}\n{"content": "x", "lang": "fr"}\n{}\n')
    first, *bad = _read(path, Columns(text="content"))
    assert isinstance(first, Document)
    assert [row.problem for row in bad] == [
        "there is no column 'language', only 'content', 'lang'",
        "there is no column 'content', nor any other",
    ]
    path.write_bytes(b"{" + b", ".join(b'"k%d": 1' % number for number in range(20)) + b"}")
    assert _read(path)[0].problem.endswith("'k11' and 8 more")


def test_rows_that_all_lack_a_column_name_file_line_columns_and_settings() -> None:
    bad = BadRows()
    bad.add([BadRow("f.jsonl", row, "there is no column 'text', only 'content', 'lang'") for row in (1, 2)], 2)
    with pytest.raises(
        DataError, match=r"f\.jsonl, line 1: there is no column 'text', only 'content', 'lang'"
    ) as caught:
        check_bad_share(bad, 3, 0.001, "c")
    assert "--text-column" in caught.value.hint
    assert "with --language-column" in caught.value.hint
    assert "with --language" in caught.value.hint
    assert "--max-bad-share" in caught.value.hint
    bad.add([BadRow("f.jsonl", 3, "bad JSON")], 1)
    with pytest.raises(DataError) as caught:
        check_bad_share(bad, 3, 0.001, "c")
    assert "--text-column" not in caught.value.hint


def test_default_language_is_for_rows_without_one(tmp_path: Path) -> None:
    path = _file(tmp_path, b'{"text": "a"}\n{"text": "b", "language": null}\n' + GOOD)
    assert [document.language for document in _read(path, Columns(default_language="de"))] == ["de", "de", "fr"]
    with pytest.raises(ConfigError, match="'klingonese'"):
        _read(path, Columns(default_language="klingonese"))


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_a_compressed_file_cut_short_is_an_error(tmp_path: Path, suffix: str) -> None:
    rows = b"".join(b'{"text": "%d", "language": "en"}\n' % (n * 7919**5) for n in range(20_000))
    path = _file(tmp_path, rows, suffix)
    for kept in (path.stat().st_size // 2, path.stat().st_size - 1):
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(DataError, match=rf"f{suffix} is cut short or damaged"):
            _read(path)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    text = pa.array(["a", None, "c"]).dictionary_encode()
    pq.write_table(pa.table({"text": text, "language": ["fr", "fr", "zho_Hans"], "other": [1, 2, 3]}), path)
    first, bad, last = _read(path)
    assert first == Document("f.parquet", 1, "a", "fr", "")
    assert bad == BadRow("f.parquet", 2, "column 'text' is null, not a string")
    assert last == Document("f.parquet", 3, "c", "zh", "")
    with pytest.raises(DataError, match="no column 'body'"):
        _read(path, Columns(text="body"))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match=r"f\.parquet is cut short or damaged"):
        _read(path)


def test_parquet_with_invalid_utf8(tmp_path: Path) -> None:
    raw = pa.array([b"ok", b"\xff\xfe", None], pa.binary())
    text = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2], raw.buffers()[0], raw.null_count)
    pq.write_table(pa.table({"text": text, "language": ["fr"] * 3}), tmp_path / "f.parquet")
    first, bad, null = _read(tmp_path / "f.parquet")
    assert first == Document("f.parquet", 1, "ok", "fr", "")
    assert bad == BadRow("f.parquet", 2, "column 'text' is not valid UTF-8")
    assert isinstance(null, BadRow)


def test_share_of_bad_rows() -> None:
    bad = BadRows(1, [BadRow("a.jsonl", 3, "bad JSON")])
    check_bad_share(bad, 999, 0.001, "c")
    with pytest.raises(DataError, match="1 of 999 rows") as caught:
        check_bad_share(bad, 998, 0.001, "c")
    assert "a.jsonl, line 3: bad JSON" in str(caught.value)
    assert "--max-bad-share" in caught.value.hint
    with pytest.raises(DataError, match="no document"):
        check_bad_share(BadRows(), 0, 0.001, "c")
