from __future__ import annotations

import gzip
import subprocess
from functools import partial
from pathlib import Path

import orjson
import pytest
import zstandard

from open_desktop_corpus.build import BuildError, Inputs, write_corpus
from open_desktop_corpus.html_text import page_text
from open_desktop_corpus.pages import page_documents
from partly_translated_corpus.sources import PAGE_SETS, label_of

PAGE = """<html><head><title>no</title></head><body>
<div class="navheader"><a>Download the ebook</a></div>
<p>Le noyau est chargé par un programme d'amorçage.</p><p>The kernel is loaded by a boot program.</p>
<div class="navfooter">Next</div></body></html>"""
MANUAL = ".TH X 1\n.SH NAME\nx \\- this page was never translated from the English original\n.SH AUTHOR\nJ. Doe\n"


def package(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """Make a Debian package that holds the files."""
    root = folder / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: test\n"
    )
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    subprocess.run(["dpkg-deb", "--build", "-Znone", root, folder / f"{name}.deb"], check=True, capture_output=True)
    return folder / f"{name}.deb"


def source(name: str):
    return next(pages for pages in PAGE_SETS if pages.name == name)


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        (None, "en"), ("fr", "fr"), ("pt_BR", "pt"), ("pt-br", "pt"), ("de-DE", "de"), ("zh_CN", "zh"),
        ("zh_TW", "zh-Hant"), ("zh-tw", "zh-Hant"), ("sr@latin", "sr-Latn"), ("man1", None), ("fr.UTF-8", "fr"),
    ],
)  # fmt: skip
def test_a_folder_claims_a_language(folder: str | None, label: str | None) -> None:
    assert label_of(folder) == label


def test_pages_that_nobody_translated_stand_under_their_folder(tmp_path: Path) -> None:
    manual = gzip.compress(MANUAL.encode())
    deb = package(tmp_path, "manpages-fr", {"usr/share/man/fr/man1/x.1.gz": manual, "usr/share/man/fr/README": b"no"})
    (document,), dropped = page_documents(source("manpages"), deb, label_of=label_of, as_it_comes=True)
    assert (document.id, document.language, document.group) == ("manpages/fr/x.1", "fr", "manpages/x.1")
    assert "never translated" in document.text
    assert not dropped
    assert page_documents(source("manpages"), deb) == ([], {"not translated": 1})


def test_pages_come_with_their_navigation() -> None:
    assert page_text(PAGE, mallard=False, whole=True).split("\n") == [
        "Download the ebook",
        "Le noyau est chargé par un programme d'amorçage.",
        "The kernel is loaded by a boot program.",
        "Next",
    ]
    assert page_text(PAGE, mallard=False).count("\n") == 1


def test_documents_are_written_once_with_a_manifest(tmp_path: Path) -> None:
    folder = "usr/share/doc/debian-handbook/html"
    files = {f"{folder}/{code}/a.html": PAGE.encode() for code in ("fr-FR", "it-IT")}
    deb = package(tmp_path, "debian-handbook", files)

    def plan(inputs: Inputs):
        task = partial(page_documents, source("debian-handbook"), deb, label_of=label_of, as_it_comes=True)
        return {"manuals": [task]}

    out = tmp_path / "corpus"
    manifest = write_corpus("test", out, plan, workers=1, strict=True, minimum_bytes=1)
    packed = (out / "manuals-00000.jsonl.zst").read_bytes()
    raw = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    (row,) = [orjson.loads(line) for line in raw.splitlines()]
    assert row["id"] == "debian-handbook/fr-FR/a"
    assert {"id", "text", "source", "group", "language", "license"} <= row.keys()
    assert manifest["dropped"] == {"same text as another document": 1}
    with pytest.raises(BuildError, match="bytes of text"):
        write_corpus("test", out, plan, workers=1, strict=True, minimum_bytes=10_000)


def test_every_pattern_names_a_locale_and_a_page() -> None:
    assert all({"locale", "page"} <= pages.pattern.groupindex.keys() for pages in PAGE_SETS)
