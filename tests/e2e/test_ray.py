"""Counting on a real cluster of Ray: the same bytes as here, whoever is killed."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import ONE_THREAD, call, differing, environment, left_over, start
from random_kills import Launcher, processes_with
from slow_task import tries_of

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra `ray`)"),
]
HERE = Path(__file__).parent


class Nodes(NamedTuple):
    """A cluster of two nodes."""

    variables: dict[str, str]
    kill_one: Callable[[], None]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A cluster on loopback whose workers see the modules of this folder."""
    variables = {"PYTHONPATH": ":".join([str(HERE), *filter(None, sys.path)]), "PYTHONWARNINGS": "default"}
    variables["CLUSTER_OF_TESTS"] = str(os.getpid())
    patient = {"RAY_raylet_start_wait_time_s": "120", "RAY_USAGE_STATS_ENABLED": "0"}
    cluster = subprocess.Popen(
        [sys.executable, str(HERE / "ray_nodes.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment(variables | patient), start_new_session=True,
    )  # fmt: skip
    said, told = cluster.stdout, cluster.stdin
    assert said is not None
    assert told is not None

    def kill_one() -> None:
        told.write("\n")
        told.flush()
        assert said.readline() == "killed\n"

    try:
        address = said.readline().strip()
        if not address:
            pytest.fail(f"no cluster of Ray came up: {cluster.communicate()[1]}")
        yield Nodes(variables | {"RAY_ADDRESS": address}, kill_one)
        cluster.communicate(timeout=60)
    finally:
        if cluster.poll() is None:
            os.killpg(cluster.pid, signal.SIGKILL)
            cluster.communicate()


# Makes the parts of a folder's files: CORPUS PARTS TRIES SECONDS BAD STUMBLES.
_DRIVER = """
import sys
from pathlib import Path
from slow_task import SlowTask
from pivotlens.corpus import PartStore, Shard, list_corpus
from pivotlens.corpus.on_ray import RayExecutor, connected

corpus, parts, tries, seconds, bad, stumbles = sys.argv[1:]
with connected():
    shards = [Shard.whole(file) for file in list_corpus(corpus)]
    RayExecutor().run(shards, SlowTask(Path(tries), float(seconds), bad, stumbles), PartStore(Path(parts)))
"""


class Driver(NamedTuple):
    """What a process has to do."""

    corpus: Path
    parts: Path
    tries: Path

    def start(self, nodes: Nodes, seconds: float, bad: str = "-", stumbles: str = "-") -> subprocess.Popen[str]:
        """Begin."""
        arguments = [str(self.corpus), str(self.parts), str(self.tries), str(seconds), bad, stumbles]
        return subprocess.Popen(
            [sys.executable, "-c", _DRIVER, *arguments], env=environment(nodes.variables), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip

    def made(self) -> list[Path]:
        """Return the parts that are there."""
        return sorted(self.parts.glob("*.part"))


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    """Six files to work on."""
    for name in ("corpus", "parts", "tries"):
        (tmp_path / name).mkdir()
    for number in range(6):
        (tmp_path / f"corpus/{number}.jsonl").write_text(f"file {number} {'x' * number}")
    return Driver(tmp_path / "corpus", tmp_path / "parts", tmp_path / "tries")


def _until(seen: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def test_counts_are_those_of_one_process(counted, uncounted, nodes):
    done = call("count", "--run", uncounted, *counted.arguments, "--executor", "ray", env=nodes.variables)
    assert done.returncode == 0, done.stderr
    assert differing(counted.run, uncounted) == []
    assert left_over(uncounted) == []


def test_killed_at_random_moments(killed_count, nodes):
    mark = f"CLUSTER_OF_TESTS={nodes.variables['CLUSTER_OF_TESTS']}"
    stage = killed_count(
        Launcher(("--executor", "ray"), nodes.variables, lambda: processes_with(mark, "ray::_work"))
    )  # fmt: skip
    stage.run()
    print(dict(stage.killed))


def test_what_lens_draws_and_select_takes_is_that_of_one_process(made, nodes, tmp_path):
    run = made.before(tmp_path / "run")
    done = call(made.stage, "--run", run, *made.arguments, "--executor", "ray", env=nodes.variables | ONE_THREAD)
    assert done.returncode == 0, done.stderr
    assert differing(made.run, run) == []
    assert left_over(run) == []


@pytest.mark.parametrize("portion", [("--workers", "2"), ("--shards", "merge")])
def test_killed_here_and_gone_on_elsewhere(counted, uncounted, nodes, portion):
    asked = ("count", "--run", uncounted, *counted.arguments)
    process = start(*asked, "--executor", "ray", env=nodes.variables)
    _until(lambda: any(uncounted.glob(".work/**/*.part")) or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {path: path.stat().st_mtime_ns for path in uncounted.glob(".work/**/*.part")}
    done = call(*asked, *portion)
    while done.returncode == 7:
        now = {path: path.stat().st_mtime_ns for path in uncounted.glob(".work/**/*.part")}
        assert before.items() <= now.items(), "a finished shard was done again"
        assert call(*asked, "--shards", "1/1").returncode == 7
        done = call(*asked, *portion)
    assert done.returncode == 0, done.stderr
    assert differing(counted.run, uncounted) == []


def test_an_error_arrives_as_it_was_raised_and_the_rest_goes_on(driver, nodes):
    process = driver.start(nodes, 0, bad="3.jsonl")
    _, said = process.communicate(timeout=180)
    assert said.strip().splitlines()[-2:] == ["pivotlens.errors.DataError: 3.jsonl: bad", "Mend it."]
    assert len(driver.made()) == 5
    process = driver.start(nodes, 0, stumbles="3.jsonl")
    _, said = process.communicate(timeout=180)
    assert "ZeroDivisionError: a bug\nThis happened at work on " in said
    assert "slow_task.py" in said


def test_ctrl_c_ends_it_at_once(driver, nodes):
    process = driver.start(nodes, 30)
    _until(lambda: (driver.parts / ".pass.json").exists())
    time.sleep(2)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - begun < 10
    assert "KeyboardInterrupt" in said


def test_what_a_killed_node_had_begun_is_done_again_and_nothing_else(driver, nodes):  # last: one node is left
    process = driver.start(nodes, 1.0)
    _until(lambda: len(driver.made()) >= 2)
    done = tries_of(driver.tries)
    nodes.kill_one()
    _, said = process.communicate(timeout=180)
    assert process.returncode == 0, said
    assert tries_of(driver.tries) == {f"{number}.jsonl": 1 for number in range(6)}
    assert done.items() <= tries_of(driver.tries).items()
    contents = sorted(path.read_bytes() for path in driver.corpus.iterdir())
    assert sorted(path.read_bytes() for path in driver.made()) == [content * 100 for content in contents]
