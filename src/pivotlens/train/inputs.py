"""What `pivotlens train` reads beside its settings."""

from __future__ import annotations

from pivotlens.artifacts import RunFolder, Source, upstream_inputs
from pivotlens.artifacts.files import expanded
from pivotlens.artifacts.fingerprint import sha256_of_file
from pivotlens.corpus import label_inputs, survey_corpus
from pivotlens.errors import ConfigError
from pivotlens.models.end_of_document import end_of_document_input
from pivotlens.models.resolve import model_input, tokenizer_input
from pivotlens.train.arms import arm_specs
from pivotlens.train.config import TrainConfig


def inputs(config: TrainConfig, near: RunFolder) -> dict[str, str | Source]:
    """Return fingerprints of the model, or of its configuration and tokenizer, and of the benchmark; and the corpora.

    The benchmark is read only where checkpoints are scored on it.

    Raises:
        ConfigError: There is no arm, or not either a model or a configuration.
        PrerequisiteError: Something is not there, or the stage that makes it has not run.
        DataError: A corpus holds no file.
    """
    found: dict[str, str | Source] = {**label_inputs(config)}
    if config.configuration:
        _check_from_scratch(config)
        found["configuration"] = sha256_of_file(expanded(config.configuration))
        found["tokenizer"] = tokenizer_input(config.tokenizer, near)
        if not config.end_of_document:
            found["end_of_document"] = end_of_document_input(config.tokenizer, near)
    else:
        named = config.tokenizer not in ("", config.model)
        if named and tokenizer_input(config.tokenizer, near) != tokenizer_input(config.model, near):
            raise ConfigError(
                f"tokenizer = {config.tokenizer!r} is not that of model = {config.model!r}",
                "A model that is trained further keeps its own: leave out `tokenizer`.",
            )
        found["model"] = model_input(config.model, near)
    specs = arm_specs(config.arms)
    if not specs:
        raise ConfigError("no arms given", "Pass --arms, such as --arms run:select/top run:select/random.")
    for name, spec in specs.items():
        found[f"arm {name}"] = survey_corpus(spec, near)
    if config.held_out:
        found["held_out"] = survey_corpus(config.held_out, near)
    if config.score_concepts:
        found |= upstream_inputs(near.path, ("bench",), planned=near.planned, reader=config.stage)
    return found


def _check_from_scratch(config: TrainConfig) -> None:
    if config.model:
        raise ConfigError(
            f"both model = {config.model!r} and configuration = {config.configuration!r} are given",
            'Give a model to train it further, or a configuration to train from scratch; `model = ""` under [train] '
            "leaves out the one that other stages read.",
        )
    if not config.tokenizer:
        raise ConfigError(
            "a model from scratch needs a tokenizer", "Pass --tokenizer with a model spec or a folder of one."
        )
    if not expanded(config.configuration).is_file():
        raise ConfigError(f"there is no configuration {config.configuration!r}", "Give a JSON or TOML file.")
