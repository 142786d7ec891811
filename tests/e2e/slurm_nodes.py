"""A real Slurm of two nodes on loopback, in a folder of its own: munged, slurmctld and two slurmd, as root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NODES = ("n1", "n2")
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch")
_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
_CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=10000
MaxArraySize=3
ReturnToService=1
JobRequeue=1
KillWait=1
SlurmdTimeout=20
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES State=UP
"""


def missing() -> str:
    """Return why there can be no Slurm here; nothing where there can."""
    if os.geteuid():
        return "Slurm's daemons must be started by root"
    absent = [name for name in NEEDED if shutil.which(name, path=_PATH) is None]
    return f"{', '.join(absent)} not installed (Debian: slurmctld slurmd slurm-client munge)" if absent else ""


@contextmanager
def slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Slurm and give the variables by which its commands find it; its daemons end with the block."""
    variables = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _PATH}
    with ExitStack() as sockets:
        opened = [sockets.enter_context(socket.socket()) for _ in range(3)]
        for one in opened:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in opened]
    text = _CONFIGURATION.format(host=socket.gethostname().partition(".")[0], folder=folder, ports=ports)
    (folder / "slurm.conf").write_text(text)
    (folder / "state").mkdir()
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munge += [f"--{kind}-file={folder}/munge.{kind}" for kind in ("pid", "log", "seed")]
    daemons = [munge, ["slurmctld", "-D", "-c"], *(["slurmd", "-D", "-N", node] for node in NODES)]
    with ExitStack() as stack:
        for daemon in daemons:
            stack.callback(_end, subprocess.Popen(
                daemon, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            ))  # fmt: skip
            time.sleep(0.5)
        stack.callback(command, variables, "scancel", "--full", "--user=root")
        end = time.monotonic() + 60
        while command(variables, "sinfo", "--noheader", "--format=%t %D").split() != ["idle", "2"]:
            assert time.monotonic() < end, (folder / "slurmctld.log").read_text()
            time.sleep(0.2)
        yield variables


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def command(variables: dict[str, str], *arguments: str) -> str:
    """Return what a command of Slurm prints."""
    asked = subprocess.run(arguments, env=os.environ | variables, capture_output=True, text=True, check=False)
    return asked.stdout
