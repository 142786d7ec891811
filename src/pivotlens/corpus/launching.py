"""Which launcher does the work of a stage on its corpus; no task and no stage knows which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pivotlens.artifacts import Plan
from pivotlens.corpus.executor import Executor, LocalExecutor
from pivotlens.corpus.portions import MERGE, OpeningExecutor, Portion, make_portion
from pivotlens.corpus.slurm import run_on_slurm
from pivotlens.extras import require_extra
from pivotlens.settings import Launched


def done_elsewhere(plan: Plan[Any]) -> bool:
    """Make the portion that is asked for, or have jobs do the whole stage; False where this process is to do it.

    Raises:
        UnfinishedError: A portion was made.
        PivotLensError: What went wrong with it, or with the jobs.
    """
    config = plan.config
    if not isinstance(config, Launched):
        return False
    if config.shards and config.shards != MERGE:
        make_portion(plan, Portion.parse(config.shards), config.workers)
    if config.executor == "slurm" and not config.shards:
        run_on_slurm(plan)
        return True
    return False


@contextmanager
def executor_of(plan: Plan[Any]) -> Iterator[Executor]:
    """Give what works on the shards of a stage that this process does.

    Raises:
        PrerequisiteError: Ray is asked for and not installed, or there is no cluster.
    """
    config = plan.config
    if not isinstance(config, Launched):
        yield LocalExecutor()
    elif config.shards:
        yield OpeningExecutor(plan.work_folder)
    elif config.executor == "ray":
        require_extra("`--executor ray`", "ray", ["ray"])
        from pivotlens.corpus.on_ray import RayExecutor, connected

        with connected():
            yield RayExecutor()
    else:
        yield LocalExecutor(config.workers)
