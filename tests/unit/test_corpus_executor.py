from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pivotlens.artifacts import write_bytes
from pivotlens.corpus import LocalExecutor, PartStore, Shard, list_corpus
from pivotlens.errors import DataError, PrerequisiteError


@dataclass(frozen=True)
class Shout:
    """A task that can cross to another process."""

    refuse: str = ""
    die: str = ""
    stumble: str = ""

    def __call__(self, shard: Shard, part: Path) -> None:
        if shard.file.name == self.refuse:
            raise DataError(f"{shard.file.name}, line 3: bad", "Mend it.")
        if shard.file.name == self.die:
            os.kill(os.getpid(), signal.SIGKILL)
        if shard.file.name == self.stumble:
            raise ZeroDivisionError("a bug")
        content = Path(shard.file.location).read_bytes().upper() + f" {os.getpid() == _MAIN}".encode()
        write_bytes(part, content)


_MAIN = int(os.environ.setdefault("TEST_CORPUS_EXECUTOR_MAIN", str(os.getpid())))


@pytest.fixture
def shards(tmp_path: Path) -> list[Shard]:
    (tmp_path / "corpus").mkdir()
    for number in range(5):
        (tmp_path / f"corpus/{number}.jsonl").write_text(f"file {number}")
    return [Shard.whole(file) for file in list_corpus(str(tmp_path / "corpus"))]


@pytest.fixture
def store(tmp_path: Path) -> PartStore:
    (tmp_path / "parts").mkdir()
    return PartStore(tmp_path / "parts")


def test_finished_parts_are_not_made_again(shards: list[Shard], store: PartStore) -> None:
    with pytest.raises(DataError, match=r"3\.jsonl, line 3"):
        LocalExecutor().run(shards, Shout(refuse="3.jsonl"), store)
    store.path(shards[0]).write_bytes(b"kept")
    LocalExecutor().run(shards, Shout(), store)
    parts = [store.path(shard).read_bytes() for shard in shards]
    assert parts == [b"kept", *(b"FILE %d True" % n for n in (1, 2, 3, 4))]


def test_processes_do_the_same_and_hand_on_errors(
    shards: list[Shard],
    store: PartStore,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(DataError) as caught:
        LocalExecutor(2).run(shards, Shout(refuse="3.jsonl"), store)
    assert (caught.value.message, caught.value.hint) == ("3.jsonl, line 3: bad", "Mend it.")
    assert not store.path(shards[3]).exists()
    LocalExecutor(2).run(shards, Shout(), store)
    done = [store.path(shard).read_bytes().rsplit(b" ", 1) for shard in shards]
    assert [text for text, _ in done] == [b"FILE %d" % n for n in range(5)]
    assert b"False" in {in_main for _, in_main in done}  # a last file that was left over may be done here
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("corpus", "parts")] == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bug_says_at_which_file_it_happened(shards: list[Shard], store: PartStore, workers: int) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        LocalExecutor(workers).run(shards, Shout(stumble="3.jsonl"), store)
    assert caught.value.__notes__ == [f"This happened at work on {shards[3].file.location}."]


def test_a_worker_that_is_killed_is_told_of(shards: list[Shard], store: PartStore) -> None:
    with pytest.raises(PrerequisiteError, match=r"ended from outside.* at work on one of .*3\.jsonl") as caught:
        LocalExecutor(2).run(shards[2:], Shout(die="3.jsonl"), store)
    assert "fewer workers" in caught.value.hint
    assert not store.path(shards[3]).exists()


_SLOW = """
import sys, time
from pathlib import Path
from pivotlens.artifacts import write_bytes
from pivotlens.corpus import LocalExecutor, PartStore, Shard, list_corpus

class Sleep:
    def __call__(self, shard, part):
        write_bytes(part.with_suffix(".begun"), str(__import__("os").getpid()).encode())
        time.sleep(60)
        write_bytes(part, b"")

if __name__ == "__main__":
    shards = [Shard.whole(file) for file in list_corpus(sys.argv[1])]
    try:
        LocalExecutor(2).run(shards, Sleep(), PartStore(Path(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def _begun(folder: Path) -> list[int]:
    return [int(path.read_text()) for path in folder.glob("*.begun")]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(
    shards: list[Shard], store: PartStore, tmp_path: Path, how: signal.Signals
) -> None:
    script = tmp_path / "slow.py"
    script.write_text(_SLOW)
    # As a terminal does: SIGINT is not ignored, and goes to the whole group.
    main = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "corpus"), str(store.folder)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        _until(lambda: len(_begun(store.folder)) == 2)
        workers = _begun(store.folder)
        begun = time.monotonic()
        if how == signal.SIGINT:
            os.killpg(main.pid, how)
        else:
            main.kill()
        _, said = main.communicate(timeout=30)
        assert time.monotonic() - begun < 10
        assert main.returncode == (130 if how == signal.SIGINT else -how)
        if how == signal.SIGINT:
            assert said == ""
        _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers) if sys.platform == "linux" else True)
    finally:
        if main.poll() is None:
            os.killpg(main.pid, signal.SIGKILL)
            main.communicate()


def _until(seen: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not seen():  # type: ignore[operator]
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
