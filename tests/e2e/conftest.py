from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import ONE_THREAD, STAGES, call
from random_kills import KILLS, KilledStage, Launcher

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
def killed_count(counted: Counting, tmp_path: Path) -> Callable[[Launcher], KilledStage]:
    """Return the counting of the tiny corpus under a launcher, to be killed again and again."""

    def before() -> Path:
        run = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(counted.run / "bench", run / "bench")
        return run

    return lambda launcher: KilledStage(
        counted.run, before, ("count", *counted.arguments), launcher, random.Random(KILLS)
    )


@pytest.fixture
def uncounted(counted: Counting, tmp_path: Path) -> Path:
    """A run folder with all that counting needs."""
    shutil.copytree(counted.run / "bench", tmp_path / "run" / "bench")
    return tmp_path / "run"


class Made(NamedTuple):
    """What one process made of a stage here, and how it was asked for; tests must not change it."""

    run: Path
    stage: str
    arguments: tuple[str, ...]

    def before(self, folder: Path) -> Path:
        """Return a run folder with all that the stage needs."""
        for path in self.run.iterdir():
            if path.is_dir() and path.name != self.stage:
                shutil.copytree(path, folder / path.name)
        folder.mkdir(exist_ok=True)
        return folder


# `lens` draws its sample in one pass, `select` scores, weighs, writes and joins in five.
_STAGES_ON_CORPORA = {
    "lens": ("--tokens", "400", "--steps", "4", "--held-out", "2", "--sequence-length", "32"),
    "select": ("--arms", "top", "matched", "dsir", "--budget-tokens", "2000", "--max-similarity", "0.9"),
}


@pytest.fixture(scope="session", params=_STAGES_ON_CORPORA)
def made(request: pytest.FixtureRequest, mined, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A stage of the tiny corpus other than counting."""
    stage, run = request.param, tmp_path_factory.mktemp(request.param) / "run"
    if stage == "select":
        shutil.copytree(mined.run, run)
        arguments: tuple[str, ...] = ("--tokenizer", str(mined.model), "--min-tokens", "8")
    else:
        arguments = ("--model", str(mined.model))
    arguments = ("--corpus", str(mined.corpus), "--unit-characters", "256", "--boilerplate-share", "0", *arguments)
    arguments = (*arguments, *_STAGES_ON_CORPORA[stage])
    done = call(stage, "--run", run, *arguments, env=ONE_THREAD)
    assert done.returncode == 0, done.stderr
    return Made(run, stage, arguments)


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
