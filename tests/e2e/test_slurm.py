"""Counting on a real Slurm of two nodes: the same bytes as here, whatever becomes of a node."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from command_line import ONE_THREAD, call, differing, start
from random_kills import Launcher, processes_with
from slurm_nodes import command, missing, slurm

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with slurm(tmp_path_factory.mktemp("slurm")) as variables:
        yield variables


def _until(seen: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.1)


def test_a_node_goes_down_and_its_jobs_are_done_again(counted, uncounted, variables):
    # More portions than an array may have tasks here: MaxArraySize is 3.
    process = start(
        "count", "--run", uncounted, *counted.arguments, "--executor", "slurm", "--portions", "5", "--sbatch", "mem=0",
        env=variables,
    )  # fmt: skip
    try:
        tasks = ("squeue", "--noheader", "--states=R", "--nodelist=n2", "--format=%K")
        _until(lambda: command(variables, *tasks).strip() in {"0", "1"} or process.poll() is not None)
        command(variables, "scontrol", "update", "nodename=n2", "state=down", "reason=test")
        assert "count: unfinished, Finding words: " in call("show", uncounted).stdout
        command(variables, "scontrol", "update", "nodename=n2", "state=resume")
        _, said = process.communicate(timeout=300)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, said
    assert differing(counted.run / "count", uncounted / "count") == []
    logs = uncounted / "logs/slurm/count"
    assert len([*logs.glob("merge-*.log")]) == 3
    assert len([*logs.glob("portion-*_[01].log")]) == len([*logs.glob("portion-*.log")]) == 4


def test_killed_at_random_moments(killed_count, variables):
    mark = f"SLURM_CONF={variables['SLURM_CONF']}"

    def stop() -> None:
        command(variables, "scancel", "--full", "--user=root")
        _until(lambda: not command(variables, "squeue", "--noheader").strip())

    options = ("--executor", "slurm", "--portions", "2", "--sbatch", "mem=0")
    stage = killed_count(Launcher(options, variables, lambda: processes_with(mark, "-m pivotlens count"), stop))
    stage.run()
    print(dict(stage.killed))


def test_what_lens_draws_and_select_takes_is_that_of_one_process(made, variables, tmp_path):
    run = made.before(tmp_path / "run")
    done = call(
        made.stage, "--run", run, *made.arguments, "--executor", "slurm", "--portions", "2", "--sbatch", "mem=0",
        env=variables | ONE_THREAD,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert differing(made.run / made.stage, run / made.stage) == []


def test_a_shard_that_fails_is_named_and_the_others_are_made(counted, uncounted, tiny, variables, tmp_path):
    corpus = shutil.copytree(tiny.corpus, tmp_path / "corpus")
    (corpus / "damaged.jsonl.gz").write_bytes(b"\x1f\x8b\x08no gzip")
    arguments = [str(corpus) if one == str(tiny.corpus) else one for one in counted.arguments]
    done = call(
        "count", "--run", uncounted, *arguments, "--executor", "slurm", "--portions", "2", "--sbatch", "mem=0",
        env=variables,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "the jobs of count on Slurm ended without a result" in done.stderr
    assert "damaged.jsonl.gz" in done.stderr
    assert len([*uncounted.glob(".work/count-*/parts/occurrences/*.part")]) == len([*tiny.corpus.iterdir()])
    shown = call("show", uncounted).stdout
    assert "damaged.jsonl.gz" in shown.partition("Failed: ")[2]
