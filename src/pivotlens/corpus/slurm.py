"""Work on a corpus as jobs of Slurm: a script that is written to be read, submitted, and waited for."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from pivotlens.artifacts import Plan, read_manifest
from pivotlens.artifacts.files import write_bytes
from pivotlens.errors import ArtifactError, PivotLensError, PrerequisiteError
from pivotlens.progress import announce

# Settings that say how the work is dealt out, and not what is done.
_LAUNCHING = frozenset({"executor", "shards", "portions", "sbatch"})
# How often it is looked whether the jobs have ended, and how much of the last one's output is shown.
_PAUSE, _LINES = 5.0, 12

_SCRIPT = Template("""\
#!/usr/bin/env bash
# The work of `pivotlens $stage` on Slurm, in rounds. To begin, or to go on after an error:  bash $script
#
# A round is an array of jobs, which make the parts of the pass that is open, and a job after them, which merges the
# parts and opens the next pass. After the last pass it puts the result together and there is no further round; nor is
# there one when a round made no part, or all that is missing has failed: then its output names what is missing.
# Every job may be killed, requeued or done twice. `pivotlens show $run` tells how far it all is.
set -uo pipefail
cd $folder || exit

script=$script
work=$work
logs=$logs
portions=$portions
workers=$workers
options=($options)
command=($command)

# Made parts: a round that makes none is the last one.
parts() { find "$$work" -path "$$work/$stage[-.]*" -name '*.part' 2> /dev/null | wc -l; }

# Submits this script: NAME OF THE OUTPUT, OPTIONS OF SBATCH, --, WHAT IT IS TO DO.
submit() {
  local output=$$1 more=()
  shift
  while [ "$$1" != -- ]; do more+=("$$1"); shift; done
  shift
  sbatch --parsable "$${options[@]}" --output="$$logs/$$output" "$${more[@]}" "$$script" "$$@"
}

case $${1:-begin} in
  begin)
    mkdir -p "$$logs" && rm -f "$$logs/status" && submit merge-%j.log -- merge
    ;;

  portion)  # portion TASKS: an array has no more tasks than the cluster allows, so that one may make several portions
    failed=0
    for ((portion = SLURM_ARRAY_TASK_ID; portion < portions; portion += $$2)); do
      "$${command[@]}" --workers "$$workers" --shards "$$portion/$$portions"
      status=$$?
      ((status == 7)) || failed=$$status  # 7: this portion is made, and there is more to do
    done
    exit "$$failed"
    ;;

  merge)  # merge [PARTS]: how many there were when the round began
    "$${command[@]}" --shards merge
    status=$$?
    if ((status == 7)) && (($$(parts) > $${2:--1})); then
      most=$$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')
      tasks=$$((portions < $${most:-1001} - 1 ? portions : $${most:-1001} - 1))
      array=$$(submit portion-%A_%a.log --cpus-per-task="$$workers" --array="0-$$((tasks - 1))" -- portion "$$tasks") &&
        submit merge-%j.log --dependency="afterany:$$array" -- merge "$$(parts)"
      status=$$?
      ((status == 0)) && exit
    fi
    echo "$$status" > "$$logs/status"
    exit "$$status"
    ;;
esac
""")


@dataclass(frozen=True)
class SlurmJobs:
    """The jobs of a stage.

    Attributes:
        plan: Of the stage.
    """

    plan: Plan[Any]

    @property
    def name(self) -> str:
        """Of every job: by it they are found again."""
        return f"pivotlens-{self.plan.stage}-{self.plan.fingerprint[:12]}"

    @property
    def logs(self) -> Path:
        """Folder of what the jobs print; it outlives the work."""
        return self.plan.run.resolve() / "logs" / "slurm" / self.plan.stage

    @property
    def script(self) -> Path:
        """Where the script is."""
        return self.logs.parent / f"{self.plan.stage}.sh"

    def write_script(self) -> None:
        """Write the script; what it calls is the command that this plan was made from."""
        plan, config = self.plan, self.plan.config
        options = [f"--job-name={self.name}", "--requeue", "--open-mode=append", *(f"--{one}" for one in config.sbatch)]
        script = _SCRIPT.substitute(
            stage=plan.stage,
            run=shlex.quote(str(plan.run)),
            folder=shlex.quote(str(Path.cwd())),
            script=shlex.quote(str(self.script)),
            work=shlex.quote(str(plan.run.resolve() / ".work")),
            logs=shlex.quote(str(self.logs)),
            portions=config.portions,
            workers=config.workers,
            options=shlex.join(options),
            command=" \\\n  ".join(map(shlex.join, self._command())),
        )
        write_bytes(self.script, script.encode())

    def _command(self) -> Iterator[list[str]]:
        plan = self.plan
        yield [sys.executable, "-m", "pivotlens", plan.stage, "--run", str(plan.run)]
        for name, field in type(plan.config).model_fields.items():
            value = getattr(plan.config, name)
            if name in _LAUNCHING | {"workers"} or (value == field.default and name not in plan.origins):
                continue
            flag = f"--{name.replace('_', '-')}"
            if isinstance(value, tuple):
                yield [flag, *map(str, value)]
            elif value is not None:
                yield [f"{flag}={value}"]
        if plan.differing:
            yield ["--replace"]

    def queued(self) -> bool:
        """Tell whether a job waits or runs; also where the queue does not answer."""
        asked = subprocess.run(
            ["squeue", "--noheader", f"--name={self.name}", "--format=%i"], capture_output=True, text=True, check=False
        )
        return asked.returncode != 0 or bool(asked.stdout.strip())

    def submit(self) -> None:
        """Submit the first job.

        Raises:
            PrerequisiteError: Slurm refuses it.
        """
        submitted = subprocess.run(["bash", str(self.script)], capture_output=True, text=True, check=False)
        if submitted.returncode:
            raise PrerequisiteError(
                f"Slurm took no job of {self.script}: {submitted.stderr.strip()}",
                "Give the options that this cluster asks for, such as --sbatch partition=cpu account=mine.",
            )

    def finished(self) -> bool:
        """Tell whether the result is in its place."""
        manifest = read_manifest(self.plan.folder)
        return manifest is not None and manifest.fingerprint == self.plan.fingerprint

    def error(self) -> PivotLensError:
        """Return why the jobs ended without a result: of the kind that the last one ended with, in its words."""
        status = self.logs / "status"
        code = int(status.read_text()) if status.exists() else 0
        kind = next((kind for kind in PivotLensError.__subclasses__() if kind.exit_code == code), ArtifactError)
        last = max(self.logs.glob("merge-*.log"), key=lambda path: path.stat().st_mtime, default=None)
        said = last.read_text(errors="replace").splitlines()[-_LINES:] if last is not None else []
        return kind(
            "\n".join([f"the jobs of {self.plan.stage} on Slurm ended without a result", *said]),
            f"What each job said is in {self.logs}. Finished parts are kept, and the same command goes on from there.",
        )


def run_on_slurm(plan: Plan[Any]) -> None:
    """Have jobs of Slurm make the result of a stage, and wait for it; jobs that are at work already are waited for.

    Raises:
        PrerequisiteError: This machine submits no jobs, or Slurm took none.
        PivotLensError: The jobs ended without a result.
    """
    jobs = SlurmJobs(plan)
    jobs.write_script()
    if shutil.which("sbatch") is None:
        raise PrerequisiteError(
            f"there is no sbatch on this machine to submit {jobs.script} with",
            f"Run `bash {jobs.script}` where jobs are submitted; `pivotlens show {plan.run}` tells how far it is.",
        )
    if not jobs.queued():
        jobs.submit()
    announce(
        f"{plan.stage} is done by jobs of Slurm, which go on without this process (squeue --name={jobs.name}); "
        f"`pivotlens show {plan.run}` tells how far they are."
    )
    ended = False
    while not jobs.finished():
        if ended:
            raise jobs.error()
        ended = not jobs.queued()  # and once more a look for the result, which another machine has written
        time.sleep(_PAUSE)
