"""What the experiment consists of, read from a TOML file: arms with their seeds, the pilot, and settings of stages."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pivotlens.artifacts.fingerprint import canonical_json
from pivotlens.errors import ConfigError
from pivotlens.settings import StageConfig

C = TypeVar("C", bound=StageConfig)
NONE = "none"
"""The reference: the model as it is, without any training."""


class Pilot(BaseModel):
    """What is found out before the experiment, on concepts that it does not test.

    Attributes:
        arm: The arm that is trained on.
        learning_rates: Those that are tried, with the first seed.
        seeds: Seeds at the best of them; none is a seed of the experiment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    arm: str = "random"
    learning_rates: tuple[float, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=2)


class Settings(BaseModel):
    """The experiment.

    Attributes:
        model: The model that is trained further.
        corpus: A corpus with languages and groups.
        languages: Of its documents and of the benchmark.
        held_out_share: Share of the groups that nothing is selected from; bits per byte are measured on them.
        groups_seed: Of the choice of these groups.
        primary: The two arms of the primary endpoint, the first minus the second.
        seeds: How many seeds each arm has, from 0; a seed draws the arm's documents and their order.
        traced: Arms whose behaviours are traced after the training.
        behaviour_rule: The rule of `trace` that behaviours are told by.
        pilot: The pilot.
        stages: Settings of the stages, by stage and name; ``frequency`` are those of `count` over an arm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    model: str
    corpus: str
    languages: tuple[str, ...] = Field(min_length=2)
    held_out_share: float = Field(gt=0, lt=1)
    groups_seed: int = 0
    primary: tuple[str, str]
    seeds: dict[str, int]
    traced: tuple[str, ...]
    behaviour_rule: str = "calibrated"
    pilot: Pilot
    stages: dict[str, dict[str, Any]]

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for arm in (*self.primary, *self.traced, self.pilot.arm):
            if arm not in self.seeds:
                raise ValueError(f"arm {arm!r} is named and has no seeds")
        if fewest := [arm for arm in self.primary if self.seeds[arm] < 2]:
            raise ValueError(f"arm {fewest[0]!r} of the primary endpoint needs two seeds or more")
        if common := set(self.pilot.seeds) & set(range(max(self.seeds.values()))):
            raise ValueError(f"seed {min(common)} of the pilot is one of the experiment")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the settings.

        Raises:
            ConfigError: There is no such file, or it does not hold such settings.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"cannot read {path}: {error}", "Give a TOML file such as settings.toml.") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the settings"
            raise ConfigError(f"{where} in {path}: {first['msg']}", "Compare with settings.toml.") from error

    @property
    def fingerprint(self) -> str:
        """What results follow from, beside the content of the corpus: all settings but where that lies."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json", exclude={"corpus"}))).hexdigest()[:16]

    def stage(self, config: type[C], **values: Any) -> C:
        """Return the settings of a stage: what the file says of it, and what follows from the experiment."""
        return self.named(config.stage, config, **values)

    def named(self, name: str, config: type[C], **values: Any) -> C:
        """Return a stage's settings of another table of the file than its own.

        Raises:
            ConfigError: One of them is unknown or impossible.
        """
        return config.build({f"[stages.{name}]": self.stages.get(name, {}), "the experiment": values})

    def arms(self, seed: int) -> tuple[str, ...]:
        """Return the arms that have a seed, in order."""
        return tuple(arm for arm, seeds in self.seeds.items() if seed < seeds)
