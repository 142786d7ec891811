from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from pivotlens.corpus import CorpusFile, Shard, files, list_corpus, read_documents, survey_corpus
from pivotlens.errors import ConfigError, DataError, PrerequisiteError

ROW = b'{"text": "eau", "language": "fr"}\n'


def _write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(ROW)


def test_folder_holds_known_visible_files_sorted(tmp_path: Path) -> None:
    _write(tmp_path, "b.jsonl", "a/c.jsonl", "notes.txt", "manifest.json", ".hidden/x.jsonl", ".y.jsonl")
    assert [file.name for file in list_corpus(str(tmp_path))] == ["a/c.jsonl", "b.jsonl"]
    assert list_corpus(str(tmp_path))[1].size == len(ROW)


def test_every_file_that_looks_like_data_is_read_or_named(tmp_path: Path) -> None:
    read = ["a.jsonl", "b.ndjson", "C.JSONL", "d.jsonl.GZ", "e.jsonl.xz", "f.jsonl.bz2", "g.json.gz", "h.parq", "i.PQ"]
    named = ["j.json", "k.csv", "l.jsonl.lz4", "m.txt", "n.jsonl.gz.part", "o.arrow", "p.tar", "no-ending"]
    quiet = ["README.md", "README", "LICENSE.txt", "_SUCCESS", "a.jsonl.crc", "dataset_info.json", "manifest.json",
             ".gitattributes", ".cache/x.csv", "sub/index.html", "a.sha256"]  # fmt: skip
    _write(tmp_path, *read, *named, *quiet)
    found = survey_corpus(str(tmp_path))
    assert {file.name for file in found.files} == set(read)
    assert found.warnings == (
        "left out of the corpus, as it may describe the data (end a glob in .json to read such files): j.json",
        "left out of the corpus, of no kind that is read: "
        "k.csv, l.jsonl.lz4, m.txt, n.jsonl.gz.part, no-ending, o.arrow, p.tar",
    )
    assert survey_corpus(str(tmp_path / "a.jsonl")).warnings == ()
    for spec in ("j.json", "*.json", "[j].json"):
        assert "j.json" in {file.name for file in list_corpus(str(tmp_path / spec))}


def test_many_files_left_out_are_counted(tmp_path: Path) -> None:
    _write(tmp_path, "a.jsonl", *(f"{number:02}.csv" for number in range(25)))
    (warning,) = survey_corpus(str(tmp_path)).warnings
    assert warning.endswith("08.csv, 09.csv and 15 more")


def test_a_folder_of_which_nothing_is_read_says_what_is_there(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "b.json")
    with pytest.raises(DataError, match=r"holds no file that can be read") as caught:
        list_corpus(str(tmp_path))
    assert "a.csv" in caught.value.hint
    assert "b.json" in caught.value.hint


def test_links_are_followed_in_no_circle_and_no_file_is_read_twice(tmp_path: Path) -> None:
    _write(tmp_path, "elsewhere/en/a.jsonl", "corpus/z/b.jsonl")
    corpus = tmp_path / "corpus"
    (corpus / "linked").symlink_to(tmp_path / "elsewhere")
    (corpus / "z/up").symlink_to(corpus)
    (corpus / "z/self").symlink_to("self")
    (corpus / "again").symlink_to(corpus / "z")
    (corpus / "z/hard.jsonl").hardlink_to(corpus / "z/b.jsonl")
    (corpus / "gone.jsonl").symlink_to(".git/annex/objects/xyz")
    found = survey_corpus(str(corpus))
    assert [file.name for file in found.files] == ["linked/en/a.jsonl", "z/b.jsonl"]
    assert found.warnings == (
        "left out of the corpus, as it is the same file under a second name: "
        "again/b.jsonl (z/b.jsonl), again/hard.jsonl (z/b.jsonl), z/hard.jsonl (z/b.jsonl)",
        "left out of the corpus, links to files that are not there: again/self, gone.jsonl, z/self",
    )
    assert [file.name for file in list_corpus(str(corpus / "**/*.jsonl"))] == ["linked/en/a.jsonl", "z/b.jsonl"]
    assert [file.name for file in list_corpus(str(corpus / "ag*/b.jsonl"))] == ["again/b.jsonl"]
    with pytest.raises(DataError, match=r"is a link to '\.git/annex/objects/xyz', which is not there"):
        list_corpus(str(corpus / "gone.jsonl"))


def test_the_same_documents_twice_are_named(tmp_path: Path) -> None:
    _write(tmp_path, "a.jsonl", "a.JSONL.gz", "b/a.jsonl", "a.b.jsonl", "c.parquet", "c.json.zst", "d.jsonl")
    found = survey_corpus(str(tmp_path))
    assert len(found.files) == 7
    assert found.warnings == (
        "likely the same documents twice, all of them read: a.JSONL.gz and a.jsonl, c.json.zst and c.parquet",
    )


def test_folders_that_a_glob_takes_for_files_are_named(tmp_path: Path) -> None:
    _write(tmp_path, "a.jsonl", "fr/b.jsonl")
    found = survey_corpus(str(tmp_path / "*"))
    assert [file.name for file in found.files] == ["a.jsonl"]
    assert found.warnings == ("left out of the corpus, folders, as a glob of files does not search them: fr",)
    assert survey_corpus(str(tmp_path / "**/*")).warnings == ()


def test_names_that_are_not_utf8_are_shown_with_escapes(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jsonl")
    _write(tmp_path, name)
    (file,) = list_corpus(str(tmp_path))
    assert file.name == "caf\\xe9.jsonl"
    assert [document.file for document in read_documents(Shard.whole(file))] == ["caf\\xe9.jsonl"]
    assert survey_corpus(str(tmp_path)).fingerprint
    assert list_corpus(str(tmp_path / name))[0].name == "caf\\xe9.jsonl"
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=r"cannot open .*caf\\xe9\.jsonl") as caught:
        list(read_documents(Shard.whole(file)))
    caught.value.message.encode()
    with pytest.raises(DataError, match=r"no file or folder .*caf\\+xe9") as caught:
        list_corpus(str(tmp_path / name))
    caught.value.message.encode()
    _write(tmp_path, name, "caf\\xe9.jsonl")
    with pytest.raises(DataError, match="both shown as"):
        list_corpus(str(tmp_path))


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, "a.jsonl", "closed/b.jsonl")
    listed = Path.iterdir

    def closed(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(DataError, match=r"cannot open the folder .*closed: Permission denied"):
        list_corpus(str(tmp_path))


def test_local_urls_are_paths(tmp_path: Path) -> None:
    _write(tmp_path / "elsewhere", "a.jsonl")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/linked").symlink_to(tmp_path / "elsewhere")
    assert list_corpus(f"file://{tmp_path}/corpus") == list_corpus(f"{tmp_path}/corpus")


@pytest.mark.parametrize("path", ["a.jsonl", "folder", "folder/", "*.jsonl"])
def test_a_refused_connection_is_not_called_a_missing_file(path: str) -> None:
    with pytest.raises(PrerequisiteError, match=r"cannot reach https://127\.0\.0\.1:9/.*Connect") as caught:
        list_corpus(f"https://127.0.0.1:9/{path}")
    assert "network" in caught.value.hint
    file = CorpusFile("a.jsonl", "https://127.0.0.1:9/a.jsonl", 1, "")
    with pytest.raises(PrerequisiteError, match="cannot reach"):
        list(read_documents(Shard.whole(file)))


def test_file_and_glob(tmp_path: Path) -> None:
    _write(tmp_path, "x/a.jsonl", "x/b.jsonl", "y/a.jsonl")
    assert [file.name for file in list_corpus(str(tmp_path / "x/a.jsonl"))] == ["a.jsonl"]
    assert [file.name for file in list_corpus(str(tmp_path / "*/a.jsonl"))] == ["x/a.jsonl", "y/a.jsonl"]
    assert [file.name for file in list_corpus(str(tmp_path / "**/*.jsonl"))] == ["x/a.jsonl", "x/b.jsonl", "y/a.jsonl"]


def test_fingerprint_follows_names_sizes_and_times_not_places(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        _write(tmp_path / folder, "a.jsonl")
        os.utime(tmp_path / folder / "a.jsonl", ns=(5, 5))
    assert survey_corpus(str(tmp_path / "one")).fingerprint == survey_corpus(str(tmp_path / "two")).fingerprint
    os.utime(tmp_path / "two" / "a.jsonl", ns=(6, 6))
    assert survey_corpus(str(tmp_path / "one")).fingerprint != survey_corpus(str(tmp_path / "two")).fingerprint


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("", ConfigError, "no corpus given"),
        ("demo:tatoba", ConfigError, "did you mean 'demo:tatoeba'"),
        ("missing-folder", DataError, "'missing-folder'"),
        ("empty", DataError, "'empty'"),
        ("empty/*.jsonl", DataError, "holds no file"),
        ("missing/*.jsonl", DataError, "holds no file"),
        ("text.txt", DataError, r"\.jsonl\.zst"),
        ("nosuch://bucket/x", PrerequisiteError, "nosuch"),
        ("memory://nothing-here", DataError, "nothing-here"),
    ],
)
def test_specs_that_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, error: type, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    _write(tmp_path, "text.txt")
    with pytest.raises(error, match=message):
        list_corpus(spec)


def test_remote_files(tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.pipe({"/corpus/en/a.jsonl": ROW, "/corpus/b.jsonl": ROW, "/corpus/readme.md": b""})
    try:
        found = list_corpus("memory://corpus")
        assert [file.name for file in found] == ["b.jsonl", "en/a.jsonl"]
        assert [file.name for file in list_corpus("memory://corpus/*/a.jsonl")] == ["en/a.jsonl"]
        assert [file.name for file in list_corpus("memory://corpus/b.jsonl")] == ["b.jsonl"]
        assert [document.text for document in read_documents(Shard.whole(found[0]))] == ["eau"]
    finally:
        system.rm("/corpus", recursive=True)


def test_remote_files_left_out_are_named() -> None:
    system = fsspec.filesystem("memory")
    system.pipe(
        {"/odd/A.JSONL": ROW, "/odd/a.jsonl.xz": ROW, "/odd/x.csv": b"", "/odd/_SUCCESS": b"", "/odd/y.json": b""}
    )
    try:
        found = survey_corpus("memory://odd")
        assert [file.name for file in found.files] == ["A.JSONL", "a.jsonl.xz"]
        assert [warning.rpartition(": ")[2] for warning in found.warnings] == ["y.json", "x.csv"]
        assert [file.name for file in list_corpus("memory://odd/*.json")] == ["y.json"]
    finally:
        system.rm("/odd", recursive=True)


def test_bundled_sample_goes_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, "sample/a.jsonl")
    monkeypatch.setattr(files.resources, "files", lambda package: tmp_path)
    before = survey_corpus("demo:tatoeba").fingerprint
    os.utime(tmp_path / "sample/a.jsonl", ns=(1, 1))
    assert survey_corpus("demo:tatoeba").fingerprint == before
    (tmp_path / "sample/a.jsonl").write_bytes(ROW.replace(b"eau", b"sel"))
    assert survey_corpus("demo:tatoeba").fingerprint != before
    (tmp_path / "sample/a.jsonl").unlink()
    with pytest.raises(PrerequisiteError, match="not part of this installation"):
        list_corpus("demo:tatoeba")
