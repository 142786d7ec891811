"""Running the command line as a user does, and comparing what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("pivotlens"))
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""For stages that run a model: the order of sums, and so their last bits, stays the same."""
STAGES = ("bench", "count", "mine", "score", "trace", "ablate", "attribute", "select", "report")

# A shell starts background jobs with SIGINT ignored, and that is inherited: a test run as one would not hear Ctrl-C.
_IN_FOREGROUND = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without settings, without network for the hub, in which every warning is an error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIVOTLENS_")}
    return clean | {"PYTHONWARNINGS": "error", "HF_HUB_OFFLINE": "1"} | dict(more or {})


def start(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the program in a process group of its own, as a shell does in the foreground."""
    return subprocess.Popen(
        [sys.executable, "-c", _IN_FOREGROUND, PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
        start_new_session=True,
    )


def call(
    *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    command = [PROGRAM, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(env), cwd=cwd, check=False, timeout=300
    )


def content(folder: Path, *, record: bool = False) -> dict[str, bytes]:
    """Return every file of a folder by its relative name; ``run.json`` holds times, so only where it is asked for."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (record or path.name != "run.json")
    }


def differing(first: Path, second: Path) -> list[str]:
    """Return the names of the files in which two folders differ."""
    one, other = content(first), content(second)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def left_over(run: Path) -> list[str]:
    """Return what an ended run should not leave: work, locks, temporary files."""
    return sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.name.startswith("."))
