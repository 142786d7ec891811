from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from pivotlens.corpus import CorpusFile, list_corpus, part_path, run_over_files
from pivotlens.errors import DataError


@dataclass(frozen=True)
class Shout:
    """A task that can cross to another process."""

    refuse: str = ""

    def __call__(self, file: CorpusFile) -> bytes:
        if file.name == self.refuse:
            raise DataError(f"{file.name}, line 3: bad", "Mend it.")
        return Path(file.location).read_bytes().upper() + f" {os.getpid() == _MAIN}".encode()


_MAIN = int(os.environ.setdefault("TEST_CORPUS_EXECUTOR_MAIN", str(os.getpid())))


def _corpus(folder: Path, n: int = 5) -> tuple[CorpusFile, ...]:
    folder.mkdir()
    for number in range(n):
        (folder / f"{number}.jsonl").write_text(f"file {number}")
    return list_corpus(str(folder))


def test_finished_parts_are_not_made_again(tmp_path: Path) -> None:
    files = _corpus(tmp_path / "corpus")
    folder = tmp_path / "parts"
    folder.mkdir()
    with pytest.raises(DataError, match=r"3\.jsonl, line 3"):
        run_over_files(folder, files, Shout(refuse="3.jsonl"))
    part_path(folder, files[0]).write_bytes(b"kept")
    parts = run_over_files(folder, files, Shout())
    assert [part.read_bytes() for part in parts] == [b"kept", *(b"FILE %d True" % n for n in (1, 2, 3, 4))]


def test_processes_do_the_same_and_hand_on_errors(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    files = _corpus(tmp_path / "corpus")
    folder = tmp_path / "parts"
    folder.mkdir()
    with caplog.at_level(logging.DEBUG), pytest.raises(DataError) as caught:
        run_over_files(folder, files, Shout(refuse="3.jsonl"), workers=2)
    assert (caught.value.message, caught.value.hint) == ("3.jsonl, line 3: bad", "Mend it.")
    assert not part_path(folder, files[3]).exists()
    parts = run_over_files(folder, files, Shout(), workers=2)
    done = [part.read_bytes().rsplit(b" ", 1) for part in parts]
    assert [text for text, _ in done] == [b"FILE %d" % n for n in range(5)]
    assert b"False" in {in_main for _, in_main in done}  # a last file that was left over may be done here
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("corpus", "parts")] == []
    assert capfd.readouterr() == ("", "")
