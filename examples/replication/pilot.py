"""The pilot: the learning rate, and how much a Score varies from seed to seed, on concepts that are not tested."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from examples.replication.analysis import power
from examples.replication.artifacts import Training, Tries
from examples.replication.documents import DEV, select
from examples.replication.settings import Settings
from examples.replication.trainings import Job, do_all
from pivotlens.errors import ConfigError

BEGIN, END = "<!-- written from the pilot: begin -->", "<!-- written from the pilot: end -->"


def run_pilot(settings: Settings, run: Path, processes: int) -> Tries:
    """Try the learning rates with the first seed, and train with all seeds at the best of them."""
    pilot = settings.pilot
    for seed in pilot.seeds:
        select(settings, run, seed, (pilot.arm,), processes)

    def job(seed: int, rate: float) -> Job:
        name = f"{pilot.arm}-{seed}-{rate:g}.json"
        return Job(settings, run, run / "pilot" / name, pilot.arm, seed, rate, DEV)

    tried = _scores(do_all([job(pilot.seeds[0], rate) for rate in pilot.learning_rates], processes))
    rates = [{"learning_rate": rate, "score": tried[pilot.seeds[0], rate]} for rate in pilot.learning_rates]
    best = max(pilot.learning_rates, key=lambda rate: tried[pilot.seeds[0], rate])
    found = _scores(do_all([job(seed, best) for seed in pilot.seeds], processes))
    seeds = [{"seed": seed, "score": found[seed, best]} for seed in pilot.seeds]
    return Tries(settings.fingerprint, pilot.arm, settings.stages["train"]["tokens"], rates, best, seeds)


def _scores(trainings: Iterable[Training]) -> dict[tuple[int, float], float]:
    return {(one.seed, one.learning_rate): one.score for one in trainings}


def filled(text: str, settings: Settings, tries: Tries) -> str:
    """Return the preregistration with what the pilot found in its slot.

    Raises:
        ConfigError: It has no such slot.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ConfigError("the preregistration has no slot for the pilot", f"Put {BEGIN} and {END} into it.")
    return f"{before}{BEGIN}\n{told(settings, tries)}\n{END}{after}"


def told(settings: Settings, tries: Tries) -> str:
    """Return what the pilot found, in the words of the preregistration."""
    found = power(settings, tries)
    rates = ", ".join(f"{row['learning_rate']:g}: {row['score']:.4f}" for row in tries.rates)
    scores = ", ".join(f"{score:.4f}" for score in tries.scores)
    first, control = settings.primary
    return "\n".join(
        [
            f"- Learning rate: **{tries.learning_rate:g}**, of those tried on arm `{tries.arm}` with seed "
            f"{tries.seeds[0]['seed']} (Score of the development concepts: {rates}).",
            f"- Scores of seeds {', '.join(str(row['seed']) for row in tries.seeds)} at that rate: {scores}.",
            f"- Standard deviation of a seed: **{found.deviation.value:.4f}** (95 % interval "
            f"{found.deviation.low:.4f} to {found.deviation.high:.4f}).",
            f"- Smallest difference `{first}` − `{control}` that is found with 80 % power at the 5 % level: "
            f"**{found.detectable.value:.4f}** ({found.detectable.low:.4f} to {found.detectable.high:.4f} at the ends "
            "of that interval).",
        ]
    )
