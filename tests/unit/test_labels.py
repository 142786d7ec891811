"""What tells the text and the language of documents: nested columns, mappings, names of files, models."""

from __future__ import annotations

import gzip
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from corpus_fixture import write_bench, write_tokenizer

from pivotlens.cli import main
from pivotlens.corpus import (
    BadRow,
    Columns,
    Document,
    LocalExecutor,
    Shard,
    UnitPlan,
    columns_of,
    document_languages,
    label_inputs,
    list_corpus,
    open_corpus,
    read_documents,
)
from pivotlens.count import CountConfig, count_corpus
from pivotlens.errors import ConfigError, DataError, PrerequisiteError
from pivotlens.settings import CorpusStageConfig
from pivotlens.settings.corpus_schemas import SCHEMAS
from pivotlens.text.languages import LID176_LABELS

ROWS = [
    {"text": "eau", "metadata": {"language": "fra", "script": "Latn", "more": {"source": "web"}}},
    {"text": "вода", "metadata": {"language": "srp", "script": "Cyrl", "more": {"source": "web"}}},
    {"text": "voda", "metadata": {"language": "srp", "script": "Latn", "more": None}},
]
COLUMNS = Columns(language="metadata.language+metadata.script", source="metadata.more.source")


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def _read(path: Path, columns: Columns) -> list[Document | BadRow]:
    return [row for file in list_corpus(str(path)) for row in read_documents(Shard.whole(file), columns)]


@pytest.mark.parametrize("name", ["f.jsonl", "f.parquet"])
def test_columns_within_columns(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, ROWS)
    assert _read(path, COLUMNS) == [
        Document(name, 1, "eau", "fr", "", "web"),
        Document(name, 2, "вода", "sr", "", "web"),
        Document(name, 3, "voda", "sr-Latn", "", ""),
    ]


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("metadata.lang", "there is no column 'metadata.lang', in 'metadata' only 'language', 'script', 'more'"),
        ("meta.language", "there is no column 'meta.language', only 'text', 'metadata'"),
        ("metadata.more.origin", "there is no column 'metadata.more.origin', in 'metadata.more' only 'source'"),
        ("text.language", "there is no column 'text.language': 'text' is {kind}, which has no fields"),
    ],
)
def test_a_level_that_is_missing_is_named(tmp_path: Path, column: str, problem: str) -> None:
    rows = ROWS[:2]
    first, _ = _read(_write(tmp_path / "f.jsonl", rows), Columns(language=column))
    assert first == BadRow("f.jsonl", 1, problem.format(kind="a string"))
    with pytest.raises(DataError) as caught:
        _read(_write(tmp_path / "f.parquet", rows), Columns(language=column))
    assert problem.format(kind="string") in caught.value.message
    assert "--language-column" in caught.value.hint
    told = [Columns(language=column, default_language="de"), Columns(language=column, language_model="lid.176")]
    for columns in told:
        assert not any(isinstance(row, BadRow) for row in _read(tmp_path / "f.parquet", columns))


def test_a_column_whose_name_has_a_point_comes_first(tmp_path: Path) -> None:
    rows = [{"text": "eau", "a.b": "fr", "a": {"b": "de", "c.d": 1}}]
    for name in ("f.jsonl", "f.parquet"):
        path = _write(tmp_path / name, rows)
        assert [row.language for row in _read(path, Columns(language="a.b")) if isinstance(row, Document)] == ["fr"]


def test_of_a_parquet_file_only_the_fields_that_are_asked_for_are_read(tmp_path: Path) -> None:
    raw = pa.array([b"\xff"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 1, raw.buffers())
    metadata = pa.StructArray.from_arrays([pa.array(["fr"]), broken], names=["language", "title"])
    pq.write_table(pa.table({"text": ["eau"], "metadata": metadata}), tmp_path / "f.parquet")
    assert _read(tmp_path / "f.parquet", Columns(language="metadata.language")) == [
        Document("f.parquet", 1, "eau", "fr", "")
    ]


def _settings(**given: Any) -> CorpusStageConfig:
    return CorpusStageConfig(**given)


def test_codes_mean_what_the_user_says(tmp_path: Path) -> None:
    (tmp_path / "codes.tsv").write_text("\ufeffvalue\tlanguage\r\nFrancais\tfra_Latn\r\n\r\n", encoding="utf-8")
    config = _settings(language_map=("als=gsw", str(tmp_path / "codes.tsv"), "zz=zh-Hant"))
    columns = columns_of(config)
    assert columns.codes == (("Francais", "fr"), ("als", "gsw"), ("zz", "zh-Hant"))
    rows = [{"text": "a", "language": code} for code in ("als", "Francais", "zz", "en", "klingon")]
    *good, bad = _read(_write(tmp_path / "f.jsonl", rows), columns)
    assert [row.language for row in good if isinstance(row, Document)] == ["gsw", "fr", "zh-Hant", "en"]
    assert bad == BadRow("f.jsonl", 5, "unknown language code 'klingon'")
    assert label_inputs(config) == label_inputs(_settings(language_map=("zz=zh-TW", "Francais=fr", "als=gsw")))
    assert label_inputs(config) != label_inputs(_settings(language_map=("als=gsw",)))
    assert label_inputs(_settings()) == {}


@pytest.mark.parametrize(
    ("given", "content", "error", "message"),
    [
        ("nothing", None, ConfigError, "language_map holds 'nothing', which is neither VALUE=CODE nor a file"),
        ("=fr", None, ConfigError, "neither VALUE=CODE nor a file"),
        ("x=klingon", None, ConfigError, "unknown language 'klingon' in language_map"),
        ("map.tsv", b"code\tlanguage\n", DataError, "line 1: the first line is not value and language"),
        ("map.tsv", b"value\tlanguage\nx\n", DataError, "line 2: it does not hold a value and a language"),
        ("map.tsv", b"value\tlanguage\nx\t\xff\n", DataError, "line 2: invalid UTF-8 at byte 3"),
        ("map.tsv", b"value\tlanguage\nx\tfr\nx\tde\n", ConfigError, "line 3 maps 'x' to de, and it is mapped to fr"),
    ],
)
def test_mappings_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, content: bytes | None, error: type, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / given).write_bytes(content)
    with pytest.raises(error, match=message):
        columns_of(_settings(language_map=(given,)))


def test_the_name_of_a_file_tells_what_no_column_does(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "b", "language": "de"}]
    for name in ("fr/a.jsonl", "zho_Hant/b.jsonl", "other.jsonl", "xx/c.jsonl"):
        _write(tmp_path / name, rows)
    found = _read(tmp_path, columns_of(_settings(language_file=r"^([a-z]{2,3}(?:_[A-Z][a-z]{3})?)/", language="en")))
    assert [row.language if isinstance(row, Document) else row.problem for row in found] == [
        "fr", "de", "en", "de", "unknown language code 'xx' in the name of the file", "de", "zh-Hant", "de",
    ]  # fmt: skip
    for pattern, problem in ((r"^[a-z]{2}/", "it has no group"), ("(", "missing \\)")):
        with pytest.raises(ConfigError, match=problem) as caught:
            columns_of(_settings(language_file=pattern))
        assert "parentheses" in caught.value.hint


# -- known corpora


FILES: dict[str, tuple[str, list[dict[str, Any]], list[tuple[str, str]]]] = {
    "dolma": (
        "v1_7/books-0000.json.gz",
        [{"id": "1", "text": "water", "source": "books", "added": "2023", "metadata": {"length": 5}}],
        [("en", "books")],
    ),
    "fineweb": (
        "data/CC-MAIN-2013-20/000_00000.parquet",
        [{"text": "water", "id": "<urn:uuid:1>", "dump": "CC-MAIN-2013-20", "url": "http://a.org", "date": "2013",
          "file_path": "s3://x", "language": "en", "language_score": 0.9, "token_count": 1}],
        [("en", "CC-MAIN-2013-20")],
    ),
    "fineweb-2": (
        "data/srp_Latn/train/000_00000.parquet",
        [{"text": "voda", "id": "<urn:uuid:1>", "dump": "CC-MAIN-2014-10", "url": "http://a.rs", "date": "2014",
          "file_path": "s3://x", "language": code, "language_score": 1.0, "language_script": script,
          "minhash_cluster_size": 1, "top_langs": "{}"}
         for code, script in (("srp", "Latn"), ("cmn", "Hani"), ("arb", "Arab"), ("nob", "Latn"))],
        [("sr-Latn", "CC-MAIN-2014-10"), ("zh", "CC-MAIN-2014-10"), ("ar", "CC-MAIN-2014-10"),
         ("no", "CC-MAIN-2014-10")],
    ),
    "mc4": (
        "multilingual/c4-iw-validation.tfrecord-00000-of-00001.json.gz",
        [{"text": "מים", "timestamp": "2018-06-24T01:32:39Z", "url": "http://a.il"}],
        [("he", "multilingual")],
    ),
    "culturax": (
        "als/als_part_00000.parquet",
        [{"text": "Wasser", "timestamp": "2019", "url": "http://a.ch", "source": "OSCAR-2301"}],
        [("gsw", "OSCAR-2301")],
    ),
    "oscar": (
        "fr_meta/fr_meta_part_1.jsonl.zst",
        [{"content": "eau", "warc_headers": {"warc-target-uri": "http://a.fr"},
          "metadata": {"identification": {"label": code, "prob": 0.9}, "quality_warnings": None}}
         for code in ("fr", "sh", "zh")],
        [("fr", "fr_meta"), ("sr", "fr_meta"), ("zh", "fr_meta")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS)
def test_known_corpora(tmp_path: Path, schema: str) -> None:
    name, rows, expected = FILES[schema]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        compress = gzip.compress if name.endswith(".gz") else zstandard.compress
        path.write_bytes(compress(b"".join(orjson.dumps(row) + b"\n" for row in rows)))
    config = _settings(corpus_schema=schema)
    columns = columns_of(config)
    found = _read(tmp_path, replace(columns, source=config.source_column))
    assert [(row.language, row.source) for row in found if isinstance(row, Document)] == expected
    assert [row.text for row in found if isinstance(row, Document)] == [
        row.get("text") or row["content"] for row in rows
    ]


def test_what_is_given_beside_a_known_corpus_holds() -> None:
    config = _settings(corpus_schema="oscar", language_map=("zz=fr",), text_column="body")
    assert (config.text_column, config.language_map) == ("body", ("zz=fr",))
    assert config.language_column == "metadata.identification.label"
    assert _settings().meaning() != _settings(corpus_schema="fineweb").meaning()
    with pytest.raises(ConfigError, match=r"corpus_schema = 'dolmo' \(command line\)"):
        CountConfig.build({"command line": {"corpus_schema": "dolmo"}})


def test_labels_of_fasttext_mean_the_same_everywhere() -> None:
    for schema in ("oscar", "culturax"):
        assert dict(item.split("=") for item in SCHEMAS[schema]["language_map"]) == LID176_LABELS


# -- models


SENTENCES = {
    "en": "The installer asks for a password before it continues with the files of the system.",
    "fr": "Cette option affiche la liste des fichiers du dossier que vous avez choisi.",
    "ru": "Эта функция возвращает число символов в строке.",
    "ja": "このオプションは、フォルダーの中のファイルを一覧で表示します。",
    "zh": "此选项显示文件夹中的所有文件（GNU Linux）。",
    "ko": "이 옵션은 폴더의 파일 목록을 보여 줍니다.",
}


def test_the_bundled_model_tells_languages_that_nothing_else_does(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"text": text} for text in SENTENCES.values()]
    rows += [{"text": "12345 --help"}, {"text": SENTENCES["fr"], "language": "de"}, {"text": 1}]
    found = _read(_write(tmp_path / "f.jsonl", rows), Columns(language_model="lid.176"))
    assert [row.language for row in found if isinstance(row, Document)] == [*SENTENCES, "de"]
    assert [row for row in found if isinstance(row, BadRow)] == [
        BadRow("f.jsonl", 7, "nothing in its text tells its language"),
        BadRow("f.jsonl", 9, "column 'text' is a number, not a string"),
    ]
    assert [row.row for row in found] == [*range(1, 10)]


def test_a_long_document_is_judged_by_its_beginning() -> None:
    text = f"{SENTENCES['fr']}\n" * 20 + f"{SENTENCES['en']}\n" * 1000
    assert document_languages.identifier("lid.176")([text, ""]) == ["fr", ""]
    assert len(document_languages.beginning(text)) <= 1000


def write_fasttext(path: Path, words: dict[str, str]) -> Path:
    """Write a supervised model of fastText as GlotLID is one, unquantised and with a softmax: a word tells a label."""
    labels = sorted(set(words.values()))
    size = len(labels)
    entries = [("</s>", 0), *((word, 0) for word in words), *((f"__label__{label}", 1) for label in labels)]
    content = struct.pack("<2i", 793712314, 12)
    content += struct.pack("<12id", size, 5, 5, 1, 5, 1, 3, 3, 0, 0, 0, 100, 1e-4)
    content += struct.pack("<3i2q", len(entries), len(words) + 1, size, 100, -1)
    for name, kind in entries:
        content += name.encode() + b"\0" + struct.pack("<qb", 10, kind)
    rows = [[0.0] * size] + [[9.0 * (label == mine) for label in labels] for mine in words.values()]
    content += struct.pack("<?2q", False, len(rows), size)
    content += b"".join(struct.pack(f"<{size}f", *row) for row in rows)
    content += struct.pack("<?2q", False, size, size)
    content += b"".join(struct.pack(f"<{size}f", *(9.0 * (a == b) for b in labels)) for a in labels)
    path.write_bytes(content)
    return path


def test_a_model_of_the_user(tmp_path: Path) -> None:
    pytest.importorskip("fasttext", reason="fasttext-predict is not installed, so no model file is read")
    model = write_fasttext(
        tmp_path / "model.bin", {"eau": "fra_Latn", "вода": "srp_Cyrl", "水": "cmn_Hani", "x": "zxx_Zzzz"}
    )
    rows = [{"text": text} for text in ("eau\neau", "вода", "水", "eau вода вода")]
    found = _read(_write(tmp_path / "f.jsonl", rows), Columns(language_model=str(model)))
    assert [row.language for row in found if isinstance(row, Document)] == ["fr", "sr", "zh", "sr"]
    bundled = Path(document_languages.__file__).parents[1] / "text/data/lid.176.ftz"
    assert document_languages.identifier(str(bundled))([*SENTENCES.values()]) == [*SENTENCES]
    config = _settings(language_model=str(model))
    assert set(label_inputs(config)) == {"language_model"}
    (tmp_path / "model.bin").write_bytes(b"no model")
    document_languages.identifier.cache_clear()
    with pytest.raises(DataError, match=r"model\.bin is no model of fastText"):
        _read(tmp_path / "f.jsonl", Columns(language_model=str(model)))


def test_models_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"language_model = 'lid\.176\.bin' is no file") as caught:
        label_inputs(_settings(language_model="lid.176.bin"))
    assert "GlotLID" in caught.value.hint
    (tmp_path / "model.bin").write_bytes(b"")
    monkeypatch.setattr("pivotlens.extras.is_installed", lambda package: False)
    with pytest.raises(PrerequisiteError, match="needs fasttext, which is not installed") as caught_too:
        label_inputs(_settings(language_model=str(tmp_path / "model.bin")))
    assert "pivotlens[languages]" in caught_too.value.hint


def test_labels_are_checked_against_the_model(tmp_path: Path) -> None:
    rows = [{"text": f"{SENTENCES['fr']} {n}", "language": "fr" if n % 4 else "de"} for n in range(400)]
    rows += [{"text": SENTENCES["en"], "language": "en"}, {"text": "12345", "language": "en"}]
    rows += [{"text": SENTENCES["en"], "language": "fr"}] * 3 + [{"text": SENTENCES["fr"]}]
    for number in range(3):
        _write(tmp_path / f"corpus/{number}.jsonl", rows[number::3])
    plan = UnitPlan(Columns(language_model="lid.176"))
    warnings = set()
    for shard_bytes, order in ((1 << 20, 1), (700, -1)):
        parts = tmp_path / str(shard_bytes)
        parts.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pivotlens.corpus.cutting.SHARD_BYTES", shard_bytes)
            opened = open_corpus(
                list_corpus(str(tmp_path / "corpus"))[::order],
                plan,
                LocalExecutor(),
                lambda name, at=parts: _made(at / name),
            )
        warnings.add(opened.warnings)
    ((warning,),) = warnings
    assert warning.startswith(
        "lid.176 disagrees with labels of documents that were drawn to check them: "
        "de in 100.0% of 100 (mostly fr), fr in"
    )
    assert "% of 200 (mostly en)" in warning
    assert "en in" not in warning.replace("(mostly en)", "")


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def test_count_tells_of_labels_that_the_model_disagrees_with(tmp_path: Path) -> None:
    write_bench(tmp_path / "run")
    tokenizer = str(write_tokenizer(tmp_path / "model"))
    rows = [{"text": f"{SENTENCES['en']} water", "language": "fr"}, {"text": f"{SENTENCES['fr']} eau"}] * 5
    _write(tmp_path / "corpus/a.jsonl", rows)
    config = CountConfig(corpus=str(tmp_path / "corpus"), tokenizer=tokenizer, language_model="lid.176")
    counts = count_corpus(config, tmp_path / "run")
    assert (
        "lid.176 disagrees with labels of documents that were drawn to check them: fr in 100.0% of 5 (mostly en)"
        in (counts.manifest.warnings)
    )
    documents = {row["language"]: row["documents"] for row in counts.rows("languages")}
    assert documents == {"en": 0, "fr": 10}
    assert counts.manifest.inputs["language_model"] == "lid.176"


def test_settings_of_columns_are_those_of_every_stage_that_reads_documents() -> None:
    config = SimpleNamespace(
        text_column="a.b", language_column="", language="fr", language_file="", language_map=(), language_model=""
    )
    assert columns_of(config) == Columns(text="a.b", language="", default_language="fr")


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bench(tmp_path / "run")
    tokenizer = str(write_tokenizer(tmp_path / "model"))
    _write(tmp_path / "corpus/f.parquet", ROWS)
    count = ["count", "--run", str(tmp_path / "run"), "--tokenizer", tokenizer, "--corpus", str(tmp_path / "corpus")]
    for arguments, code, said in (
        (["--corpus-schema", "dolmo"], 2, "dolmo"),
        (["--language-map", "x=klingonish"], 2, "unknown language 'klingonish' in language_map"),
        (["--language-file", "("], 2, "language_file = '(' is no regular expression"),
        (["--language-model", "nothing.bin"], 2, "language_model = 'nothing.bin' is no file"),
        (["--language-column", "metadata.lang"], 4, "in 'metadata' only 'language', 'script', 'more'"),
    ):
        assert main([*count, *arguments]) == code
        assert said in capsys.readouterr().err
    assert main([*count, "--language-column", "metadata.language+metadata.script"]) == 0
