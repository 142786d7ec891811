from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import STAGES, call

from pivotlens import progress


@pytest.fixture(scope="session")
def uninterrupted(tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run that nothing disturbed; tests must not change it."""
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    done = call("run", "--config", tiny.config, "--run", run, env={"PYTHONHASHSEED": "1"})
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture
def run_until(uninterrupted: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a run folder with the results of all stages before one."""

    def copy(stage: str) -> Path:
        run = tmp_path / "run"
        run.mkdir()
        for name in STAGES[: STAGES.index(stage)]:
            shutil.copytree(uninterrupted / name, run / name)
        return run

    return copy


class Counting(NamedTuple):
    """A run folder with the counts of the tiny corpus, and how they were asked for; tests must not change it."""

    run: Path
    arguments: tuple[str, ...]


@pytest.fixture(scope="session")
def counted(tiny, tmp_path_factory: pytest.TempPathFactory) -> Counting:
    """Counts that one process made here, in two passes."""
    run = tmp_path_factory.mktemp("counted") / "run"
    arguments = ("--corpus", str(tiny.corpus), "--tokenizer", str(tiny.model), "--unit-characters", "256")
    arguments += ("--boilerplate-share", "0")
    for command in (("bench", "--config", str(tiny.config)), ("count", *arguments)):
        done = call(*command, "--run", run)
        assert done.returncode == 0, done.stderr
    return Counting(run, arguments)


@pytest.fixture
def uncounted(counted: Counting, tmp_path: Path) -> Path:
    """A run folder with all that counting needs."""
    shutil.copytree(counted.run / "bench", tmp_path / "run" / "bench")
    return tmp_path / "run"


@pytest.fixture(autouse=True)
def as_a_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No settings from outside, no network for the hub; what the command line installs for itself is taken back."""
    import os

    for name in [name for name in os.environ if name.startswith("PIVOTLENS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    tracker, announcer = progress.current_tracker.get(), progress.current_announcer.get()
    yield
    progress.install_tracker(tracker)
    progress.install_announcer(announcer)
