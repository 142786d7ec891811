"""The commands of docs/clusters.md: portions by hand give the bytes of one process."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

from command_line import PROGRAM, call, content, differing, environment, left_over, start

PAGE = Path(__file__).parents[2] / "docs/clusters.md"


def test_the_loop_of_the_page_with_a_portion_killed(counted, uncounted):
    asked = ("count", "--run", uncounted, *counted.arguments)
    assert call(*asked, "--shards", "merge").returncode == 7
    killed = start(*asked, "--shards", "1/1")
    while not any(uncounted.glob(".work/**/*.part")):
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    block = PAGE.read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
    mine = f"{shlex.quote(PROGRAM)} count --run {uncounted} {shlex.join(counted.arguments)}"
    theirs = "pivotlens count --run runs/mine --corpus 'data/*.jsonl.zst' --tokenizer ./my-model"
    assert theirs in block
    done = subprocess.run(
        ["bash", "-c", block.replace(theirs, mine)], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Unfinished: 'Counting tokens' lacks 4 of 4 shards: " in done.stderr
    assert differing(counted.run, uncounted) == []
    assert left_over(uncounted) == []
    before = content(uncounted, record=True)
    assert call(*asked, "--shards", "2/2").returncode == 0
    assert content(uncounted, record=True) == before
