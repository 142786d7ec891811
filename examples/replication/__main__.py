"""The field experiment, whole: `python -m examples.replication RUN`; what is there is not done again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from examples.command import told
from examples.replication.artifacts import DOCUMENTS, PILOT, Documents, Training, Tries
from examples.replication.documents import described, mine, select
from examples.replication.page import write_page
from examples.replication.pilot import filled, run_pilot
from examples.replication.settings import NONE, Settings
from examples.replication.trainings import Job, do_all
from pivotlens.errors import ConfigError

HERE = Path(__file__).parent
PREREGISTRATION = "preregistration.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiment and return the exit code."""
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.replication", description=__doc__)
    parser.add_argument("run", type=Path, help="folder for everything that is large")
    parser.add_argument("--quick", action="store_true", help="a small one (quick.toml), with its results in RUN")
    parser.add_argument("--pilot", action="store_true", help="the pilot alone, which fills the preregistration")
    parser.add_argument("--page", action="store_true", help="the page alone, from the results that are there")
    parser.add_argument("--settings", type=Path, help="TOML file instead of settings.toml; results go to RUN")
    parser.add_argument("--results", type=Path, help="folder of the small files and the page")
    parser.add_argument("--corpus", help="where the corpus lies, instead of what the settings say")
    parser.add_argument("--processes", type=int, default=2, help="trainings side by side, a core each (default: 2)")
    return parser


def _run(options: argparse.Namespace) -> None:
    file = options.settings or HERE / ("quick.toml" if options.quick else "settings.toml")
    settings = Settings.read(file)
    if options.corpus:
        settings = settings.model_copy(update={"corpus": options.corpus})
    published = file == HERE / "settings.toml" and options.results is None
    home: Path = options.results or (HERE if published else options.run)
    run, results = options.run.resolve(), home / "results"
    if not options.page:
        tries = _pilot(settings, run, results, options, needed=published and not options.pilot)
        if options.pilot:
            text = (HERE / PREREGISTRATION).read_text(encoding="utf-8")
            (home / PREREGISTRATION).write_text(filled(text, settings, tries), encoding="utf-8")
            return
        _experiment(settings, run, results, tries.learning_rate, options.processes)
    write_page(settings, home)


def _pilot(settings: Settings, run: Path, results: Path, options: argparse.Namespace, *, needed: bool) -> Tries:
    """Return what the pilot found; run it where it is not there, unless it had to be there."""
    tries = Tries.read(results / PILOT, settings.fingerprint)
    if tries is None and needed:
        raise ConfigError(
            f"there is no {results / PILOT}: the learning rate and the detectable effect come from a pilot",
            "Run it first with --pilot, and commit what it writes before the experiment.",
        )
    if tries is None:
        mine(settings, run, options.processes)
        tries = run_pilot(settings, run, options.processes)
        tries.write(results / PILOT)
    return tries


def _experiment(settings: Settings, run: Path, results: Path, learning_rate: float, processes: int) -> None:
    """Do what of the experiment is not there yet."""
    of = jobs(settings, run, results, learning_rate)
    described_already = Documents.read(results / DOCUMENTS, settings.fingerprint) is not None
    if described_already and all(Training.read(job.to, settings.fingerprint) for job in of):
        return
    mine(settings, run, processes)
    for seed in range(max(settings.seeds.values())):
        select(settings, run, seed, settings.arms(seed), processes)
    if not described_already:
        described(settings, run, processes).write(results / DOCUMENTS)
    for done in do_all(of, processes):
        print(f"{done.arm} {done.seed}: Score {done.score:.4f}", flush=True)


def jobs(settings: Settings, run: Path, results: Path, learning_rate: float) -> list[Job]:
    """Return every training: the reference, then seed after seed, so that whatever is done compares all arms."""
    seeds = [(arm, seed) for seed in range(max(settings.seeds.values())) for arm in settings.arms(seed)]
    of = [Job(settings, run, results / f"{arm}-{seed}.json", arm, seed, learning_rate) for arm, seed in seeds]
    return [Job(settings, run, results / f"{NONE}.json", NONE, 0, learning_rate), *of]


if __name__ == "__main__":
    raise SystemExit(main())
