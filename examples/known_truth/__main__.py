"""Run the experiment: `python -m examples.known_truth RUN`; what is finished is not done again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from examples.command import told
from examples.known_truth.plan import FULL, QUICK, Job, jobs
from pivotlens.artifacts.files import writing_errors
from pivotlens.errors import ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiment and return the exit code."""
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.known_truth", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of worlds and run folders")
    parser.add_argument("--results", type=Path, help="folder of the tables that are kept; RUN/results when not given")
    parser.add_argument(
        "--quick", action="store_true", help="one seed without the worlds of the hub's share, in a quarter of an hour"
    )
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds, in place of the plan's")
    parser.add_argument("--workers", type=int, default=2, help="jobs side by side, one thread each")
    return parser


def _run(options: argparse.Namespace) -> None:
    plan = QUICK if options.quick else FULL
    seeds = dict.fromkeys(options.seeds or plan.seeds)
    if options.workers < 1 or min(seeds) < 0:
        raise ConfigError(
            f"--workers {options.workers} --seeds {' '.join(map(str, seeds))}: no such number of workers, or seed",
            "Give one worker or more, and seeds from 0.",
        )
    run, results = options.run.resolve(), (options.results or options.run / "results").resolve()
    for folder in (run, results):
        with writing_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        try:
            for said in pool.map(Job.do, jobs(plan, list(seeds), run, results)):
                print(said, flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


if __name__ == "__main__":
    raise SystemExit(main())
