"""Killed at any moment and run again = never interrupted, byte for byte."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import STAGES, differing, left_over, start
from random_kills import Launcher, processes_with

from pivotlens.cli.main import main

_PARTS = {"count": "*.part", "select": "*.part", "score": "*.parquet", "trace": "*.parquet"}
_ATTEMPTS = 5


@pytest.fixture
def launch() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        started.append(start(*arguments, env=env))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(process: subprocess.Popen[str], seen: Callable[[], bool], seconds: float = 120) -> bool:
    """Wait until something is seen; False where the process ended without it."""
    end = time.monotonic() + seconds
    while not seen():
        if process.poll() is not None:
            return seen()
        assert time.monotonic() < end, "nothing happened"
    return True


def _begun(run: Path, stage: str) -> Callable[[], bool]:
    """Return a test for the first finished part of a stage, or for its work folder where it has no parts."""
    pattern = f"{stage}-*/parts/**/{_PARTS[stage]}" if stage in _PARTS else f"{stage}-*"
    return lambda: any(True for path in (run / ".work").glob(pattern) if not path.name.startswith("."))


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_goes_on(tiny, uninterrupted, run_until, launch, stage):
    run = run_until(stage)
    arguments = (stage, "--run", run, "--config", tiny.config)
    for _ in range(_ATTEMPTS):
        process = launch(*arguments)
        assert _wait_for(process, _begun(run, stage)) or process.returncode == 0
        _kill(process)
        if process.returncode == -signal.SIGKILL and not (run / stage).exists():
            break
        shutil.rmtree(run / stage, ignore_errors=True)  # it was faster than we: once more
    else:
        pytest.fail("no attempt interrupted the stage")
    if stage in _PARTS:
        assert _begun(run, stage)(), "the finished part is lost"
    assert main([str(argument) for argument in arguments]) == 0
    assert differing(uninterrupted / stage, run / stage) == []
    assert left_over(run) == []


@pytest.mark.parametrize("stage", ["count", "select"])
def test_a_killed_stage_with_workers_goes_on(tiny, uninterrupted, run_until, launch, stage):
    run = run_until(stage)
    arguments = (stage, "--run", run, "--config", tiny.config, "--workers", "2")
    process = launch(*arguments)
    assert _wait_for(process, _begun(run, stage))
    _kill(process)
    assert not (run / stage).exists()
    assert main([str(argument) for argument in arguments]) == 0
    assert differing(uninterrupted / stage, run / stage) == []
    assert left_over(run) == []


def test_killed_at_random_moments(killed_count):
    mark = {"KILLED_BY_TESTS": str(os.getpid())}
    workers = f"KILLED_BY_TESTS={os.getpid()}"
    stage = killed_count(Launcher(("--workers", "2"), mark, lambda: processes_with(workers, "spawn_main")))
    stage.run()
    print(dict(stage.killed))


# What a stage does to the disk, it does by renaming: dying before each rename in turn meets every state it can leave.
_DIES_AT_RENAME = """
import os, pathlib, signal, sys
left = int(sys.argv[1])
def dying(rename):
    def wrapper(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(*arguments, **named)
    return wrapper
os.replace, os.rename = dying(os.replace), dying(os.rename)
from pivotlens.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("stage", ["bench", "select"])
def test_dying_before_any_rename_loses_nothing(tiny, uninterrupted, run_until, stage):
    import sys

    from command_line import environment

    # Over an old result, so that putting the new one in its place is met half-way too.
    run = run_until(stage)
    assert main([stage, "--run", str(run), "--config", str(tiny.config), "--seed", "9"]) == 0
    arguments = [stage, "--run", str(run), "--config", str(tiny.config), "--replace"]
    for number in range(1, 40):
        command = [sys.executable, "-c", _DIES_AT_RENAME, str(number), *arguments]
        died = subprocess.run(command, capture_output=True, env=environment(), check=False)
        if died.returncode == 0:
            break
        assert died.returncode == -signal.SIGKILL, died.stderr
        # At every moment the old result, the new one or none is there, and never half of one.
        if (run / stage).exists():
            assert main(["verify", str(run)]) == 0
    assert number > 3
    assert main(arguments) == 0
    assert differing(uninterrupted / stage, run / stage) == []
    assert left_over(run) == []


def test_a_run_killed_again_and_again_ends_as_if_it_had_not_been(tiny, uninterrupted, tmp_path, launch):
    run = tmp_path / "run"
    draw = random.Random(5)
    killed = 0
    for _ in range(5):
        process = launch("run", "--config", tiny.config, "--run", run)
        try:
            process.wait(timeout=draw.uniform(0.8, 7))
        except subprocess.TimeoutExpired:
            _kill(process)
            killed += 1
    assert killed
    assert main(["run", "--config", str(tiny.config), "--run", str(run)]) == 0
    assert main(["verify", str(run)]) == 0
    assert differing(uninterrupted, run) == []
    assert left_over(run) == []


def test_a_second_process_on_the_same_stage_is_refused(tiny, uninterrupted, run_until, launch, capsys):
    run = run_until("score")
    arguments = ("score", "--run", run, "--config", tiny.config)
    first = launch(*arguments)
    assert _wait_for(first, lambda: (run / ".score.lock").exists() and (run / ".work").exists())
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        assert main([str(argument) for argument in arguments]) == 6
        shown = capsys.readouterr().err
        assert f"another process is running score in {run}" in shown
        assert "Wait for it to end" in shown
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    assert differing(uninterrupted / "score", run / "score") == []
    assert left_over(run) == []


@pytest.mark.parametrize(("stage", "workers"), [("count", 1), ("count", 2), ("trace", None)])
def test_ctrl_c_says_so_and_goes_on(tiny, uninterrupted, run_until, launch, capsys, stage, workers):
    run = run_until(stage)
    arguments = [stage, "--run", str(run), "--config", str(tiny.config)]
    if workers is not None:
        arguments += ["--workers", str(workers)]
    for _ in range(_ATTEMPTS):
        # Interrupted between opening a file and keeping it, Python would warn of it if it were told to.
        process = launch(*arguments, env={"PYTHONWARNINGS": "ignore"})
        assert _wait_for(process, _begun(run, stage))
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of the group
        out, err = process.communicate(timeout=60)
        if process.returncode:
            break
        shutil.rmtree(run / stage)
    assert process.returncode == 130, err
    assert err == "Interrupted; finished parts are kept, the same command goes on from there.\n"
    assert out == ""
    assert not (run / stage).exists()
    assert main([*arguments, "--dry-run"]) == 0
    said, *estimate = capsys.readouterr().out.splitlines()
    assert said == f"{stage:<10} runs: finished parts of an interrupted run go on"
    assert bool(estimate) == (stage == "count")
    assert main(arguments) == 0
    assert differing(uninterrupted / stage, run / stage) == []
    assert left_over(run) == []
