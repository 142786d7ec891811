"""Killed at random moments under one launcher and gone on under another = never interrupted, byte for byte.

The stage here has two passes and a merge between them, and takes milliseconds: what is tried is what launchers, parts,
locks and folders do, not what a pass computes. `tests/e2e` kills real stages.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import os, random, signal, sys, time
from dataclasses import dataclass
from pathlib import Path

from pivotlens.artifacts import make_plan, write_bytes
from pivotlens.artifacts.workspace import Workspace
from pivotlens.corpus import CorpusFile, LocalExecutor, PartStore, Shard
from pivotlens.corpus.portions import OpeningExecutor, Portion, make_portion
from pivotlens.count import CountConfig
from pivotlens.errors import UnfinishedError

SHARDS = [Shard.whole(CorpusFile(str(n), str(n), n * n, "")) for n in range(12)]
KILLS = 20


@dataclass(frozen=True)
class Pass:
    add: int

    def __call__(self, shard, part):
        time.sleep(0.002)
        write_bytes(part.with_suffix(".beside"), b"beside")
        write_bytes(part, str(int(shard.file.name) + self.add).encode() * 1000)


def stage(plan, executor):
    with Workspace(plan) as workspace:
        first, second = (PartStore(workspace.parts_folder(name)) for name in ("first", "second"))
        executor.run(SHARDS, Pass(0), first, "First")
        executor.run(SHARDS, Pass(sum(len(first.path(shard).read_bytes()) for shard in SHARDS)), second, "Second")
        write_bytes(workspace.staging / "all", b"".join(second.path(shard).read_bytes() for shard in SHARDS))
        workspace.staging.replace(plan.folder)


def work(plan, launcher):
    if plan.folder.exists():
        return
    try:
        if launcher == "local":
            stage(plan, LocalExecutor())
        elif launcher == "merge":
            stage(plan, OpeningExecutor(plan.work_folder))
        else:
            make_portion(plan, Portion(int(launcher), 3), 1)
    except UnfinishedError:
        pass


def finished(plan):
    return {path: path.stat().st_mtime_ns for path in plan.run.glob(".work/*/parts/*/*.part")}


draw = random.Random(int(sys.argv[2]))
whole, run = (make_plan(Path(sys.argv[1]) / name, CountConfig(), version=1, inputs={}) for name in ("whole", "run"))
work(whole, "local")
killed = 0
while killed < KILLS:
    before = finished(run)
    child = os.fork()
    if not child:
        work(run, draw.choice(["local", "merge", "1", "2", "3"]))
        os._exit(0)
    draw.random()  # the child drew
    time.sleep(draw.uniform(0, 0.05))
    os.kill(child, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    if run.folder.exists():  # faster than all that killed it
        assert (run.folder / "all").read_bytes() == (whole.folder / "all").read_bytes()
        os.rename(run.folder, run.run / f"done-{killed}")
    elif set(before) <= set(finished(run)):
        assert before.items() <= finished(run).items(), "a finished shard was done again"
    else:
        raise AssertionError("a finished part is lost")
while not run.folder.exists():
    for launcher in ("3", "1", "merge", "2"):
        work(run, launcher)
assert (run.folder / "all").read_bytes() == (whole.folder / "all").read_bytes()
Workspace(run).clear()
left = [path.name for path in run.run.iterdir() if not path.name.startswith("done-")]
assert left == ["count"], left
"""


def test_twenty_kills_under_any_launcher(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", _SCRIPT, str(tmp_path), "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
