from __future__ import annotations

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pivotlens.corpus import BadRow, BadRows, Columns, Document, Shard, check_bad_share, list_corpus, read_documents
from pivotlens.errors import ConfigError, DataError

GOOD = b'{"text": "l\\u2019eau", "language": "fra_Latn", "group": 7}\n'


COMPRESS = {"gz": gzip.compress, "zst": zstandard.compress, "xz": lzma.compress, "bz2": bz2.compress}


def _read(path: Path, columns: Columns | None = None) -> list[Document | BadRow]:
    return list(read_documents(Shard.whole(list_corpus(str(path))[0]), columns))


def _file(folder: Path, content: bytes, suffix: str = ".jsonl") -> Path:
    path = folder / f"f{suffix}"
    compress = COMPRESS.get(suffix.lower().rpartition(".")[2], bytes)
    path.write_bytes(compress(content))
    return path


@pytest.mark.parametrize(
    "suffix",
    [
        ".jsonl",
        ".jsonl.gz",
        ".jsonl.zst",
        ".json.gz",
        ".JSONL",
        ".ndjson",
        ".jsonl.xz",
        ".JSONL.bz2",
        ".ndjson.GZ",
        ".json",
    ],
)
def test_every_compression_gives_the_same(tmp_path: Path, suffix: str) -> None:
    path = _file(tmp_path, b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD.rstrip(), suffix)
    assert _read(path) == [Document(path.name, row, "l’eau", "fr", "7") for row in (1, 3)]


@pytest.mark.parametrize("kind", COMPRESS)
def test_the_bytes_tell_the_compression_not_the_name(tmp_path: Path, kind: str) -> None:
    compressed = COMPRESS[kind](GOOD)
    for name in ("a.jsonl", "a.jsonl.zst", "a.json.gz", "a.jsonl.xz"):
        (tmp_path / name).write_bytes(compressed + b"\0" * 8 + COMPRESS[kind](b"") + COMPRESS[kind](GOOD))
        assert [document.row for document in _read(tmp_path / name)] == [1, 2], name


def test_a_frame_to_be_skipped_may_come_first(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl.zst").write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0size" + zstandard.compress(GOOD))
    assert len(_read(tmp_path / "f.jsonl.zst")) == 1


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        (
            "a.jsonl.gz",
            GOOD,
            'is damaged or is not gzip, as its name says: it begins with b\'{"text": ',
            "name of what",
        ),
        ("a.jsonl", "\ufeff{}".encode("utf-16-le"), "holds UTF-16 text", "iconv -f UTF-16"),
        ("a.jsonl", '{"text": "x"}'.encode("utf-16-be"), "holds UTF-16 text", "iconv -f UTF-16"),
        ("a.jsonl", '{"text": "x"}'.encode("utf-32"), "holds UTF-32 text", "iconv -f UTF-32"),
        ("a.jsonl.gz", gzip.compress('{"text": "x"}'.encode("utf-16")), "holds UTF-16 text", "iconv"),
        ("a.jsonl.gz", gzip.compress(gzip.compress(GOOD)), "holds gzip", "only once"),
        ("a.jsonl", b"PAR1\x15\x04", "holds Parquet", ".parquet"),
        ("a.json.gz", b"PK\x03\x04....", "holds a zip archive", "Unpack"),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS", "git lfs pull"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS", "git lfs pull"),
        ("a.jsonl", b"/annex/objects/MD5-1", "a pointer of git-annex", "git annex get"),
        ("a.parquet", gzip.compress(GOOD), "holds gzip, not Parquet", "name of what it is"),
        ("a.json", b'[\n{"text": "x"}\n]', "is JSON over several lines", "jq -c '.[]'"),
        ("a.json", b'\n [{"text": "x"},\n{"text": "y"}]', "is JSON over several lines", "jq -c"),
        ("a.jsonl", b'{\n  "text": "x"\n}\n', "is JSON over several lines", "line of its own"),
        ("a.json", b'[{"text": "x"}, {"text": "y"}]', "is one JSON array", "jq -c"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(
    tmp_path: Path, name: str, content: bytes, message: str, hint: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        _read(tmp_path / name)
    assert message in caught.value.message
    assert name in caught.value.message
    assert hint in caught.value.hint
    assert "etch or write the file again, then" not in caught.value.hint


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_named(tmp_path: Path, value: str) -> None:
    path = _file(tmp_path, b'{"text": "x", "language": "fr", "score": [' + value.encode() + b"]}\n{NaN}\n")
    bad, other = _read(path)
    assert bad.problem == f"bad JSON: {value} is no JSON value (Python's json and pandas write it); write null instead"
    assert "is no JSON value" not in other.problem


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
    bad = BadRows(documents=1)
    for row in (1, 2):
        bad.add(BadRow("f.jsonl", row, "there is no column 'text', only 'content', 'lang'"))
    with pytest.raises(
        DataError, match=r"f\.jsonl, line 1: there is no column 'text', only 'content', 'lang'"
    ) as caught:
        check_bad_share(bad, 0.001, "c")
    assert "--text-column" in caught.value.hint
    assert "with --language-column" in caught.value.hint
    assert "with --language" in caught.value.hint
    assert "--max-bad-share" in caught.value.hint
    bad.documents = 2
    with pytest.raises(DataError) as caught:
        check_bad_share(bad, 0.001, "c")
    assert "--text-column" not in caught.value.hint
    bad.documents = 1
    bad.add(BadRow("f.jsonl", 3, "bad JSON"))
    with pytest.raises(DataError) as caught:
        check_bad_share(bad, 0.001, "c")
    assert "--text-column" not in caught.value.hint


def test_default_language_is_for_rows_without_one(tmp_path: Path) -> None:
    path = _file(tmp_path, b'{"text": "a"}\n{"text": "b", "language": null}\n' + GOOD)
    assert [document.language for document in _read(path, Columns(default_language="de"))] == ["de", "de", "fr"]
    with pytest.raises(ConfigError, match="'klingonese'"):
        _read(path, Columns(default_language="klingonese"))


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".jsonl.xz", ".jsonl.bz2"])
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


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(5),
     pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.binary())],
    ids=str,
)  # fmt: skip
def test_parquet_text_of_every_kind_of_string(tmp_path: Path, kind: pa.DataType) -> None:
    values = ["été".encode(), b"h\xffabc", None]
    text = (
        pa.array(values[::2], pa.binary()).cast(pa.string()) if "string" in str(kind) else pa.array(values, pa.binary())
    )
    text = text.dictionary_encode() if pa.types.is_dictionary(kind) else text
    text = pa.array(values, kind) if pa.types.is_fixed_size_binary(kind) else text.cast(kind)
    language = pa.array(["fr"] * len(text)).cast(pa.binary())
    pq.write_table(
        pa.table({"text": text, "language": language, "group": pa.array([b"g"] * len(text))}), tmp_path / "f.pq"
    )
    first, *invalid, null = _read(tmp_path / "f.pq")
    assert first == Document("f.pq", 1, "été", "fr", "g")
    assert [row.problem for row in invalid] == ["column 'text' is not valid UTF-8"] * len(invalid)
    assert null.problem == "column 'text' is null, not a string"


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_parquet_strings_that_are_none(tmp_path: Path, kind: str) -> None:
    raw = pa.array(
        [b"ok", b"\xff\xfe" * 9], {"string": pa.binary(), "large_string": pa.large_binary()}.get(kind, pa.binary())
    )
    made = {"string": pa.string(), "large_string": pa.large_string()}.get(kind, pa.string())
    text = pa.Array.from_buffers(made, 2, raw.buffers())
    if kind == "string_view":
        text = raw.cast(pa.binary_view()).view(pa.string_view())
    pq.write_table(pa.table({"text": text, "language": ["fr"] * 2}), tmp_path / "f.parquet")
    assert [isinstance(row, Document) for row in _read(tmp_path / "f.parquet")] == [True, False]


def test_parquet_with_a_column_twice(tmp_path: Path) -> None:
    for names in (["text", "text", "language"], ["text", "language", "language"]):
        pq.write_table(pa.table([["a"], ["b"], ["fr"]], names=names), tmp_path / "f.parquet")
        twice = max(names, key=names.count)
        with pytest.raises(DataError, match=rf"f\.parquet has the column '{twice}' 2 times"):
            _read(tmp_path / "f.parquet")
    pq.write_table(pa.table([["a"], ["fr"], [1], [2]], names=["text", "language", "x", "x"]), tmp_path / "f.parquet")
    assert len(_read(tmp_path / "f.parquet")) == 1


def test_parquet_whose_name_is_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.parquet")
    pq.write_table(pa.table([["a"], ["fr"]], names=["text", "language"]), tmp_path / "f.parquet")
    (tmp_path / "f.parquet").rename(tmp_path / name)
    assert [document.file for document in _read(tmp_path / name)] == ["caf\\xe9.parquet"]


def test_parquet_with_invalid_utf8(tmp_path: Path) -> None:
    raw = pa.array([b"ok", b"\xff\xfe", None], pa.binary())
    text = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2], raw.buffers()[0], raw.null_count)
    pq.write_table(pa.table({"text": text, "language": ["fr"] * 3}), tmp_path / "f.parquet")
    first, bad, null = _read(tmp_path / "f.parquet")
    assert first == Document("f.parquet", 1, "ok", "fr", "")
    assert bad == BadRow("f.parquet", 2, "column 'text' is not valid UTF-8")
    assert isinstance(null, BadRow)


def test_share_of_bad_rows() -> None:
    bad = BadRows(documents=999)
    bad.add(BadRow("a.jsonl", 3, "bad JSON"))
    check_bad_share(bad, 0.001, "c")
    bad.documents = 998
    with pytest.raises(DataError, match="1 of 999 rows") as caught:
        check_bad_share(bad, 0.001, "c")
    assert "a.jsonl, line 3: bad JSON" in str(caught.value)
    assert "--max-bad-share" in caught.value.hint
    with pytest.raises(DataError, match="no document"):
        check_bad_share(BadRows(), 0.001, "c")
