"""What stages of a planned chain will make, told by their settings: a reference to anything else is a slip."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pivotlens.artifacts.references import near_references
from pivotlens.errors import ConfigError, did_you_mean
from pivotlens.select.config import SelectConfig
from pivotlens.settings.base import StageConfig
from pivotlens.train.arms import arm_specs, step_folder, trainings
from pivotlens.train.config import TrainConfig
from pivotlens.train.schedule import checkpoints

_STEP = re.compile(r"step-\d+")


def refuse_unmade(config: StageConfig, planned: Mapping[str, StageConfig]) -> None:
    """Refuse settings of a stage that name what no stage before it will make.

    Args:
        config: The settings.
        planned: Those of the stages before it in the same chain, by name.

    Raises:
        ConfigError: They name an arm that is not among those of its stage, or a step that is none of its checkpoints.
    """
    for name, reference in near_references(config.meaning()):
        maker = planned.get(reference.stage)
        arm, _, step = reference.place.partition("/")
        if isinstance(maker, TrainConfig):
            arms: Sequence[str] = [one.name for one in trainings(list(arm_specs(maker.arms)), maker.seeds)]
            steps = _steps(maker)
        elif isinstance(maker, SelectConfig):
            arms, steps = maker.arms, []
        else:
            continue
        if arm not in arms or (step and not (_STEP.fullmatch(step) if steps is None else step in steps)):
            asked = reference.place.replace("/", "@")
            made = [f"{arm}@{one}" for one in steps or ()] if arm in arms else ()
            raise ConfigError(
                f"{name} of {config.stage} names run:{reference.stage}/{asked}, which the settings of "
                f"{reference.stage} do not make",
                did_you_mean(asked, made or arms),
            )


def _steps(config: TrainConfig) -> list[str] | None:
    """Return the folders of an arm's checkpoints; None where the lengths of the arms decide which is the last one."""
    if config.tokens is None:
        return None
    step_tokens = config.sequence_length * config.batch_sequences
    last = config.tokens // step_tokens
    return [step_folder(at) for at in checkpoints(last, step_tokens, config.checkpoint_steps, config.checkpoint_tokens)]
