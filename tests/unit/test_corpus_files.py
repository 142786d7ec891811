from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from pivotlens.corpus import corpus_fingerprint, files, list_corpus, read_documents
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


def test_file_and_glob(tmp_path: Path) -> None:
    _write(tmp_path, "x/a.jsonl", "x/b.jsonl", "y/a.jsonl")
    assert [file.name for file in list_corpus(str(tmp_path / "x/a.jsonl"))] == ["a.jsonl"]
    assert [file.name for file in list_corpus(str(tmp_path / "*/a.jsonl"))] == ["x/a.jsonl", "y/a.jsonl"]
    assert [file.name for file in list_corpus(str(tmp_path / "**/*.jsonl"))] == ["x/a.jsonl", "x/b.jsonl", "y/a.jsonl"]


def test_fingerprint_follows_names_sizes_and_times_not_places(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        _write(tmp_path / folder, "a.jsonl")
        os.utime(tmp_path / folder / "a.jsonl", ns=(5, 5))
    assert corpus_fingerprint(str(tmp_path / "one")) == corpus_fingerprint(str(tmp_path / "two"))
    os.utime(tmp_path / "two" / "a.jsonl", ns=(6, 6))
    assert corpus_fingerprint(str(tmp_path / "one")) != corpus_fingerprint(str(tmp_path / "two"))


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("", ConfigError, "no corpus given"),
        ("demo:tatoba", ConfigError, "did you mean 'tatoeba'"),
        ("missing-folder", DataError, "'missing-folder'"),
        ("empty", DataError, "'empty'"),
        ("empty/*.jsonl", DataError, "holds no file"),
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
        assert [document.text for document in read_documents(found[0])] == ["eau"]
    finally:
        system.rm("/corpus", recursive=True)


def test_bundled_sample_goes_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, "sample/a.jsonl")
    monkeypatch.setattr(files.resources, "files", lambda package: tmp_path)
    before = corpus_fingerprint("demo:tatoeba")
    os.utime(tmp_path / "sample/a.jsonl", ns=(1, 1))
    assert corpus_fingerprint("demo:tatoeba") == before
    (tmp_path / "sample/a.jsonl").write_bytes(ROW.replace(b"eau", b"sel"))
    assert corpus_fingerprint("demo:tatoeba") != before
    (tmp_path / "sample/a.jsonl").unlink()
    with pytest.raises(PrerequisiteError, match="not part of this installation"):
        list_corpus("demo:tatoeba")
