"""Kills at random moments: of the process that was called, or of one that works for it; then another launcher goes on.

`KILLS=20 python -m pytest tests/e2e -k random_moments` makes twenty a launcher, and not the few that every run makes.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from command_line import call, differing, left_over, start

KILLS = int(os.environ.get("KILLS", "2"))


def processes_with(variable: str, command: str) -> list[int]:
    """Return the processes that have a variable (``NAME=VALUE``) and a text in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables, told = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if variable.encode() in variables.split(b"\0") and command.encode() in told.replace(b"\0", b" "):
            found.append(int(folder.name))
    return found


@dataclass(frozen=True)
class Launcher:
    """What is killed.

    Attributes:
        options: Of the command.
        variables: Of its environment.
        tasks: Returns the processes that make parts or merge them, beside the one that was called.
        stop: Ends those that go on without it.
    """

    options: tuple[str, ...]
    variables: Mapping[str, str]
    tasks: Callable[[], list[int]]
    stop: Callable[[], object] = lambda: None


@dataclass
class KilledStage:
    """A stage that is killed until it was `KILLS` times, and between these goes on as a portion by hand.

    Attributes:
        whole: A run folder in which nothing disturbed it.
        before: Returns a new run folder with all that it needs.
        asked: The stage and its settings.
        launcher: What is killed.
        draw: What moments and victims follow from.
        killed: Kills of the process that was called, and of others.
    """

    whole: Path
    before: Callable[[], Path]
    asked: tuple[str, ...]
    launcher: Launcher
    draw: random.Random
    killed: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Kill, go on, and hold every result against the undisturbed one."""
        run = self.before()
        while self.killed.total() < KILLS:
            parts = _parts(run)
            self._begin_and_kill(run)
            if not self._ended_well(run):
                assert parts.items() <= _parts(run).items(), "a finished part is lost"
                if self.draw.random() < 0.5:  # another launcher goes on
                    self.launcher.stop()
                    assert self._call(run, "--shards", "1/2").returncode in (0, 7)
            if self._ended_well(run):
                run = self.before()
        self.launcher.stop()
        while (done := self._call(run, "--shards", "merge")).returncode == 7:
            assert self._call(run, "--shards", "1/1").returncode == 7
        assert done.returncode == 0, done.stderr
        assert self._ended_well(run)
        assert left_over(run) == []

    def _call(self, run: Path, *options: str) -> subprocess.CompletedProcess[str]:
        stage, *settings = self.asked
        return call(stage, "--run", run, *settings, *options)

    def _ended_well(self, run: Path) -> bool:
        stage = self.asked[0]
        if not (run / stage).exists():
            return False
        assert differing(self.whole / stage, run / stage) == []
        return True

    def _begin_and_kill(self, run: Path) -> None:
        stage, *settings = self.asked
        # By parts, not by the clock alone: a slow machine is not to be killed before it has begun each time.
        wanted = len(_parts(run)) + self.draw.randrange(4)
        process = start(stage, "--run", run, *settings, *self.launcher.options, env=self.launcher.variables)
        _wait(lambda: len(_parts(run)) >= wanted or process.poll() is not None)
        time.sleep(self.draw.uniform(0, 0.5))
        tasks = self.launcher.tasks() if self.draw.random() < 0.5 else []
        if process.poll() is not None:
            pass  # it was faster than we
        elif tasks:
            os.kill(self.draw.choice(tasks), signal.SIGKILL)
            self.killed["task"] += 1
        else:
            os.killpg(process.pid, signal.SIGKILL)
            self.killed["called"] += 1
        process.communicate(timeout=300)


def _parts(run: Path) -> dict[Path, bytes]:
    found = {}
    for path in run.glob(".work/**/*.part"):
        with contextlib.suppress(FileNotFoundError):  # the result is there, and its parts are removed
            found[path] = path.read_bytes()
    return found


def _wait(seen: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
