"""Run the experiment: `python -m examples.known_truth RUN`; what is finished is not done again."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from examples.known_truth.plan import FULL, QUICK, Job, jobs


def main() -> None:
    """Do every job of the plan that has no result yet."""
    parser = argparse.ArgumentParser(prog="python -m examples.known_truth", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of worlds and run folders")
    parser.add_argument("--results", type=Path, help="folder of the tables that are kept; RUN/results when not given")
    parser.add_argument("--quick", action="store_true", help="a smaller world and one seed, in minutes")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds, in place of the plan's")
    parser.add_argument("--workers", type=int, default=2, help="jobs side by side, one thread each")
    given = parser.parse_args()
    plan = QUICK if given.quick else FULL
    todo = jobs(plan, given.seeds or plan.seeds, given.run, given.results or given.run / "results")
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
        for told in pool.map(Job.do, todo):
            print(told, flush=True)


if __name__ == "__main__":
    main()
