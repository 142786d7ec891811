"""The jobs of examples/olmo-1b, as the shell reads them: every command is planned, and opens no connection."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest

from pivotlens.cli.main import main
from pivotlens.pipeline import Pipeline
from pivotlens.select.config import SelectConfig
from pivotlens.select.stage import select_documents
from pivotlens.train.config import TrainConfig
from pivotlens.train.stage import train_model

pytestmark = pytest.mark.usefixtures("one_thread")

EXAMPLE = Path(__file__).parents[2] / "examples" / "olmo-1b"
JOBS = {"mine": range(1), "select": range(6), "train": range(21), "monoweb": range(4)}
"""Each script with the tasks of its array."""


@pytest.fixture(scope="module")
def site(mined, tmp_path_factory) -> Path:
    """What `fetch.sh` and earlier jobs leave, with a tiny model and a few documents in the place of the large ones."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(mined.model, folder / "models/olmo-1b-step605000")
    for variant in ("baseline", "monoweb", "onlyparallel", "onlycodeswitch"):
        for step in (2000, 4000):
            name = f"models/monoweb/ckpt_exp_en_fr_{variant}/iter_{step:07d}/hf_model"
            shutil.copytree(mined.model, folder / name)
    shutil.copytree(mined.corpus, folder / "corpus/dolma")
    shutil.copytree(mined.run, folder / "runs/olmo/mining")
    arms = folder / "runs/olmo/arms-0"
    shutil.copytree(mined.run, arms)
    config = SelectConfig(
        corpus=str(mined.corpus), tokenizer=str(mined.model), unit_characters=256, budget_tokens=300, min_tokens=4,
        arms=("top", "matched", "pseudo_pivots", "random", "share"), shortage="take_all",
    )  # fmt: skip
    select_documents(config, arms)
    for seed in range(1, 6):
        shutil.copytree(arms, folder / f"runs/olmo/arms-{seed}")
    return folder


def commands(job: str, task: int, site: Path) -> list[list[str]]:
    """Return the arguments of every call of pivotlens in a job, which a program of that name writes down."""
    programs, said = site / "programs", site / f"said-{job}-{task}"
    programs.mkdir(exist_ok=True)
    program = programs / "pivotlens"
    program.write_text('#!/bin/bash\nprintf "%s\\0" "$@" >> "$SAID"\nprintf "\\n" >> "$SAID"\n')
    program.chmod(0o755)
    said.unlink(missing_ok=True)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "SAID": str(said), "CONFIGS": str(EXAMPLE),
        "SLURM_ARRAY_TASK_ID": str(task), "SLURM_CPUS_PER_TASK": "2",
    }  # fmt: skip
    subprocess.run(["bash", EXAMPLE / f"{job}.sbatch"], check=True, cwd=site, env=environment)
    return [line.split("\0")[:-1] for line in said.read_text().split("\n")[:-1]]


def test_every_command_is_planned_and_opens_no_connection(site, mined, monkeypatch, capsys):
    def refuse(*_: object) -> None:
        raise AssertionError("a command opened a connection")

    monkeypatch.chdir(site)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    trained: set[str] = set()
    for job, tasks in JOBS.items():
        for task in (tasks[0], tasks[-1]):
            found = commands(job, task, site)
            assert found
            for arguments in found:
                verb, run = arguments[0], arguments[arguments.index("--run") + 1]
                if verb != "bench":
                    _stand_in(site / run, mined, trained=verb != "train")
                assert main([*arguments, "--dry-run"]) == 0, arguments
                trained |= {run} if verb == "train" else set()
    assert "runs:" in capsys.readouterr().out
    assert trained == {"runs/olmo/top-0", "runs/olmo/share-2"}


def _stand_in(run: Path, mined, trained: bool) -> None:
    """Put a benchmark, and a training of an arm, where the commands before would have left them."""
    if not (run / "bench").exists():
        shutil.copytree(mined.run / "bench", run / "bench")
    arm, _, seed = run.name.rpartition("-")
    if trained and run.parent.name == "olmo" and arm not in ("", "arms") and not (run / "train").exists():
        config = TrainConfig(
            model=str(mined.model), arms=(f"{arm}=run:runs/olmo/arms-{seed}:select/{arm}",), seeds=(int(seed),),
            sequence_length=32, batch_sequences=2, tokens=64, device="cpu", precision="float32",
        )  # fmt: skip
        train_model(config, run)


def test_the_array_of_trainings_is_the_design(site):
    found = []
    for task in JOBS["train"]:
        (train,) = (one for one in commands("train", task, site) if one[0] == "train")
        arm, seed = train[train.index("--arms") + 1].partition("=")[0], int(train[train.index("--seeds") + 1])
        assert train[train.index("--arms") + 1] == f"{arm}=run:runs/olmo/arms-{seed}:select/{arm}"
        found.append((arm, seed))
    assert len(set(found)) == len(found) == 21
    assert {arm: sum(one == arm for one, _ in found) for arm, _ in found} == {
        "top": 6, "matched": 6, "pseudo_pivots": 3, "random": 3, "share": 3,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["olmo.toml", "monoweb.toml"])
def test_configurations_are_read(name):
    content = tomllib.loads((EXAMPLE / name).read_text(encoding="utf-8"))
    configs = Pipeline.from_mapping(content, name).configs
    assert set(content) - {"model", "corpus"} <= set(configs)
    if "train" in configs:
        train = configs["train"]
        assert isinstance(train, TrainConfig)
        assert train.tokens is not None
        assert train.tokens % (train.sequence_length * train.batch_sequences) == 0


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLE.glob("*.s*")))
def test_scripts_are_shell(script):
    shell = "sh" if script.endswith(".sh") else "bash"
    subprocess.run([shell, "-n", EXAMPLE / script], check=True)


def test_the_readme_names_every_file():
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLE.iterdir() if path.name not in text and path.name != "README.md"] == []
